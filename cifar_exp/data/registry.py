"""The data set that the settings name."""

from cifar_exp.config.schema import DataSection
from cifar_exp.data import shapes
from cifar_exp.data.archive import FOLDER, Archive, absent
from cifar_exp.data.cifar import load_cifar100
from cifar_exp.data.dataset import Dataset, ProgressCallback
from cifar_exp.data.image_folder import load_folder

ARCHIVE = Archive()


def load_dataset(section: DataSection, report: ProgressCallback) -> Dataset:
    """All images of the named data set; decoded the first time, mapped from the cache after that.

    Raises UserError where they are absent or damaged, EnvironmentFailure where fetching failed.
    """
    if section.name == "shapes":
        return shapes.load_shapes(section.image_size, report)
    if section.name == "cifar100":
        return load_cifar100(section, report, ARCHIVE)
    return load_folder(section, report)


class Loader:
    """`load_dataset` that reads images once for all runs on them: listing 60,000 files takes half a
    second."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str, int], Dataset] = {}

    def __call__(self, section: DataSection, report: ProgressCallback) -> Dataset:
        key = (section.name, section.root, section.image_size)
        if key not in self._loaded:
            self._loaded[key] = load_dataset(section, report)
        return self._loaded[key]


def missing_data(section: DataSection) -> str | None:
    """A sentence if the images are plainly not there; looks at folders only."""
    root = section.folder
    if section.name == "folder" and not (root / "train").is_dir():
        return f"data.root={section.root}: there is no folder {root / 'train'} with images by class"
    if section.name == "cifar100" and not section.download:
        places = (root / FOLDER, root / "train", root / ARCHIVE.filename)
        return None if any(place.exists() for place in places) else absent(root)
    return None
