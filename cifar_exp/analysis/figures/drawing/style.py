"""The style of all figures: colors for the color-blind, readable sizes, legends, log axes."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

mpl.use("Agg")  # figures go to files, so no window system is needed

Color = tuple[float, float, float]
Dash = Literal["solid"] | tuple[int, tuple[float, ...]]

GRAY_INDEX = 7  # in the palette; gray is for configurations that have no color assigned
PALETTE = [c for i, c in enumerate(sns.color_palette("colorblind", 10)) if i != GRAY_INDEX]
DASHES: tuple[Dash, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
MARKERS = ("o", "s", "^", "D")
GRAY = (0.72, 0.72, 0.72)
INK = (0.25, 0.25, 0.25)
MOST_COLORS = 6
NOTE_SIZE = 8.5
TITLE_LETTERS, NOTE_LETTERS = 9, 14  # per inch
LONG_NAME = 26  # characters; with longer names, the legend goes below the axes
WIDTH = 8.0  # inches: as wide as a page's column
STYLE: dict[str, Any] = {
    "figure.dpi": 150,  # 1,200 pixels wide: sharp in print, small beside the page
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.title_fontsize": 9,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "0.9",
    "text.parse_math": False,  # a dollar sign in a name is not a formula
    "svg.hashsalt": "cifar_exp",  # the same figure is the same file
}


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure, sizes in inches, whose parts make room for each other."""
    # text is not equally wide at all resolutions: the margins absorb the difference
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.06)
    return Figure(figsize=(width, height), layout=layout)


def title(figure: Figure, text: str, note: str = "") -> None:
    """Put a title above the figure and, below it, a note on how to read it, both at the left."""
    width = figure.get_figwidth()
    figure.suptitle(wrap(text, int(TITLE_LETTERS * width)), x=0.01, ha="left")
    if note:
        text = wrap(note, int(NOTE_LETTERS * width))
        figure.supxlabel(text, x=0.01, ha="left", fontsize=NOTE_SIZE, color=INK)


def wrap(text: str, letters: int = 44) -> str:
    """Break a text into lines of at most `letters`; by default, as many as fit next to the axes."""
    return "\n".join(textwrap.wrap(text, letters, break_on_hyphens=False)) or text


@dataclass(frozen=True)
class Style:
    """How a configuration is drawn."""

    color: Color
    dash: Dash
    marker: str


@dataclass(frozen=True)
class StyleMap:
    """The styles of a group's configurations; those without one are drawn thin and gray.

    With at most two factors, color shows the levels of one, dash and marker for the other's.
    Otherwise the best configurations get a color each, in their order.
    """

    by_configuration: Mapping[str, Style]
    handles: Sequence[Line2D]
    others: int  # configurations without a style

    def get(self, configuration: str) -> Style | None:
        """The style of a configuration, or None."""
        return self.by_configuration.get(configuration)

    def title(self, figure: Figure, text: str, note: str) -> None:
        """Add title, note and legend: next to the axes, or below them if names are long."""
        handles = list(self.handles)
        if self.others:
            handles.append(Line2D([], [], color=GRAY, label=f"{self.others} others"))
        longest = max((len(str(handle.get_label())) for handle in handles), default=0)
        if longest <= LONG_NAME:
            title(figure, text, note)
            figure.legend(handles=handles, loc="outside right center")
            return
        title(figure, text)
        columns = 2 if longest <= 2 * LONG_NAME else 1
        figure.set_figheight(figure.get_figheight() + 0.2 * (1 + math.ceil(len(handles) / columns)))
        place: dict[str, Any] = {"loc": "outside lower left", "ncols": columns}
        legend = figure.legend(handles=handles, title=note, alignment="left", **place)
        legend.get_title().set(fontsize=NOTE_SIZE, color=INK)


def assign_styles(statistics: GroupStatistics) -> StyleMap:
    """Give configurations their styles; the most important factor gets the colors."""
    table, factors = statistics.evaluated, statistics.by_importance
    levels = [[v for v in f.levels if v in set(table[f.key])] for f in factors]
    most = (MOST_COLORS, len(DASHES))
    fits = [len(values) <= limit for values, limit in zip(levels, most, strict=False)]
    if factors and len(factors) <= len(most) and all(fits):
        return _by_level(table, factors, levels)
    best = list(table["configuration"][: len(PALETTE)])
    styles = {name: Style(PALETTE[i], "solid", "o") for i, name in enumerate(best)}
    handles = [
        Line2D([], [], color=style.color, label=wrap(name, 90)) for name, style in styles.items()
    ]
    return StyleMap(styles, handles, len(table) - len(best))


def _by_level(
    table: pd.DataFrame, factors: Sequence[Factor], levels: Sequence[Sequence[str]]
) -> StyleMap:
    """Colors for the levels of the first factor, dashes and markers for those of a second."""
    first, second = factors[0], factors[1] if len(factors) > 1 else None
    colors = dict(zip(levels[0], _colors(len(levels[0]), first.is_numeric), strict=True))
    shapes = {level: i for i, level in enumerate(levels[1])} if second else {}
    styles = {}
    for _, row in table.iterrows():
        i = shapes[row[second.key]] if second else 0
        styles[row["configuration"]] = Style(colors[row[first.key]], DASHES[i], MARKERS[i])
    handles = [
        Line2D([], [], color=color, lw=3, label=f"{first.name} {level}")
        for level, color in colors.items()
    ]
    for level, i in shapes.items():
        shape: dict[str, Any] = {
            "linestyle": DASHES[i],
            "marker": MARKERS[i],
            "ms": 4,
            "color": INK,
        }
        handles.append(Line2D([], [], label=f"{second.name if second else ''} {level}", **shape))
    return StyleMap(styles, handles, 0)


def _colors(size: int, is_ordered: bool) -> list[Color]:
    """Light to dark if the levels are ordered; otherwise as different as possible."""
    if is_ordered and size > 1:
        return [tuple(c) for c in sns.color_palette("viridis", size + 1)[:size]][::-1]
    return [tuple(c) for c in PALETTE[:size]]


def metric_label(statistics: GroupStatistics) -> str:
    """The label of an axis that shows the group's metric."""
    return f"{statistics.metric.label} ({statistics.metric.unit})"


def log_axis(axes: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, labeled at 1, 2 and 5 times each power of ten."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.tick_params(axis=which, which="both", length=3, pad=4)
