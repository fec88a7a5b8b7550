"""The factors of a comparison: which settings varied between runs, and over which levels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

ABSENT = "-"  # the level of a setting that a run's model, optimizer or scheduler does not have
LABEL = "label"  # the column of the model option by which a run was started
LONG = 6  # characters; a longer number is shortened
DIGITS = (4, 6, 8)  # significant digits to try, until all levels stay different
FEW = 8  # configurations; with fewer, two settings that change together cannot be separated


@dataclass(frozen=True)
class Factor:
    """A setting that takes several values; `levels` in ascending order, as text.

    `aliased`: the settings that changed only together with it, so that their effects are one.
    """

    key: str
    name: str
    levels: tuple[str, ...]
    is_numeric: bool
    aliased: tuple[str, ...] = field(default=())


def find_factors(runs: pd.DataFrame, columns: Sequence[str]) -> list[Factor]:
    """The settings that differ between runs, without those that merely follow another.

    A setting follows another if the other's value always determines its value, and either values
    of the other were repeated or there are too few configurations to separate the two. Models that
    were chosen by name are one factor, `model`, with the names as levels.
    """
    values = level_frame(runs, columns)
    varied = [column for column in columns if values[column].nunique() > 1]
    chosen = _chosen_by_name(runs, values[varied])
    if chosen:
        values = values.assign(**{LABEL: runs[LABEL]})
        varied = [LABEL, *(key for key in varied if key not in chosen)]
    distinct = values[varied].drop_duplicates()
    # a setting can only follow one with at least as many levels, preferably its group's option
    by_levels = sorted(varied, key=lambda k: (not is_option(k), -distinct[k].nunique()))
    aliases: dict[str, list[str]] = {}
    for key in by_levels:
        leader = next((k for k in aliases if _follows(distinct, key, k)), None)
        aliases.setdefault(leader or key, []).extend([key] if leader else [])
    ordered = sorted(aliases, key=lambda key: (not is_option(key), varied.index(key)))
    names = short_names(ordered)
    if chosen:
        aliases[LABEL] = [*chosen, *aliases[LABEL]]
    return [_factor(key, names[key], values[key], aliases[key]) for key in ordered]


def is_option(key: str) -> bool:
    """Whether a factor is a choice by name, which stands for all settings that come with it."""
    return key == LABEL or key.endswith(".name")


def _chosen_by_name(runs: pd.DataFrame, values: pd.DataFrame) -> list[str]:
    """The settings of the model that its name stands for: several, or a class, one name each."""
    if LABEL not in runs or runs[LABEL].nunique() < 2:
        return []
    labels = runs[LABEL]
    own = [
        key
        for key in values
        if key.startswith("model.") and values[key].groupby(labels).nunique().max() == 1
    ]
    is_one_each = len(values[own].drop_duplicates()) == labels.nunique()
    return own if is_one_each and (len(own) > 1 or own == ["model.name"]) else []


def level_frame(runs: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Each setting's level in each run: its exact text, or ABSENT if the run has no such setting.

    Long numbers are shortened as far as levels stay different.
    """
    return pd.DataFrame({key: _levels(runs[key]) for key in columns}, index=runs.index)


def parse_number(text: str) -> float | None:
    """The level as a number, if it is one."""
    try:
        return float(text)
    except ValueError:
        return None


def shorten(text: str, digits: int) -> str:
    """A number with this many significant digits; any other level unchanged."""
    number = parse_number(text)
    return text if number is None else f"{number:.{digits}g}"


def _levels(values: pd.Series) -> pd.Series:
    exact = values.astype(object).where(values.notna(), ABSENT)
    if not len(exact) or exact.map(len).max() <= LONG:
        return exact
    shorter = (exact.map(partial(shorten, digits=digits)) for digits in DIGITS)
    return next((texts for texts in shorter if texts.nunique() == exact.nunique()), exact)


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """`width` for `model.width`, `model` for `model.name`; the full key where these are equal."""
    short = {key: _short_name(key) for key in keys}
    names = list(short.values())
    return {key: name if names.count(name) == 1 else key for key, name in short.items()}


def _short_name(key: str) -> str:
    if key == LABEL:
        return "model"
    head, _, tail = key.rpartition(".")
    return head if tail == "name" and head else tail


def _follows(distinct: pd.DataFrame, key: str, leader: str) -> bool:
    if distinct.groupby(leader)[key].nunique().max() > 1:
        return False
    levels = distinct[leader].nunique()
    is_its_option = leader.endswith(".name") and key.rpartition(".")[0] == leader.rpartition(".")[0]
    return is_its_option or len(distinct) >= 2 * levels or len(distinct) <= FEW


def _factor(key: str, name: str, levels: Iterable[str], aliased: Sequence[str]) -> Factor:
    ordered = sorted(set(levels), key=_sort_key)
    is_numeric = all(parse_number(level) is not None for level in ordered if level != ABSENT)
    return Factor(key, name, tuple(ordered), is_numeric, tuple(aliased))


def _sort_key(level: str) -> tuple[bool, bool, float, str]:
    """ABSENT first, then numbers by value, then words."""
    number = parse_number(level)
    return level != ABSENT, number is None, number or 0.0, level
