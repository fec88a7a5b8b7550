"""What was selected on some seeds and confirmed on others, from run folders."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cifar_exp.analysis.statistics.confirmation import Confirmation

WIDE = {0: 0.60, 1: 0.64, 2: 0.65, 3: 0.61, 4: 0.62, 5: 0.66}  # val accuracy by seed
NARROW = {0: 0.58, 1: 0.61, 2: 0.60, 3: 0.57, 4: 0.59, 5: 0.58}
SELECTED, FRESH = (0, 1, 2), (3, 4, 5)


class Swept:
    """A sweep of two widths on three seeds, and the runs that confirm it on three more."""

    def __init__(self, outputs) -> None:
        self.outputs = outputs
        self.wide = self.runs(32, WIDE)
        self.narrow = self.runs(16, NARROW)
        self.origin = outputs.sweep("mine", self.of(SELECTED))

    def runs(self, width: int, accuracy: dict[int, float]) -> dict[int, Path]:
        return {
            seed: self.outputs.run(seed=seed, val=value, model__width=width)
            for seed, value in accuracy.items()
        }

    def of(self, seeds: tuple[int, ...]) -> list[Path]:
        return [own[seed] for own in (self.wide, self.narrow) for seed in seeds]

    def confirm(self, **more) -> Path:
        runs = {
            "width=32": ([self.wide[s] for s in SELECTED], [self.wide[s] for s in FRESH]),
            "width=16": ([self.narrow[s] for s in SELECTED], [self.narrow[s] for s in FRESH]),
        }
        return self.outputs.confirming(self.origin, runs, **more)

    def confirmation(self, folder: Path, **options) -> Confirmation:
        (found,) = self.outputs.all_statistics(folder, **options)
        assert found.confirmation is not None
        return found.confirmation


@pytest.fixture
def swept(outputs) -> Swept:
    return Swept(outputs)


def test_a_sweep_that_nothing_confirms_has_no_confirmation(swept: Swept) -> None:
    (statistics,) = swept.outputs.all_statistics(swept.origin)
    assert (statistics.confirmation, statistics.is_confirming) == (None, False)


def test_both_reports_show_both_means_apart(swept: Swept) -> None:
    confirming = swept.confirm()
    origin, other = swept.confirmation(swept.origin), swept.confirmation(confirming)
    assert (origin.is_confirming, other.is_confirming) == (False, True)
    for found in (origin, other):
        assert (found.origin, found.confirming) == ("mine", "mine-confirm")
        assert found.configurations == 9
        table = found.table.set_index("configuration")
        assert list(table.index) == ["width=32", "width=16"]
        for name, accuracy in (("width=32", WIDE), ("width=16", NARROW)):
            row = table.loc[name]
            before = np.mean([accuracy[seed] for seed in SELECTED])
            after = np.mean([accuracy[seed] for seed in FRESH])
            assert (row["selected_n"], row["n"], row["asked"]) == (3, 3, 3)
            assert row["selected_mean"] == pytest.approx(before)
            assert row["mean"] == pytest.approx(after)
            assert row["shrinkage"] == pytest.approx(after - before)


def test_no_run_of_one_sweep_is_averaged_with_one_of_the_other(swept: Swept) -> None:
    confirming = swept.confirm()
    by_name = {each.group.title: each for each in swept.outputs.all_statistics()}
    assert by_name.keys() == {"mine", "mine-confirm"}
    assert set(by_name["mine"].summary["n"]) == set(by_name["mine-confirm"].summary["n"]) == {3}
    (alone,) = swept.outputs.all_statistics(confirming)
    for statistics in (by_name["mine-confirm"], alone):
        assert set(statistics.counted["seed"]) == set(FRESH)
    assert set(by_name["mine"].counted["seed"]) == set(SELECTED)


def test_the_interval_on_fresh_seeds_is_that_of_the_confirming_sweep(swept: Swept) -> None:
    confirming = swept.confirm()
    (statistics,) = swept.outputs.all_statistics(confirming)
    own = statistics.summary.set_index("configuration")
    for folder in (swept.origin, confirming):
        table = swept.confirmation(folder).table.set_index("configuration")
        for bound in ("ci_low", "ci_high"):
            assert table[bound]["width=32"] == pytest.approx(own[bound]["width=32"])
    row = swept.confirmation(confirming).table.iloc[0]
    assert row["ci_low"] < row["mean"] < row["ci_high"]


def test_one_configuration_alone_has_students_interval(swept: Swept) -> None:
    fresh = [swept.wide[seed] for seed in FRESH]
    selected = [swept.wide[seed] for seed in SELECTED]
    swept.outputs.confirming(swept.origin, {"width=32": (selected, fresh)})
    row = swept.confirmation(swept.origin).table.iloc[0]
    values = [WIDE[seed] for seed in FRESH]
    expected = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected)


def test_configurations_keep_the_names_they_were_selected_by(outputs) -> None:
    def pair(width: int) -> tuple[list[Path], list[Path]]:
        runs = [
            outputs.run(seed=seed, val=width / 100, model__width=width, model__dropout=0.0)
            for seed in (0, 1)
        ]
        return runs[:1], runs[1:]

    wide, narrow = pair(32), pair(16)
    other = outputs.run(val=0.1, model__width=8, model__dropout=0.5)
    origin = outputs.sweep("mine", [*wide[0], *narrow[0], other])
    both = {"width=32 dropout=0": wide, "width=16 dropout=0": narrow}
    confirming = outputs.confirming(origin, both)
    assert outputs.statistics(confirming).summary["configuration"].tolist() == list(both)
    shutil.rmtree(confirming)
    one = outputs.confirming(origin, {"width=32 dropout=0": wide})
    statistics = outputs.statistics(one)
    assert statistics.best == "width=32 dropout=0"
    assert "width=32" in outputs.statistics(origin).best


def test_two_configurations_of_one_name_stay_apart(swept: Swept) -> None:
    file = swept.confirm() / "sweep.yaml"
    content = json.loads(file.read_text())
    for each in content["confirms"]["selected"]:
        each["configuration"] = "lr=0.1"
    file.write_text(json.dumps(content))
    (statistics,) = swept.outputs.all_statistics(file.parent)
    assert set(statistics.summary["configuration"]) == {"width=32", "width=16"}


def test_any_metric_is_compared_on_the_same_runs(swept: Swept) -> None:
    swept.confirm()
    row = swept.confirmation(swept.origin, metric="test_accuracy").table.iloc[0]
    assert row["mean"] == pytest.approx(np.mean([WIDE[seed] - 0.01 for seed in FRESH]))
    assert row["selected_mean"] == pytest.approx(np.mean([WIDE[s] - 0.01 for s in SELECTED]))


def test_what_selected_is_taken_as_recorded_where_its_runs_are_gone(swept: Swept) -> None:
    confirming = swept.confirm()
    shutil.rmtree(swept.origin)
    shutil.rmtree(swept.wide[0])
    table = swept.confirmation(confirming).table
    assert table["selected_mean"].iloc[0] == 0.123
    assert table["selected_mean"].iloc[1] == pytest.approx(np.mean([NARROW[s] for s in SELECTED]))
    table = swept.confirmation(confirming, metric="test_loss").table
    assert np.isnan(table["selected_mean"].iloc[0])


def test_runs_that_did_not_complete_are_counted_apart(outputs) -> None:
    selected = [outputs.run(seed=seed, val=0.5, model__width=8) for seed in (0, 1)]
    origin = outputs.sweep("mine", selected)
    fresh = [
        outputs.run(seed=2, val=0.4, model__width=8),
        outputs.run(seed=3, val=0.4, model__width=8, status="diverged", error="nan"),
        outputs.run(seed=4, val=0.4, model__width=8, status="failed", error="boom"),
    ]
    outputs.confirming(origin, {"width=8": (selected, fresh)})
    row = outputs.statistics(origin).confirmation.table.iloc[0]
    assert (row["n"], row["asked"], row["diverged"], row["failed"]) == (1, 3, 1, 1)
    assert row["mean"] == 0.4
    assert np.isnan(row["ci_low"])


def test_nothing_is_known_before_a_fresh_run_is_completed(outputs) -> None:
    selected = [outputs.run(seed=seed, val=0.5, model__width=8) for seed in (0, 1)]
    origin = outputs.sweep("mine", selected)
    outputs.confirming(origin, {"width=8": (selected, [Path("tiny-0123456789")])})
    row = outputs.statistics(origin).confirmation.table.iloc[0]
    assert (row["n"], row["asked"], row["selected_n"]) == (0, 1, 2)
    assert np.isnan(row["mean"])


def test_fresh_runs_on_another_kind_of_device_do_not_confirm(outputs) -> None:
    selected = [outputs.run(seed=seed, val=0.5, model__width=8) for seed in (0, 1)]
    origin = outputs.sweep("mine", selected)
    other = {"device": "cuda"}
    fresh = [
        outputs.run(seed=2, val=0.4, model__width=8),
        outputs.run(seed=3, val=0.9, model__width=8, compute=other),
    ]
    outputs.confirming(origin, {"width=8": (selected, fresh)})
    row = outputs.statistics(origin).confirmation.table.iloc[0]
    assert (row["n"], row["mean"]) == (1, 0.4)


def test_a_baseline_comes_last_and_is_marked(swept: Swept) -> None:
    def pair(own: dict[int, Path]) -> tuple[list[Path], list[Path]]:
        return [own[seed] for seed in SELECTED], [own[seed] for seed in FRESH]

    swept.outputs.confirming(
        swept.origin, {"width=32": pair(swept.wide)}, {"width=16": pair(swept.narrow)}
    )
    table = swept.confirmation(swept.origin).table
    assert list(zip(table["configuration"], table["is_baseline"], strict=True)) == [
        ("width=32", False),
        ("width=16", True),
    ]


@pytest.mark.parametrize(
    "change", [lambda c: c.pop("confirms"), lambda c: c["confirms"].update(sweep="x")]
)
def test_a_sweep_of_that_name_which_confirms_another_is_left_alone(
    swept: Swept, change: Callable[[dict], None]
) -> None:
    file = swept.confirm() / "sweep.yaml"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    (statistics,) = swept.outputs.all_statistics(swept.origin)
    assert statistics.confirmation is None
