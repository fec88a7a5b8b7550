"""What mattered: `python -m cifar_exp.report PATH... [--metric NAME] [--output DIR]`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_exp.errors import DONE, INTERRUPTED, EnvironmentFailure, UserError, print_error
from cifar_exp.text import printable

if TYPE_CHECKING:
    from cifar_exp.analysis.report import Report

ANSWER = "answer "


def main() -> int:
    """The command; returns its exit code."""
    arguments = _parser().parse_args()
    try:
        _report(arguments)
    except (UserError, EnvironmentFailure) as error:
        return print_error(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cifar_exp.report",
        description="Write tables, figures and an HTML page about runs; print the main findings.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="an outputs folder (everything in it), sweep folders or run folders",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="the report's folder (default: report/ in the outputs or sweep folder)",
    )
    parser.add_argument(
        "--metric",
        default="val_accuracy",
        metavar="NAME",
        help="what runs are ranked by (default: val_accuracy; do not choose by a test metric)",
    )
    parser.add_argument(
        "--baseline",
        metavar="CONFIGURATION",
        help="what the others are compared with, as 'width=16 dropout=0.0' or a run's id or folder "
        "(default: the best)",
    )
    parser.add_argument(
        "--worth",
        metavar="SIZE",
        help="the smallest difference that matters, in percentage points (for losses in nats): "
        "verdicts then say whether a difference is larger or smaller (default: none)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the findings as one JSON object, nothing else"
    )
    parser.add_argument(
        "--figures",
        choices=("all", "none"),
        default="all",
        help="whether to draw the figures whose runs have changed (default: all)",
    )
    return parser


def _report(arguments: argparse.Namespace) -> None:
    from cifar_exp.analysis.load.discover import find_inputs
    from cifar_exp.analysis.unchanged import find_unchanged, report_key, save_report

    inputs = find_inputs(arguments.paths)  # wrong paths are reported before pandas is imported
    given = {name: value for name, value in vars(arguments).items() if name != "figures"}
    key, with_figures = report_key(inputs, given), arguments.figures == "all"
    unchanged = find_unchanged(arguments.output or inputs.output, key, with_figures)
    output = _Output(is_json=arguments.json)
    if unchanged is not None:
        for line in unchanged.lines:
            output.print(line)
        return
    from cifar_exp.analysis.figures.process import draw_figures
    from cifar_exp.analysis.report import ReportOptions, make_report
    from cifar_exp.analysis.statistics.metric import get_metric

    metric = get_metric(arguments.metric)
    options = ReportOptions(metric, arguments.output, arguments.baseline, _worth(arguments.worth))
    report = make_report(inputs, options, _ignore if arguments.json else output.print)
    for line in _json_lines(report) if arguments.json else _result_lines(report):
        output.print(line)
    lines = tuple(output.lines)
    if with_figures:
        draw_figures(
            report.page.parent, report.figures, _ignore if arguments.json else output.print
        )
    save_report(report, key, lines)


def _result_lines(report: "Report") -> Iterator[str]:
    from cifar_exp.analysis.findings.collect import answer_lines

    yield from (f"left out {entry.what}: {entry.reason}" for entry in report.skipped)
    yield from answer_lines(report.all_statistics)
    yield f"report   {report.page}"


def _json_lines(report: "Report") -> Sequence[str]:
    from cifar_exp.analysis.findings.answer import answer_json

    return answer_json(report.all_statistics).splitlines()


def _worth(text: str | None) -> float | None:
    """Raises UserError unless it is a positive number."""
    if text is None:
        return None
    with suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise UserError(f"--worth={text}: must be a positive number, such as 0.5")


def _ignore(_line: str) -> None:
    """Print nothing: standard output is for the JSON object."""


class _Output:
    """Prints and keeps lines. A terminal shows them broken to fit, but not JSON."""

    def __init__(self, *, is_json: bool) -> None:
        self.lines: list[str] = []
        self._is_broken_to_fit = sys.stdout.isatty() and not is_json

    def print(self, line: str) -> None:
        """Print a line, the first answer in bold."""
        is_first = line.startswith(ANSWER) and not any(x.startswith(ANSWER) for x in self.lines)
        self.lines.append(line)
        with suppress(BrokenPipeError):  # the report is written even if nobody reads its output
            if self._is_broken_to_fit:
                # rich takes a tenth of a second that a report to a file or a pipe does without
                from cifar_exp.terminal import open_console, print_line

                print_line(open_console(), line, is_bold=is_first)
            else:
                print(printable(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
