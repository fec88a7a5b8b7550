"""A cache that several users share, and a machine that is short of memory or disk."""

import errno
import os
import shutil
import stat
from types import SimpleNamespace

import numpy as np
import pytest

from cifar_exp.data import cache as data_cache
from cifar_exp.data.cache import cached, check_room
from cifar_exp.data.registry import load_dataset
from cifar_exp.errors import EnvironmentFailure, UserError


def test_the_umask_decides_who_may_share_the_cache(maker, cache):
    before = os.umask(0o027)
    try:
        cached("signature", maker)
    finally:
        os.umask(before)
    (entry,) = (path.parent for path in cache.glob("*/images.npy"))
    (index,) = (cache / "index").iterdir()
    folders, files = [cache, cache / "index", entry], [index, *entry.iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o750}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}
    assert len(files) == 3


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "[Errno 12] Cannot allocate memory"),
        (MemoryError(), "out of memory"),
        (PermissionError(errno.EACCES, "Permission denied"), "[Errno 13] Permission denied"),
    ],
    ids=["map", "allocation", "rights"],
)
def test_an_entry_that_cannot_be_mapped_now_is_neither_deleted_nor_made_again(
    maker, cache, monkeypatch, error, reason
):
    cached("signature", maker)
    (entry,) = (path.parent for path in cache.glob("*/images.npy"))

    def fail(*_, **__):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(np, "load", fail)
        for signature in ("signature", "another"):
            with pytest.raises(EnvironmentFailure) as caught:
                cached(signature, maker)
            assert str(caught.value) == (
                f"cannot read the decoded images in {entry} ({reason}); they were left as they "
                "are. Remove the cause and run the same command again"
            )
    assert maker.calls == 2  # once before, and once for the other signature
    assert maker.gave(cached("signature", maker))
    assert maker.calls == 2


def test_images_that_do_not_fit_into_memory_are_refused_before_any_is_made(monkeypatch):
    monkeypatch.setattr(data_cache, "total_memory_gb", lambda: 32.0)
    check_room(40_000, 512)
    with pytest.raises(UserError) as caught:
        check_room(60_000, 512)
    assert str(caught.value) == (
        "data.image_size=512: 60,000 images of 512 x 512 pixels take 43.9 GiB, and this machine "
        "has 32.0 GiB of memory; choose a smaller size"
    )


def test_images_that_do_not_fit_on_the_disk_are_refused_before_any_is_made(cache, monkeypatch):
    monkeypatch.setattr(data_cache, "total_memory_gb", lambda: 1000.0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2 * 2**30))
    with pytest.raises(EnvironmentFailure) as caught:
        check_room(50_000, 256)
    assert str(caught.value) == (
        "data.image_size=256: 50,000 images of 256 x 256 pixels take 9.2 GiB, and 2.0 GiB are free "
        f"in {cache}. Free some space there, or set CIFAR_EXP_CACHE to a folder on another disk, "
        "and run the same command again"
    )


def test_large_images_are_estimated_wherever_they_are_made(
    monkeypatch, data_section, reports, tmp_path, write_picture
):
    monkeypatch.setattr(data_cache, "total_memory_gb", lambda: 1e-6)
    for split in ("train", "test"):
        write_picture(tmp_path / split / "cat" / "1.png", 0)
    for name in ("shapes", "folder"):
        section = data_section(name=name, root=str(tmp_path), image_size=512)
        with pytest.raises(UserError, match=r"^data\.image_size=512: "):
            load_dataset(section, reports)
    assert reports == []
