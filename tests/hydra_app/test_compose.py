from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

import cifar_exp
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import conf_folder, open_composer, settings_tree

LINES = [
    [],
    ["experiment=notebook", "optimizer.lr=0.2", "model.width=7"],
    ["model=resnet18", "+model.zero_init_residual=true", "augmentation=strong"],
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_composing_gives_what_hydra_gives(line: list[str], hydra_composes: Callable) -> None:
    with open_composer(parse_arguments([])) as compose:
        found = settings_tree(compose.compose(line))
    assert found == OmegaConf.to_container(hydra_composes(*line), resolve=True)


def test_one_composer_composes_any_number_of_times(conf: Path) -> None:
    names = ("tiny", "wide", "tiny")
    with open_composer(parse_arguments([])) as compose:
        widths = [compose.compose([f"model={name}"]).model.width for name in names]
    files = [conf / "model" / f"{name}.yaml" for name in names]
    assert widths == [yaml.safe_load(file.read_text())["width"] for file in files]


def test_groups_and_options_are_the_folders_and_files(conf: Path) -> None:
    expected = {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in conf.iterdir()
        if folder.is_dir() and folder.name != "hydra"
    }
    with open_composer(parse_arguments([])) as compose:
        assert compose.groups() == sorted(expected)
        assert {group: compose.options(group) for group in compose.groups()} == expected


def test_a_composed_config_accepts_new_keys() -> None:
    with open_composer(parse_arguments([])) as compose:
        config = compose.compose([])
    config.model.anything = 1
    assert config.model.anything == 1


def test_the_users_files_are_found_beside_ours(own_yaml: Callable, conf: Path) -> None:
    folder = own_yaml(**{"model/mine": "_target_: mine.Net\nwidth: 3\n"})
    with open_composer(parse_arguments(["--config-dir", str(folder)])) as compose:
        ours = {file.stem for file in (conf / "model").glob("*.yaml")}
        assert set(compose.options("model")) == ours | {"mine"}
        composed = settings_tree(compose.compose(["model=mine"]))
    assert composed["model"] == {"_target_": "mine.Net", "width": 3}


def test_the_users_folder_may_be_a_relative_path(
    own_yaml: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own_yaml(**{"model/mine": "_target_: mine.Net\n"})
    monkeypatch.chdir(folder.parent)
    with open_composer(parse_arguments(["--config-dir", folder.name])) as compose:
        assert "mine" in compose.options("model")


@pytest.mark.parametrize("name", ["absent", "file"])
def test_a_folder_that_does_not_exist_is_a_mistake(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    typed = f"{tmp_path}/{name}"
    with (
        pytest.raises(UserError) as caught,
        open_composer(parse_arguments(["--config-dir", typed])),
    ):
        pytest.fail("composed without its folder")
    assert caught.value.messages == [f"--config-dir={typed}: there is no such folder"]


def test_conf_is_inside_the_package_when_installed_and_beside_it_in_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "cifar_exp"
    package.mkdir()
    monkeypatch.setattr(cifar_exp, "__file__", str(package / "__init__.py"))
    assert conf_folder() == tmp_path / "conf"
    (package / "conf").mkdir()
    assert conf_folder() == package / "conf"


def test_the_tree_holds_plain_values_without_hydras_section() -> None:
    config = OmegaConf.create({"hydra": {"job": 1}, "seed": 3, "data": {"root": "${seed}"}})
    assert isinstance(config, DictConfig)
    assert settings_tree(config) == {"seed": 3, "data": {"root": 3}}
    assert "hydra" in config


@pytest.mark.parametrize("value", ["${nowhere}", "${oc.env:NO_SUCH_VARIABLE_HERE}", "${data.root}"])
def test_an_interpolation_that_cannot_be_resolved_is_reported_with_its_key(value: str) -> None:
    with pytest.raises(UserError, match=r"^data\.root: "):
        settings_tree(OmegaConf.create({"data": {"root": value}}))


def test_the_data_folder_comes_from_the_environment_or_is_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_composer(parse_arguments([])) as compose:
        assert settings_tree(compose.compose([]))["data"]["root"] == "data"
        monkeypatch.setenv("CIFAR_EXP_DATA", "/some/where else")
        assert settings_tree(compose.compose([]))["data"]["root"] == "/some/where else"
