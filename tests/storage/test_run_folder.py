import os
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from cifar_exp.storage.run_folder import (
    RunDirectory,
    find_run,
    link_latest,
    new_path,
    read_overrides,
    to_yaml,
)


def test_a_run_is_found_by_its_id_whatever_its_label(tmp_path: Path) -> None:
    (tmp_path / "wide-0123456789").mkdir()
    (tmp_path / "base-aaaaaaaaaa").mkdir()
    assert find_run(tmp_path, "0123456789") == tmp_path / "wide-0123456789"
    assert find_run(tmp_path, "bbbbbbbbbb") is None
    assert find_run(tmp_path / "absent", "0123456789") is None


def test_a_label_with_slashes_or_spaces_makes_one_plain_folder_name(tmp_path: Path) -> None:
    assert new_path(tmp_path, "mine/big net", "0123456789").name == "mine_big_net-0123456789"


def test_strings_that_look_like_numbers_stay_strings_for_every_reader() -> None:
    values = {
        "init_from": "12e4567890",
        "digits": "0123456789",
        "plain": "cosine",
        "word": "yes",
        "root": "/some/where else",
        "nothing": None,
        "rate": 0.1,
        "flag": True,
    }
    assert yaml.safe_load(to_yaml(values)) == values
    assert OmegaConf.to_container(OmegaConf.create(to_yaml(values))) == values


def test_latest_points_at_the_run_touched_last(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        link_latest(tmp_path, tmp_path / "runs" / name)
        assert (tmp_path / "latest").resolve() == tmp_path / "runs" / name
    assert os.readlink(tmp_path / "latest") == "runs/b"


def test_a_link_that_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / ".latest-a").symlink_to("gone")
    link_latest(tmp_path, tmp_path / "a")
    assert os.readlink(tmp_path / "latest") == "a"
    assert sorted(os.listdir(tmp_path)) == ["a", "latest"]


def test_two_machines_that_link_latest_at_once_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "replace", real)
        link_latest(tmp_path, tmp_path / "theirs")
        assert os.readlink(tmp_path / "latest") == "theirs"
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    link_latest(tmp_path, tmp_path / "ours")
    assert os.readlink(tmp_path / "latest") == "ours"
    assert os.listdir(tmp_path) == ["latest"]


def test_nothing_is_left_beside_latest_if_it_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "latest" / "a").mkdir(parents=True)
    link_latest(tmp_path, tmp_path / "latest" / "a")
    assert os.listdir(tmp_path) == ["latest"]


def test_a_log_that_cannot_be_written_is_not_an_error(tmp_path: Path) -> None:
    RunDirectory(tmp_path / "absent").append_log("line")


def test_overrides_are_read_as_text_and_damage_gives_none(tmp_path: Path) -> None:
    RunDirectory(tmp_path).write_settings({}, ["model=wide", "seed=1"])
    assert read_overrides(tmp_path) == ["model=wide", "seed=1"]
    for damage in ("]: torn", "[" * 5000, "3"):
        (tmp_path / "overrides.yaml").write_text(damage)
        assert read_overrides(tmp_path) == []
    (tmp_path / "overrides.yaml").unlink()
    assert read_overrides(tmp_path) == []
