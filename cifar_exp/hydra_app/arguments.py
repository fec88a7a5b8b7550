"""The options of the command line: Hydra's own, with errors in our words."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from cifar_exp.errors import UserError
from cifar_exp.text import SHOWN, did_you_mean, format_value

JSON_GOES_WITH = "--json goes with plan=true; status and report have a --json of their own"
NO_RECIPE = ("experiment=null", "sweep=null")  # the defaults, which Hydra does not accept


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Hydra's options and the overrides, in any order. Raises UserError on a mistake."""
    parser = get_args_parser()
    parser.allow_abbrev = False
    parser.add_argument("--json", action="store_true")

    def error(message: str) -> NoReturn:
        wrong = message.rpartition(": ")[2].split(" ")[0]
        near = did_you_mean(wrong[:SHOWN], parser._option_string_actions)
        words = [format_value(word) for word in message.split(" ")]
        raise UserError(f"{' '.join(words)}{near}")

    parser.error = error  # type: ignore[method-assign]
    parsed = parser.parse_intermixed_args(list(arguments))
    _check_options(parsed)
    parsed.overrides = [line for line in parsed.overrides if line not in NO_RECIPE]
    return parsed


def _check_options(parsed: argparse.Namespace) -> None:
    """Raise UserError on combinations that Hydra would end with a traceback, or ignore."""
    commands = {
        "--run": parsed.run,
        "--multirun": parsed.multirun,
        "--cfg": parsed.cfg is not None,
        "--info": parsed.info is not None,
        "--shell-completion": parsed.shell_completion,
    }
    given = [name for name, is_given in commands.items() if is_given]
    if parsed.json and set(given) - {"--run", "--multirun"}:
        raise UserError(JSON_GOES_WITH)
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)}: only one of them at a time")
    if parsed.resolve and parsed.cfg is None:
        raise UserError("--resolve goes with --cfg job")
    if parsed.package is not None and parsed.cfg is None:
        raise UserError("--package goes with --cfg job")
    if parsed.experimental_rerun is not None:
        raise UserError("--experimental-rerun: leave it out; the same command continues a run")


def options_first(arguments: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """The command line in the order that Hydra's own parser insists on."""
    options, left = [], list(overrides)
    for argument in arguments:
        if left and argument == left[0]:
            left.pop(0)
        elif argument not in NO_RECIPE:
            options.append(argument)
    return [*options, *overrides]
