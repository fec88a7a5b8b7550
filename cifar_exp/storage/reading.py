"""Open stored files safely: outputs/ may hold anything that a user or a crash left there."""

import errno
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

import yaml

CHUNK = 1 << 20  # bytes


class UnreadableError(Exception):
    """A stored file that cannot be used; the message names it and says why."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises OSError where there is none, and also for a pipe or a device, which could block forever.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path) -> bytes:
    """The content of a regular file. Raises OSError as `open_regular` does."""
    # without a stream, because a report reads tens of thousands of small files
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        parts = [os.read(descriptor, status.st_size + 1)]
        while parts[-1]:
            parts.append(os.read(descriptor, CHUNK))
    finally:
        os.close(descriptor)
    return b"".join(parts)


def read_text(path: Path) -> str:
    """A file's text, UTF-8 with or without a byte order mark.

    Raises FileNotFoundError where there is none, UnreadableError where it cannot be read.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {_lower(error)}") from error
    except ValueError as error:
        raise UnreadableError(f"{path.name} cannot be read: not UTF-8 text") from error


def read_yaml(path: Path) -> Any:
    """A file's YAML content. Raises as `read_text` does."""
    text = read_text(path)
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UnreadableError(f"{path.name} is damaged: not valid YAML") from error


def _lower(error: OSError) -> str:
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]
