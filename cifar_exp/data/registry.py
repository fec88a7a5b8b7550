"""The datasets that `data.name` chooses among; a new one is an entry in DATASETS."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cifar_exp.config.schema import DataSection
from cifar_exp.data.cifar import CIFAR10, CIFAR100, Cifar, load_cifar, missing_cifar
from cifar_exp.data.dataset import Dataset, DatasetCounts, ProgressCallback
from cifar_exp.data.image_folder import load_folder, missing_folder
from cifar_exp.data.shapes import COUNTS as SHAPES_COUNTS
from cifar_exp.data.shapes import load_shapes
from cifar_exp.errors import UserError
from cifar_exp.text import format_value


@dataclass(frozen=True)
class DatasetSpec:
    """What the rest of the package asks of a dataset.

    `load` reads the images that a section names. `missing` is a sentence if they are not there and
    cannot get there; it looks at file names only. `counts` is None if the images must be read
    to count them; such a dataset enters a run's id by its content.
    """

    load: Callable[[DataSection, ProgressCallback], Dataset]
    missing: Callable[[DataSection], str | None]
    counts: DatasetCounts | None


def cifar_spec(cifar: Cifar) -> DatasetSpec:
    """The entry of a CIFAR dataset."""
    load, missing = partial(load_cifar, cifar=cifar), partial(missing_cifar, cifar=cifar)
    return DatasetSpec(load, missing, cifar.counts)


DATASETS = {
    "cifar100": cifar_spec(CIFAR100),
    "cifar10": cifar_spec(CIFAR10),
    "folder": DatasetSpec(load_folder, missing_folder, None),
    "shapes": DatasetSpec(load_shapes, lambda _: None, SHAPES_COUNTS),
}


def load_dataset(section: DataSection, report: ProgressCallback) -> Dataset:
    """All images of the chosen dataset: decoded the first time, mapped from the cache afterwards.

    Raises UserError if they are missing or damaged, EnvironmentFailure if a download failed or the
    cache cannot be used.
    """
    return DATASETS[section.name].load(section, report)


def missing_data_error(section: DataSection) -> str | None:
    """A sentence if the images are plainly not there; looks at file names only."""
    try:
        return DATASETS[section.name].missing(section)
    except UserError as error:
        return str(error)
    except OSError as error:  # a path that is too long, a folder that may not be read
        return f"data.root={format_value(section.root)}: cannot be read ({error.strerror})"


def is_known_by_content(section: DataSection) -> bool:
    """Whether a run on this dataset is named by the content of its images too."""
    return DATASETS[section.name].counts is None


def dataset_counts(section: DataSection, dataset: Dataset | None = None) -> DatasetCounts:
    """Numbers of classes and images; `dataset` is needed only if it is known by its content."""
    counts = dataset.counts if dataset is not None else DATASETS[section.name].counts
    if counts is None:
        raise ValueError(f"the images of data={section.name} have to be loaded first")
    return counts


class Loader:
    """`load_dataset` for a process that makes many runs: it lists and reads each dataset once.

    Listing 60,000 files takes half a second.
    """

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str, int], Dataset] = {}

    def __call__(self, section: DataSection, report: ProgressCallback) -> Dataset:
        key = (section.name, section.root, section.image_size)
        if key not in self._loaded:
            self._loaded[key] = load_dataset(section, report)
        return self._loaded[key]
