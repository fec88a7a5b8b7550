"""Decoded images as memory maps, keyed by content and shared by all processes.

An entry is a folder named by the SHA-256 of its content; an index beside the entries says which
content a listing of files (names, sizes, times) stands for. Both are renamed into place when
whole, so that what a killed process left half-written is never read.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

from cifar_exp.data.dataset import ImageSet
from cifar_exp.errors import EnvironmentFailure

FORMAT = "1"


def cache_folder() -> Path:
    """Where decoded images are kept: CIFAR_EXP_CACHE, or the user's cache folder."""
    named = os.environ.get("CIFAR_EXP_CACHE")
    return Path(named) if named else user_cache_path("cifar_exp")


def cached(signature: str, make: Callable[[], ImageSet]) -> tuple[ImageSet, str]:
    """The images that `signature` stands for and the SHA-256 of their pixels.

    Made once; of two processes that want the same, one makes them and the other waits. Raises
    EnvironmentFailure where the cache cannot be written.
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
    """Hold one of the cache's locks. Raises EnvironmentFailure where the folder cannot be made."""
    root = cache_folder()
    with _writable(root):
        (root / "index").mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / f"{name}.lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def pixel_digest(images: np.ndarray) -> str:
    """SHA-256 over uint8 RGB pixels (N, H, W, 3), image by image."""
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()


def _lookup(root: Path, index: Path) -> tuple[ImageSet, str] | None:
    try:
        entry = json.loads(index.read_text())
        return _read(root / entry["content"]), entry["pixels"]
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _read(folder: Path) -> ImageSet:
    # copy-on-write: torch wants a writable array, and nothing ever reaches the file
    images = np.load(folder / "images.npy", mmap_mode="c")
    return ImageSet(images, np.load(folder / "labels.npy"))


def _store(root: Path, index: Path, made: ImageSet) -> tuple[ImageSet, str]:
    pixels = pixel_digest(made.images)
    labels = hashlib.sha256(made.labels.tobytes()).hexdigest()
    content = hashlib.sha256(f"{pixels} {labels} {made.images.shape}".encode()).hexdigest()
    # the same pictures may come in under another signature at this moment
    with cache_lock(content), _writable(root):
        images = _entry(root / content, made)
        descriptor, name = tempfile.mkstemp(dir=index.parent)
        with os.fdopen(descriptor, "w") as stream:
            json.dump({"content": content, "pixels": pixels}, stream)
        os.replace(name, index)
    return images, pixels


def _entry(target: Path, made: ImageSet) -> ImageSet:
    """The entry `target`, kept if it is whole: others have it mapped. The lock is held."""
    try:
        return _read(target)
    except (OSError, EOFError, ValueError):
        shutil.rmtree(target, ignore_errors=True)
    prefix = f".writing-{target.name[:16]}-"
    for leftover in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
    try:
        for name, array in (("images.npy", made.images), ("labels.npy", made.labels)):
            with (folder / name).open("wb") as stream:
                np.save(stream, array)
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(folder, target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _read(target)


@contextmanager
def _writable(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot keep decoded images in {root} ({error}); nothing else was touched. Make room "
            "there, or name another folder by the environment variable CIFAR_EXP_CACHE"
        ) from error
