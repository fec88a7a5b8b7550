import numpy as np
import pytest
import torch
from PIL import Image

from cifar_exp.data.batches import resize
from cifar_exp.data.normalization import Normalization, to_float


@pytest.fixture
def images():
    generator = np.random.default_rng(2)
    spread = generator.normal([90, 130, 200], [20, 60, 5], (50, 6, 6, 3))
    return torch.from_numpy(np.clip(spread, 0, 255).astype(np.uint8))


def test_mean_and_deviation_are_those_of_the_pixels_of_each_channel(images):
    measured = Normalization.fit(images)
    by_channel = (images.numpy() / 255).reshape(-1, 3).T
    for index, values in enumerate(by_channel):
        assert measured.mean[index] == pytest.approx(np.mean(values), rel=1e-12)
        assert measured.std[index] == pytest.approx(np.std(values), rel=1e-9)


def test_normalized_images_are_centered_and_have_unit_deviation(images):
    result = Normalization.fit(images).apply(images).double()
    assert result.shape == (50, 3, 6, 6)
    np.testing.assert_allclose(result.mean((0, 2, 3)), [0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(result.std((0, 2, 3), correction=0), [1, 1, 1], rtol=1e-5)


def test_each_pixel_is_normalized_by_its_own_channel(images):
    normalization = Normalization((0.1, 0.2, 0.3), (0.5, 0.25, 2.0))
    result = normalization.apply(images).numpy()
    for channel, (mean, std) in enumerate([(0.1, 0.5), (0.2, 0.25), (0.3, 2.0)]):
        expected = (images.numpy()[..., channel] / 255 - mean) / std
        np.testing.assert_allclose(result[:, channel], expected, atol=1e-5)


@pytest.mark.parametrize("value", [0, 77, 255])
def test_a_channel_that_never_varies_becomes_zero_not_infinite(images, value):
    images[..., 1] = value
    result = Normalization.fit(images).apply(images)
    assert result[:, 1].abs().max() < 1e-4
    assert result.isfinite().all()


def test_the_mean_pixel_is_an_image_of_one_pixel(images):
    measured = Normalization.fit(images)
    pixel = measured.mean_pixel(images.device)
    assert pixel.shape == (1, 3, 1, 1)
    np.testing.assert_allclose(pixel.ravel(), measured.mean, rtol=1e-6)


def test_images_have_the_dtype_that_was_chosen(images):
    double = Normalization.fit(images, torch.float64)
    assert double.apply(images).dtype == double.mean_pixel(images.device).dtype == torch.float64
    expected = Normalization.fit(images).apply(images)
    assert expected.dtype == torch.float32
    np.testing.assert_allclose(double.apply(images), expected, atol=1e-5)


def test_bytes_become_floats_from_0_to_1(images):
    images[0, 0, 0] = torch.tensor([0, 51, 255], dtype=torch.uint8)
    result = to_float(images)
    assert result[0, :, 0, 0].tolist() == pytest.approx([0, 0.2, 1])
    assert result.shape == (50, 3, 6, 6)
    assert result.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", [12, 16, 20, 31])
def test_images_are_resized_as_pillow_does_it(size):
    image = np.random.default_rng(1).random((3, 24, 24), np.float32)
    found = resize(torch.from_numpy(image)[None], size)[0].numpy()
    for channel, plane in zip(found, image, strict=True):
        wanted = Image.fromarray(plane).resize((size, size), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(channel, np.asarray(wanted), atol=1e-5)


@pytest.mark.parametrize("size", [None, 24])
def test_images_of_the_right_size_are_left_alone(size):
    images = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    assert resize(images, size) is images
