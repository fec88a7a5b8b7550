import numpy as np
import pytest

from cifar_exp.data import shapes


@pytest.fixture(scope="module")
def drawn():
    """4,000 training images and 1,000 test images of 16 pixels."""
    train = shapes.draw_set(4_000, 16, 1, lambda *_: None)
    return train, shapes.draw_set(1_000, 16, 2, lambda *_: None)


@pytest.fixture
def load_few(monkeypatch, reports):
    """Load 500 training images and 250 test images."""
    monkeypatch.setattr(shapes, "TRAIN_SIZE", 500)
    monkeypatch.setattr(shapes, "TEST_SIZE", 250)
    return lambda size: shapes.load_shapes(size, reports)


def test_there_are_100_classes_in_20_superclasses_of_5(load_few):
    found = load_few(8)
    assert found.name == "shapes"
    assert len(set(found.class_names)) == len(found.class_names) == len(found.superclasses) == 100
    assert len(set(found.superclasses)) == 20
    for class_name, superclass in zip(found.class_names, found.superclasses, strict=True):
        assert class_name.startswith(f"{superclass} ")
        assert found.superclasses.count(superclass) == 5


def test_every_class_has_equally_many_images(drawn):
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


def nearest_mean_hits(train_features, test_features, train, test) -> int:
    means = np.stack([train_features[train.labels == label].mean(0) for label in range(100)])
    distances = ((test_features[:, None] - means[None]) ** 2).sum(-1)
    return int((distances.argmin(1) == test.labels).sum())


def test_colour_and_place_alone_tell_next_to_nothing(drawn):
    train, test = drawn
    pixels, colours = (
        [function(images.images / 255) for images in drawn]
        for function in (lambda x: x.reshape(len(x), -1), lambda x: x.mean((1, 2)))
    )
    # 10 of 1,000 by chance; more than 21 in 1 of 1,000 such guesses
    assert nearest_mean_hits(*colours, train, test) <= 21
    assert nearest_mean_hits(*pixels, train, test) <= 21


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


def test_the_fingerprint_tells_sizes_and_versions_apart(load_few, monkeypatch):
    found = [load_few(size).fingerprint for size in (8, 9, 8)]
    assert found[0] == found[2] != found[1]
    monkeypatch.setattr(shapes, "VERSION", "next")
    assert load_few(8).fingerprint not in found


def test_the_default_set_is_as_large_as_cifar_100():
    assert (shapes.TRAIN_SIZE, shapes.TEST_SIZE) == (50_000, 10_000)
