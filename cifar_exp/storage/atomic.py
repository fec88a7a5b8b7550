"""Atomic writes of text, JSON and CSV: a reader sees the old file or the new one, never a part.

A process that has lost what it holds to another one (storage/lock.py) writes nothing: then all of
these raise TakenOverError.
"""

import csv
import errno
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from cifar_exp.storage.fence import check_fence

TEMPORARY = ".writing-"
UNFINISHED = re.compile(rf"{re.escape(TEMPORARY)}.*-[a-z0-9_]{{8}}")  # what mkstemp makes of it
FileVersion = tuple[int, int, int]


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, says that no space is left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Replace `path` with what `write` puts into a stream: temporary name, flush, rename."""
    try:
        _write_and_rename(path, write)
    except FileNotFoundError:
        check_fence()  # who takes a run over removes what its last holder was writing
        raise


def _write_and_rename(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{TEMPORARY}{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_umask())
        check_fence()
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace `path` with UTF-8 `text`; lone surrogates are spelled out."""
    write_whole(path, lambda stream: stream.write(text.encode(errors="backslashreplace")))


def write_json(path: Path, value: Any) -> None:
    """Replace `path` with indented JSON. Raises ValueError for numbers that are not finite."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace `path` with a header and a line for each row; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def mtime_ns(path: Path) -> int:
    """When a file was last changed, in nanoseconds; 0 if it does not exist."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def file_version(path: Path | str) -> FileVersion | None:
    """Differs after each `write_whole` of this file; None if it does not exist."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def leftovers(folder: Path) -> list[Path]:
    """The files that a process is writing, or was writing when it was killed."""
    return list(folder.rglob(f"{TEMPORARY}*"))


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process was writing. Only the holder of the run's lock may call this."""
    for path in leftovers(folder):
        check_fence()
        path.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Delete what another process may still be writing, so that it never finishes it.

    For the new holder of a run that was taken over; see storage/lock.py. Raises OSError.
    """
    for place in (folder, folder / "checkpoints"):
        if place.is_dir():
            # a file of our own, so that a network file system lists the folder anew
            os.close(tempfile.mkstemp(dir=place, prefix=f"{TEMPORARY}fence-")[0])
            for name in filter(UNFINISHED.fullmatch, os.listdir(place)):
                (place / name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
