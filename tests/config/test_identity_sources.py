import hashlib
import importlib
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.config.identity import run_id, target_sources

GROUPS = ("model", "optimizer", "scheduler")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes a module that can be imported: its dotted name, its source."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, source: str) -> Path:
        path = tmp_path / Path(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in path.relative_to(tmp_path).parents[:-1]:
            (tmp_path / folder / "__init__.py").touch()
        path.write_text(source)
        importlib.invalidate_caches()
        return path

    return write


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("group", GROUPS)
def test_the_source_of_a_users_class_is_part_of_the_id(
    settings: Callable, module: Callable, group: str
) -> None:
    path = module("own_source_a", "class Own:\n    size = 1\n")
    asked = settings({group: {"_target_": "own_source_a.Own"}})
    before = run_id(asked)
    assert target_sources(asked) == {"own_source_a.Own": sha256(path)}
    path.write_text("class Own:\n    size = 2\n")
    changed = run_id(asked)
    path.write_text("class Own:\n    size = 1\n")
    assert (changed != before, run_id(asked) == before) == (True, True)


def test_the_sources_of_several_groups_are_all_part_of_the_id(
    settings: Callable, module: Callable
) -> None:
    paths = {group: module(f"own_source_of_{group}", f"x = '{group}'\n") for group in GROUPS}
    asked = settings({g: {"_target_": f"own_source_of_{g}.Own"} for g in GROUPS})
    assert target_sources(asked) == {
        f"own_source_of_{group}.Own": sha256(path) for group, path in paths.items()
    }


def test_the_module_that_holds_the_class_is_the_one_that_counts(
    settings: Callable, module: Callable
) -> None:
    path = module("own_package.part.nets", "class Net: ...\n")
    asked = settings({"model": {"_target_": "own_package.part.nets.Net"}})
    nested = settings({"model": {"_target_": "own_package.part.nets.Net.small"}})
    assert list(target_sources(asked).values()) == [sha256(path)]
    assert list(target_sources(nested).values()) == [sha256(path)]


def test_other_files_beside_the_module_leave_the_id_alone(
    settings: Callable, module: Callable
) -> None:
    module("own_source_b", "class Own: ...\n")
    asked = settings({"model": {"_target_": "own_source_b.Own"}})
    before = run_id(asked)
    module("unrelated_source", "x = 1\n")
    assert run_id(asked) == before


def test_an_installed_package_counts_by_name_and_not_by_source(
    settings: Callable, module: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = module("as_if_installed", "x = 1\n")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    asked = settings({"model": {"_target_": "as_if_installed.Own"}})
    before = run_id(asked)
    path.write_text("x = 2\n")
    assert target_sources(asked) == {}
    assert run_id(asked) == before


@pytest.mark.parametrize(
    "name", ["torchvision.models.resnet18", "json.JSONDecoder", "cifar_exp.models.ConvNet"]
)
def test_neither_installed_classes_nor_our_own_are_read(settings: Callable, name: str) -> None:
    assert target_sources(settings({"model": {"_target_": name}})) == {}


def test_a_target_that_is_nowhere_still_has_an_id(settings: Callable) -> None:
    ids = {
        run_id(settings({"model": {"_target_": name}}))
        for name in ("nowhere_at_all.Net", "nowhere_at_all.part.Net", "json.nowhere.Net")
    }
    assert len(ids) == 3


def test_no_source_enters_the_id_of_a_run_without_a_users_class(settings: Callable) -> None:
    assert target_sources(settings()) == {}
