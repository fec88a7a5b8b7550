"""The page's table of what was selected on some seeds and confirmed on others."""

from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.page.confirmation import confirmation_context
from cifar_exp.analysis.report import ReportOptions, make_report
from cifar_exp.analysis.statistics.metric import METRICS


@pytest.fixture
def sweeps(outputs: Any) -> tuple[Path, Path]:
    """A sweep of one configuration and one that confirms it, of whose runs one is missing."""
    selected = [outputs.run(seed=seed, val=0.6, model__width=8) for seed in (0, 1)]
    fresh = [outputs.run(seed=seed, val=seed / 10, model__width=8) for seed in (4, 6)]
    origin = outputs.sweep("mine", selected)
    pending = Path("tiny-0123456789")
    return origin, outputs.confirming(origin, {"width=8": (selected, [*fresh, pending])})


def test_a_row_has_both_means_with_their_seeds(outputs: Any, sweeps: tuple[Path, Path]) -> None:
    contexts = [confirmation_context(outputs.statistics(folder)) for folder in sweeps]
    assert contexts[0] == contexts[1]
    assert contexts[0]["columns"] == [
        "configuration",
        "mean when selected (%)",
        "seeds",
        "mean on fresh seeds (%)",
        "95 % interval",
        "fresh seeds",
        "change (pp)",
    ]
    (row,) = contexts[0]["rows"]
    assert [*row[:4], *row[5:]] == ["width=8 (rank 1)", "60.00", "2", "50.00", "2 of 3", "-10.00"]
    assert contexts[0]["note"].startswith("mine selected the best of its 9 configurations; ")


def test_what_is_not_known_is_empty(outputs: Any) -> None:
    selected = [outputs.run(val=0.6, model__width=8)]
    origin = outputs.sweep("mine", selected)
    outputs.confirming(origin, {"width=8": (selected, [Path("tiny-0123456789")])})
    (row,) = confirmation_context(outputs.statistics(origin))["rows"]
    assert row == ["width=8 (rank 1)", "60.00", "1", "", "", "0 of 1", ""]


def test_the_page_shows_it_only_where_there_is_a_confirmation(
    outputs: Any, sweeps: tuple[Path, Path]
) -> None:
    other = outputs.sweep("other", [outputs.run(val=0.5, model__width=3)])
    for folder, number in ((sweeps[0], 1), (sweeps[1], 1), (other, 0)):
        options = ReportOptions(METRICS["val_accuracy"], output=outputs.path / "out")
        page = make_report(find_inputs([folder]), options, lambda _line: None).page.read_text()
        assert page.count(">Selection and confirmation</h3>") == number
        assert page.count("<td>width=8 (rank 1)</td>") == number
