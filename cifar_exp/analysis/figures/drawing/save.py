"""Figures -> files. Each is laid out once, then rendered as PNG and as SVG."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO, Any

import numpy as np
import seaborn as sns
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cifar_exp.analysis.figures.base import FigureData, PlannedFigure
from cifar_exp.analysis.figures.drawing.registry import DRAW
from cifar_exp.analysis.figures.drawing.style import STYLE
from cifar_exp.analysis.figures.process import Job
from cifar_exp.storage.atomic import write_whole

COLORS = 256  # of a PNG; more cannot be seen, and two thirds of the bytes are saved


def draw_jobs(jobs: Sequence[Job]) -> Iterator[str | None]:
    """Draw and save figures one by one; yields what went wrong with each, or None."""
    with figure_style():
        for job in jobs:
            for figure in job.figures:
                yield _attempt(job.data, figure)


@contextmanager
def figure_style() -> Iterator[None]:
    """While figures are drawn and saved: their style, without warnings that help no reader."""
    style: dict[Any, Any] = {**sns.axes_style("whitegrid"), **STYLE}
    with rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # letters that no font here has
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        yield


def _attempt(data: FigureData, planned: PlannedFigure) -> str | None:
    try:
        save(DRAW[planned.spec.name](data), planned)
    except Exception as error:  # costs this figure alone
        return f"{type(error).__name__}: {error}"
    return None


def save(figure: Figure, planned: PlannedFigure) -> None:
    """Write a figure's files; each names its key, and says in words what it shows."""
    canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
    canvas.draw()  # not `savefig`, which lays out and draws everything twice for each file
    figure.set_layout_engine("none")
    write_whole(planned.path("png"), partial(_write_png, canvas=canvas, planned=planned))
    write_whole(planned.path("svg"), partial(_write_svg, figure=figure, planned=planned))


def _write_png(stream: IO[bytes], canvas: Any, planned: PlannedFigure) -> None:
    info = PngInfo()
    for name, text in _metadata(planned).items():
        info.add_itxt(name, text)
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    dpi = canvas.figure.dpi
    small = image.quantize(COLORS, Image.Quantize.FASTOCTREE)
    small.save(stream, "png", pnginfo=info, dpi=(dpi, dpi))


def _write_svg(stream: IO[bytes], figure: Figure, planned: PlannedFigure) -> None:
    metadata = {**_metadata(planned), "Date": None}  # the same figure is the same file
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(stream, metadata=metadata)


def _metadata(planned: PlannedFigure) -> dict[str, str]:
    return {
        "Identifier": str(planned.key),
        "Title": planned.spec.title,
        "Description": str(planned.alt),
    }
