import numpy as np
import pytest
import torch

from cifar_exp.data.augmentation import crop_and_flip, cut_out, jitter_color

SIZE = 9


@pytest.fixture
def pictures():
    generator = np.random.default_rng(3)
    return torch.from_numpy(generator.integers(0, 256, (40, SIZE, SIZE, 3), np.uint8))


@pytest.fixture
def coordinates():
    """One image whose first two channels say where a pixel comes from."""
    rows, columns = np.mgrid[:16, :16]
    return torch.from_numpy(np.stack([rows, columns, rows], -1)[None].astype(np.uint8))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def crop(images, padding, *, indices=None, flipped=None, seed=0):
    indices = torch.arange(len(images)) if indices is None else indices
    return crop_and_flip(images, indices, padding, flipped, seeded(seed))


def padded_crops(image: np.ndarray, padding: int) -> dict[tuple[int, int], np.ndarray]:
    size = len(image)
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)), mode="reflect")
    offsets = range(2 * padding + 1)
    return {(y, x): padded[y : y + size, x : x + size] for y in offsets for x in offsets}


def test_every_crop_offset_is_equally_likely(coordinates, chi_square):
    padding, count = 2, 10_000
    cropped = crop(coordinates, padding, indices=torch.zeros(count, dtype=torch.long)).numpy()
    down, right = (cropped[:, 8, 8, channel].astype(int) - 8 + padding for channel in (0, 1))
    counts = np.zeros((5, 5))
    np.add.at(counts, (down, right), 1)
    assert chi_square(counts, count / 25) < 51.2  # 24 degrees of freedom: 1 in 1,000


@pytest.mark.parametrize("padding", [1, 4, SIZE - 1])
def test_a_crop_is_a_window_of_the_image_padded_by_reflection(pictures, padding):
    cropped = crop(pictures, padding).numpy()
    for image, result in zip(pictures.numpy(), cropped, strict=True):
        windows = padded_crops(image, padding)
        assert any(np.array_equal(window, result) for window in windows.values())


def test_each_image_of_a_batch_is_shifted_by_its_own_draw(pictures):
    shifts = [
        next(at for at, window in padded_crops(image, 2).items() if np.array_equal(window, result))
        for image, result in zip(pictures.numpy(), crop(pictures, 2).numpy(), strict=True)
    ]
    assert len(set(shifts)) > 10


@pytest.mark.parametrize("padding", [0, 3])
def test_flagged_images_alone_are_mirrored_left_to_right(pictures, padding):
    flipped = torch.arange(len(pictures)) % 3 == 0
    result = crop(pictures, padding, flipped=flipped).numpy()
    straight = crop(pictures, padding, flipped=torch.zeros_like(flipped)).numpy()
    for index in range(len(pictures)):
        columns = slice(None, None, -1) if index % 3 == 0 else slice(None)
        assert np.array_equal(result[index], straight[index][:, columns])
    if padding == 0:
        assert np.array_equal(straight, pictures.numpy())


def test_the_images_that_the_indices_name_are_read_in_their_order(pictures):
    indices = torch.tensor([7, 0, 7, 39])
    for flipped in (None, torch.zeros(4, dtype=torch.bool)):
        result = crop(pictures, 0, indices=indices, flipped=flipped).numpy()
        assert np.array_equal(result, pictures.numpy()[[7, 0, 7, 39]])


def test_without_padding_and_flip_no_draw_is_made(pictures):
    generator = seeded()
    before = generator.get_state()
    crop_and_flip(pictures, torch.arange(40), 0, None, generator)
    assert torch.equal(generator.get_state(), before)


def test_the_same_seed_gives_the_same_crops_and_another_seed_gives_others(pictures):
    assert torch.equal(crop(pictures, 3, seed=4), crop(pictures, 3, seed=4))
    assert not torch.equal(crop(pictures, 3, seed=4), crop(pictures, 3, seed=5))


def squares(side: int, count: int = 6_400, size: int = 16) -> np.ndarray:
    """Masks (count, size, size) of the pixels that were cut out."""
    fill = torch.tensor([-1.0, -2.0, -3.0]).view(1, 3, 1, 1)
    images = torch.rand(count, 3, size, size, generator=seeded(1))
    result = cut_out(images, side, fill, seeded())
    is_cut = (result == fill).all(1)
    kept = ~is_cut[:, None].expand_as(images)
    assert torch.equal(result[kept], images[kept])
    return is_cut.numpy()


@pytest.mark.parametrize("side", [1, 5, 6])
def test_cutout_fills_a_square_that_only_the_border_cuts(side):
    for mask in squares(side, count=300):
        for covered in (mask.any(0), mask.any(1)):
            (at,) = np.nonzero(covered)
            assert at.max() - at.min() + 1 == len(at)
            assert len(at) == side or at.min() == 0 or at.max() == 15
        assert np.array_equal(mask, np.outer(mask.any(1), mask.any(0)))


@pytest.mark.slow
@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize(
    ("side", "first", "weights"),
    [
        (5, -2, [1.0] * 16),
        # the center of an even square lies between pixels, and half a place is left at either end
        (6, -3, [0.5] + [1.0] * 15 + [0.5]),
    ],
)
def test_the_center_of_a_cutout_is_anywhere_in_the_image(side, first, weights, axis, chi_square):
    covered = squares(side).any(axis)
    length, start = covered.sum(1), covered.argmax(1)
    start = np.where(start == 0, length - side, start)  # what hangs over counts below 0
    counts = np.bincount(start - first, minlength=len(weights))
    expected = np.array(weights) / 16 * len(covered)
    assert chi_square(counts, expected) < 39.3  # at most 16 degrees of freedom: 1 in 1,000


def test_cutout_places_rows_and_columns_independently():
    masks = squares(5)
    rows, columns = masks.any(2).argmax(1), masks.any(1).argmax(1)
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 3.3 / np.sqrt(len(masks))


def test_jitter_of_strength_0_changes_nothing():
    images = torch.rand(20, 3, 5, 5, generator=seeded(2))
    assert torch.equal(jitter_color(images, 0.0, seeded()), images)


def test_jittered_colors_stay_in_their_range():
    images = torch.rand(50, 3, 5, 5, generator=seeded(2)).round()
    result = jitter_color(images, 1.0, seeded())
    assert result.min() == 0
    assert result.max() == 1


def factors(image: np.ndarray, result: np.ndarray) -> tuple[float, float, float]:
    """What one image (3, H, W) was multiplied by: brightness, contrast, saturation.

    Contrast keeps the image's mean and saturation every pixel's mean, so that they come apart.
    """
    gray, grey_result = image.mean(0), result.mean(0)
    brightness = result.mean() / image.mean()
    spread = (gray - gray.mean()).ravel()
    contrast = (grey_result - result.mean()).ravel() @ spread / (spread @ spread) / brightness
    color = (image - gray).ravel()
    saturation = (result - grey_result).ravel() @ color / (color @ color)
    return brightness, contrast, saturation / brightness / contrast


def jittered_by(image, brightness, contrast, saturation) -> np.ndarray:
    bright = image * brightness
    contrasted = bright.mean() + contrast * (bright - bright.mean())
    gray = contrasted.mean(0, keepdims=True)
    return gray + saturation * (contrasted - gray)


def test_jitter_varies_brightness_contrast_and_saturation_of_each_image(kolmogorov):
    # values around the middle, so that nothing is clamped
    images = 0.35 + 0.3 * torch.rand(1_000, 3, 4, 4, generator=seeded(2))
    results = jitter_color(images, 0.3, seeded()).double().numpy()
    found = []
    for image, result in zip(images.double().numpy(), results, strict=True):
        found.append(factors(image, result))
        np.testing.assert_allclose(jittered_by(image, *found[-1]), result, atol=1e-6)
    for values in np.array(found).T:
        assert np.abs(values - 1).max() < 0.3 + 1e-4
        assert kolmogorov((values - 0.7) / 0.6, lambda part: part) < 1.95
    correlations = np.corrcoef(np.array(found).T)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 3.3 / np.sqrt(len(found))
