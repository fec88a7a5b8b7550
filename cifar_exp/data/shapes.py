"""Generated images: 100 classes in 20 superclasses, no files, no network.

A superclass is an outline: a number of lobes and a profile. Its five classes are the textures that
fill it. Position, size, rotation, colors, background, a meaningless second outline, light and noise
vary from image to image, so neither color nor position alone predicts the class.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cifar_exp.config.schema import DataSection
from cifar_exp.data.cache import cached, check_room
from cifar_exp.data.dataset import Dataset, DatasetCounts, ImageSet, ProgressCallback

LOBES = (2, 3, 4, 5, 6)
PROFILES = ("round", "pointed", "ring", "notched")
TEXTURES = ("plain", "stripes", "bars", "checks", "target")
TRAIN_SIZE, TEST_SIZE = 50_000, 10_000
VERSION = "1"  # part of the fingerprint: raised when the images change
CHUNK = 250

COUNTS = DatasetCounts(len(LOBES) * len(PROFILES) * len(TEXTURES), TRAIN_SIZE, TEST_SIZE)

Float = NDArray[np.float32]


def class_names() -> tuple[str, ...]:
    """`2-lobed round plain` and so on: outline by outline, texture by texture."""
    return tuple(f"{outline} {texture}" for outline in superclass_names() for texture in TEXTURES)


def superclass_names() -> tuple[str, ...]:
    """The 20 outlines."""
    return tuple(f"{lobes}-lobed {profile}" for lobes in LOBES for profile in PROFILES)


def fingerprint(image_size: int) -> str:
    """SHA-256 of what decides the images; pixels may differ by one level between processors."""
    return hashlib.sha256(f"shapes {VERSION} {image_size}".encode()).hexdigest()


def load_shapes(section: DataSection, report: ProgressCallback) -> Dataset:
    """Training and test images (N, S, S, 3) with S = `data.image_size`, always the same.

    Raises UserError if they do not fit into memory, EnvironmentFailure if the cache cannot be used.
    """
    image_size, sets = section.image_size, {}
    for split, size, seed in (("train", TRAIN_SIZE, 1), ("test", TEST_SIZE, 2)):
        signature = f"{fingerprint(image_size)} {split}"
        sets[split], _ = cached(signature, partial(draw_set, size, image_size, seed, report))
    return Dataset(
        name="shapes",
        fingerprint=fingerprint(image_size),
        class_names=class_names(),
        superclasses=tuple(name for name in superclass_names() for _ in TEXTURES),
        train=sets["train"],
        test=sets["test"],
    )


def draw_set(count: int, size: int, seed: int, report: ProgressCallback) -> ImageSet:
    """Draw `count` images (count, size, size, 3), the classes in turn.

    The first images are the same for any `count`. Raises as `check_room` does.
    """
    check_room(count, size)
    whole = -(-count // CHUNK) * CHUNK  # part of a chunk would have other draws
    images = np.empty((whole, size, size, 3), np.uint8)

    labels = np.arange(whole, dtype=np.int64) % len(class_names())

    def draw(start: int) -> None:
        part = slice(start, start + CHUNK)
        images[part] = _draw(labels[part], size, np.random.RandomState([seed, start]))

    with ThreadPoolExecutor() as pool:  # numpy releases the interpreter lock in large operations
        for done, _ in enumerate(pool.map(draw, range(0, count, CHUNK)), 1):
            report("drawing shapes", min(done * CHUNK, count), count)
    return ImageSet(images[:count], labels[:count])


def _draw(labels: NDArray[np.int64], size: int, generator: np.random.RandomState) -> Float:
    count = len(labels)
    outline, texture = np.divmod(labels, len(TEXTURES))
    lobes, profile = np.divmod(outline, len(PROFILES))
    radius = _uniform(generator, count, 0.5, 0.8)
    x, y = _local_grid(size, generator, count, shift=0.25)
    inside = _outline(x / radius, y / radius, np.take(LOBES, lobes), profile)
    ink = inside * _texture(x / radius, y / radius, texture)
    shade = _background(size, generator, count)
    canvas = _paint(shade, _clutter(size, generator, count), generator, contrast=0.35)
    canvas = _paint(canvas, inside, generator, contrast=0.5)
    canvas = _paint(canvas, ink, generator, contrast=0.5)
    canvas = canvas * _uniform(generator, count, 0.6, 1.1)[..., None]
    canvas += _noise(canvas.shape, generator)
    return (np.clip(canvas, 0, 1) * 255).round()


def _uniform(generator: np.random.RandomState, count: int, low: float, high: float) -> Float:
    return generator.uniform(low, high, (count, 1, 1)).astype(np.float32)


def _local_grid(
    size: int, generator: np.random.RandomState, count: int, shift: float
) -> tuple[Float, Float]:
    """Coordinates in [-1, 1], shifted and rotated per image: two arrays (count, size, size)."""
    line: Float = np.linspace(-1, 1, size, dtype=np.float32)
    x = line[None, None, :] - _uniform(generator, count, -shift, shift)
    y = line[None, :, None] - _uniform(generator, count, -shift, shift)
    angle = _uniform(generator, count, 0, 2 * np.pi)
    # squeezed a little along one axis, like things seen at an angle
    x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    return x * _uniform(generator, count, 0.9, 1.25), y


def _outline(x: Float, y: Float, lobes: NDArray[np.int64], profile: NDArray[np.int64]) -> Float:
    """1 inside, 0 outside, soft at the edge. x, y (N, S, S); lobes, profile (N,)."""
    radius = np.sqrt(x * x + y * y)
    wave = np.cos(lobes[:, None, None].astype(np.float32) * np.arctan2(y, x))
    kind = profile[:, None, None]
    pointed = 0.45 + 0.55 * ((1 + wave) / 2) ** 2
    rounded = 0.75 + 0.22 * wave
    notched = 0.95 - 0.5 * np.clip(wave - 0.35, 0, 1) / 0.65
    edge = np.select([kind == 1, kind == 3], [pointed, notched], rounded).astype(np.float32)
    filled = _soft(edge - radius)
    hole = np.where(kind == 2, _soft(0.5 * edge - radius), np.float32(0))
    result: Float = filled - hole
    return result


def _texture(x: Float, y: Float, texture: NDArray[np.int64]) -> Float:
    """The inked part of the plane in [0, 1]: (N, S, S)."""
    kind = texture[:, None, None]
    across, along = np.sin(9 * x), np.sin(9 * y)
    values = np.select(
        [kind == 1, kind == 2, kind == 3, kind == 4],
        [across, np.sin(5 * x), across * along * 2, np.sin(10 * np.sqrt(x * x + y * y))],
        np.float32(-1),
    )
    return _soft(values.astype(np.float32) * 0.3)


def _clutter(size: int, generator: np.random.RandomState, count: int) -> Float:
    x, y = _local_grid(size, generator, count, shift=0.9)
    radius = _uniform(generator, count, 0.2, 0.45)
    lobes = generator.randint(1, 8, count)
    return _outline(x / radius, y / radius, lobes, generator.randint(0, len(PROFILES), count))


def _background(size: int, generator: np.random.RandomState, count: int) -> Float:
    x, y = _local_grid(size, generator, count, shift=0.5)
    colors = generator.uniform(0.15, 0.85, (2, count, 1, 1, 3)).astype(np.float32)
    waves = np.sin(_uniform(generator, count, 1, 5) * x + y)[..., None]
    mixed: Float = colors[0] + (colors[1] - colors[0]) * (0.5 + 0.25 * waves)
    return mixed


def _paint(canvas: Float, mask: Float, generator: np.random.RandomState, contrast: float) -> Float:
    """Paint the masked part in a color that differs from the mean of the canvas."""
    mean = canvas.mean((1, 2), keepdims=True)
    direction = generator.standard_normal((len(canvas), 1, 1, 3)).astype(np.float32)
    direction /= np.sqrt((direction**2).sum(-1, keepdims=True))
    color = np.clip(mean + contrast * direction, 0.02, 0.98)
    painted: Float = canvas + mask[..., None] * (color - canvas)
    return painted


def _noise(shape: tuple[int, ...], generator: np.random.RandomState) -> Float:
    """Uniform in about [-0.1, 0.1]: random bytes are ten times faster than normal numbers."""
    raw = np.frombuffer(generator.bytes(int(np.prod(shape))), np.uint8).reshape(shape)
    result: Float = (raw.astype(np.float32) - 127.5) * np.float32(0.2 / 255)
    return result


def _soft(distance: Float) -> Float:
    """A smooth step at 0, about a pixel wide."""
    rising = np.exp(np.clip(14 * distance, -30, 30))
    result: Float = rising / (1 + rising)
    return result
