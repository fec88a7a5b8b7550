"""The terminal: what `trainer.progress` means for it, and lines that cannot control it."""

import os
import sys
import unicodedata
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.text import Text

CONTROLS = ("Cc", "Cf", "Cs")  # control and format characters (Unicode), lone surrogates


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
