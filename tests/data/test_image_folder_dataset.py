import os
import shutil

import numpy as np
import pytest

from cifar_exp.data.image_folder import load_folder
from cifar_exp.errors import UserError

TRAIN = ("train/cat/1.png", "train/cat/2.png", "train/dog/1.png")
TEST = ("test/cat/1.png", "test/dog/1.png")


@pytest.fixture
def root(tmp_path, write_picture):
    """Pictures by class; the seed of each is its place in the lists above."""
    for seed, file in enumerate(TRAIN + TEST):
        write_picture(tmp_path / "pictures" / file, seed)
    return tmp_path / "pictures"


@pytest.fixture
def load(data_section, reports):
    """Load a folder; `reports` then has a line for each image that was decoded."""

    def load(root, image_size: int = 8):
        reports.clear()
        return load_folder(data_section(root=str(root), image_size=image_size), reports)

    return load


def test_classes_and_labels_are_read_from_the_folders(root, load):
    found = load(root)
    assert found.name == "folder"
    assert found.class_names == ("cat", "dog")
    assert found.superclasses is None
    assert found.train.labels.tolist() == [0, 0, 1]
    assert found.test.labels.tolist() == [0, 1]


def test_the_pictures_are_those_of_the_files(root, load):
    found = load(root)
    assert found.train.images.dtype == np.uint8
    for seed, image in enumerate([*found.train.images, *found.test.images]):
        written = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        assert np.array_equal(image, written)


def test_images_are_resized_to_the_size_in_the_settings(root, load, reports):
    assert load(root, image_size=8).train.images.shape == (3, 8, 8, 3)
    assert load(root, image_size=12).train.images.shape == (3, 12, 12, 3)
    assert len(reports) == 5


def test_files_are_decoded_once_as_long_as_they_stay_the_same(root, load, reports):
    first = load(root)
    assert len(reports) == 5
    again = load(root)
    assert reports == []
    assert np.array_equal(first.train.images, again.train.images)
    assert first.fingerprint == again.fingerprint


def test_a_changed_file_is_decoded_again(root, load, reports, write_picture):
    before = load(root)
    path = root / TRAIN[1]
    time = path.stat().st_mtime_ns
    pixels = write_picture(path, 99)
    os.utime(path, ns=(time, time + 1_000_000))
    after = load(root)
    assert len(reports) == 3  # train alone
    assert np.array_equal(after.train.images[1], pixels)
    assert np.array_equal(after.train.images[0], before.train.images[0])
    assert after.fingerprint != before.fingerprint


def test_a_touched_file_is_decoded_again_into_the_same_entry(root, load, reports, cache):
    before = load(root)
    os.utime(root / TRAIN[0], ns=(0, 0))
    assert load(root).fingerprint == before.fingerprint
    assert len(reports) == 3
    assert len(list(cache.glob("*/images.npy"))) == 2


def test_the_fingerprint_and_the_entries_stay_when_the_folder_moves(root, load, cache):
    before = load(root)
    moved = shutil.copytree(root, root.parent / "elsewhere" / "pictures")
    shutil.rmtree(root)
    assert load(moved).fingerprint == before.fingerprint
    assert len(list(cache.glob("*/images.npy"))) == 2


def rename(old: str, new: str):
    def change(root):
        for split in ("train", "test"):
            (root / split / old).rename(root / split / new)

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda root: shutil.copy(root / TRAIN[0], root / TRAIN[2]),
        lambda root: shutil.copy(root / TEST[0], root / TEST[1]),
        lambda root: (root / TRAIN[1]).unlink(),
        lambda root: (root / TRAIN[1]).rename(root / "train/dog/0.png"),
        rename("dog", "wolf"),
        rename("cat", "ape"),
    ],
    ids=["train picture", "test picture", "one less", "other class", "last name", "first name"],
)
def test_the_fingerprint_changes_with_a_picture_its_class_or_a_class_name(root, load, change):
    before = load(root).fingerprint
    change(root)
    assert load(root).fingerprint != before


def test_the_fingerprint_changes_with_the_size_that_pictures_are_read_at(root, load):
    assert load(root, image_size=8).fingerprint != load(root, image_size=9).fingerprint


def test_the_test_folder_must_have_the_classes_of_train(root, load):
    (root / "test/cat").rename(root / "test/cats")
    with pytest.raises(UserError) as caught:
        load(root)
    assert str(caught.value).startswith(f"data.root: {root / 'test'} lacks the class cat")
    assert "cats" in str(caught.value).removeprefix(f"data.root: {root / 'test'} lacks the class")


def test_a_class_that_only_test_has_is_an_error(root, load, write_picture):
    write_picture(root / "test/emu/1.png", 0)
    with pytest.raises(UserError) as caught:
        load(root)
    assert str(caught.value) == (
        f"data.root: {root / 'test'} has the class emu, which does not belong there; "
        "train and test have the same classes"
    )


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_missing_split_is_an_error_before_anything_is_decoded(root, load, reports, split):
    shutil.rmtree(root / split)
    with pytest.raises(UserError, match=f"there is no folder {root / split}, where images"):
        load(root)
    assert reports == []


def test_an_unreadable_image_is_named(root, load):
    (root / TEST[1]).write_bytes(b"no picture")
    with pytest.raises(UserError) as caught:
        load(root)
    assert f"cannot read the image {root / TEST[1]} (" in str(caught.value)
    assert str(caught.value).endswith("replace it or remove it")
