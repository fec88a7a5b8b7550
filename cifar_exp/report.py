"""What mattered: `python -m cifar_exp.report PATH... [--metric NAME] [--output DIR]`."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from cifar_exp.errors import DONE, INTERRUPTED, EnvironmentFailure, UserError, print_error
from cifar_exp.text import printable


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
        "--figures",
        choices=("all", "none"),
        default="all",
        help="whether to draw the figures whose runs have changed (default: all)",
    )
    return parser


def _report(arguments: argparse.Namespace) -> None:
    from cifar_exp.analysis.load.discover import find_inputs

    inputs = find_inputs(arguments.paths)  # wrong paths are reported before pandas is imported
    from cifar_exp.analysis.figures.process import draw_figures
    from cifar_exp.analysis.findings.collect import answer_lines
    from cifar_exp.analysis.report import ReportOptions, make_report
    from cifar_exp.analysis.statistics.metric import get_metric

    metric = get_metric(arguments.metric)
    options = ReportOptions(metric, arguments.output, arguments.baseline)
    report = make_report(inputs, options, _print_line)
    for entry in report.skipped:
        _print_line(f"left out {entry.what}: {entry.reason}")
    for line in answer_lines(report.all_statistics):
        _print_line(line)
    _print_line(f"report   {report.page}")
    if arguments.figures == "all":
        draw_figures(report.page.parent, report.figures, _print_line)


def _print_line(line: str) -> None:
    with suppress(BrokenPipeError):  # the report is written even if nobody reads its output
        print(printable(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
