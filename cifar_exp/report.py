"""What mattered: `python -m cifar_exp.report PATH... [--metric NAME] [--output DIR]`."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from cifar_exp.errors import DONE, INTERRUPTED, EnvironmentFailure, UserError, print_error


def main() -> int:
    """The command: returns its exit code."""
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
        description="Tables, figures and one HTML page of runs, and what mattered in them.",
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
        help="where to write; default: report/ beside the runs",
    )
    parser.add_argument(
        "--metric",
        default="val_accuracy",
        metavar="NAME",
        help="what runs are judged by (default: val_accuracy; choices are not made on test)",
    )
    parser.add_argument(
        "--baseline",
        metavar="CONFIGURATION",
        help="what the others are held against, as 'width=16 dropout=0.0' or a run's id or folder "
        "(default: the best)",
    )
    return parser


def _report(arguments: argparse.Namespace) -> None:
    from cifar_exp.analysis.load.discover import find_inputs

    places = find_inputs(arguments.paths)  # what is wrong is told before pandas is imported
    from cifar_exp.analysis.page.findings import answer_lines
    from cifar_exp.analysis.report import make_report
    from cifar_exp.analysis.statistics.metric import metric_named

    metric = metric_named(arguments.metric)
    made = make_report(places, arguments.output, metric, arguments.baseline, _tell)
    for entry in made.left_out:
        _tell(f"left out {entry.what}: {entry.reason}")
    for line in answer_lines(made.studies):
        _tell(line)
    _tell(f"report   {made.page}")


def _tell(line: str) -> None:
    with suppress(BrokenPipeError):  # that nobody listens must not cost the report
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
