"""CIFAR-100 and CIFAR-10 from either layout: torchvision's archive, or the same images by class."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cifar_exp.config.schema import DataSection
from cifar_exp.data.archive import Archive, check_members, ensure_archive, missing_message
from cifar_exp.data.cache import cached, check_room
from cifar_exp.data.dataset import Dataset, DatasetCounts, ImageSet, ProgressCallback
from cifar_exp.data.image_folder import OWN_IMAGES, Listing, decode, list_split
from cifar_exp.errors import UserError

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
CIFAR10_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


@dataclass(frozen=True)
class Cifar:
    """One of the CIFAR datasets, with what its archive holds and how it is checked.

    `files`: by split, the archive's pickled files, with labels under `label_key`; class names are
    in the file `meta` under `names_key`. `pixels`: by split, the SHA-256 over the uint8 RGB pixels
    ordered by class name and file name, where it is known.
    """

    name: str
    archive: Archive
    files: Mapping[str, tuple[str, ...]]
    label_key: bytes
    meta: str
    names_key: bytes
    superclass_of: Mapping[str, str] | None
    class_names: tuple[str, ...]
    per_class: Mapping[str, int]
    pixels: Mapping[str, str]

    @property
    def counts(self) -> DatasetCounts:
        """Classes and images, known without reading any."""
        classes = len(self.class_names)
        train, test = (classes * self.per_class[split] for split in ("train", "test"))
        return DatasetCounts(classes, train, test)


CIFAR100 = Cifar(
    name="cifar100",
    archive=Archive(
        title="CIFAR-100",
        url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        md5="eb9058c3a382ffc7106e4002c42a8d85",
        folder="cifar-100-python",
        members={
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        },
    ),
    files={"train": ("train",), "test": ("test",)},
    label_key=b"fine_labels",
    meta="meta",
    names_key=b"fine_label_names",
    superclass_of=SUPERCLASS_OF,
    class_names=tuple(sorted(SUPERCLASS_OF)),
    per_class={"train": 500, "test": 100},
    pixels={
        "train": "2aa2e92a742ec0fbd361b0b1386394899dfac5a05c448330d3371fd9b63b3e87",
        "test": "2716d826d85ee9ca7f948fb4dc3b3d7515225d1a436d1c4b7e6975855da3d9ee",
    },
)

CIFAR10 = Cifar(
    name="cifar10",
    archive=Archive(
        title="CIFAR-10",
        url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        md5="c58f30108f718f92721af3b95e74349a",
        folder="cifar-10-batches-py",
        members={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
    ),
    files={"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)},
    label_key=b"labels",
    meta="batches.meta",
    names_key=b"label_names",
    superclass_of=None,
    class_names=CIFAR10_NAMES,
    per_class={"train": 5000, "test": 1000},
    pixels={},  # not known: images by class are checked only by their number and class names
)


def missing_cifar(section: DataSection, cifar: Cifar) -> str | None:
    """A sentence if the images are not at `data.root` and cannot get there."""
    root = section.folder
    if (root / "train").is_dir():
        return None
    return missing_message(root, section.download, cifar.archive)


def load_cifar(section: DataSection, report: ProgressCallback, cifar: Cifar) -> Dataset:
    """The images at `data.root`, resized to `data.image_size`; downloaded first if necessary.

    Raises UserError if they are missing, damaged or other images; EnvironmentFailure if the
    download failed. In the layout by class, other images are recognized by their pixels where
    `cifar.pixels` knows them (CIFAR-100), else only by the number of images in each class.
    """
    root = section.folder
    by_class = (root / "train").is_dir()
    if not by_class:
        ensure_archive(root, section.download, cifar.archive)
    read = _read_folders if by_class else _read_archive
    sets, digests = {}, {}
    for split in ("train", "test"):
        images, pixels = read(root, split, cifar, report)
        if pixels != cifar.pixels.get(split, pixels):
            title = cifar.archive.title
            raise UserError(
                f"data.root: the {split} images at {root} are not those of {title}{OWN_IMAGES}"
            )
        sets[split] = _resized(images, f"{split} {pixels}", section.image_size)
        digests[split] = pixels
    superclass_of = cifar.superclass_of
    return Dataset(
        name=cifar.name,
        fingerprint=digests["train"],
        class_names=cifar.class_names,
        superclasses=tuple(superclass_of[c] for c in cifar.class_names) if superclass_of else None,
        train=sets["train"],
        test=sets["test"],
    )


def _read_folders(
    root: Path, split: str, cifar: Cifar, report: ProgressCallback
) -> tuple[ImageSet, str]:
    listing = list_split(root / split, cifar.class_names, OWN_IMAGES)
    if split not in cifar.pixels:
        _check_counts(listing, cifar.per_class[split], cifar.archive.title)
    return cached(f"{listing.signature} {SIZE}", lambda: decode(listing, SIZE, report))


def _check_counts(listing: Listing, each: int, title: str) -> None:
    for class_name, files in zip(listing.class_names, listing.files, strict=True):
        if len(files) != each:
            raise UserError(
                f"data.root: {listing.folder / class_name} holds {len(files):,} images, where "
                f"{title} has {each:,}{OWN_IMAGES}"
            )


def _read_archive(
    root: Path, split: str, cifar: Cifar, _report: ProgressCallback
) -> tuple[ImageSet, str]:
    folder = root / cifar.archive.folder
    paths = [folder / name for name in cifar.files[split]]
    if not all(path.is_file() for path in paths):
        check_members(root, cifar.archive)
    signature = "\n".join(_file_signature(path) for path in paths)

    def read() -> ImageSet:
        check_members(root, cifar.archive)  # before anything is unpickled
        return _unpickle(paths, folder / cifar.meta, cifar)

    return cached(signature, read)


def _file_signature(path: Path) -> str:
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def _unpickle(paths: list[Path], meta: Path, cifar: Cifar) -> ImageSet:
    names = np.array([name.decode() for name in _load_pickle(meta)[cifar.names_key]])
    order_of_names = np.argsort(names)
    rank = np.empty_like(order_of_names)
    rank[order_of_names] = np.arange(len(names))
    parts = [_load_pickle(path) for path in paths]
    labels = rank[np.concatenate([part[cifar.label_key] for part in parts])]
    files = np.array([name.decode() for part in parts for name in part[b"filenames"]])
    order = np.lexsort((files, labels))
    planes = np.concatenate([part[b"data"] for part in parts])
    pixels = planes.reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)[order]
    return ImageSet(np.ascontiguousarray(pixels), labels[order].astype(np.int64))


def _load_pickle(path: Path) -> dict[bytes, Any]:
    with path.open("rb") as stream:
        content: dict[bytes, Any] = pickle.load(stream, encoding="bytes")
    return content


def _resized(images: ImageSet, name: str, size: int) -> ImageSet:
    if size == SIZE:
        return images

    def resize() -> ImageSet:
        check_room(len(images), size)
        resized = np.empty((len(images), size, size, 3), np.uint8)
        for target, image in zip(resized, images.images, strict=True):
            picture = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
            target[:] = np.asarray(picture)
        return ImageSet(resized, images.labels)

    return cached(f"{name} {size}", resize)[0]
