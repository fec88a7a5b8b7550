import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest

from cifar_exp.data.cache import cache_folder, cached, pixel_digest
from cifar_exp.data.dataset import ImageSet
from cifar_exp.errors import EnvironmentFailure

MADE = """
import numpy as np
from cifar_exp.data.cache import cached
from cifar_exp.data.dataset import ImageSet

def make():
    generator = np.random.default_rng(0)
    return ImageSet(generator.integers(0, 256, (6, 8, 8, 3), np.uint8), np.arange(6))
"""
WAITS_THEN_MAKES = """
import sys, time
from pathlib import Path
ready, go, log = map(Path, sys.argv[1:])

def make_slowly():
    with log.open("a") as stream:
        stream.write("made\\n")
    time.sleep(0.3)
    return make()

ready.touch()
while not go.exists():
    time.sleep(0.01)
images, pixels = cached("signature", make_slowly)
print(pixels, images.images.sum())
"""
DIES = """
import os, sys
place, call = sys.argv[1], int(sys.argv[2])
calls = []

def dying(function):
    def die(*arguments):
        calls.append(place)
        if len(calls) == call:
            os._exit(9)  # as a kill does: nothing is cleaned up
        return function(*arguments)
    return die

if place == "make":
    make = dying(make)
else:
    setattr(os, place, dying(getattr(os, place)))
cached("signature", make)
"""


def entries(cache):
    return sorted(path.parent for path in cache.glob("*/images.npy"))


def test_images_are_made_once_and_mapped_after_that(maker):
    assert maker.gave(cached("signature", maker))
    again = cached("signature", maker)
    assert maker.gave(again)
    assert maker.calls == 1
    assert isinstance(again[0].images, np.memmap)


def test_another_signature_is_made_for_itself(maker, make_images):
    other = make_images(seed=1)
    assert maker.gave(cached("one", maker))
    assert other.gave(cached("another", other))
    assert maker.gave(cached("one", maker))


def test_the_same_pictures_under_two_signatures_share_one_entry(maker, cache):
    cached("one place", maker)
    assert maker.gave(cached("another place", maker))
    assert maker.calls == 2
    assert len(entries(cache)) == 1
    assert maker.gave(cached("one place", maker))
    assert maker.calls == 2


def test_the_same_pictures_with_other_labels_are_another_entry(maker, cache):
    cached("one", maker)
    turned, _ = cached("another", lambda: ImageSet(maker.pixels, np.arange(6)[::-1].copy()))
    assert turned.labels.tolist() == [5, 4, 3, 2, 1, 0]
    assert maker.gave(cached("one", maker))
    assert len(entries(cache)) == 2


def test_writing_to_the_images_never_reaches_the_cache(maker):
    images, _ = cached("signature", maker)
    images.images[:] = 0
    assert maker.gave(cached("signature", maker))


def test_an_entry_without_its_index_is_made_again(maker, cache):
    cached("signature", maker)
    for index in (cache / "index").iterdir():
        index.unlink()
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 2
    assert len(entries(cache)) == 1


def test_an_index_whose_entry_is_gone_is_made_again(maker, cache):
    cached("signature", maker)
    (entry,) = entries(cache)
    entry.rename(cache / "elsewhere")
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 2


@pytest.mark.parametrize("length", [4, 60, 128, 300])
@pytest.mark.parametrize("file", ["images.npy", "labels.npy"])
def test_a_truncated_file_is_made_again(maker, cache, file, length):
    cached("signature", maker)
    (entry,) = entries(cache)
    content = (entry / file).read_bytes()
    (entry / file).write_bytes(content[: min(length, len(content) - 1)])
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 2
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 2


@pytest.mark.parametrize("content", ["", '{"content": "', "{}", '{"content": "none such"}'])
def test_a_damaged_index_is_made_again(maker, cache, content):
    cached("signature", maker)
    (index,) = (cache / "index").iterdir()
    index.write_text(content)
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 2
    assert set(json.loads(index.read_text())) == {"content", "pixels"}


def nothing_is_kept(cache: Path) -> bool:
    """Only locks and the empty index."""
    return all(path.suffix == ".lock" or path.name == "index" for path in cache.iterdir()) and not (
        list((cache / "index").iterdir())
    )


def test_a_failure_to_make_leaves_nothing_and_is_made_the_next_time(maker, cache):
    def fail() -> ImageSet:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("signature", fail)
    assert nothing_is_kept(cache)
    assert maker.gave(cached("signature", maker))


def test_a_failure_to_write_leaves_no_half_entry(maker, cache, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fail)
        with pytest.raises(EnvironmentFailure) as caught:
            cached("signature", maker)
    assert str(caught.value) == (
        f"cannot store decoded images in {cache} ([Errno 28] No space left on device); nothing "
        "else was changed. Free some space there, or set CIFAR_EXP_CACHE to another folder, and "
        "run the same command again"
    )
    assert nothing_is_kept(cache)
    assert maker.gave(cached("signature", maker))


def test_of_two_processes_that_need_the_same_images_one_makes_them(start_python, tmp_path, maker):
    ready, go, log = [tmp_path / name for name in ("a", "b")], tmp_path / "go", tmp_path / "log"
    started = [start_python(MADE + WAITS_THEN_MAKES, path, go, log) for path in ready]
    while not all(path.exists() for path in ready):
        assert all(process.poll() is None for process in started)
        time.sleep(0.01)
    go.touch()
    texts = [process.communicate(timeout=60) for process in started]
    digest = hashlib.sha256(maker.pixels.tobytes()).hexdigest()
    assert texts == [(f"{digest} {maker.pixels.sum()}\n", "")] * 2
    assert log.read_text() == "made\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "call"),
    [
        ("make", 1),
        *(("fdopen", call) for call in (1, 2, 3)),  # images, labels, index
        *(("fsync", call) for call in (1, 2, 3)),
        *(("replace", call) for call in (1, 2, 3, 4)),  # and the entry's folder before the index
    ],
)
def test_a_process_killed_at_any_step_leaves_nothing_that_is_read_later(
    start_python, maker, place, call
):
    killed = start_python(MADE + DIES, place, call)
    killed.communicate(timeout=60)
    assert killed.returncode == 9
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 1
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 1


def test_the_cache_is_where_the_variable_says_or_in_the_user_s_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "named"))
    assert cache_folder() == tmp_path / "named"
    monkeypatch.delenv("CIFAR_EXP_CACHE")
    monkeypatch.setattr("cifar_exp.data.cache.user_cache_path", lambda name: tmp_path / name)
    assert cache_folder() == tmp_path / "cifar_exp"


def test_the_digest_of_pixels_does_not_depend_on_their_memory_layout(maker):
    digest = hashlib.sha256()
    for image in maker.pixels:
        digest.update(image.tobytes())
    shuffled = np.ascontiguousarray(maker.pixels.transpose(3, 0, 1, 2)).transpose(1, 2, 3, 0)
    assert pixel_digest(maker.pixels) == pixel_digest(shuffled) == digest.hexdigest()


@pytest.mark.parametrize("name", ["images.npy", "labels.npy"])
@pytest.mark.parametrize("index", [None, "null", "[]", '{"content": 3}'])
def test_an_emptied_file_or_index_is_made_again(maker, cache, name, index):
    cached("signature", maker)
    entry = next(path for path in cache.iterdir() if (path / name).exists())
    (entry / name).write_bytes(b"")
    if index is not None:
        next((cache / "index").iterdir()).write_text(index)
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 2


CAME_IN_ELSEWHERE = """
import sys, time
from pathlib import Path
ready, go, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
ready.touch()
while not go.exists():
    time.sleep(0.01)
for turn in range(20):
    images, pixels = cached(f"{name} {turn}", make)
    assert images.images.sum() == make().images.sum()
"""


def test_the_same_pictures_under_other_signatures_at_the_same_time_are_one_entry(
    start_python, tmp_path, cache
):
    ready, go = [tmp_path / name for name in "abc"], tmp_path / "go"
    started = [start_python(MADE + CAME_IN_ELSEWHERE, path, go, path.name) for path in ready]
    while not all(path.exists() for path in ready):
        assert all(process.poll() is None for process in started)
        time.sleep(0.01)
    go.touch()
    assert [process.communicate(timeout=60) for process in started] == [("", "")] * 3
    assert len(list(cache.glob("*/images.npy"))) == 1


def test_an_entry_that_is_whole_is_kept_for_those_who_have_it_mapped(maker, cache):
    cached("signature", maker)
    file = next(cache.glob("*/images.npy"))
    before = file.stat().st_ino
    cached("another", maker)
    assert file.stat().st_ino == before


def test_a_cache_that_cannot_be_made_is_an_error(maker, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(
        EnvironmentFailure, match="or set CIFAR_EXP_CACHE to another folder, and run"
    ):
        cached("signature", maker)
