"""One encoding of factors for all figures: color for the most important one, shape for the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.lines import Line2D

from cifar_exp.analysis.figures.drawing.style import GRAY, INK, PALETTE, Color, brief
from cifar_exp.analysis.statistics.factors import ABSENT, Factor, shorten
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

Dash = Literal["solid"] | tuple[int, tuple[float, ...]]
Drawn = Literal["lines", "markers", "both"]

DASHES: tuple[Dash, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
MARKERS = ("o", "s", "^", "D")
ORDERED = "flare"  # light to dark, for levels that have an order
MOST_LABELS = 6  # levels that a legend shows
LABEL_DIGITS = 3  # of a number in a legend


@dataclass(frozen=True)
class Style:
    """How a configuration is drawn."""

    color: Color
    dash: Dash = "solid"
    marker: str = "o"


@dataclass(frozen=True)
class Encoding:
    """`colors` by level of the factor `color`, `shapes` (an index) by level of the factor `shape`.

    A level has the same color and shape in every figure of a group.
    """

    color: Factor | None
    colors: Mapping[str, Color]
    shape: Factor | None
    shapes: Mapping[str, int]

    def style(self, levels: Mapping[str, Any] | pd.Series) -> Style:
        """The style of a configuration with these levels by setting."""
        color = self.colors.get(levels[self.color.key], GRAY) if self.color else PALETTE[0]
        index = self.shapes[levels[self.shape.key]] if self.shape else 0
        return Style(color, DASHES[index], MARKERS[index])

    def of_level(self, factor: Factor, level: str) -> Style:
        """The style of a line for one level of the factor that has the colors, or the shapes."""
        if self.shape is not None and factor.key == self.shape.key:
            index = self.shapes[level]
            return Style(INK, DASHES[index], MARKERS[index])
        return Style(self.colors.get(level, GRAY))

    def legend_of(self, factor: Factor, levels: Sequence[str]) -> list[Line2D]:
        """A legend for lines of `of_level`."""
        return [_handle(factor, level, self.of_level(factor, level), "both") for level in levels]

    def legend(self, drawn: Drawn, *, has_shapes: bool = True) -> list[Line2D]:
        """What a legend shows: lines, markers or both, as they are in the figure."""
        handles = []
        for level, color in _selected(self.colors).items() if self.color else ():
            handles.append(_handle(self.color, level, Style(color), drawn))
        for level, index in self.shapes.items() if self.shape and has_shapes else ():
            style = Style(INK, DASHES[index], MARKERS[index])
            handles.append(_handle(self.shape, level, style, drawn))
        return handles


def _handle(factor: Factor | None, level: str, style: Style, drawn: Drawn) -> Line2D:
    look: dict[str, Any] = {"color": style.color, "lw": 2, "ms": 6}
    look["linestyle"] = "none" if drawn == "markers" else style.dash
    look["marker"] = "" if drawn == "lines" else style.marker
    name = factor.name if factor else ""
    label = f"{name} {brief(shorten(level, LABEL_DIGITS))}"
    return Line2D([], [], label=f"no {name}" if level == ABSENT else label, **look)


def encoding(statistics: GroupStatistics) -> Encoding:
    """Colors for the levels of the most important factor, shapes for those of the second."""
    factors = statistics.by_importance
    first = factors[0] if factors else None
    second = factors[1] if len(factors) > 1 else None
    levels = _levels(statistics, second) if second else []
    if len(levels) > len(DASHES):
        second, levels = None, []
    colors = _colors(first, _levels(statistics, first)) if first else {}
    return Encoding(first, colors, second, {level: i for i, level in enumerate(levels)})


def _levels(statistics: GroupStatistics, factor: Factor) -> list[str]:
    present = set(statistics.counted[factor.key])
    return [level for level in factor.levels if level in present]


def _colors(factor: Factor, levels: Sequence[str]) -> dict[str, Color]:
    """Light to dark if the levels are ordered; otherwise as different as possible."""
    ordered = [level for level in levels if level != ABSENT]
    absent = {ABSENT: GRAY} if ABSENT in levels else {}
    if factor.is_numeric:
        palette = sns.color_palette(ORDERED, as_cmap=True)
        shades = np.linspace(0, 1, len(ordered)) if len(ordered) > 1 else [0.5]
        return absent | {level: palette(x)[:3] for level, x in zip(ordered, shades, strict=True)}
    return absent | dict(zip(ordered, PALETTE, strict=False))


def _selected(colors: Mapping[str, Color]) -> dict[str, Color]:
    """All levels, or as many as a legend shows, evenly spaced, with both ends."""
    levels = list(colors)
    if len(levels) > MOST_LABELS:
        levels = [
            levels[i] for i in np.linspace(0, len(levels) - 1, MOST_LABELS).round().astype(int)
        ]
    return {level: colors[level] for level in levels}
