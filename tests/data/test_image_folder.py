import os
import shutil

import numpy as np
import pytest
from PIL import Image

from cifar_exp.data.image_folder import decode, list_split
from cifar_exp.errors import UserError

ORIENTATION = 0x0112
# How EXIF's orientations turn a stored picture upright.
TURNS = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p),
}


@pytest.fixture
def read_one(tmp_path, reports):
    """Decode one picture written by the given function."""

    def read(save, *, size: int = 8, name: str = "one.png") -> np.ndarray:
        path = tmp_path / "split" / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path)
        return decode(list_split(tmp_path / "split"), size, reports).images[0]

    return read


def test_files_come_by_class_name_and_then_by_file_name(split, reports):
    listing = list_split(split)
    names = [("cat", "10.png"), ("cat", "9.png"), ("dog", "a.PNG"), ("dog", "b.png")]
    assert listing.paths() == [split / class_name / file for class_name, file in names]
    assert listing.class_names == ("cat", "dog")
    assert listing.labels().tolist() == [0, 0, 1, 1]
    assert len(listing) == 4
    images = decode(listing, 8, reports)
    assert images.labels.tolist() == [0, 0, 1, 1]
    for seed, image in zip([1, 3, 2, 0], images.images, strict=True):
        expected = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        assert np.array_equal(image, expected)


def test_classes_come_in_the_requested_order(split):
    assert list_split(split, ["dog", "cat"]).labels().tolist() == [0, 0, 1, 1]
    assert list_split(split, ["dog", "cat"]).paths()[0] == split / "dog" / "a.PNG"


def test_other_files_and_hidden_folders_are_passed_over(split, write_picture):
    before = list_split(split)
    for name in ("cat/notes.txt", "cat/Makefile", "labels.csv"):
        (split / name).write_text("nothing to see")
    write_picture(split / "loose.png", 7)
    write_picture(split / ".thumbnails" / "1.png", 7)
    assert list_split(split).paths() == before.paths()
    assert list_split(split).class_names == ("cat", "dog")


def test_slow_work_is_reported_image_by_image(split, reports):
    decode(list_split(split), 8, reports)
    assert reports == [(f"reading {split}", done, 4) for done in (1, 2, 3, 4)]


def test_grey_pictures_have_three_equal_channels(read_one):
    gray = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    result = read_one(Image.fromarray(gray).save)
    assert np.array_equal(result, np.stack([gray] * 3, -1))


def test_black_and_white_pictures_become_0_and_255(read_one):
    is_white = np.random.default_rng(0).random((8, 8)) < 0.5
    result = read_one(Image.fromarray(is_white).save)
    assert np.array_equal(result, np.stack([is_white * 255] * 3, -1))


def test_palette_images_have_the_colors_of_their_palette(read_one):
    generator = np.random.default_rng(0)
    palette = generator.integers(0, 256, (16, 3), np.uint8)
    indices = generator.integers(0, 16, (8, 8), np.uint8)
    image = Image.fromarray(indices, "L").convert("P")
    image.putpalette(palette.tobytes())
    image.putdata(indices.ravel().tolist())
    for name in ("one.png", "one.gif"):
        assert np.array_equal(read_one(image.save, name=name), palette[indices])


def test_an_opaque_alpha_channel_is_dropped(read_one):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    pixels[..., 3] = 255
    assert np.array_equal(read_one(Image.fromarray(pixels).save), pixels[..., :3])


@pytest.mark.parametrize("orientation", TURNS)
def test_an_image_rotated_by_a_camera_is_turned_upright(read_one, orientation):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    result = read_one(lambda path: Image.fromarray(pixels).save(path, exif=exif))
    assert np.array_equal(result, TURNS[orientation](pixels))


def test_larger_pictures_are_averaged_down(read_one):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    result = read_one(Image.fromarray(pixels).save)
    # a triangle of twice the new pixel's width, as wide as four old ones
    weights = np.array([1, 3, 3, 1]) / 8
    for row, column in np.ndindex(6, 6):
        window = pixels[2 * row + 1 : 2 * row + 5, 2 * column + 1 : 2 * column + 5]
        expected = np.einsum("y,x,yxc->c", weights, weights, window)
        assert np.abs(result[row + 1, column + 1] - expected).max() <= 1


@pytest.mark.parametrize("shape", [(8, 20), (40, 8), (3, 3), (100, 30)])
def test_pictures_of_any_shape_fill_the_square(read_one, shape):
    pixels = np.full((*shape, 3), (10, 120, 250), np.uint8)
    result = read_one(Image.fromarray(pixels).save)
    assert result.shape == (8, 8, 3)
    assert (result == [10, 120, 250]).all()


def test_the_signature_changes_with_every_size_time_and_name(split, write_picture):
    path, seen = split / "cat" / "9.png", [list_split(split).signature]
    time = path.stat().st_mtime_ns
    write_picture(path, 9, size=5)
    os.utime(path, ns=(time, time))
    seen.append(list_split(split).signature)
    os.utime(path, ns=(time, time + 1_000_000))
    seen.append(list_split(split).signature)
    path.rename(split / "cat" / "8.png")
    seen.append(list_split(split).signature)
    (split / "cat").rename(split / "cow")
    seen.append(list_split(split).signature)
    assert len(set(seen)) == 5
    assert list_split(split).signature == seen[-1]


def test_equal_files_in_another_folder_have_another_signature(split, tmp_path):
    # other pictures may have the same names, sizes and times
    copy = shutil.copytree(split, tmp_path / "copy" / "train")
    assert list_split(copy).signature != list_split(split).signature


def test_files_that_are_not_images_by_name_or_kind_are_passed_over(split):
    for name in ("._1.png", "Thumbs.db", "report.pdf"):
        (split / "cat" / name).write_bytes(b"something else")
    (split / "cat" / "album.png").mkdir()
    (split / "cat" / "lost.png").symlink_to(split / "nowhere.png")
    assert list_split(split).files[0] == ("10.png", "9.png")


@pytest.mark.parametrize(("kind", "name"), [(np.uint16, "one.png"), (np.int32, "one.tif")])
def test_sixteen_bits_are_scaled_to_eight(read_one, kind, name):
    wide = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1040
    found = read_one(lambda path: Image.fromarray(wide.astype(kind)).save(path), name=name)
    expected = np.floor(wide / 257).astype(int)
    assert np.array_equal(found[..., 0].astype(int), expected)
    assert np.array_equal(found[..., 0], found[..., 2])


def test_pixels_without_a_known_range_are_an_error(read_one):
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    with pytest.raises(UserError, match=r"one.tif \(its pixels are floating-point numbers"):
        read_one(lambda path: Image.fromarray(values).save(path), name="one.tif")


def test_transparent_pixels_become_white(read_one):
    pixels = np.full((8, 8, 4), 60, np.uint8)
    pixels[:4, :, 3], pixels[4:, :, 3] = 0, 255
    found = read_one(lambda path: Image.fromarray(pixels).save(path))
    assert (found[:4] == 255).all()
    assert (found[4:] == 60).all()
