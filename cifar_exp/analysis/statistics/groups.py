"""Which runs may be compared: same data, splits, kind of device and precision; sweep by sweep."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from cifar_exp.analysis.load.discover import SweepInput

# Runs that differ in one of these were measured on other images, or not in the same way.
COMPARABLE = (
    "name",
    "fingerprint",
    "split_seed",
    "train_size",
    "val_size",
    "test_size",
    "device",
    "precision",
)
NETWORK = "model.name"


@dataclass(frozen=True)
class Section:
    """Runs that may be averaged and ranked together. `slug` names its files.

    `unstarted`: ids of its sweep's runs that have no folder yet; of a sweep that falls into
    several sections they stand in the first.
    """

    slug: str
    title: str
    run_ids: tuple[str, ...]
    sweep: SweepInput | None = None
    unstarted: tuple[str, ...] = ()


def divide(runs: pd.DataFrame, sweeps: Sequence[SweepInput]) -> list[Section]:
    """A section for each sweep, and for each network trained outside sweeps; more where those
    mix what must not be compared. A run of two sweeps stands in both.
    """
    found = [section for sweep in sweeps for section in _of_sweep(runs, sweep)]
    swept = {run_id for sweep in sweeps for run_id in sweep.run_ids}
    alone = runs[~runs.index.isin(swept)]
    if len(alone):
        networks = alone.get(NETWORK, pd.Series("", index=alone.index)).fillna("")
        for network, group in alone.groupby(networks, sort=True):
            title = str(network).rpartition(".")[2] or "runs"
            found += _comparable(group, title if len(sweeps) == 0 else f"{title}, in no sweep")
    return _with_own_slugs(found)


def _of_sweep(runs: pd.DataFrame, sweep: SweepInput) -> list[Section]:
    own = runs.loc[[run_id for run_id in sweep.run_ids if run_id in runs.index]]
    sections = list(_comparable(own, sweep.name, sweep))
    first, *others = sections or [Section(sweep.name, sweep.name, (), sweep)]
    return [replace(first, unstarted=sweep.unstarted), *others]


def _comparable(
    runs: pd.DataFrame, title: str, sweep: SweepInput | None = None
) -> Iterator[Section]:
    groups = runs.groupby(list(COMPARABLE), dropna=False, sort=False)
    differing = [column for column in COMPARABLE if runs[column].nunique(dropna=False) > 1]
    for _, group in groups:
        parts = [_told(group, column) for column in differing]
        name = ", ".join([title, *dict.fromkeys(part for part in parts if part)])
        yield Section(name, name, tuple(group.index), sweep)


def _told(group: pd.DataFrame, column: str) -> str:
    value = group[column].iloc[0]
    if column == "fingerprint":
        return f"data {value[:6]}"
    if column.endswith("_size"):
        return f"{value:,} {column.removesuffix('_size')} images"
    return f"split {value}" if column == "split_seed" else str(value)


def _with_own_slugs(sections: Sequence[Section]) -> list[Section]:
    taken: set[str] = set()
    titles: Counter[str] = Counter()
    found = []
    for given in sections:
        titles[given.title] += 1
        number = titles[given.title]
        section = replace(given, title=f"{given.title} ({number})") if number > 1 else given
        stem = re.sub(r"[^A-Za-z0-9_.]+", "-", section.title)[:60].strip("-.") or "runs"
        slug = next(s for i in range(1, 10**6) if (s := stem + f"-{i}" * (i > 1)) not in taken)
        taken.add(slug)
        found.append(replace(section, slug=slug))
    return found
