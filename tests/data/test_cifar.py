import os
import shutil

import numpy as np
import pytest
from PIL import Image

from cifar_exp.data.cifar import CLASS_NAMES, SUPERCLASS_OF, SUPERCLASSES, load_cifar100
from cifar_exp.errors import UserError


@pytest.fixture
def load(made_cifar, data_section, reports):
    def load(root, image_size: int = 32):
        section = data_section(name="cifar100", root=str(root), image_size=image_size)
        return load_cifar100(section, reports, made_cifar.archive)

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
    assert len(CLASS_NAMES) == len(set(CLASS_NAMES)) == len(SUPERCLASS_OF) == 100
    assert list(CLASS_NAMES) == sorted(CLASS_NAMES)
    assert CLASS_NAMES[:3] == ("apple", "aquarium_fish", "baby")
    assert CLASS_NAMES[-3:] == ("wolf", "woman", "worm")


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
def test_a_class_stands_in_its_superclass(either, load, class_name, superclass):
    found = load(either)
    assert found.superclasses[found.class_names.index(class_name)] == superclass


def test_images_come_by_class_name_and_file_name_in_either_layout(either, load, made_cifar):
    found = load(either)
    for split, images in (("train", found.train), ("test", found.test)):
        assert np.array_equal(images.images, made_cifar.images[split])
        assert images.labels.tolist() == made_cifar.labels(split)
        assert images.labels.dtype == np.int64
    assert found.class_names == CLASS_NAMES
    assert found.name == "cifar100"


def test_both_layouts_have_one_fingerprint_and_share_their_entries(
    unpacked, by_class, load, cache, made_cifar
):
    assert load(unpacked).fingerprint == load(by_class).fingerprint
    assert load(unpacked).fingerprint == made_cifar.archive.pixels["train"]
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
def test_other_pictures_are_told_and_wanted_as_a_folder(by_class, load, made_cifar, split):
    class_name, file = made_cifar.names[split][17]
    shutil.copy(by_class / split / "apple" / made_cifar.names[split][0][1], by_class / "spare.png")
    shutil.copy(by_class / "spare.png", by_class / split / class_name / file)
    with pytest.raises(UserError) as caught:
        load(by_class)
    assert str(caught.value) == (
        f"data.root: the {split} images at {by_class} are not CIFAR-100's; "
        "take data=folder for images of your own"
    )


def test_an_image_that_is_missing_or_too_many_is_told(by_class, load, made_cifar):
    class_name, file = made_cifar.names["train"][3]
    path = by_class / "train" / class_name / file
    shutil.copy(path, path.with_name("copy.png"))
    with pytest.raises(UserError, match="are not CIFAR-100's"):
        load(by_class)
    path.with_name("copy.png").unlink()
    path.unlink()
    with pytest.raises(UserError, match="are not CIFAR-100's"):
        load(by_class)


def test_a_class_that_is_missing_is_told_with_the_nearest_name(by_class, load):
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


def test_other_pictures_are_told_at_every_size(by_class, load, write_picture):
    write_picture(next((by_class / "train" / "apple").iterdir()), 5)
    with pytest.raises(UserError, match="are not CIFAR-100's; take data=folder for images of your"):
        load(by_class, 16)


def test_images_of_ones_own_are_told_how_they_are_wanted(tmp_path, load, write_picture):
    write_picture(tmp_path / "train" / "cat" / "1.png", 0)
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"data.root: {tmp_path / 'train'} lacks the class apple and 99 more; "
        "take data=folder for images of your own"
    )
