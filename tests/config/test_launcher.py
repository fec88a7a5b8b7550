from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from cifar_exp.config.launcher import OPTIONS, LauncherOptions, launcher_options
from cifar_exp.errors import UserError

CONF = Path(__file__).resolve().parents[2] / "conf"


def mistakes_in(launcher: str = "local", **values: Any) -> list[str]:
    target = f"hydra_plugins.cifar_exp_plugins.launcher.{launcher.capitalize()}Launcher"
    try:
        launcher_options({"_target_": target, **values})
    except UserError as error:
        return error.messages
    return []


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options.name)
def test_the_file_of_a_launcher_holds_its_options_at_their_defaults(
    options: type[LauncherOptions],
) -> None:
    section = yaml.safe_load((CONF / "hydra" / "launcher" / f"{options.name}.yaml").read_text())
    assert launcher_options(section) == options()
    assert list(section) == ["_target_", *options.model_fields]


def test_each_launcher_names_a_class_that_hydra_finds() -> None:
    for options in OPTIONS:
        module, _, name = options.target().rpartition(".")
        assert isinstance(getattr(import_module(module), name), type)


def test_a_launcher_of_hydras_has_no_options_of_ours() -> None:
    section = {"_target_": "hydra_plugins.hydra_joblib_launcher.JoblibLauncher", "n_jobs": 2}
    assert launcher_options(section) is None
    assert launcher_options({}) is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"n_jobs": "auto"},
        {"n_jobs": 1},
        {"n_jobs": 1024, "jobs_per_device": 64},
        {"memory_gb": 0.25, "timeout_min": 0.5},
        {"timeout_min": None},
    ],
    ids=str,
)
def test_allowed_options_are_accepted(values: dict[str, Any]) -> None:
    assert mistakes_in(**values) == []


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("n_jobs", 0, "0: must be auto or an integer in [1, 1024]"),
        ("n_jobs", 1025, "1025: must be auto or an integer in [1, 1024]"),
        ("n_jobs", "all", "all: must be auto or an integer in [1, 1024]"),
        ("n_jobs", True, "true: must be auto or an integer in [1, 1024]"),
        ("n_jobs", 2.5, "2.5: must be auto or an integer in [1, 1024]"),
        ("jobs_per_device", 65, "65: must be an integer in [1, 64]"),
        ("memory_gb", 0, "0: must be a number in [0.001, 1000000]"),
        ("memory_gb", float("inf"), "inf: must be a number in [0.001, 1000000]"),
        ("timeout_min", -1, "-1: must be a number in (0, 1000000] or null"),
    ],
)
def test_each_mistake_is_a_sentence(key: str, value: Any, sentence: str) -> None:
    assert mistakes_in(**{key: value}) == [f"hydra.launcher.{key}={sentence}"]


@pytest.mark.parametrize(
    ("launcher", "key", "value", "sentence"),
    [
        ("slurm", "timeout_min", "x", "x: must be an integer in [1, 1000000]"),
        ("slurm", "timeout_min", None, "null: must be an integer in [1, 1000000]"),
        ("slurm", "partition", "", ": must be a non-empty string or null"),
        ("slurm", "setup", 3, "3: must be a list, each a string or null"),
        (
            "slurm",
            "parameters",
            "nice",
            "nice: must be keys and values, such as {nice: 10}, or null",
        ),
        ("ray", "n_jobs", 0, "0: must be auto or an integer in [1, 1024]"),
        (
            "ray",
            "address",
            "ray://head:1",
            "ray://head:1: must be HOST:PORT, such as 10.0.0.1:6379, or null",
        ),
        ("ray", "gpus", -0.5, "-0.5: must be a number in [0, 64]"),
    ],
)
def test_the_mistakes_of_each_launcher_are_its_own(
    launcher: str, key: str, value: Any, sentence: str
) -> None:
    assert mistakes_in(launcher, **{key: value}) == [f"hydra.launcher.{key}={sentence}"]


def test_all_mistakes_are_reported_at_once() -> None:
    assert mistakes_in(n_jobs=0, memory_gb=-2.0) == [
        "hydra.launcher.n_jobs=0: must be auto or an integer in [1, 1024]",
        "hydra.launcher.memory_gb=-2.0: must be a number in [0.001, 1000000]",
    ]


def test_the_nearest_option_is_suggested_for_an_unknown_one() -> None:
    assert mistakes_in(njobs=1) == ["hydra.launcher.njobs: no such setting; did you mean n_jobs?"]
    assert mistakes_in("slurm", partitoin="gpu") == [
        "hydra.launcher.partitoin: no such setting; did you mean partition?"
    ]
    assert mistakes_in(zzz=1) == [
        "hydra.launcher.zzz: no such setting; "
        "there are n_jobs, jobs_per_device, memory_gb, timeout_min"
    ]
