"""Folders of images that cannot be used: a sentence on each mistake."""

import os
import shutil

import pytest

from cifar_exp.data.image_folder import decode, list_split
from cifar_exp.errors import UserError


def error_of(*arguments) -> str:
    with pytest.raises(UserError) as caught:
        list_split(*arguments)
    return str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    folder = tmp_path / "train"
    assert error_of(folder) == (
        f"data.root: there is no folder {folder}, where images by class should be"
    )


def test_the_error_of_a_folder_without_classes_shows_the_layout(tmp_path, write_picture):
    write_picture(tmp_path / "1.png", 0)
    assert error_of(tmp_path) == (
        f"data.root: {tmp_path} has no class folders, as {tmp_path}/cat/1.png"
    )


def test_the_error_of_a_missing_class_suggests_the_nearest_name(split):
    (split / "cat").rename(split / "cats")
    message = error_of(split, ["cat", "dog"])
    assert message.startswith(f"data.root: {split} lacks the class cat")
    assert "did you mean" in message
    assert "cats" in message


def test_the_suggested_name_is_not_an_expected_class_itself(split):
    assert error_of(split, ["cat", "dog", "dogs"]) == f"data.root: {split} lacks the class dogs"


def test_of_several_missing_classes_the_first_is_named_and_the_rest_counted(split):
    message = error_of(split, ["ape", "bee", "cat", "dog", "owl"])
    assert message.startswith(f"data.root: {split} lacks the class ape and 2 more")


def test_a_class_that_train_lacks_is_an_error(split):
    assert error_of(split, ["cat"]) == (
        f"data.root: {split} has the class dog, which does not belong there"
    )


def test_a_class_without_images_is_an_error(split):
    (split / "emu").mkdir()
    (split / "emu" / "readme.txt").write_text("to come")
    assert error_of(split) == f"data.root: {split / 'emu'} holds no images"


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff\xe0broken"]
)
def test_a_file_that_is_not_an_image_is_named_with_the_remedy(split, reports, content):
    path = split / "cat" / "9.png"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        decode(list_split(split), 8, reports)
    assert str(caught.value).startswith(f"data.root: cannot read the image {path} (")
    assert str(caught.value).endswith("); replace it or remove it")


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.gif", "x.bmp", "x.webp", "x.tiff"])
def test_an_image_cut_short_is_named_with_the_remedy(split, reports, write_picture, name):
    path = split / "cat" / name
    write_picture(path, 3, size=32)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(UserError, match="replace it or remove it") as caught:
        decode(list_split(split), 8, reports)
    assert str(caught.value).startswith(f"data.root: cannot read the image {path} (")


@pytest.mark.parametrize("place", ["loop", "cat/loop.png"])
def test_a_link_to_itself_is_named(split, place):
    (split / place).symlink_to((split / place).name)
    assert error_of(split) == (
        f"data.root: cannot read {split / place} (Too many levels of symbolic links)"
    )


@pytest.mark.parametrize("place", [b"caf\xe9", b"cat/caf\xe9.png"])
def test_a_name_that_is_not_utf_8_is_shown(split, place):
    path = os.path.join(os.fsencode(split), place)
    if b"." in place:
        shutil.copy(os.fsencode(split / "cat" / "9.png"), path)
    else:
        os.mkdir(path)
    shown = place.decode(errors="backslashreplace")
    assert error_of(split) == (
        f"data.root: the name of {split / shown} is not valid UTF-8; rename it"
    )


def test_images_in_a_format_that_is_not_read_are_named(split):
    for index in range(3):
        (split / "dog" / f"{index}.HEIC").touch()
    assert error_of(split) == (
        f"data.root: {split / 'dog'} holds images in a format that is not read here: "
        "0.HEIC, 1.HEIC, 2.HEIC; convert them to PNG or JPEG, or remove them"
    )
    for index in range(4):
        (split / "dog" / f"{index}.avif").touch()
    assert "0.HEIC, 0.avif, 1.HEIC, 1.avif, 2.HEIC and 2 more; convert them" in error_of(split)


def test_up_to_five_broken_images_are_named_and_the_rest_counted(split, reports):
    broken = [split / "dog" / f"x{index}.png" for index in range(7)]
    for count in (2, 5, 7):
        for path in broken[:count]:
            path.write_bytes(b"no picture")
        with pytest.raises(UserError) as caught:
            decode(list_split(split), 8, reports)
        named, rest = caught.value.messages[:5], caught.value.messages[5:]
        for path, message in zip(broken[: min(count, 5)], named, strict=True):
            assert message.startswith(f"data.root: cannot read the image {path} (")
            assert message.endswith("); replace it or remove it")
        assert rest == (["data.root: 2 more images cannot be read"] if count == 7 else [])


def test_a_folder_that_cannot_be_listed_is_named(split, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    assert error_of(split) == f"data.root: cannot read {split} (Permission denied)"


def test_a_link_to_itself_that_is_not_an_image_is_passed_over(split):
    before = list_split(split).paths()
    (split / "cat" / "loop").symlink_to("loop")
    (split / "cat" / "here").symlink_to(".")
    assert list_split(split).paths() == before
