"""The terminal: what `trainer.progress` means for it, and lines that cannot control it."""

import os
import re
import sys
import textwrap
import unicodedata
from contextlib import suppress
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

CONTROLS = ("Cc", "Cf", "Cs")  # control and format characters (Unicode), lone surrogates
NO_BREAK = "\u00a0"
BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|pp|s|min|h|MB|GB)(?:\W|$))")
LABEL = re.compile(r"\s*\S+ {2,}|\s*")  # `answer   `, or a line's indentation


class PrintLine(Protocol):
    """Prints a line; a bold one is what a reader should see first."""

    def __call__(self, line: str, /, *, is_bold: bool = False) -> None:
        """Print it."""


class _Output(Console):
    """Standard output. Once it cannot be written to, the program continues without it."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich does; a full disk behind standard output does not end a run."""
        try:
            super().print(*objects, **options)
        except OSError:
            self.on_broken_pipe()

    def on_broken_pipe(self) -> None:
        """Print nothing from now on: the reader is gone (`| head`)."""
        self.quiet = True
        with suppress(OSError, ValueError):  # what is still buffered goes nowhere, too
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_console(mode: str = "auto") -> Console:
    """Standard output, which cuts no lines; `mode` is `trainer.progress`."""
    force = True if mode == "bar" else None  # otherwise rich decides
    return _Output(highlight=False, soft_wrap=True, force_terminal=force)


def print_line(console: Console, line: str, *, is_bold: bool = False) -> None:
    """Print a line as it is; on a terminal, broken between words to fit."""
    text = printable(line)
    if console.is_terminal:
        text = "\n".join(wrapped(part, console.width) for part in text.split("\n"))
    console.print(Text(text, style="bold" if is_bold else ""))


def wrapped(line: str, width: int) -> str:
    """The line broken between words to fit `width`; what follows is indented below its text.

    The text begins after the indentation, or after a first word that two or more spaces follow. A
    number stays with its unit. A word that is longer than `width`, such as a path, stays whole.
    """
    label = LABEL.match(line)
    indent = label.end() if label and label.end() <= width // 2 else 0
    rows = textwrap.wrap(
        BEFORE_UNIT.sub(NO_BREAK, line),
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return "\n".join(rows).replace(NO_BREAK, " ")


def is_redrawn(console: Console, mode: str) -> bool:
    """Whether progress is a bar or a table that is redrawn, rather than lines or nothing."""
    return mode == "bar" or (mode == "auto" and console.is_terminal)


def printable(text: str) -> str:
    """The text with control characters spelled out, except line breaks and tabs.

    An error message or a name in a file may hold escape sequences, which would reach the terminal.
    """
    return "".join(map(_printable, text))


def plain(text: str) -> Text:
    """The same for rich, which would read markup in a `str`."""
    return Text(printable(text))


def _printable(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in CONTROLS:
        return character
    return character.encode("unicode_escape").decode()
