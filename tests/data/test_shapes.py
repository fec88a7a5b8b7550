import numpy as np
import pytest

from cifar_exp.data import shapes
from cifar_exp.data.dataset import DatasetCounts


@pytest.fixture(scope="module")
def drawn():
    """4,000 training images and 1,000 test images of 16 pixels."""
    train = shapes.draw_set(4_000, 16, 1, lambda *_: None)
    return train, shapes.draw_set(1_000, 16, 2, lambda *_: None)


@pytest.fixture
def load_few(monkeypatch, reports, data_section):
    """Load 500 training images and 250 test images."""
    monkeypatch.setattr(shapes, "TRAIN_SIZE", 500)
    monkeypatch.setattr(shapes, "TEST_SIZE", 250)
    return lambda size: shapes.load_shapes(data_section(image_size=size), reports)


def test_there_are_100_classes_in_20_superclasses_of_5(load_few):
    found = load_few(8)
    assert found.name == "shapes"
    assert len(set(found.class_names)) == len(found.class_names) == len(found.superclasses) == 100
    assert len(set(found.superclasses)) == 20
    for class_name, superclass in zip(found.class_names, found.superclasses, strict=True):
        assert class_name.startswith(f"{superclass} ")
        assert found.superclasses.count(superclass) == 5


def test_every_class_has_the_same_number_of_images(drawn):
    for images, each in zip(drawn, (40, 10), strict=True):
        assert images.labels.dtype == np.int64
        assert np.bincount(images.labels).tolist() == [each] * 100


def test_the_images_are_the_same_each_time(drawn, reports):
    again = shapes.draw_set(4_000, 16, 1, reports)
    assert np.array_equal(again.images, drawn[0].images)
    assert again.labels.tolist() == drawn[0].labels.tolist()


@pytest.mark.parametrize("count", [250, 1_000])
def test_the_first_images_are_the_same_at_any_count(drawn, reports, count):
    part = shapes.draw_set(count, 16, 1, reports)
    assert np.array_equal(part.images, drawn[0].images[:count])
    assert part.labels.tolist() == drawn[0].labels[:count].tolist()


def test_no_image_of_train_or_test_is_drawn_twice(drawn):
    seen = {image.tobytes() for images in drawn for image in images.images}
    assert len(seen) == 5_000


def test_images_of_one_class_differ_as_much_as_those_of_two(drawn):
    train = drawn[0]
    pixels = train.images.reshape(40, 100, -1).astype(float)  # classes come in turn
    within = np.abs(pixels[:-1] - pixels[1:]).mean()
    between = np.abs(pixels[:, :-1] - pixels[:, 1:]).mean()
    assert within == pytest.approx(between, rel=0.03)


def nearest_mean_hits(function, train, test) -> int:
    known, asked = (function(images.images / 255) for images in (train, test))
    means = np.stack([known[train.labels == label].mean(0) for label in range(100)])
    distances = ((asked[:, None] - means[None]) ** 2).sum(-1)
    return int((distances.argmin(1) == test.labels).sum())


@pytest.mark.parametrize(
    "feature",
    [lambda x: x.mean((1, 2)), lambda x: x.reshape(len(x), -1)],
    ids=["color", "image"],
)
def test_the_nearest_mean_color_or_image_does_not_predict_the_class(drawn, feature):
    # 10 of 1,000 by chance; more than 21 in 1 of 1,000 such guesses
    assert nearest_mean_hits(feature, *drawn) <= 21


def variance_ratio(values: np.ndarray, groups: np.ndarray) -> float:
    """How far the groups' means lie apart, for what chance alone would give (Fisher's F)."""
    parts = [values[groups == group] for group in np.unique(groups)]
    size = len(parts[0])
    between = size * np.var([part.mean() for part in parts], ddof=1)
    return float(between / np.mean([part.var(ddof=1) for part in parts]))


def center_of_contrast(images: np.ndarray, axis: int) -> np.ndarray:
    """The row (axis 1) or column (axis 2) around which an image departs from its mean color."""
    departure = ((images - images.mean((1, 2), keepdims=True)) ** 2).mean(3).sum(3 - axis)
    return (departure * np.arange(images.shape[axis])).sum(1) / departure.sum(1)


def test_neither_color_nor_position_differs_between_classes(drawn):
    images, labels = drawn[0].images / 255, drawn[0].labels
    features = [*images.mean((1, 2)).T, *(center_of_contrast(images, axis) for axis in (1, 2))]
    for feature in features:
        # what 1 in 1,000 features without meaning exceed
        assert variance_ratio(feature, labels) < 1.51
        assert variance_ratio(feature, labels // 5) < 2.32
        assert variance_ratio(feature, labels % 5) < 4.63


def test_texture_and_outline_are_visible(drawn):
    images, labels = drawn[0].images / 255, drawn[0].labels
    detail = sum(np.abs(np.diff(images, axis=axis)).mean((1, 2, 3)) for axis in (1, 2))
    is_plain = labels % 5 == 0
    assert variance_ratio(detail, labels % 5) > 4.63
    assert variance_ratio(detail[is_plain], labels[is_plain]) > 2.35


@pytest.mark.parametrize("size", [8, 33])
def test_images_of_any_size_are_drawn(load_few, size):
    found = load_few(size)
    assert found.train.images.shape == (500, size, size, 3)
    assert found.test.images.shape == (250, size, size, 3)
    assert found.train.images.dtype == np.uint8
    assert found.train.images.std() > 30


def test_images_use_the_whole_range_and_are_seldom_clipped(drawn):
    values = np.bincount(drawn[0].images.ravel(), minlength=256) / drawn[0].images.size
    assert (values > 0).all()
    assert values[0] + values[255] < 0.05


def test_images_are_drawn_once_and_mapped_after_that(load_few, reports):
    first = load_few(8)
    drawn = [("drawing shapes", 250, 500), ("drawing shapes", 500, 500)]
    assert reports == [*drawn, ("drawing shapes", 250, 250)]
    again = load_few(8)
    assert len(reports) == 3
    assert isinstance(again.train.images, np.memmap)
    assert np.array_equal(again.train.images, first.train.images)


def test_the_fingerprint_differs_between_sizes_and_versions(load_few, monkeypatch):
    found = [load_few(size).fingerprint for size in (8, 9, 8)]
    assert found[0] == found[2] != found[1]
    monkeypatch.setattr(shapes, "VERSION", "next")
    assert load_few(8).fingerprint not in found


def test_the_default_set_is_as_large_as_cifar_100():
    assert (shapes.TRAIN_SIZE, shapes.TEST_SIZE) == (50_000, 10_000)
    assert DatasetCounts(100, 50_000, 10_000) == shapes.COUNTS
