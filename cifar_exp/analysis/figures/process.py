"""Figures are drawn in a process of their own: matplotlib and seaborn take seconds to import.

The child gets its data through a pipe, as objects of this same program, so that it need not read
and compute everything again.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cifar_exp.analysis.figures.base import KINDS, FigureData, GroupFigures, PlannedFigure
from cifar_exp.analysis.figures.keys import is_drawn
from cifar_exp.analysis.load.discover import UNFINISHED
from cifar_exp.text import counted

CHILD = (sys.executable, "-m", "cifar_exp.analysis.figures")
ROOT = Path(__file__).resolve().parents[3]
QUIET_SECONDS = 2.0  # without a line
PATIENCE_SECONDS = 5.0  # that an interrupted child gets to finish the file it is writing

PrintLine = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """The changed figures of a group, and what they are drawn from. This is what the child gets."""

    data: FigureData
    figures: Sequence[PlannedFigure]


def draw_figures(report: Path, groups: Sequence[GroupFigures], print_line: PrintLine) -> None:
    """Draw the figures whose inputs have changed into a report's folder; the others are kept.

    A figure that fails costs itself alone, with a line. When interrupted, the child ends first.
    """
    for figure in (figure for group in groups for figure in group.planned if figure.reason):
        remove(figure)
    jobs = [job for group in groups if (job := _job(group)).figures]
    if not jobs:
        return
    for job in jobs:
        job.figures[0].folder.mkdir(parents=True, exist_ok=True)
    marker = report / UNFINISHED
    marker.touch()
    if _draw_in_child(jobs, print_line):
        marker.unlink(missing_ok=True)
        print_line(f"figures  {marker.parent}")


def remove(figure: PlannedFigure) -> None:
    """Delete the files of a figure, which would show an earlier state of the runs."""
    for kind in KINDS:
        figure.path(kind).unlink(missing_ok=True)


def _job(group: GroupFigures) -> Job:
    changed = [figure for figure in group.planned if figure.key and not is_drawn(figure)]
    return Job(group.data, changed)


def _draw_in_child(jobs: Sequence[Job], print_line: PrintLine) -> bool:
    """Whether the child reached its end."""
    figures = [figure for job in jobs for figure in job.figures]
    print_line(f"figures  drawing {counted(len(figures), 'figure')} ...")
    child = _start()
    assert child.stdin is not None and child.stdout is not None  # noqa: PT018
    try:
        with suppress(BrokenPipeError), child.stdin:  # if it ended early, its last words say why
            pickle.dump(jobs, child.stdin, pickle.HIGHEST_PROTOCOL)
        with child.stdout:
            last_words = _follow(child.stdout, figures, print_line)
        code = child.wait()
    except BaseException:
        _stop(child)
        raise
    if code:
        print_line(f"figures  stopped with code {code}{last_words and f': {last_words}'}")
    return code == 0


def _start() -> "subprocess.Popen[bytes]":
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        CHILD,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _stop(child: "subprocess.Popen[bytes]") -> None:
    child.send_signal(signal.SIGINT)
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _follow(lines: Iterable[bytes], figures: Sequence[PlannedFigure], print_line: PrintLine) -> str:
    """Print how far the child is, and what failed; returns its last line that is no message."""
    done, last_words, spoken = 0, "", time.monotonic()
    for line in lines:
        if not line.startswith(b"{"):
            last_words = line.decode(errors="replace").strip() or last_words
            continue
        figure, error = figures[done], json.loads(line)["error"]
        done += 1
        if error is not None:
            remove(figure)
            print_line(f"figures  {figure.spec.name} could not be drawn ({error})")
        if time.monotonic() - spoken > QUIET_SECONDS and done < len(figures):
            print_line(f"figures  {done} of {len(figures)}")
            spoken = time.monotonic()
    return last_words
