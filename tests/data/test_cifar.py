import hashlib
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from cifar_exp.data.cifar import CIFAR10, CIFAR100, SUPERCLASS_OF, SUPERCLASSES, load_cifar
from cifar_exp.data.dataset import DatasetCounts
from cifar_exp.errors import UserError


@pytest.fixture
def load(made_cifar, data_section, reports):
    def load(root, image_size: int = 32):
        section = data_section(name="cifar100", root=str(root), image_size=image_size)
        return load_cifar(section, reports, made_cifar.cifar)

    return load


@pytest.fixture
def unpacked(made_cifar, tmp_path):
    return made_cifar.unpack(tmp_path / "archive")


@pytest.fixture
def by_class(made_cifar, tmp_path):
    return made_cifar.write_by_class(tmp_path / "by_class")


@pytest.fixture(params=["unpacked", "by_class"])
def either(request):
    return request.getfixturevalue(request.param)


def test_the_100_classes_are_five_in_each_of_20_superclasses():
    assert len(SUPERCLASSES) == 20
    assert {len(classes.split()) for classes in SUPERCLASSES.values()} == {5}
    names = CIFAR100.class_names
    assert len(names) == len(set(names)) == len(SUPERCLASS_OF) == 100
    assert list(names) == sorted(names)
    assert names[:3] == ("apple", "aquarium_fish", "baby")
    assert names[-3:] == ("wolf", "woman", "worm")


@pytest.mark.parametrize(
    ("class_name", "superclass"),
    [
        ("whale", "aquatic_mammals"),
        ("shark", "fish"),
        ("worm", "non-insect_invertebrates"),
        ("train", "vehicles_1"),
        ("tank", "vehicles_2"),
        ("mouse", "small_mammals"),
    ],
)
def test_each_class_is_in_its_superclass(either, load, class_name, superclass):
    found = load(either)
    assert found.superclasses[found.class_names.index(class_name)] == superclass


def test_images_come_by_class_name_and_file_name_in_either_layout(either, load, made_cifar):
    found = load(either)
    for split, images in (("train", found.train), ("test", found.test)):
        assert np.array_equal(images.images, made_cifar.images[split])
        assert images.labels.tolist() == made_cifar.labels(split)
        assert images.labels.dtype == np.int64
    assert found.class_names == CIFAR100.class_names
    assert found.name == "cifar100"


def test_both_layouts_have_one_fingerprint_and_share_their_entries(
    unpacked, by_class, load, cache, made_cifar
):
    assert load(unpacked).fingerprint == load(by_class).fingerprint
    assert load(unpacked).fingerprint == made_cifar.cifar.pixels["train"]
    assert len(list(cache.glob("*/images.npy"))) == 2


def test_another_image_size_is_resized_alike_in_both_layouts(unpacked, by_class, load, made_cifar):
    load(unpacked)
    found, other = load(unpacked, image_size=20), load(by_class, image_size=20)
    assert found.train.images.shape == (200, 20, 20, 3)
    assert np.array_equal(found.train.images, other.train.images)
    assert found.train.labels.tolist() == other.train.labels.tolist()
    for result, image in zip(found.test.images, made_cifar.images["test"], strict=True):
        # channel by channel, where the code resizes all at once
        for channel in range(3):
            plane = Image.fromarray(np.ascontiguousarray(image[..., channel]))
            wanted = np.asarray(plane.resize((20, 20), Image.Resampling.BILINEAR))
            assert np.array_equal(result[..., channel], wanted)


def test_the_archive_is_read_once_and_mapped_after_that(unpacked, load):
    first = load(unpacked)
    (unpacked / "cifar-100-python" / "meta").unlink()  # would be missed if it were read again
    again = load(unpacked)
    assert isinstance(again.train.images, np.memmap)
    assert np.array_equal(again.train.images, first.train.images)


def test_images_by_class_are_decoded_once(by_class, load, reports):
    load(by_class)
    assert len(reports) == 300
    load(by_class)
    assert len(reports) == 300


@pytest.mark.parametrize("split", ["train", "test"])
def test_other_images_are_an_error_that_suggests_data_folder(by_class, load, made_cifar, split):
    class_name, file = made_cifar.names[split][17]
    shutil.copy(by_class / split / "apple" / made_cifar.names[split][0][1], by_class / "spare.png")
    shutil.copy(by_class / "spare.png", by_class / split / class_name / file)
    with pytest.raises(UserError) as caught:
        load(by_class)
    assert str(caught.value) == (
        f"data.root: the {split} images at {by_class} are not those of CIFAR-100; "
        "use data=folder for images of your own"
    )


def test_a_missing_or_additional_image_is_an_error(by_class, load, made_cifar):
    class_name, file = made_cifar.names["train"][3]
    path = by_class / "train" / class_name / file
    shutil.copy(path, path.with_name("copy.png"))
    with pytest.raises(UserError, match="are not those of CIFAR-100"):
        load(by_class)
    path.with_name("copy.png").unlink()
    path.unlink()
    with pytest.raises(UserError, match="are not those of CIFAR-100"):
        load(by_class)


def test_the_error_of_a_missing_class_suggests_the_nearest_name(by_class, load):
    (by_class / "train" / "wolf").rename(by_class / "train" / "wolfs")
    with pytest.raises(UserError) as caught:
        load(by_class)
    message = str(caught.value)
    assert message.startswith(f"data.root: {by_class / 'train'} lacks the class wolf")
    assert "wolfs" in message


@pytest.mark.parametrize("name", ["train", "test", "meta"])
@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(b"cut short")])
def test_a_missing_or_damaged_file_of_the_archive_is_named(unpacked, load, name, damage):
    folder = unpacked / "cifar-100-python"
    damage(folder / name)
    with pytest.raises(UserError) as caught:
        load(unpacked)
    assert str(caught.value) == (
        f"data.root: {folder / name} is missing or damaged; delete {folder} and run again"
    )


def test_nothing_of_a_file_that_fails_its_checksum_is_unpickled(unpacked, load, tmp_path):
    trap = b"cos\nmkdir\n(S'" + str(tmp_path / "sprung").encode() + b"'\ntR."
    (unpacked / "cifar-100-python" / "train").write_bytes(trap)
    with pytest.raises(UserError, match="is missing or damaged"):
        load(unpacked)
    assert not (tmp_path / "sprung").exists()


def test_an_archive_damaged_after_it_was_read_is_noticed(unpacked, load):
    load(unpacked)
    path = unpacked / "cifar-100-python" / "test"
    time = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=(time, time + 1_000_000))
    with pytest.raises(UserError, match="test is missing or damaged; delete"):
        load(unpacked)


def test_other_images_are_an_error_at_every_size(by_class, load, write_picture):
    write_picture(next((by_class / "train" / "apple").iterdir()), 5)
    with pytest.raises(
        UserError, match="are not those of CIFAR-100; use data=folder for images of"
    ):
        load(by_class, 16)


def test_the_error_of_own_images_suggests_data_folder(tmp_path, load, write_picture):
    write_picture(tmp_path / "train" / "cat" / "1.png", 0)
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"data.root: {tmp_path / 'train'} lacks the class apple and 99 more; "
        "use data=folder for images of your own"
    )


@pytest.fixture
def load10(made_cifar10, data_section, reports):
    def load(root):
        section = data_section(name="cifar10", root=str(root), image_size=32)
        return load_cifar(section, reports, made_cifar10.cifar)

    return load


def test_cifar10_is_the_same_from_either_layout(made_cifar10, load10, tmp_path, cache):
    unpacked = load10(made_cifar10.unpack(tmp_path / "archive"))
    by_class = load10(made_cifar10.write_by_class(tmp_path / "by_class"))
    for found in (unpacked, by_class):
        for split, images in (("train", found.train), ("test", found.test)):
            assert np.array_equal(images.images, made_cifar10.images[split])
            assert images.labels.tolist() == made_cifar10.labels(split)
        assert (found.name, found.class_names) == ("cifar10", CIFAR10.class_names)
        assert found.superclasses is None
    pixels = hashlib.sha256(made_cifar10.images["train"].tobytes()).hexdigest()
    assert unpacked.fingerprint == by_class.fingerprint == pixels
    assert len(list(cache.glob("*/images.npy"))) == 2


def test_cifar10_by_class_is_checked_by_names_and_numbers(made_cifar10, load10, tmp_path):
    root = made_cifar10.write_by_class(tmp_path)
    class_name, file = made_cifar10.names["test"][0]
    (root / "test" / class_name / file).unlink()
    with pytest.raises(UserError) as caught:
        load10(root)
    assert str(caught.value) == (
        f"data.root: {root / 'test' / 'airplane'} holds 2 images, where CIFAR-10 has 3; "
        "use data=folder for images of your own"
    )
    (root / "train" / "ship").rename(root / "train" / "boat")
    with pytest.raises(UserError, match="train lacks the class ship"):
        load10(root)


@pytest.mark.parametrize("name", ["data_batch_4", "test_batch", "batches.meta"])
def test_a_damaged_file_of_cifar10_is_named(made_cifar10, load10, tmp_path, name):
    root = made_cifar10.unpack(tmp_path)
    (root / "cifar-10-batches-py" / name).write_bytes(b"cut short")
    with pytest.raises(UserError, match=f"cifar-10-batches-py/{name} is missing or damaged"):
        load10(root)


def test_the_numbers_of_images_are_known_without_reading_them():
    assert CIFAR100.counts == DatasetCounts(classes=100, train=50_000, test=10_000)
    assert CIFAR10.counts == DatasetCounts(classes=10, train=50_000, test=10_000)
