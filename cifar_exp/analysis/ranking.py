"""The configurations of one sweep, the best first: what a confirmation selects from."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.analysis.load.discover import REPORT, find_inputs
from cifar_exp.analysis.load.frames import run_frame, settings_columns
from cifar_exp.analysis.load.runs import LoadedRun, load_runs
from cifar_exp.analysis.statistics.baseline import find_baseline
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.groups import group_runs
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.errors import UserError
from cifar_exp.storage.selection import SelectedConfiguration

METRIC = "val_accuracy"  # the train command's; a report may be given another


@dataclass(frozen=True)
class Ranking:
    """`configurations`, the best mean of `metric` first, with the `runs` of the sweep by id."""

    metric: str
    configurations: list[SelectedConfiguration]
    runs: Mapping[str, LoadedRun]
    statistics: GroupStatistics

    def find(self, text: str) -> SelectedConfiguration:
        """The configuration that a user names. Raises UserError with the reason if none is."""
        found = find_baseline(text, self.statistics.counted, self.statistics.factors)
        by_name = {each.configuration: each for each in self.configurations}
        if found not in by_name:
            raise UserError(f"--baseline={text!r}: no completed run matches")
        return by_name[found]


def rank_configurations(sweep: Path, without_seeds: Container[int]) -> Ranking:
    """Rank the configurations of a sweep by the means of their completed runs.

    Runs with a seed in `without_seeds` do not count. Raises UserError, with the reason to say of
    the sweep, if no run is completed or if the runs must not be ranked together.
    """
    inputs = find_inputs([sweep])
    loaded = load_runs(inputs, sweep / REPORT)
    runs = run_frame(loaded)
    runs = runs.loc[[run for run, seed in runs["seed"].items() if seed not in without_seeds]]
    columns = settings_columns(runs)
    groups = [
        GroupStatistics(group, METRICS[METRIC], runs, loaded.history, columns)
        for group in group_runs(runs, inputs.sweeps)
    ]
    ranked = [group for group in groups if len(group.counted)]
    if not ranked:
        raise UserError("none of its runs is completed")
    if len(ranked) > 1:
        titles = "; ".join(each.group.title for each in ranked)
        raise UserError(
            f"its runs form {len(ranked)} comparison groups ({titles}), which cannot be ranked "
            "together; name a sweep that has only one"
        )
    (statistics,) = ranked
    return Ranking(statistics.metric.name, list(_ranked(statistics)), loaded.runs, statistics)


def _ranked(statistics: GroupStatistics) -> Iterator[SelectedConfiguration]:
    counted = statistics.counted.sort_values("seed", kind="stable")
    for row in statistics.evaluated.to_dict("records"):
        own = counted.index[counted["configuration"] == row["configuration"]]
        yield SelectedConfiguration(
            configuration=str(row["configuration"]),
            rank=int(row["rank"]),
            mean=float(row["mean"]),
            selected_on=[str(run_id) for run_id in own],
            confirmed_on=[],
        )
