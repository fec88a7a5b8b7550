"""Build an object of a user's own class, named by `_target_`."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from cifar_exp.config.fields import TargetSection
from cifar_exp.errors import STOPS, describe


def instantiate(section: TargetSection, *positional: Any, **offered: Any) -> Any:
    """Call the target with its own arguments, and with those of `offered` that it accepts.

    Raises ValueError if it is not found or raises one itself, with a sentence that does not name
    the group.
    """
    target = find_target(section.target)
    own = section.arguments
    extra = {k: v for k, v in offered.items() if k not in own and _takes(target, k)}
    try:
        return target(*positional, **own, **extra)
    except STOPS:
        raise
    except (TypeError, ValueError) as error:
        raise ValueError(f"_target_={section.target} refuses its settings: {error}") from error
    except BaseException as error:  # the user's code may raise anything
        raise ValueError(f"_target_={section.target} raised {describe(error)}") from error


def find_target(name: str) -> Callable[..., Any]:
    """The class or function with this dotted name. Raises ValueError if there is none."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        found = _import(".".join(parts[:length]), name)
        if found is None:
            continue
        for index, part in enumerate(parts[length:], length):
            if not hasattr(found, part):
                raise ValueError(f"_target_={name}: {'.'.join(parts[:index])} has no {part}")
            found = getattr(found, part)
        if callable(found):
            return found  # type: ignore[no-any-return]
        raise ValueError(f"_target_={name}: is not a class or function")
    raise ValueError(
        f"_target_={name}: there is no module {parts[0]}; is its folder on PYTHONPATH?"
    )


def _import(module: str, target: str) -> Any:
    try:
        return importlib.import_module(module)
    except STOPS:
        raise
    except BaseException as error:  # SystemExit too: a script without a __main__ guard
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is not None and (module == missing or module.startswith(missing + ".")):
            return None  # the name itself is not a module; else an import inside it failed
        raise ValueError(
            f"_target_={target}: importing {module} raised {describe(error)}"
        ) from error


def _takes(target: Callable[..., Any], name: str) -> bool:
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:
        return False
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
