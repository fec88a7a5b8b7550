import numpy as np
import pytest

from cifar_exp.config.fields import choices
from cifar_exp.config.schema import DataSection
from cifar_exp.data import registry, shapes
from cifar_exp.data.dataset import DatasetCounts
from cifar_exp.data.registry import (
    DATASETS,
    cifar_spec,
    dataset_counts,
    is_known_by_content,
    load_dataset,
    missing_data_error,
)
from cifar_exp.errors import UserError

ABSENT = (
    "data.root={root}: CIFAR-100 is not there (neither cifar-100-python/ nor "
    "train/<class>/*.png), and data.download is false; set data.root to its folder, or "
    "data.download=true"
)


@pytest.fixture
def missing(data_section):
    return lambda root, **changes: missing_data_error(data_section(root=str(root), **changes))


@pytest.mark.parametrize("place", ["cifar-100-python", "train"])
def test_cifar100_in_either_layout_is_not_missing(missing, tmp_path, place):
    (tmp_path / place).mkdir()
    assert missing(tmp_path, name="cifar100") is None


def test_an_archive_at_the_root_is_not_missing(missing, tmp_path):
    (tmp_path / "cifar-100-python.tar.gz").touch()
    assert missing(tmp_path, name="cifar100") is None


def test_cifar100_is_missing_if_it_may_not_be_downloaded(missing, tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    for root in (tmp_path, tmp_path / "none such"):
        assert missing(root, name="cifar100") == ABSENT.format(root=root)
        assert missing(root, name="cifar100", download=True) is None


def test_loading_missing_cifar100_gives_the_same_sentence(missing, data_section, tmp_path, reports):
    section = data_section(name="cifar100", root=str(tmp_path))
    with pytest.raises(UserError) as caught:
        load_dataset(section, reports)
    assert str(caught.value) == missing(tmp_path, name="cifar100")


def test_a_folder_without_train_is_missing(missing, tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "train").touch()
    for download in (True, False):
        assert missing(tmp_path, name="folder", download=download) == (
            f"data.root={tmp_path}: there is no folder {tmp_path / 'train'} with images by class"
        )


def test_a_folder_with_train_is_not_missing(missing, tmp_path):
    (tmp_path / "train").mkdir()
    assert missing(tmp_path, name="folder") is None


def test_shapes_are_never_missing(missing, tmp_path):
    assert missing(tmp_path / "none such", name="shapes") is None


def test_looking_for_data_makes_no_folder(missing, tmp_path):
    before = sorted(tmp_path.iterdir())
    for name in DATASETS:
        missing(tmp_path / "none such", name=name, download=True)
    assert sorted(tmp_path.iterdir()) == before


def test_the_named_dataset_is_loaded(made_cifar, data_section, tmp_path, reports, monkeypatch):
    monkeypatch.setitem(registry.DATASETS, "cifar100", cifar_spec(made_cifar.cifar))
    monkeypatch.setattr(shapes, "TRAIN_SIZE", 250)
    monkeypatch.setattr(shapes, "TEST_SIZE", 250)
    root = made_cifar.write_by_class(tmp_path / "data")
    for name, count in (("cifar100", 200), ("folder", 200), ("shapes", 250)):
        section = data_section(name=name, root=str(root), image_size=32)
        found = load_dataset(section, reports)
        assert found.name == name
        assert len(found.train) == count
        assert len(found.class_names) == 100
        is_cifar = np.array_equal(found.train.images, made_cifar.images["train"])
        assert is_cifar == (name != "shapes")


def test_every_dataset_of_the_schema_is_in_the_registry():
    assert list(DATASETS) == choices(DataSection.model_fields["name"])


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("cifar100", (100, 50_000, 10_000)),
        ("cifar10", (10, 50_000, 10_000)),
        ("shapes", (100, 50_000, 10_000)),
    ],
)
def test_the_counts_of_a_fixed_dataset_are_known_without_its_images(data_section, name, counts):
    section = data_section(name=name)
    assert dataset_counts(section) == DatasetCounts(*counts)
    assert not is_known_by_content(section)


def test_the_counts_of_a_folder_come_from_its_images(
    data_section, tmp_path, write_picture, reports
):
    for seed, file in enumerate(["train/a/1.png", "train/b/1.png", "train/b/2.png"]):
        write_picture(tmp_path / file, seed)
        write_picture(tmp_path / file.replace("train", "test").replace("2", "1"), seed)
    section = data_section(name="folder", root=str(tmp_path))
    assert is_known_by_content(section)
    with pytest.raises(ValueError, match="data=folder have to be loaded first"):
        dataset_counts(section)
    assert dataset_counts(section, load_dataset(section, reports)) == DatasetCounts(2, 3, 2)


@pytest.mark.parametrize("name", ["cifar100", "cifar10", "folder"])
def test_a_home_folder_that_nobody_has_is_a_mistake(data_section, reports, name):
    section = data_section(name=name, root="~no such user/x")
    sentence = "data.root=~no such user/x: no home folder is known for ~no such user"
    assert missing_data_error(section) == sentence
    with pytest.raises(UserError) as caught:
        load_dataset(section, reports)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["cifar100", "folder"])
def test_a_path_that_the_system_refuses_is_a_mistake(missing, name):
    sentence = missing("x" * 5000, name=name)
    assert sentence.startswith("data.root=xxx")
    assert sentence.endswith("...: cannot be read (File name too long)")
