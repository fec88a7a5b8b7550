import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.runs.console import Console
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.text import duration, percent


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (720, "12 min"), (11100, "3 h 05 min")],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_share_is_printed_in_percent_and_a_missing_one_as_a_dash() -> None:
    assert percent(0.67894) == "67.89 %"
    assert percent(None) == "-"


def test_lines_go_to_the_terminal_and_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    console, log = Console("plain"), list[str]()
    console.log = log.append
    console.print("data     [bold]images[/bold] and a very long line " + "x" * 200)
    assert capsys.readouterr().out == log[0] + "\n"


def test_a_silent_run_still_writes_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    console, log = Console("none"), list[str]()
    console.log = log.append
    console.print("a line")
    console.update("reading", 5, 10)
    assert (capsys.readouterr().out, log) == ("", ["a line"])


def test_progress_is_printed_every_few_seconds_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console("plain")
    console.update("reading", 1, 5000)  # too soon
    monkeypatch.setattr("cifar_exp.runs.console.UPDATE_SECONDS", 0.0)
    console.update("reading", 1200, 5000)
    console.update("reading", 5000, 5000)  # the end needs no line
    assert capsys.readouterr().out == "reading: 1,200 of 5,000\n"


def test_a_bar_shows_what_is_done_and_goes_away(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console("bar")
    console.update("epoch 1/3  900 images/s  best 50.00 %", 10, 100)
    console.update("epoch 1/3  900 images/s  best 50.00 %", 100, 100)
    assert console._bar is None
    assert "epoch 1/3" in capsys.readouterr().out


PRINT_MUCH = """
import sys
from cifar_exp.runs.console import Console
console = Console(sys.argv[1])
for number in range(200):
    console.print("a line " + 1000 * "x")
    console.update("reading", number, 200)
console.close()
print("the end", file=sys.stderr)
"""


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def unread() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("mode", ["plain", "bar"])
@pytest.mark.parametrize("open_output", [full, unread])
def test_output_that_cannot_be_written_ends_no_process(
    open_output: Callable[[], int], mode: str
) -> None:
    output = open_output()
    done = subprocess.run(
        [sys.executable, "-c", PRINT_MUCH, mode], stdout=output, stderr=subprocess.PIPE, check=False
    )
    os.close(output)
    assert (done.returncode, done.stderr) == (0, b"the end\n")


@pytest.mark.parametrize("mode", ["plain", "bar"])
def test_closed_output_ends_no_process(mode: str) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", PRINT_MUCH, mode],
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"the end\n")


@pytest.mark.slow
def test_a_run_whose_output_cannot_be_written_completes_with_its_whole_log(
    make_spec: Callable[..., RunSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "unread").open("w", buffering=1) as stream:
        os.dup2(unread(), stream.fileno())
        monkeypatch.setattr(sys, "stdout", stream)
        done = execute(make_spec("trainer.progress=plain"))
    assert done.record.status == "completed"
    log = (done.folder / "train.log").read_text()
    assert "epoch   3/3" in log
    assert "test     accuracy" in log
