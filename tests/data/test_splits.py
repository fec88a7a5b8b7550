from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from cifar_exp.data.splits import stratified_part, train_and_val

UNEQUAL = np.repeat([0, 1, 2, 3], [50, 30, 15, 5])


@pytest.fixture
def labels():
    """100 classes of 50, in no order."""
    return np.random.RandomState(9).permutation(np.repeat(np.arange(100), 50))


def by_class(labels, indices) -> list[int]:
    return np.bincount(labels[indices], minlength=labels.max() + 1).tolist()


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 2_500, 4_999, 5_000])
def test_a_part_has_exactly_the_requested_size(labels, size):
    part = stratified_part(labels, size, seed=3)
    assert part.dtype == np.int64
    assert len(part) == len(set(part.tolist())) == size
    assert part.tolist() == sorted(part.tolist())


def test_each_class_has_its_equal_share(labels):
    assert by_class(labels, stratified_part(labels, 700, seed=0)) == [7] * 100


@pytest.mark.parametrize(
    ("size", "quotas"),
    [
        (20, [10, 6, 3, 1]),
        (23, [12, 7, 3, 1]),  # 11.5, 6.9, 3.45, 1.15
        (99, [49, 30, 15, 5]),  # 49.5, 29.7, 14.85, 4.95
    ],
)
def test_what_rounding_leaves_goes_to_the_largest_remainders(size, quotas):
    assert by_class(UNEQUAL, stratified_part(UNEQUAL, size, seed=0)) == quotas


def test_no_class_is_an_image_away_from_its_exact_share():
    generator = np.random.default_rng(4)
    for _ in range(50):
        counts = generator.integers(1, 40, 7).tolist()
        size = int(generator.integers(1, sum(counts)))
        labels = np.repeat(np.arange(7), counts)
        for found, count in zip(
            by_class(labels, stratified_part(labels, size, 1)), counts, strict=True
        ):
            assert abs(found - Fraction(count * size, sum(counts))) < 1


@pytest.mark.parametrize("val_fraction", [0.0, 0.1, 0.33, 0.9])
def test_train_and_val_share_no_image_and_leave_none_out(labels, val_fraction):
    train, val = train_and_val(labels, None, val_fraction, seed=0)
    assert len(val) == round(5_000 * val_fraction)
    assert sorted([*train.tolist(), *val.tolist()]) == list(range(5_000))


def test_val_is_stratified(labels):
    _, val = train_and_val(labels, None, 0.1, seed=0)
    assert by_class(labels, val) == [5] * 100


def test_the_limit_is_taken_first_and_val_held_out_of_it(labels):
    limited = stratified_part(labels, 1_000, seed=2)
    for val_fraction in (0.0, 0.1, 0.4):
        train, val = train_and_val(labels, 1_000, val_fraction, seed=2)
        assert len(val) == 1_000 * val_fraction
        assert sorted([*train.tolist(), *val.tolist()]) == limited.tolist()


@pytest.mark.parametrize("limit", [5_000, 60_000])
def test_a_limit_above_the_number_of_images_takes_them_all(labels, limit):
    for found, expected in zip(
        train_and_val(labels, limit, 0.1, 0), train_and_val(labels, None, 0.1, 0), strict=True
    ):
        assert found.tolist() == expected.tolist()


def test_the_seed_alone_decides_which_images_are_taken(labels):
    first, again, other = (train_and_val(labels, 2_000, 0.1, seed) for seed in (6, 6, 7))
    assert [part.tolist() for part in first] == [part.tolist() for part in again]
    # by chance 2,000 of 5,000 images share 2/5 with another such part
    shared = set(first[0].tolist()) & set(other[0].tolist())
    assert len(shared) == pytest.approx(1_800 * 1_800 / 5_000, rel=0.1)


def test_every_image_of_a_class_is_as_likely_to_be_held_out(chi_square):
    labels = np.repeat([0, 1], 20)
    held_out = Counter(
        index for seed in range(500) for index in train_and_val(labels, None, 0.2, seed)[1].tolist()
    )
    counts = np.array([held_out[index] for index in range(40)])
    assert counts.sum() == 500 * 8
    assert chi_square(counts, 100) < 72.1  # 39 degrees of freedom: 1 in 1,000


def test_the_stream_that_splits_are_drawn_from_is_frozen():
    # a change here changes which images every run of the past was chosen on
    labels = np.arange(30) % 3
    train, val = train_and_val(labels, 15, 0.4, seed=0)
    assert train.tolist() == [3, 4, 6, 7, 11, 14, 26, 27, 28]
    assert val.tolist() == [8, 10, 12, 16, 17, 24]
    assert stratified_part(labels, 6, seed=1).tolist() == [4, 6, 9, 11, 22, 26]


def test_ties_between_classes_with_equal_shares_are_broken_at_random():
    labels = np.repeat(np.arange(200), 5)
    held = np.unique(labels[train_and_val(labels, None, 0.1, seed=0)[1]])
    assert len(held) == 100
    # drawn from all 200: half of them come from either half of the alphabet, give or take 4 SD
    assert abs((held < 100).sum() - 50) < 4 * 3.54


def test_the_highest_seed_splits_too():
    train, val = train_and_val(np.arange(30) % 3, None, 0.5, seed=2**32 - 1)
    assert (len(train), len(val)) == (15, 15)
