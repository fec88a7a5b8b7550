import numpy as np
import pytest

from cifar_exp.data import registry as sources
from cifar_exp.data import shapes
from cifar_exp.data.archive import FOLDER
from cifar_exp.errors import UserError

ABSENT = (
    "data.root={root}: no CIFAR-100 is there (neither cifar-100-python/ nor "
    "train/<class>/*.png), and data.download is false; name its folder, or allow the download"
)


@pytest.fixture
def missing(data_section):
    return lambda root, **changes: sources.missing_data(data_section(root=str(root), **changes))


@pytest.mark.parametrize("place", [FOLDER, "train"])
def test_cifar100_in_either_layout_is_not_missing(missing, tmp_path, place):
    (tmp_path / place).mkdir()
    assert missing(tmp_path, name="cifar100") is None


def test_an_archive_that_lies_at_the_root_is_not_missing(missing, tmp_path):
    (tmp_path / "cifar-100-python.tar.gz").touch()
    assert missing(tmp_path, name="cifar100") is None


def test_absent_cifar100_is_missing_where_it_may_not_be_fetched(missing, tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    for root in (tmp_path, tmp_path / "none such"):
        assert missing(root, name="cifar100") == ABSENT.format(root=root)
        assert missing(root, name="cifar100", download=True) is None


def test_loading_absent_cifar100_says_the_same(missing, data_section, tmp_path, reports):
    section = data_section(name="cifar100", root=str(tmp_path))
    with pytest.raises(UserError) as caught:
        sources.load_dataset(section, reports)
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
    for name in ("cifar100", "folder", "shapes"):
        missing(tmp_path / "none such", name=name, download=True)
    assert sorted(tmp_path.iterdir()) == before


def test_the_data_set_that_is_named_is_loaded(
    made_cifar, data_section, tmp_path, reports, monkeypatch
):
    monkeypatch.setattr(sources, "ARCHIVE", made_cifar.archive)
    monkeypatch.setattr(shapes, "TRAIN_SIZE", 250)
    monkeypatch.setattr(shapes, "TEST_SIZE", 250)
    root = made_cifar.write_by_class(tmp_path / "data")
    for name, count in (("cifar100", 200), ("folder", 200), ("shapes", 250)):
        section = data_section(name=name, root=str(root), image_size=32)
        found = sources.load_dataset(section, reports)
        assert found.name == name
        assert len(found.train) == count
        assert len(found.class_names) == 100
        is_cifar = np.array_equal(found.train.images, made_cifar.images["train"])
        assert is_cifar == (name != "shapes")
