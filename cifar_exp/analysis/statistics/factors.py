"""What varied between runs, found from the runs themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

ABSENT = "-"  # of a setting that a run's model, optimizer or scheduler does not have
LONG = 6  # characters of a number, beyond which it is shortened
DIGITS = (4, 6, 8)  # to so many, if that tells all levels apart
FEW = 8  # configurations, among which two settings that change together cannot be told apart


@dataclass(frozen=True)
class Factor:
    """A setting that takes several values; `levels` in rising order, as text.

    `along` are settings that change only together with it, so that their effects are one.
    """

    key: str
    name: str
    levels: tuple[str, ...]
    is_numeric: bool
    along: tuple[str, ...] = field(default=())


def varied_settings(runs: pd.DataFrame, columns: Sequence[str]) -> list[Factor]:
    """The settings that differ between runs, without those that merely follow another.

    A setting is taken to follow another if the other's value always tells its value, and values
    of the other were repeated, or there are too few configurations to tell the two apart.
    """
    values = level_frame(runs, columns)
    varied = [column for column in columns if values[column].nunique() > 1]
    distinct = values[varied].drop_duplicates()
    # a setting can only follow one with as many levels or more, and best follows its choice
    by_levels = sorted(varied, key=lambda k: (not k.endswith(".name"), -distinct[k].nunique()))
    leaders: dict[str, list[str]] = {}
    for key in by_levels:
        leader = next((k for k in leaders if _follows(distinct, key, k)), None)
        leaders.setdefault(leader or key, []).extend([key] if leader else [])
    ordered = sorted(leaders, key=lambda key: (not key.endswith(".name"), varied.index(key)))
    names = short_names(ordered)
    return [_setting(key, names[key], values[key], leaders[key]) for key in ordered]


def level_frame(runs: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The settings' levels: their exact texts, ABSENT where a run has no such setting.

    Numbers with many digits are shortened as far as they stay different.
    """
    return pd.DataFrame({key: _levels(runs[key]) for key in columns}, index=runs.index)


def number_of(text: str) -> float | None:
    """The number that a level is, if it is one."""
    try:
        return float(text)
    except ValueError:
        return None


def shortened(text: str, digits: int) -> str:
    """A number with so many digits; any other level as it is."""
    number = number_of(text)
    return text if number is None else f"{number:.{digits}g}"


def _levels(values: pd.Series) -> pd.Series:
    exact = values.astype(object).where(values.notna(), ABSENT)
    if not len(exact) or exact.map(len).max() <= LONG:
        return exact
    shorter = (exact.map(partial(shortened, digits=digits)) for digits in DIGITS)
    return next((texts for texts in shorter if texts.nunique() == exact.nunique()), exact)


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """`width` for `model.width`, `model` for `model.name`; in full where two would be alike."""
    short = {key: _short(key) for key in keys}
    names = list(short.values())
    return {key: name if names.count(name) == 1 else key for key, name in short.items()}


def _short(key: str) -> str:
    head, _, tail = key.rpartition(".")
    return head if tail == "name" and head else tail


def _follows(distinct: pd.DataFrame, key: str, leader: str) -> bool:
    if distinct.groupby(leader)[key].nunique().max() > 1:
        return False
    levels = distinct[leader].nunique()
    is_choice = leader.endswith(".name") and key.rpartition(".")[0] == leader.rpartition(".")[0]
    return is_choice or len(distinct) >= 2 * levels or len(distinct) <= FEW


def _setting(key: str, name: str, levels: Iterable[str], along: Sequence[str]) -> Factor:
    ordered = sorted(set(levels), key=_place)
    is_numeric = all(number_of(level) is not None for level in ordered if level != ABSENT)
    return Factor(key, name, tuple(ordered), is_numeric, tuple(along))


def _place(level: str) -> tuple[bool, bool, float, str]:
    """ABSENT first, then numbers as numbers, then words as words."""
    number = number_of(level)
    return level != ABSENT, number is None, number or 0.0, level
