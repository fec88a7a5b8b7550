import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from cifar_exp.terminal import is_redrawn, open_console, plain, print_line, printable, wrapped

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red \x1b[31mtext\x1b]0;title\x07", r"red \x1b[31mtext\x1b]0;title\x07"),
        ("over\rwritten\b", r"over\rwritten\x08"),
        ("right \u202eto left", r"right \u202eto left"),
        ("lone \ud800 surrogate", r"lone \ud800 surrogate"),
        ("grün 🐈 [bold] 'a' \\n\n\tb", "grün 🐈 [bold] 'a' \\n\n\tb"),
    ],
)
def test_control_characters_are_spelled_out_and_all_others_stay(text: str, expected: str) -> None:
    assert printable(text) == expected
    assert plain(text).plain == expected


@pytest.mark.parametrize("is_terminal", [True, False])
def test_only_a_terminal_is_redrawn_unless_the_mode_says_so(is_terminal: bool) -> None:
    console = Console(file=StringIO(), force_terminal=is_terminal)
    modes = {mode: is_redrawn(console, mode) for mode in ("auto", "bar", "plain", "none")}
    assert modes == {"auto": is_terminal, "bar": True, "plain": False, "none": False}


def test_long_lines_are_not_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    open_console().print("word " * 20)
    assert capsys.readouterr().out == "word " * 20 + "\n"


@pytest.mark.parametrize("target", ["closed pipe", "full disk"])
def test_a_program_continues_when_its_output_cannot_be_written(tmp_path: Path, target: str) -> None:
    code = (
        "import sys, pathlib; from cifar_exp.terminal import open_console\n"
        "console = open_console()\n"
        "for _ in range(3): console.print('line'); sys.stdout.flush()\n"
        "pathlib.Path('done').touch()\n"
    )
    read, write = os.pipe()
    os.close(read)
    output = write if target == "closed pipe" else os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "done").exists()


SENTENCE = (
    "answer   width 32 is worth 20 points, outputs/sweeps/width_dropout/report/index.html says"
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            SENTENCE,
            [
                "answer   width 32 is worth 20 points,",
                "         outputs/sweeps/width_dropout/report/index.html",
                "         says",
            ],
        ),
        (
            "  running  tiny-0123456789  width=32 seed=0",
            ["  running  tiny-0123456789  width=32", "           seed=0"],
        ),
        (
            "    a sentence that is indented, like a reason",
            ["    a sentence that is indented, like", "    a reason"],
        ),
        (
            "no label is here, so nothing is indented",
            ["no label is here, so nothing is", "indented"],
        ),
        (
            f"{'x' * 30}   and its text, too far right",
            [f"{'x' * 30}   and", "its text, too far right"],
        ),
        (
            "answer   width 32 is better by about 20.07 pp",
            ["answer   width 32 is better by about", "         20.07 pp"],
        ),
        ("short", ["short"]),
        ("", [""]),
    ],
)
def test_a_line_is_broken_between_words_and_continues_below_its_text(
    line: str, expected: list[str]
) -> None:
    assert wrapped(line, 38).split("\n") == expected


@pytest.mark.parametrize("is_terminal", [True, False])
def test_only_a_terminal_breaks_lines(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "38")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    print_line(open_console("bar" if is_terminal else "auto"), SENTENCE)
    assert capsys.readouterr().out.count("\n") == (3 if is_terminal else 1)


def test_what_a_reader_should_see_first_is_bold_on_a_terminal_only() -> None:
    shown = []
    for is_terminal in (True, False):
        stream = StringIO()
        color: Literal["standard"] | None = "standard" if is_terminal else None
        console = Console(file=stream, force_terminal=is_terminal, color_system=color)
        print_line(console, "answer   [b]width[/b]", is_bold=True)
        shown.append(stream.getvalue())
    assert shown == ["\x1b[1manswer   [b]width[/b]\x1b[0m\n", "answer   [b]width[/b]\n"]
