"""Which runs may be compared: same data, splits, kind of device and precision; sweep by sweep."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from cifar_exp.analysis.load.discover import SweepInput
from cifar_exp.analysis.load.frames import COMPARABLE

NETWORK = "model.name"


@dataclass(frozen=True)
class ComparisonGroup:
    """Runs that may be averaged and ranked together. `slug` names its files.

    `pending`: ids of its sweep's runs that have no folder yet; if a sweep is split into several
    groups, the first one has them.
    """

    slug: str
    title: str
    run_ids: tuple[str, ...]
    sweep: SweepInput | None = None
    pending: tuple[str, ...] = ()


def group_runs(runs: pd.DataFrame, sweeps: Sequence[SweepInput]) -> list[ComparisonGroup]:
    """A group for each sweep, and for each network trained outside sweeps.

    They are split further where they mix runs that must not be compared. A run that belongs to two
    sweeps is in both groups.
    """
    found = [group for sweep in sweeps for group in _of_sweep(runs, sweep)]
    swept = {run_id for sweep in sweeps for run_id in sweep.run_ids}
    alone = runs[~runs.index.isin(swept)]
    if len(alone):
        networks = alone.get(NETWORK, pd.Series("", index=alone.index)).fillna("")
        for network, own in alone.groupby(networks, sort=True):
            title = str(network).rpartition(".")[2] or "runs"
            found += _comparable(own, title if len(sweeps) == 0 else f"{title}, in no sweep")
    return _with_unique_names(found)


def _of_sweep(runs: pd.DataFrame, sweep: SweepInput) -> list[ComparisonGroup]:
    own = runs.loc[[run_id for run_id in sweep.run_ids if run_id in runs.index]]
    groups = list(_comparable(own, sweep.name, sweep))
    first, *others = groups or [ComparisonGroup(sweep.name, sweep.name, (), sweep)]
    return [replace(first, pending=sweep.pending), *others]


def _comparable(
    runs: pd.DataFrame, title: str, sweep: SweepInput | None = None
) -> Iterator[ComparisonGroup]:
    differing = [column for column in COMPARABLE if runs[column].nunique(dropna=False) > 1]
    for _, own in runs.groupby(list(COMPARABLE), dropna=False, sort=False):
        parts = [_describe(own, column) for column in differing]
        name = ", ".join([title, *dict.fromkeys(part for part in parts if part)])
        yield ComparisonGroup(name, name, tuple(own.index), sweep)


def _describe(runs: pd.DataFrame, column: str) -> str:
    value = runs[column].iloc[0]
    if column == "fingerprint":
        return f"data {value[:6]}"
    if column.endswith("_size"):
        return f"{value:,} {column.removesuffix('_size')} images"
    return f"split {value}" if column == "split_seed" else str(value)


def _with_unique_names(groups: Sequence[ComparisonGroup]) -> list[ComparisonGroup]:
    taken: set[str] = set()
    titles: Counter[str] = Counter()
    found = []
    for given in groups:
        titles[given.title] += 1
        number = titles[given.title]
        group = replace(given, title=f"{given.title} ({number})") if number > 1 else given
        stem = re.sub(r"[^A-Za-z0-9_.]+", "-", group.title)[:60].strip("-.") or "runs"
        slug = next(s for i in range(1, 10**6) if (s := stem + f"-{i}" * (i > 1)) not in taken)
        taken.add(slug)
        found.append(replace(group, slug=slug))
    return found
