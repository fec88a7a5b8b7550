"""Images by class: root/train/<class>/* and root/test/<class>/*."""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from cifar_exp.config.schema import DataSection
from cifar_exp.data.cache import cached, check_room
from cifar_exp.data.dataset import Dataset, ImageSet, ProgressCallback
from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
)
UNREAD = frozenset((".heic", ".heif", ".avif", ".jxl", ".jp2", ".dng", ".cr2", ".nef", ".arw"))
NAMED = 5  # of several files with the same problem
Entry = os.DirEntry[str]
OWN_IMAGES = "; use data=folder for images of your own"


@dataclass(frozen=True)
class Listing:
    """The image files of one split, ordered by class name and file name."""

    folder: Path
    class_names: tuple[str, ...]
    files: tuple[tuple[str, ...], ...]  # by class
    signature: str

    def __len__(self) -> int:
        return sum(len(names) for names in self.files)

    def paths(self) -> list[Path]:
        """All files, in order of class and name."""
        return [
            self.folder / class_name / name
            for class_name, names in zip(self.class_names, self.files, strict=True)
            for name in names
        ]

    def labels(self) -> np.ndarray:
        """The class index of each file, int64 (N,)."""
        counts = [len(names) for names in self.files]
        return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def list_split(folder: Path, class_names: Sequence[str] | None = None, hint: str = "") -> Listing:
    """List a split's files. `class_names`: the classes that must be there, no more and no fewer.

    Raises UserError, ended by `hint`, if classes are missing, unexpected or empty, and if a name or
    a file cannot be used.
    """
    try:
        return _listed(folder, class_names, hint)
    except OSError as error:  # no permission, a link that leads to itself
        raise UserError(
            f"data.root: cannot read {error.filename or folder} ({error.strerror})"
        ) from error


def _listed(folder: Path, class_names: Sequence[str] | None, hint: str) -> Listing:
    if not folder.is_dir():
        raise UserError(f"data.root: there is no folder {folder}, where images by class should be")
    present = [entry.name for entry in _scan(folder) if _is_class(entry)]
    expected = list(class_names) if class_names is not None else present
    if not expected:
        raise UserError(f"data.root: {folder} has no class folders, as {folder}/cat/1.png")
    _compare(folder, expected, present, hint)
    digest = hashlib.sha256(os.fsencode(folder.resolve()))
    files = tuple(_list_class(folder / name, digest) for name in expected)
    return Listing(folder, tuple(expected), files, digest.hexdigest())


def decode(listing: Listing, image_size: int, report: ProgressCallback) -> ImageSet:
    """Read all files as RGB, (N, image_size, image_size, 3) uint8, resized if they differ.

    Raises UserError if they do not fit into memory, or with the names of those that cannot be read.
    """
    paths = listing.paths()
    check_room(len(paths), image_size)
    images = np.empty((len(paths), image_size, image_size, 3), np.uint8)

    def read(index: int) -> str | None:
        try:
            images[index] = _read_image(paths[index], image_size)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            return f"data.root: cannot read the image {paths[index]} ({error})"
        return None

    wrong = []
    with ThreadPoolExecutor() as pool:
        try:
            for done, problem in enumerate(pool.map(read, range(len(paths))), 1):
                report(f"reading {listing.folder}", done, len(paths))
                wrong += [problem] if problem else []
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if wrong:
        raise UserError(_some([f"{problem}; replace it or remove it" for problem in wrong]))
    return ImageSet(images, listing.labels())


def _some(problems: list[str]) -> list[str]:
    """The first few sentences, and how many more there are."""
    more = len(problems) - NAMED
    rest = [f"data.root: {more:,} more images cannot be read"] if more > 0 else []
    return problems[:NAMED] + rest


def _scan(folder: Path) -> list[Entry]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_class(entry: Entry) -> bool:
    return entry.name[0] != "." and entry.is_dir() and _is_utf8(entry)


def _is_file(entry: Entry, suffixes: frozenset[str]) -> bool:
    # macOS leaves ._1.png next to 1.png
    named = entry.name[0] != "." and os.path.splitext(entry.name)[1].lower() in suffixes
    return named and entry.is_file() and _is_utf8(entry)


def _is_utf8(entry: Entry) -> bool:
    """True, or raises UserError: names go into JSON and into messages."""
    if any("\udc80" <= letter <= "\udcff" for letter in entry.name):
        shown = os.fsencode(entry.path).decode(errors="backslashreplace")
        raise UserError(f"data.root: the name of {shown} is not valid UTF-8; rename it")
    return True


def _compare(folder: Path, expected: list[str], present: list[str], hint: str) -> None:
    missing = sorted(set(expected) - set(present))
    foreign = sorted(set(present) - set(expected))
    if missing:
        near = did_you_mean(missing[0], foreign)
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(f"data.root: {folder} lacks the class {missing[0]}{more}{near}{hint}")
    if foreign:
        raise UserError(
            f"data.root: {folder} has the class {foreign[0]}, which does not belong there{hint}"
        )


def _list_class(folder: Path, digest: "hashlib._Hash") -> tuple[str, ...]:
    # One stat per image: names, sizes and times identify the content until they change.
    entries = _scan(folder)
    unread = [entry.name for entry in entries if _is_file(entry, UNREAD)]
    if unread:
        more = f" and {len(unread) - NAMED:,} more" if len(unread) > NAMED else ""
        raise UserError(
            f"data.root: {folder} holds images in a format that is not read here: "
            f"{', '.join(unread[:NAMED])}{more}; convert them to PNG or JPEG, or remove them"
        )
    images = [entry for entry in entries if _is_file(entry, SUFFIXES)]
    if not images:
        raise UserError(f"data.root: {folder} holds no images")
    for entry in images:
        status = entry.stat()
        line = f"{folder.name}/{entry.name} {status.st_size} {status.st_mtime_ns}\n"
        digest.update(os.fsencode(line))
    return tuple(entry.name for entry in images)


def _read_image(path: Path, image_size: int) -> np.ndarray:
    with Image.open(path) as image:
        upright = _as_rgb(ImageOps.exif_transpose(image))
        if upright.size != (image_size, image_size):
            upright = upright.resize((image_size, image_size), Image.Resampling.BILINEAR)
        return np.asarray(upright)


def _as_rgb(image: Image.Image) -> Image.Image:
    """Eight bits a channel; transparent pixels become white."""
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers without a known range")
    if image.mode == "I" or image.mode.startswith("I;16"):
        wide = np.asarray(image).astype(np.int64)
        return Image.fromarray((wide // 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("RGB")


def missing_folder(section: DataSection) -> str | None:
    """A sentence if there is no folder of training images at `data.root`."""
    train = section.folder / "train"
    if train.is_dir():
        return None
    return f"data.root={section.root}: there is no folder {train} with images by class"


def load_folder(section: DataSection, report: ProgressCallback) -> Dataset:
    """The images in root/train/<class>/ and root/test/<class>/, of any classes and any sizes.

    The fingerprint covers pixels and class names. Raises UserError, naming the folder or file.
    """
    root = section.folder
    train = list_split(root / "train")
    test = list_split(root / "test", train.class_names, "; train and test have the same classes")
    size = section.image_size
    digest = hashlib.sha256(json.dumps(train.class_names).encode())
    sets = {}
    for split, listing in (("train", train), ("test", test)):
        sets[split], pixels = cached(
            f"{listing.signature} {size}", partial(decode, listing, size, report)
        )
        digest.update(f"{pixels} {[len(names) for names in listing.files]}".encode())
    return Dataset(
        name="folder",
        fingerprint=digest.hexdigest(),
        class_names=train.class_names,
        superclasses=None,
        train=sets["train"],
        test=sets["test"],
    )
