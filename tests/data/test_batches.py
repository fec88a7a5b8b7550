from itertools import pairwise

import numpy as np
import pytest
import torch

from cifar_exp.data.batches import TrainingBatches
from cifar_exp.data.device_splits import Split
from cifar_exp.data.normalization import Normalization

COUNT, SIZE = 41, 8
AS_THEY_ARE = Normalization((0.0,) * 3, (1.0,) * 3)
EVERYTHING = {"flip": "random", "crop_padding": 2, "cutout": 3, "jitter": 0.2}


def split(count: int = COUNT) -> Split:
    """Random images; each one's label is its number."""
    generator = np.random.default_rng(8)
    images = generator.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    return Split(torch.from_numpy(images), torch.arange(count), torch.arange(count))


@pytest.fixture
def make_feed(augmentation_section):
    def make(*, batch_size=16, seed=0, normalization=AS_THEY_ARE, images=None, **augmentation):
        return TrainingBatches(
            split() if images is None else images,
            normalization=normalization,
            section=augmentation_section(**augmentation),
            batch_size=batch_size,
            seed=seed,
        )

    return make


def order(feed: TrainingBatches, epoch: int) -> list[int]:
    return [label for batch in feed.batches(epoch) for label in batch.labels.tolist()]


def pixels(feed: TrainingBatches, epoch: int) -> np.ndarray:
    """An epoch's images as bytes (N, S, S, 3), by their number."""
    batches = list(feed.batches(epoch))
    numbers = torch.cat([batch.labels for batch in batches]).numpy()
    images = torch.cat([batch.images for batch in batches]).permute(0, 2, 3, 1).numpy()
    result = np.empty(images.shape, np.uint8)
    result[numbers] = np.round(images * 255)
    return result


def are_equal(batch, other) -> bool:
    parts = [(b.images, b.labels, b.mix.other, b.mix.weight) for b in (batch, other)]
    return all(torch.equal(one, another) for one, another in zip(*parts, strict=True))


@pytest.mark.parametrize("batch_size", [1, 7, 16, 41, 100])
def test_every_image_is_seen_exactly_once_an_epoch(make_feed, batch_size):
    feed = make_feed(batch_size=batch_size)
    for epoch in (1, 2):
        assert sorted(order(feed, epoch)) == list(range(COUNT))


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [
        (16, [14, 14, 13]),
        (20, [14, 14, 13]),
        (21, [21, 20]),
        (12, [11, 10, 10, 10]),
        (40, [21, 20]),
        (41, [41]),
    ],
)
def test_batches_of_an_epoch_differ_by_one_image_at_most(make_feed, batch_size, sizes):
    feed = make_feed(batch_size=batch_size)
    assert [len(batch.labels) for batch in feed.batches(1)] == sizes
    assert feed.steps_per_epoch == len(sizes)
    assert len(feed) == COUNT


def test_the_order_follows_from_seed_and_epoch(make_feed):
    first, again, other = (make_feed(seed=seed) for seed in (2, 2, 3))
    assert order(first, 1) == order(again, 1)
    assert order(first, 2) == order(again, 2)
    assert order(first, 1) != order(first, 2)
    assert order(first, 1) != order(other, 1)


def test_the_largest_seed_is_a_seed(make_feed):
    largest = 2**32 - 1
    assert order(make_feed(seed=largest), 500) != order(make_feed(seed=largest - 1), 500)


def test_without_augmentation_the_images_come_as_they_are(make_feed):
    assert np.array_equal(pixels(make_feed(), 1), split().images.numpy())


def test_only_the_split_s_own_rows_are_fed(make_feed):
    whole = split()
    rows = torch.tensor([40, 3, 17])
    feed = make_feed(images=Split(whole.images, rows, torch.arange(3)))
    assert np.array_equal(pixels(feed, 1), whole.images.numpy()[[40, 3, 17]])


def mirrored(feed: TrainingBatches, epoch: int, images: np.ndarray) -> np.ndarray:
    """Which images are mirrored; every one is, or is as it was."""
    seen = pixels(feed, epoch)
    straight = (seen == images).all((1, 2, 3))
    turned = (seen == images[:, :, ::-1]).all((1, 2, 3))
    assert (straight ^ turned).all()
    return turned


def test_alternating_flips_mirror_each_image_in_one_of_two_consecutive_epochs(make_feed):
    images = split(400)
    feed = make_feed(images=images, batch_size=64, flip="alternate")
    epochs = [mirrored(feed, epoch, images.images.numpy()) for epoch in (1, 2, 3, 4)]
    for one, following in pairwise(epochs):
        assert (one ^ following).all()
    assert abs(epochs[0].sum() - 200) < 3.3 * 10  # standard deviations of 400 coins


def test_which_images_start_mirrored_follows_from_the_seed(make_feed):
    images = split(400)
    one, again, other = (
        mirrored(make_feed(images=images, seed=seed, flip="alternate"), 1, images.images.numpy())
        for seed in (5, 5, 6)
    )
    assert (one == again).all()
    assert abs((one ^ other).sum() - 200) < 3.3 * 10


def test_random_flips_throw_a_coin_for_each_image_and_epoch(make_feed):
    images = split(400)
    feed = make_feed(images=images, batch_size=64, flip="random")
    first, second = (mirrored(feed, epoch, images.images.numpy()) for epoch in (1, 2))
    assert abs(first.sum() - 200) < 3.3 * 10
    assert abs((first ^ second).sum() - 200) < 3.3 * 10


@pytest.mark.parametrize("mixing", [{"mixup": 0.5}, {"cutmix": 1.0}])
@pytest.mark.parametrize("first_step", [1, 2])
def test_an_epoch_resumed_in_the_middle_continues_bit_for_bit(make_feed, mixing, first_step):
    undisturbed = list(make_feed(seed=4, **EVERYTHING, **mixing).batches(3))
    stopped = make_feed(seed=4, **EVERYTHING, **mixing)
    batches = stopped.batches(3)
    for _ in range(first_step):
        next(batches)
    state = stopped.state_dict()
    next(batches)  # what is drawn after the state was taken must not reach into it
    resumed = make_feed(seed=4, **EVERYTHING, **mixing)
    resumed.load_state_dict(state)
    rest = list(resumed.batches(3, first_step))
    assert len(rest) == 3 - first_step
    assert all(map(are_equal, rest, undisturbed[first_step:]))


def test_an_epoch_does_not_depend_on_what_was_drawn_before_it(make_feed):
    fresh = list(make_feed(**EVERYTHING, mixup=0.5).batches(2))
    used = make_feed(**EVERYTHING, mixup=0.5)
    next(used.batches(1))
    assert all(map(are_equal, used.batches(2), fresh))


def test_augmentation_differs_between_epochs_and_seeds(make_feed):
    same = Split(split().images[:1], torch.zeros(COUNT, dtype=torch.long), torch.arange(COUNT))
    feed, other = (
        make_feed(images=same, batch_size=COUNT, seed=seed, crop_padding=3) for seed in (0, 1)
    )
    first, *others = (
        next(f.batches(epoch)).images for f, epoch in ((feed, 1), (feed, 2), (other, 1))
    )
    for images in others:
        alike = (images == first).all(3).all(2).all(1).sum()
        assert alike <= 6  # of 41 images, where one in 49 is shifted alike by chance


def test_labels_are_mixed_with_those_of_the_images_that_are_blended_in(make_feed):
    whole = split()
    for batch in make_feed(mixup=1.0).batches(1):
        own, other = (
            whole.images[numbers].permute(0, 3, 1, 2).double() / 255
            for numbers in (batch.labels, batch.mix.other)
        )
        weight = batch.mix.weight.view(-1, 1, 1, 1)
        expected = weight * own + (1 - weight) * other
        np.testing.assert_allclose(batch.images, expected, atol=1e-6)


def test_labels_are_not_mixed_if_images_are_not(make_feed):
    assert [batch.mix for batch in make_feed(**EVERYTHING).batches(1)] == [None] * 3


def test_the_part_cut_out_has_the_mean_color_of_the_training_images(make_feed):
    whole = split()
    normalization = Normalization.fit(whole.images)
    (batch,) = make_feed(normalization=normalization, batch_size=COUNT, cutout=4).batches(1)
    blank = (batch.images.abs() < 1e-6).all(1).sum((1, 2))
    assert blank.min() >= 4  # a quarter of the square at least lies inside
    assert blank.max() == 16


@pytest.mark.parametrize("sizes", [None, [4, 6, 8], [12, 12, 12]])
@pytest.mark.parametrize(
    "augmentation",
    [{}, {"flip": "alternate"}, EVERYTHING, {"mixup": 1.0}, {**EVERYTHING, "cutmix": 1.0}],
)
def test_batches_are_float32_in_channels_last_memory(make_feed, augmentation, sizes):
    for step, batch in enumerate(make_feed(**augmentation).batches(1, sizes=sizes)):
        side = sizes[step] if sizes else SIZE
        assert batch.images.shape == (len(batch.labels), 3, side, side)
        assert batch.images.dtype == torch.float32
        assert batch.images.is_contiguous(memory_format=torch.channels_last)


def test_how_an_image_is_cropped_does_not_follow_from_its_place_in_the_epoch(make_feed):
    # the offset is recovered from images whose rows hold their own number
    count = 2000
    rows = np.broadcast_to(
        np.arange(SIZE, dtype=np.uint8)[None, :, None, None] * 20, (count, SIZE, SIZE, 3)
    )
    images = Split(torch.from_numpy(rows.copy()), torch.arange(count), torch.arange(count))
    feed = make_feed(images=images, batch_size=count, crop_padding=2)
    batch = next(feed.batches(1))
    middle = (batch.images[:, 0, 4, 0] * 255 / 20).round().long()  # row 4, moved by -2 to 2
    shift = middle - 4
    place = torch.arange(count)
    for modulus in (3, 5, 7):
        agreement = ((batch.labels - place) % modulus == shift % modulus).float().mean()
        assert abs(float(agreement) - 1 / modulus) < 0.1
