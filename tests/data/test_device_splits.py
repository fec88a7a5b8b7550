import numpy as np
import pytest
import torch

from cifar_exp.data.cache import cached
from cifar_exp.data.dataset import Dataset, ImageSet
from cifar_exp.data.device_splits import split_dataset
from cifar_exp.errors import UserError

CPU = torch.device("cpu")
CLASSES = 10


def image_set(count: int, seed: int) -> ImageSet:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (count, 4, 4, 3), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = np.divmod(np.arange(count), 256)  # its own number
    return ImageSet(images, np.arange(count, dtype=np.int64) % CLASSES)


def dataset(train: int = 400, test: int = 100) -> Dataset:
    names = tuple(f"class {index}" for index in range(CLASSES))
    return Dataset("folder", "", names, None, image_set(train, 1), image_set(test, 2))


def numbers(split) -> list[int]:
    pixels = split.take(slice(None)).numpy()[:, 0, 0].astype(int)
    return (pixels[:, 0] * 256 + pixels[:, 1]).tolist()


def test_the_parts_have_the_sizes_in_the_settings(data_section):
    section = data_section(limit_train=200, limit_test=50, val_fraction=0.25)
    splits = split_dataset(dataset(), section, CPU)
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [150, 50, 50]
    assert splits.train_eval.rows.tolist() == splits.train.rows.tolist()


def test_without_limits_every_image_is_in_one_part(data_section):
    splits = split_dataset(dataset(), data_section(limit_train=1_000, limit_test=1_000), CPU)
    assert sorted(numbers(splits.train) + numbers(splits.val)) == list(range(400))
    assert numbers(splits.test) == list(range(100))


def test_labels_stay_with_their_images(data_section):
    splits = split_dataset(dataset(), data_section(limit_train=300, limit_test=40), CPU)
    for part in (splits.train, splits.train_eval, splits.val, splits.test):
        assert [number % CLASSES for number in numbers(part)] == part.labels.tolist()


def test_the_limited_test_part_is_stratified_and_fixed_by_the_split_seed(data_section):
    first, again, other = (
        split_dataset(dataset(), data_section(limit_test=30, split_seed=seed), CPU).test
        for seed in (3, 3, 4)
    )
    assert first.labels.bincount().tolist() == [3] * CLASSES
    assert first.rows.tolist() == again.rows.tolist()
    assert first.rows.tolist() != other.rows.tolist()


def test_train_eval_is_a_fixed_stratified_part_of_train_of_2000_images(data_section):
    splits, again = (split_dataset(dataset(train=3_000), data_section(), CPU) for _ in range(2))
    assert len(splits.train) == 2_700
    assert set(splits.train_eval.rows.tolist()) < set(splits.train.rows.tolist())
    assert splits.train_eval.labels.bincount().tolist() == [200] * CLASSES
    assert splits.train_eval.rows.tolist() == again.train_eval.rows.tolist()


def test_without_validation_everything_is_trained_on(data_section):
    splits = split_dataset(dataset(), data_section(val_fraction=0), CPU)
    assert len(splits.train) == 400
    assert len(splits.val) == 0


@pytest.mark.parametrize(
    ("limit", "fraction", "images", "train", "val"),
    [
        (3, 0.1, "3 training images", 3, 0),
        (10, 0.99, "10 training images", 0, 10),
        (1, 0.5, "1 training image", 1, 0),
    ],
)
def test_a_part_that_would_be_empty_is_an_error(data_section, limit, fraction, images, train, val):
    with pytest.raises(UserError) as caught:
        split_dataset(dataset(), data_section(limit_train=limit, val_fraction=fraction), CPU)
    assert caught.value.messages == [
        f"data.val_fraction={fraction}: splits {images} into {train} to train on "
        f"and {val} to validate on; use more images (data.limit_train), or another fraction"
    ]


@pytest.mark.parametrize(("limit", "fraction"), [(1, 0), (2, 0.5)])
def test_a_single_image_to_train_on_is_a_mistake(data_section, limit, fraction):
    with pytest.raises(UserError) as caught:
        split_dataset(dataset(), data_section(limit_train=limit, val_fraction=fraction), CPU)
    assert caught.value.messages == [
        "data: only 1 image is left to train on, and training needs at least 2; use more images "
        "(data.limit_train) or a smaller data.val_fraction"
    ]


def test_on_a_cpu_all_parts_of_train_share_the_cache_s_memory_map(data_section):
    made = dataset()
    train, _ = cached("train", lambda: made.train)
    mapped = Dataset("folder", "", made.class_names, None, train, made.test)
    splits = split_dataset(mapped, data_section(), CPU)
    assert isinstance(train.images, np.memmap)
    for part in (splits.train, splits.train_eval, splits.val):
        assert part.images.data_ptr() == train.images.ctypes.data


def test_another_device_gets_a_part_s_own_images_alone(data_section):
    splits = split_dataset(dataset(), data_section(val_fraction=0.25), torch.device("meta"))
    for part, count in ((splits.train, 300), (splits.val, 100), (splits.test, 100)):
        assert part.images.shape == (count, 4, 4, 3)
        assert {part.images.device.type, part.labels.device.type, part.rows.device.type} == {"meta"}


@pytest.mark.parametrize(("count", "step"), [(400, 1), (5_000, 1), (5_001, 2), (12_000, 3)])
def test_a_sample_is_evenly_spaced_and_of_5000_images_at_most(data_section, count, step):
    train = split_dataset(dataset(train=count), data_section(val_fraction=0), CPU).train
    expected = [index for index in range(count) if index % step == 0]
    pixels = train.sample().numpy()[:, 0, 0].astype(int)
    assert (pixels[:, 0] * 256 + pixels[:, 1]).tolist() == expected
    assert len(expected) <= 5_000


def test_a_part_of_an_image_set_is_a_copy_with_its_labels():
    images = image_set(50, 1)
    part = images.take(np.array([30, 4]))
    assert part.labels.tolist() == [0, 4]
    assert part.images[:, 0, 0, 1].tolist() == [30, 4]
    assert not np.shares_memory(part.images, images.images)
