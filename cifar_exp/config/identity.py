"""A run's identity: the settings that decide its result, hashed."""

import hashlib
import importlib.util
import json
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.schema import Settings

# Raised whenever the golden losses change: results from before and after are different runs.
NUMERICS = 1

# What may differ between two askings for the same run.
NUISANCE = frozenset(
    {
        "data.root",
        "data.download",
        "trainer.device",
        "trainer.threads",
        "trainer.progress",
        "rerun",
        "keep",
    }
)


def flatten(settings: BaseModel) -> dict[str, Any]:
    """All settings by dotted key, with values as JSON has them."""
    return dict(_flat(settings.model_dump(mode="json", by_alias=True)))


def run_id(settings: Settings, fingerprint: str | None = None) -> str:
    """The first 10 hex digits of the SHA-256 of what decides the run.

    `fingerprint` stands for the content of data=folder, whose settings do not tell the images.
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
    """The flat settings less nuisance keys and keys that stand at their "as before" value."""
    as_before = dict(_as_before(settings))
    missing = object()
    return {
        key: value
        for key, value in flatten(settings).items()
        if key not in NUISANCE and as_before.get(key, missing) != value
    }


def target_sources(settings: Settings) -> dict[str, str]:
    """By `_target_`: SHA-256 of the source of each module that is not an installed package's."""
    hashes = {}
    for group in (settings.model, settings.optimizer, settings.scheduler):
        if isinstance(group, TargetSection):
            source = _own_source(group.target)
            if source is not None:
                hashes[group.target] = hashlib.sha256(source.read_bytes()).hexdigest()
    return hashes


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _as_before(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if not field.is_required():
            yield f"{prefix}{name}", field.default
        elif isinstance(value, BaseModel):
            yield from _as_before(value, f"{prefix}{name}.")


def _own_source(target: str) -> Path | None:
    top = target.partition(".")[0]
    if top == "cifar_exp" or _is_installed(top):
        return None
    parts = target.split(".")
    for length in range(len(parts) - 1, 0, -1):
        spec = _find(".".join(parts[:length]))
        if spec is not None:
            return Path(spec.origin) if spec.origin else None
    return None


def _is_installed(package: str) -> bool:
    spec = _find(package)
    if spec is None or spec.origin is None:
        return False
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(Path(spec.origin).is_relative_to(place) for place in places)


def _find(module: str) -> Any:
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
