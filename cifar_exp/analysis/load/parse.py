"""One run's folder -> what its files say, as far as they can be read."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cifar_exp.storage.record import SCHEMA, RunRecord

RUN = "run"  # the column that holds the place of a row's run in the list that was asked for
FILES = ("run.json", "metrics.csv", "extra.csv")


class UnreadableError(Exception):
    """A folder whose record cannot be used; the message says why."""


@dataclass(frozen=True)
class Table:
    """A CSV file's header and whole data lines; `complaints` say what was left out of it."""

    header: tuple[str, ...]
    lines: tuple[str, ...]
    complaints: tuple[str, ...] = ()


def signature(folder: Path) -> list[int]:
    """Sizes and times of the files that are read, which tell whether any has changed."""
    found: list[int] = []
    for name in FILES:
        try:
            stat = os.stat(folder / name)
            found += [stat.st_size, stat.st_mtime_ns]
        except OSError:
            found += [-1, -1]
    return found


def read_record(folder: Path) -> RunRecord:
    """run.json. Raises UnreadableError with the reason where it is no record of ours."""
    try:
        content = json.loads((folder / "run.json").read_bytes())
    except FileNotFoundError as error:
        raise UnreadableError("has no run.json") from error
    except OSError as error:
        raise UnreadableError(f"run.json cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError("run.json is damaged: it is no JSON") from error
    return as_record(content)


def as_record(content: Any) -> RunRecord:
    """A record from JSON. Raises UnreadableError as `read_record` does."""
    if not isinstance(content, Mapping) or "run_id" not in content:
        raise UnreadableError("run.json is not a run of cifar_exp")
    schema = content.get("schema", 0)
    if isinstance(schema, int) and schema > SCHEMA:
        raise UnreadableError(
            f"run.json was written by a newer cifar_exp (schema {schema}; this one reads {SCHEMA})"
        )
    try:
        return RunRecord.model_validate({**content, "schema_version": schema})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        older = f"schema {schema}, " if schema != SCHEMA else ""
        raise UnreadableError(f"run.json does not fit ({older}{where}: {first['msg']})") from error


def read_table(path: Path) -> Table | None:
    """A CSV of numbers by epoch; torn and foreign lines are left out. None where there is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Table((), (), (f"{path.name} cannot be read",))
    lines = text.split("\n")
    torn = lines.pop()  # empty where the last line is whole
    header = tuple(lines[0].rstrip("\r").split(",")) if lines else ()
    if "epoch" not in header:
        return Table((), (), (f"{path.name} has no column epoch",))
    if len(set(header)) < len(header) or {RUN, "run_id"} & set(header):
        return Table((), (), (f"{path.name} has a column twice, or one of a name that is taken",))
    commas = len(header) - 1
    whole = tuple(line for line in lines[1:] if line.count(",") == commas)
    complaints = [f"without the torn last line of {path.name}"] if torn else []
    damaged = len(lines) - 1 - len(whole)
    if damaged:
        complaints.append(
            f"without {damaged} damaged line{'s' if damaged > 1 else ''} of {path.name}"
        )
    return Table(header, whole, tuple(complaints))


def read_overrides(folder: Path) -> Sequence[str]:
    """What was asked on the command line; nothing where that is not on record."""
    try:
        with (folder / "overrides.yaml").open("rb") as stream:
            content = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return ()
    return [str(item) for item in content] if isinstance(content, list) else ()
