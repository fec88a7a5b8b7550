"""Decoded images as memory maps, keyed by content and shared by all processes.

An entry is a folder named by the SHA-256 of its content. An index next to the entries maps a
listing of files (names, sizes, times) to the entry with their content. Both are renamed into place
when they are whole, so a file that a killed process left half written is never read.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

from cifar_exp.data.dataset import ImageSet
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.machine import GIB, total_memory_gb
from cifar_exp.storage.atomic import write_json, write_whole

FORMAT = "1"


def cache_folder() -> Path:
    """Where decoded images are kept: CIFAR_EXP_CACHE, or the user's cache folder."""
    named = os.environ.get("CIFAR_EXP_CACHE")
    return Path(named) if named else user_cache_path("cifar_exp")


def cached(signature: str, make: Callable[[], ImageSet]) -> tuple[ImageSet, str]:
    """The images that `signature` identifies, and the SHA-256 of their pixels.

    They are made once: if two processes need the same images, one makes them and the other waits.
    Raises EnvironmentFailure if the cache cannot be written, or an entry cannot be mapped.
    """
    root = cache_folder()
    name = hashlib.sha256(f"{FORMAT} {signature}".encode()).hexdigest()
    index = root / "index" / f"{name}.json"
    found = _lookup(root, index)
    if found is not None:
        return found
    with cache_lock(name):
        found = _lookup(root, index)
        return found or _store(root, index, make())


@contextmanager
def cache_lock(name: str) -> Iterator[None]:
    """Hold one of the cache's locks. Raises EnvironmentFailure if the folder cannot be made."""
    root = cache_folder()
    with _writable(root):
        (root / "index").mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / f"{name}.lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def check_room(count: int, size: int) -> None:
    """See that `count` images of `size` pixels fit, before any is made.

    Raises UserError if they do not fit into the machine's memory, EnvironmentFailure if they do not
    fit on the disk of the cache.
    """
    needed = count * size * size * 3 / GIB
    what = f"{count:,} images of {size} x {size} pixels take {needed:.1f} GiB"
    memory = total_memory_gb()
    if needed > memory:
        raise UserError(
            f"data.image_size={size}: {what}, and this machine has {memory:.1f} GiB of memory; "
            "choose a smaller size"
        )
    root = cache_folder()
    there = next(path for path in (root, *root.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free / GIB
    if needed > free:
        raise EnvironmentFailure(
            f"data.image_size={size}: {what}, and {free:.1f} GiB are free in {root}. Free some "
            "space there, or set CIFAR_EXP_CACHE to a folder on another disk, and run the same "
            "command again"
        )


def pixel_digest(images: np.ndarray) -> str:
    """SHA-256 over uint8 RGB pixels (N, H, W, 3), image by image."""
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()


def _lookup(root: Path, index: Path) -> tuple[ImageSet, str] | None:
    try:
        entry = json.loads(index.read_text())
        folder, pixels = root / entry["content"], entry["pixels"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    images = _read(folder)
    return None if images is None else (images, pixels)


def _read(folder: Path) -> ImageSet | None:
    """The entry, or None if it is missing or damaged.

    Raises EnvironmentFailure if it may be whole and cannot be read at the moment.
    """
    try:
        # copy-on-write: torch wants a writable array, and nothing ever reaches the file
        images = np.load(folder / "images.npy", mmap_mode="c")
        return ImageSet(images, np.load(folder / "labels.npy"))
    except (FileNotFoundError, NotADirectoryError, EOFError, ValueError):
        return None
    except (OSError, MemoryError) as error:
        reason = str(error) or "out of memory"
        raise EnvironmentFailure(
            f"cannot read the decoded images in {folder} ({reason}); they were left as they are. "
            "Remove the cause and run the same command again"
        ) from error


def _store(root: Path, index: Path, made: ImageSet) -> tuple[ImageSet, str]:
    pixels = pixel_digest(made.images)
    labels = hashlib.sha256(made.labels.tobytes()).hexdigest()
    content = hashlib.sha256(f"{pixels} {labels} {made.images.shape}".encode()).hexdigest()
    # another process may store the same images under another signature at this moment
    with cache_lock(content), _writable(root):
        images = _read(root / content) or _write(root / content, made)
        write_json(index, {"content": content, "pixels": pixels})
    return images, pixels


def _write(target: Path, made: ImageSet) -> ImageSet:
    """Write the entry `target`. The lock is held, and there is none that is whole."""
    shutil.rmtree(target, ignore_errors=True)
    folder = target.parent / f".writing-{target.name[:16]}"
    for leftover in target.parent.glob(f"{folder.name}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder.mkdir()  # with the rights that the umask leaves: others may share the cache
    try:
        for name, array in (("images.npy", made.images), ("labels.npy", made.labels)):
            write_whole(folder / name, partial(np.save, arr=array))
        os.replace(folder, target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    written = _read(target)
    assert written is not None  # the lock is held: nobody took it away
    return written


@contextmanager
def _writable(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot store decoded images in {root} ({error}); nothing else was changed. Free some "
            "space there, or set CIFAR_EXP_CACHE to another folder, and run the same command again"
        ) from error
