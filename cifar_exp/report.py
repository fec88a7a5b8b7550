"""What mattered: `python -m cifar_exp.report PATH... [--metric NAME] [--output DIR]`."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_exp.errors import DONE, INTERRUPTED, EnvironmentFailure, UserError, print_error
from cifar_exp.text import printable

if TYPE_CHECKING:
    from cifar_exp.analysis.load.discover import ReportInputs
    from cifar_exp.analysis.report import Report

ANSWER = "answer "
# Threads of linear algebra wait for each other busily: with 1,000 configurations they tripled the
# CPU time of the statistics, and saved no time.
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SHOWN = ("figures", "json")  # options that change nothing but what is drawn and printed


def main() -> int:
    """The command; returns its exit code."""
    arguments = _parser().parse_args()
    for name in THREADS:  # read when numpy is imported
        os.environ.setdefault(name, "1")
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
        help="what the others are compared with, such as 'width=16 dropout=0.0', or a run's id or "
        "folder (default: the best)",
    )
    parser.add_argument(
        "--worth",
        metavar="SIZE",
        help="the smallest difference that matters, in percentage points (for losses, in nats): "
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
    from cifar_exp.analysis.unchanged import find_unchanged, report_key

    inputs = find_inputs(arguments.paths)  # wrong paths are reported before pandas is imported
    options = {name: value for name, value in vars(arguments).items() if name not in SHOWN}
    key, folder = report_key(inputs, options), arguments.output or inputs.output
    unchanged = find_unchanged(folder, key, with_figures=arguments.figures == "all")
    output = _Output(is_json=arguments.json)
    if unchanged is None:
        _report_anew(arguments, inputs, key, output)
        return
    for line in unchanged.lines:
        output.print(line)
    output.print_json(unchanged.json)


def _report_anew(
    arguments: argparse.Namespace, inputs: "ReportInputs", key: str, output: "_Output"
) -> None:
    from cifar_exp.analysis.figures.process import draw_figures
    from cifar_exp.analysis.findings.answer import answer_json
    from cifar_exp.analysis.report import ReportOptions, make_report
    from cifar_exp.analysis.statistics.metric import get_metric
    from cifar_exp.analysis.unchanged import save_report

    metric = get_metric(arguments.metric)
    options = ReportOptions(metric, arguments.output, arguments.baseline, _worth(arguments.worth))
    report = make_report(inputs, options, output.print)
    for line in _result_lines(report):
        output.print(line)
    lines, json = tuple(output.lines), answer_json(report.all_statistics)
    output.print_json(json)
    if arguments.figures == "all":
        draw_figures(report.page.parent, report.figures, output.print)
    save_report(report, key, lines, json)


def _result_lines(report: "Report") -> Iterator[str]:
    from cifar_exp.analysis.findings.collect import answer_lines

    yield from (f"left out {entry.what}: {entry.reason}" for entry in report.skipped)
    yield from answer_lines(report.all_statistics)
    yield f"report   {report.page}"


def _worth(text: str | None) -> float | None:
    """Raises UserError unless it is a positive number."""
    if text is None:
        return None
    with suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise UserError(f"--worth={text}: must be a positive number, such as 0.5")


class _Output:
    """Keeps the lines of a report, and prints them or, with --json, its JSON alone."""

    def __init__(self, *, is_json: bool) -> None:
        self.lines: list[str] = []
        self._is_json = is_json

    def print(self, line: str) -> None:
        """Keep a line; print it unless JSON is wanted, the first answer in bold."""
        is_first = line.startswith(ANSWER) and not any(x.startswith(ANSWER) for x in self.lines)
        self.lines.append(line)
        if self._is_json:
            return
        if sys.stdout.isatty():
            # rich takes a tenth of a second that a report to a file or a pipe does without
            from cifar_exp.terminal import open_console, print_line

            with suppress(BrokenPipeError):
                print_line(open_console(), line, is_bold=is_first)
        else:
            _print_plain(line)

    def print_json(self, text: str) -> None:
        """Print the JSON if it is wanted."""
        if self._is_json:
            _print_plain(text)


def _print_plain(text: str) -> None:
    with suppress(BrokenPipeError):  # the report is written even if nobody reads its output
        print("\n".join(map(printable, text.splitlines())), flush=True)


if __name__ == "__main__":
    sys.exit(main())
