"""docs/formats.md says what sweep.yaml of a confirming sweep holds."""

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from cifar_exp.sweeps.plan import Plan

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text()


def names(title: str) -> list[str]:
    """What the first column of a section's table lists."""
    (section,) = re.findall(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", DOCUMENT, re.M | re.S)
    return re.findall(r"^\| `([^`]+)` \|", section, re.M)


def test_the_keys_are_those_of_the_document(origin: Plan, pretend: Callable[..., Plan]) -> None:
    line = (f"confirm.sweep={origin.folder}", "confirm.top=1", "confirm.baseline=width=2 dropout=0")
    plan = pretend(line, lambda _: 0.5)
    content = yaml.safe_load((plan.folder / "sweep.yaml").read_text())
    assert list(content) == [*names("sweep.yaml"), "confirms"]
    confirms = content["confirms"]
    assert list(confirms) == names("confirms of sweep.yaml")
    for each in (*confirms["selected"], *confirms["baselines"]):
        assert list(each) == names("a configuration in confirms")


def test_the_file_of_an_ordinary_sweep_does_not_mention_it(origin: Plan) -> None:
    assert "confirms" not in (origin.folder / "sweep.yaml").read_text()
