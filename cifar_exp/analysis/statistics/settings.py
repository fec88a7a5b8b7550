"""What varied between runs, found from the runs themselves."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

ABSENT = "-"  # of a setting that a run's model, optimizer or scheduler does not have
LONG = 6  # characters of a number, beyond which it is shortened
FEW = 8  # configurations, among which two settings that change together cannot be told apart


@dataclass(frozen=True)
class Setting:
    """A setting that takes several values; `levels` in rising order, as text.

    `along` are settings that change only together with it, so that their effects are one.
    """

    key: str
    name: str
    levels: tuple[str, ...]
    is_numeric: bool
    along: tuple[str, ...] = field(default=())


def varied_settings(runs: pd.DataFrame, columns: Sequence[str]) -> list[Setting]:
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
    return [
        _setting(key, names[key], dict(zip(values[key], runs[key], strict=True)), leaders[key])
        for key in ordered
    ]


def level_frame(runs: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The settings as text, so that 0.1 and 1e-1 are one level and 1 and True are two.

    Numbers with many digits are shortened as far as they stay different.
    """
    return pd.DataFrame({key: _texts(runs[key]) for key in columns}, index=runs.index)


def _texts(values: pd.Series) -> pd.Series:
    exact = values.map(level_text)
    if not len(exact) or exact.str.len().max() <= LONG:
        return exact
    shorter = (values.map(partial(level_text, digits=digits)) for digits in (4, 6, 8))
    return next((texts for texts in shorter if texts.nunique() == exact.nunique()), exact)


def level_text(value: Any, digits: int = 10) -> str:
    """A value as it is shown: `0.1`, `16`, `sgd`, `true`; ABSENT where there is none."""
    if value is None or (isinstance(value, float) and value != value):
        return ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.{digits}g}"
    return str(value)


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


def _setting(key: str, name: str, levels: Mapping[str, Any], along: Sequence[str]) -> Setting:
    numbers = [v for text, v in levels.items() if text != ABSENT]
    is_numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in numbers)
    ordered = sorted(levels, key=lambda text: _place(text, levels[text]))
    return Setting(key, name, tuple(ordered), is_numeric, tuple(along))


def _place(text: str, value: Hashable) -> tuple[bool, bool, float, str]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = float(value) if is_number and text != ABSENT else 0.0  # type: ignore[arg-type]
    return text != ABSENT, not is_number, number, text
