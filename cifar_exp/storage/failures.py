"""What to say when something under outputs/ cannot be written."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.storage.atomic import is_disk_full

NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)


@contextmanager
def explained(folder: Path, outcome: str = "nothing was changed") -> Iterator[None]:
    """Turn an OSError of the block, which writes into `folder`, into one sentence.

    `outcome` says what was kept. Raises UserError if something that is not a writable folder is in
    the way, else EnvironmentFailure.
    """
    try:
        yield
    except OSError as error:
        raise failure(error, folder, outcome) from error


def failure(error: OSError, folder: Path, outcome: str) -> UserError | EnvironmentFailure:
    """The error to end a command with instead of `error`; parameters are as in `explained`."""
    path = _relative(Path(os.fsdecode(error.filename)) if error.filename else folder)
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return UserError(f"{_existing(path)} exists but is not a writable folder")
    if error.errno in NOT_ALLOWED:
        return UserError(f"cannot access {path}: {os.strerror(error.errno or 0).lower()}")
    if is_disk_full(error):
        return disk_full(folder, outcome)
    if error.errno in TOO_MANY_FILES:
        return EnvironmentFailure(
            f"too many files are open; {outcome}: raise the limit (ulimit -n) or lower "
            "hydra.launcher.n_jobs, and run the same command again"
        )
    return EnvironmentFailure(f"{error}; {outcome}: run the same command again to continue")


def disk_full(folder: Path, outcome: str) -> EnvironmentFailure:
    """The error that ends a command when a disk is full; parameters are as in `explained`."""
    return EnvironmentFailure(
        f"no space is left on the disk of {folder}; {outcome}: "
        "make room and run the same command again to continue"
    )


def _existing(path: Path) -> Path:
    """The path, or the nearest of its parents that exists."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), path)


def _relative(path: Path) -> Path:
    with suppress(ValueError, OSError):
        return path.relative_to(Path.cwd())
    return path
