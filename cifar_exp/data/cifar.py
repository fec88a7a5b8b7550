"""CIFAR-100 from either layout: torchvision's archive, or the same images by class."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cifar_exp.config.schema import DataSection
from cifar_exp.data.archive import FOLDER, Archive, check_members, ensure_archive
from cifar_exp.data.cache import cached
from cifar_exp.data.dataset import Dataset, ImageSet, ProgressCallback
from cifar_exp.data.image_folder import OWN_IMAGES, decode, list_split
from cifar_exp.errors import UserError

SPLITS = ("train", "test")
SIZE = 32

SUPERCLASSES = {
    "aquatic_mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food_containers": "bottle bowl can cup plate",
    "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
    "household_electrical_devices": "clock keyboard lamp telephone television",
    "household_furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large_carnivores": "bear leopard lion tiger wolf",
    "large_man-made_outdoor_things": "bridge castle house road skyscraper",
    "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
    "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium_mammals": "fox porcupine possum raccoon skunk",
    "non-insect_invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small_mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles_1": "bicycle bus motorcycle pickup_truck train",
    "vehicles_2": "lawn_mower rocket streetcar tank tractor",
}
SUPERCLASS_OF = {c: parent for parent, classes in SUPERCLASSES.items() for c in classes.split()}
CLASS_NAMES = tuple(sorted(SUPERCLASS_OF))


def load_cifar100(section: DataSection, report: ProgressCallback, archive: Archive) -> Dataset:
    """CIFAR-100 at `data.root`, fetched there first if it is absent and may be.

    Raises UserError where it is absent, damaged or something else; EnvironmentFailure where it
    cannot be fetched.
    """
    root = section.folder
    by_class = (root / "train").is_dir()
    if not by_class:
        ensure_archive(root, section.download, archive)
    sets = {}
    for split in SPLITS:
        if by_class:
            images, pixels = _read_folders(root, split, report)
        else:
            images, pixels = _read_archive(root, split, archive)
        if pixels != archive.pixels[split]:
            raise UserError(
                f"data.root: the {split} images at {root} are not CIFAR-100's{OWN_IMAGES}"
            )
        sets[split] = _resized(images, f"{split} {pixels}", section.image_size)
    return Dataset(
        name="cifar100",
        fingerprint=archive.pixels["train"],
        class_names=CLASS_NAMES,
        superclasses=tuple(SUPERCLASS_OF[name] for name in CLASS_NAMES),
        train=sets["train"],
        test=sets["test"],
    )


def _read_folders(root: Path, split: str, report: ProgressCallback) -> tuple[ImageSet, str]:
    listing = list_split(root / split, CLASS_NAMES, OWN_IMAGES)
    return cached(f"{listing.signature} {SIZE}", lambda: decode(listing, SIZE, report))


def _read_archive(root: Path, split: str, archive: Archive) -> tuple[ImageSet, str]:
    path = root / FOLDER / split
    if not path.is_file():
        check_members(root, archive)
    status = path.stat()
    signature = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"

    def read() -> ImageSet:
        check_members(root, archive)  # before anything is unpickled
        return _unpickle(root / FOLDER, split)

    return cached(signature, read)


def _unpickle(folder: Path, split: str) -> ImageSet:
    meta, content = (_load_pickle(folder / name) for name in ("meta", split))
    names = np.array([name.decode() for name in meta[b"fine_label_names"]])
    order_of_names = np.argsort(names)
    rank = np.empty_like(order_of_names)
    rank[order_of_names] = np.arange(len(names))
    labels = rank[np.array(content[b"fine_labels"])]
    files = np.array([name.decode() for name in content[b"filenames"]])
    order = np.lexsort((files, labels))
    pixels = content[b"data"].reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)[order]
    return ImageSet(np.ascontiguousarray(pixels), labels[order].astype(np.int64))


def _load_pickle(path: Path) -> dict[bytes, Any]:
    with path.open("rb") as stream:
        content: dict[bytes, Any] = pickle.load(stream, encoding="bytes")
    return content


def _resized(images: ImageSet, name: str, size: int) -> ImageSet:
    if size == SIZE:
        return images

    def resize() -> ImageSet:
        pictures = (Image.fromarray(image) for image in images.images)
        resized = [np.asarray(p.resize((size, size), Image.Resampling.BILINEAR)) for p in pictures]
        return ImageSet(np.stack(resized), images.labels)

    return cached(f"{name} {size}", resize)[0]
