"""The style of all figures: colors for the color-blind, readable sizes, titles, log axes."""

import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics

mpl.use("Agg")  # figures go to files, so no window system is needed

Color = tuple[float, float, float]

GRAY_INDEX = 7  # in the palette; gray is for what has no color assigned
PALETTE: list[Color] = [
    c for i, c in enumerate(sns.color_palette("colorblind", 10)) if i != GRAY_INDEX
]
ACCENT, ALARM = PALETTE[0], PALETTE[3]  # blue and vermilion
GRAY = (0.72, 0.72, 0.72)
INK = (0.25, 0.25, 0.25)
GOOD_IS_DARK = "crest"  # colors of the metric, which are not those of any factor's levels
NOTE_SIZE = 8.5
TITLE_LETTERS, NOTE_LETTERS = 9, 14  # per inch
PANEL_INCHES = 6.0  # of the axes beside a legend
LONG_LEVEL = 22  # characters of a level's name
LETTER_INCHES = 0.09  # of a tick's label, and some space
LONG_LEGEND = 24  # characters; a longer legend goes below the axes
WIDTH = 8.0  # inches: as wide as a printed page
STYLE: dict[str, Any] = {
    "figure.dpi": 150,  # 1,200 pixels wide: sharp in print, and small
    "axes.titlesize": 10,
    "axes.titleweight": "normal",
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


def title_and_legend(figure: Figure, text: str, note: str, handles: Sequence[Line2D]) -> None:
    """Add title, note and legend: the legend beside the axes, or below them if it is wide."""
    longest = max((len(str(handle.get_label())) for handle in handles), default=0)
    if longest <= LONG_LEGEND:
        title(figure, text, note)
        if handles:
            figure.legend(handles=handles, loc="outside right center")
        return
    title(figure, text)
    columns = 2 if longest <= 2 * LONG_LEGEND else 1
    figure.set_figheight(figure.get_figheight() + 0.2 * (1 + -(-len(handles) // columns)))
    place: dict[str, Any] = {"loc": "outside lower left", "ncols": columns, "alignment": "left"}
    text = wrap(note, int(NOTE_LETTERS * figure.get_figwidth()))
    legend = figure.legend(handles=handles, title=text, **place)
    legend.get_title().set(fontsize=NOTE_SIZE, color=INK)


def wrap(text: str, letters: int = 44) -> str:
    """Break a text into lines of at most `letters`; by default, as many as fit next to the axes.

    Only between words: one that is longer loses its middle.
    """
    words = " ".join(brief(word, letters) for word in text.split(" "))
    return "\n".join(textwrap.wrap(words, letters, break_on_hyphens=False)) or text


def brief(text: str, letters: int = LONG_LEVEL) -> str:
    """A text of at most `letters` letters; of a longer one, both ends."""
    if len(text) <= letters:
        return text
    tail = letters // 2
    return f"{text[: letters - tail - 1]}…{text[-tail:]}"


def name_levels(axes: Axes, levels: Sequence[str], inches: float) -> None:
    """Name the levels at 0, 1, ... below axes of this width, slanted if they would touch."""
    names = [brief(level) for level in levels]
    axes.set_xticks(range(len(names)), names)
    longest = max(len(name) for name in names)
    if longest * LETTER_INCHES * len(names) > inches:
        for label in axes.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")


def metric_label(statistics: GroupStatistics) -> str:
    """The label of an axis that shows the group's metric."""
    return f"{statistics.metric.label} ({statistics.metric.unit})"


def metric_colors(statistics: GroupStatistics) -> str:
    """The name of a color map for the metric's values: the better, the darker."""
    return GOOD_IS_DARK if statistics.metric.is_higher_better else f"{GOOD_IS_DARK}_r"


def log_axis(axes: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, labeled at 1, 2 and 5 times each power of ten."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    low, high = axis.get_view_interval()
    firsts = "25" if high < 300 * low else ""  # over many decades, these would overlap
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in firsts else "")
    axes.tick_params(axis=which, which="both", length=3, pad=4)
