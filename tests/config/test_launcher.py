from pathlib import Path
from typing import Any

import pytest
import yaml

from cifar_exp.config.launcher import TARGET, LocalOptions, local_options
from cifar_exp.errors import UserError

CONF = Path(__file__).resolve().parents[2] / "conf"


def mistakes_in(**values: Any) -> list[str]:
    try:
        local_options({"_target_": TARGET, **values})
    except UserError as error:
        return error.messages
    return []


def test_the_file_of_the_launcher_holds_its_options_at_their_defaults() -> None:
    section = yaml.safe_load((CONF / "hydra" / "launcher" / "local.yaml").read_text())
    assert section.pop("_target_") == TARGET
    assert section == LocalOptions().model_dump()


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


def test_all_mistakes_are_reported_at_once() -> None:
    assert mistakes_in(n_jobs=0, memory_gb=-2.0) == [
        "hydra.launcher.n_jobs=0: must be auto or an integer in [1, 1024]",
        "hydra.launcher.memory_gb=-2.0: must be a number in [0.001, 1000000]",
    ]


def test_the_nearest_option_is_suggested_for_an_unknown_one() -> None:
    assert mistakes_in(njobs=1) == ["hydra.launcher.njobs: no such setting; did you mean n_jobs?"]
    assert mistakes_in(zzz=1) == [
        "hydra.launcher.zzz: no such setting; "
        "there are n_jobs, jobs_per_device, memory_gb, timeout_min"
    ]
