"""One look for all figures: colours that the colour-blind tell apart, sizes that can be read."""

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

mpl.use("Agg")  # pictures go to files: no window system is asked for

Colour = tuple[float, float, float]
Dash = Literal["solid"] | tuple[int, tuple[float, ...]]

GREY_ONE = 7  # of the ten colours; grey is for what has no colour of its own
PALETTE = [c for i, c in enumerate(sns.color_palette("colorblind", 10)) if i != GREY_ONE]
DASHES: tuple[Dash, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
MARKERS = ("o", "s", "^", "D")
GREY = (0.72, 0.72, 0.72)
INK = (0.25, 0.25, 0.25)
MOST_COLOURS = 6
NOTE_SIZE = 8.5
TITLE_LETTERS, NOTE_LETTERS = 9, 14  # that fit into an inch
LONG_NAME = 26  # characters, beyond which a legend goes under the axes
WIDTH = 8.0  # inches: as wide as a page's column
STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
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
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.hashsalt": "cifar_exp",  # the same figure is the same file
}


class FigureSkipped(Exception):
    """The data does not support a figure; the message says why."""


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure, in inches, whose parts make room for each other."""
    # letters are not equally wide at all resolutions: the margin bears the difference
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.06)
    return Figure(figsize=(width, height), layout=layout)


def title(figure: Figure, text: str, note: str = "") -> None:
    """What is compared, over the whole figure at its left edge; how to read it, under it."""
    width = figure.get_figwidth()
    figure.suptitle(wrapped(text, int(TITLE_LETTERS * width)), x=0.01, ha="left")
    if note:
        told = wrapped(note, int(NOTE_LETTERS * width))
        figure.supxlabel(told, x=0.01, ha="left", fontsize=NOTE_SIZE, color=INK)


def wrapped(text: str, letters: int = 44) -> str:
    """In lines of so many letters at most; by default what fits beside the axes."""
    return "\n".join(textwrap.wrap(text, letters, break_on_hyphens=False)) or text


@dataclass(frozen=True)
class Style:
    """How a configuration is drawn."""

    colour: Colour
    dash: Dash
    marker: str


@dataclass(frozen=True)
class StyleMap:
    """The looks of a section's configurations; those without one are drawn grey and thin.

    With two settings at most, colour and dash stand for one each; else colours go to the best
    configurations, in their order.
    """

    by_configuration: Mapping[str, Style]
    handles: Sequence[Line2D]
    grey: int

    def of(self, configuration: str) -> Style | None:
        """The look of a configuration, if it has one of its own."""
        return self.by_configuration.get(configuration)

    def title(self, figure: Figure, text: str, note: str) -> None:
        """A title and note, and the legend: beside the axes, or under them where names are long."""
        handles = list(self.handles)
        if self.grey:
            handles.append(Line2D([], [], color=GREY, label=f"{self.grey} others"))
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


def looks(study: GroupStatistics) -> StyleMap:
    """Assign the looks; the heaviest setting gets the colours."""
    known, settings = study.known, study.by_weight
    levels = [[v for v in s.levels if v in set(known[s.key])] for s in settings]
    most = (MOST_COLOURS, len(DASHES))
    fits = [len(values) <= limit for values, limit in zip(levels, most, strict=False)]
    if settings and len(settings) <= len(most) and all(fits):
        return _by_level(known, settings, levels)
    best = list(known["configuration"][: len(PALETTE)])
    chosen = {name: Style(PALETTE[i], "solid", "o") for i, name in enumerate(best)}
    handles = [
        Line2D([], [], color=look.colour, label=wrapped(name, 90)) for name, look in chosen.items()
    ]
    return StyleMap(chosen, handles, len(known) - len(best))


def _by_level(
    known: pd.DataFrame, settings: Sequence[Factor], levels: Sequence[Sequence[str]]
) -> StyleMap:
    """Colours for the levels of the first setting, dashes and markers for those of a second."""
    first, second = settings[0], settings[1] if len(settings) > 1 else None
    colours = dict(zip(levels[0], _colours(len(levels[0]), first.is_numeric), strict=True))
    shapes = {level: i for i, level in enumerate(levels[1])} if second else {}
    chosen = {}
    for _, row in known.iterrows():
        i = shapes[row[second.key]] if second else 0
        chosen[row["configuration"]] = Style(colours[row[first.key]], DASHES[i], MARKERS[i])
    handles = [
        Line2D([], [], color=colour, lw=3, label=f"{first.name} {level}")
        for level, colour in colours.items()
    ]
    for level, i in shapes.items():
        shape: dict[str, Any] = {
            "linestyle": DASHES[i],
            "marker": MARKERS[i],
            "ms": 4,
            "color": INK,
        }
        handles.append(Line2D([], [], label=f"{second.name if second else ''} {level}", **shape))
    return StyleMap(chosen, handles, 0)


def _colours(size: int, is_ordered: bool) -> list[Colour]:
    """Light to dark for an order, else as different as can be."""
    if is_ordered and size > 1:
        return [tuple(c) for c in sns.color_palette("viridis", size + 1)[:size]][::-1]
    return [tuple(c) for c in PALETTE[:size]]


def seeds_label(study: GroupStatistics) -> str:
    """`3 seeds each`, or `1 to 3 seeds`."""
    sizes = study.known["n"]
    low, high = int(sizes.min()), int(sizes.max())
    if low == high:
        return f"{low} seed{'s' if low > 1 else ''} each"
    return f"{low} to {high} seeds"


def metric_label(study: GroupStatistics) -> str:
    """The label of an axis that shows the study's metric."""
    return f"{study.metric.label} ({study.metric.unit})"


def log_axis(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis with plain numbers, at one, two and five of each power of ten."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.tick_params(axis=which, which="both", length=3, pad=4)
