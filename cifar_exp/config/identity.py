"""A run's identity: a hash of the settings that decide its result."""

import hashlib
import importlib.util
import json
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.metadata import nuisance_keys
from cifar_exp.config.schema import Settings

# Raised whenever the golden losses change: runs from before and after are different runs.
NUMERICS = 1

# Two commands that differ only in these ask for the same run.
NUISANCE = nuisance_keys()


def flatten(settings: BaseModel) -> dict[str, Any]:
    """All settings by dotted key, with JSON values."""
    return dict(leaves(settings.model_dump(mode="json", by_alias=True)))


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a nested mapping, by dotted key."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def run_id(settings: Settings, fingerprint: str | None = None) -> str:
    """The first 10 hex digits of the SHA-256 of everything that decides the run.

    `fingerprint` is that of the images if the settings do not determine them (data=folder).
    """
    payload: dict[str, Any] = {"numerics": NUMERICS, "settings": identifying(settings)}
    if fingerprint is not None:
        payload["fingerprint"] = fingerprint
    sources = target_sources(settings)
    if sources:
        payload["sources"] = sources
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:10]


def identifying(settings: Settings) -> dict[str, Any]:
    """The flat settings without nuisance keys and keys that have their "as before" value."""
    as_before = dict(_as_before(settings))
    missing = object()
    return {
        key: value
        for key, value in flatten(settings).items()
        if key not in NUISANCE and as_before.get(key, missing) != value
    }


def target_sources(settings: Settings) -> dict[str, str]:
    """By `_target_`: the SHA-256 of its package's source, unless that package is installed."""
    hashes = {}
    for group in (settings.model, settings.optimizer, settings.scheduler):
        if isinstance(group, TargetSection):
            files = list(_own_sources(group.target))
            if files:
                content = b"".join(path.read_bytes() for path in files)
                hashes[group.target] = hashlib.sha256(content).hexdigest()
    return hashes


def _as_before(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The flat "as before" values of keys and whole groups that were added later."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            yield from leaves({field.alias or name: to_jsonable_python(default)}, prefix)
        elif isinstance(value, BaseModel):
            yield from _as_before(value, f"{prefix}{name}.")


def _own_sources(target: str) -> Iterator[Path]:
    """The files that a user's own `_target_` may depend on: its whole top-level package."""
    parts = target.split(".")
    for length in range(1, len(parts)):
        spec = _find(".".join(parts[:length]))
        if spec is not None and spec.has_location and spec.origin:  # else a namespace, or built in
            origin = Path(spec.origin)
            if parts[0] == "cifar_exp" or _is_installed(origin):
                return
            is_package = origin.name == "__init__.py"
            yield from sorted(origin.parent.rglob("*.py")) if is_package else [origin]
            return


def _is_installed(module: Path) -> bool:
    places = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    if {"site-packages", "dist-packages"} & set(module.parts):
        return True
    return any(module.is_relative_to(place) for place in places)


def _find(module: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(module)
    except Exception:  # to find a.b, a is imported: the user's code may do anything
        return None
