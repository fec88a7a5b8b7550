"""The best of a sweep on the seeds that selected them, and apart from these on fresh seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cifar_exp.analysis.load.confirmation import ConfirmationInput
from cifar_exp.analysis.load.frames import COMPARABLE, run_frame, settings_columns
from cifar_exp.analysis.load.runs import LoadedRun, LoadedRuns
from cifar_exp.analysis.statistics.configurations import assign_configurations, summarize
from cifar_exp.analysis.statistics.factors import find_factors
from cifar_exp.analysis.statistics.groups import ComparisonGroup
from cifar_exp.analysis.statistics.metric import Metric
from cifar_exp.analysis.statistics.model import fit_cells
from cifar_exp.storage.selection import SelectedConfiguration

COLUMNS = ("n", "mean", "ci_low", "ci_high")  # of a summary, as they are taken over


@dataclass(frozen=True)
class Confirmation:
    """The `table` has a row per selected configuration, the best first, then the baselines.

    configuration, rank; is_baseline: it was named, not selected; selected_n, selected_mean: seeds
    and mean of the runs that selected it; n, mean, ci_low, ci_high: those of its completed runs
    with fresh seeds, of `asked` runs in all, of which `diverged` and `failed` ended so; shrinkage:
    mean - selected_mean. NaN where it is not known. No run is in both means.

    `origin` is the name of the sweep that selected, from a number of `configurations`; `confirming`
    that of the sweep with the fresh seeds; `is_confirming`: whether the group is one of the latter.
    """

    table: pd.DataFrame
    origin: str
    confirming: str
    configurations: int
    is_confirming: bool


def confirmation_of(group: ComparisonGroup, metric: Metric) -> Confirmation | None:
    """The confirmation of which this group is one half; None if it is part of none."""
    sweep = group.sweep
    source = sweep.confirmation if sweep else None
    if sweep is None or source is None:
        return None
    selection = source.selection
    concerned = {
        run_id for each in selection.all for run_id in (*each.selected_on, *each.confirmed_on)
    }
    if concerned.isdisjoint(group.run_ids):
        return None
    table = pd.DataFrame(_rows(source, metric)).astype({"n": int, "selected_n": int})
    table["shrinkage"] = table["mean"] - table["selected_mean"]
    return Confirmation(
        table=table,
        origin=selection.sweep,
        confirming=source.confirming,
        configurations=selection.configurations,
        is_confirming=sweep.name == source.confirming,
    )


def selected_names(group: ComparisonGroup) -> dict[str, str]:
    """By run id, the names that the configurations of a confirming sweep had where they were
    selected: what varied there may be the same in all of them. Empty for any other group.
    """
    source = group.sweep.confirmation if group.sweep else None
    if source is None or group.sweep is None or group.sweep.name != source.confirming:
        return {}
    selected = source.selection.all
    if len({each.configuration for each in selected}) < len(selected):
        return {}  # two of them were named before the sweep varied what they differ in
    return {run_id: each.configuration for each in selected for run_id in each.confirmed_on}


def _rows(source: ConfirmationInput, metric: Metric) -> list[dict[str, object]]:
    frame = _frame(source)
    values = pd.to_numeric(frame[metric.name]).astype(float)
    values = values[(frame["status"] == "completed") & np.isfinite(values)]
    fresh = _fresh_means(source, frame, metric)
    baselines = source.selection.baselines
    return [
        {
            "configuration": each.configuration,
            "rank": each.rank,
            "is_baseline": each in baselines,
            **_selected(each, values, metric.name == source.selection.metric),
            **fresh.loc[place, list(COLUMNS)].to_dict(),
            "asked": len(each.confirmed_on),
            **_endings(frame, each.confirmed_on),
        }
        for place, each in enumerate(source.selection.all)
    ]


def _frame(source: ConfirmationInput) -> pd.DataFrame:
    """The frame of both sweeps' runs."""
    runs = {
        run_id: LoadedRun(run.folder, run.record, run.record.status, None)
        for run_id, run in source.runs.items()
    }
    return run_frame(LoadedRuns(runs, pd.DataFrame(), (), (), lambda _: None))


def _selected(
    selected: SelectedConfiguration, values: pd.Series, is_recorded: bool
) -> dict[str, object]:
    """From the runs that selected it; if some are gone, as it was recorded, by the same metric."""
    own = [run_id for run_id in selected.selected_on if run_id in values.index]
    if len(own) == len(selected.selected_on):
        return {"selected_n": len(own), "selected_mean": float(values[own].mean())}
    mean = selected.mean if is_recorded else np.nan
    return {"selected_n": len(selected.selected_on), "selected_mean": mean}


def _fresh_means(source: ConfirmationInput, frame: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """n, mean and interval of each configuration's fresh runs, as its own report gives them."""
    places = {
        run_id: place
        for place, each in enumerate(source.selection.all)
        for run_id in each.confirmed_on
        if run_id in frame.index and _is_comparable(frame, each.selected_on, run_id)
    }
    fresh = frame.loc[list(places)]
    factors = find_factors(fresh, settings_columns(fresh))
    configured = assign_configurations(fresh, factors, metric)
    counted = configured.counted
    varied = [factor for factor in factors if counted[factor.key].nunique() > 1]
    model = fit_cells(counted, varied) if len(counted) else None
    summary = summarize(configured, factors, metric, model).set_index("configuration")
    names = {places[str(run_id)]: name for run_id, name in counted["configuration"].items()}
    table = summary.reindex(columns=list(COLUMNS)).loc[list(names.values())]
    table = table.set_axis(list(names), axis=0).reindex(range(len(source.selection.all)))
    return table.fillna({"n": 0})


def _is_comparable(frame: pd.DataFrame, selected_on: Sequence[str], run_id: str) -> bool:
    """Whether a fresh run was measured as those that selected it were, if any of them is left."""
    known = [each for each in selected_on if each in frame.index]
    columns = list(COMPARABLE)
    return not known or frame.loc[run_id, columns].equals(frame.loc[known[0], columns])


def _endings(frame: pd.DataFrame, run_ids: Sequence[str]) -> dict[str, int]:
    status = frame["status"].reindex(list(run_ids))
    return {name: int((status == name).sum()) for name in ("diverged", "failed")}
