"""The errors that end a command with a sentence instead of a traceback, and their exit codes."""

import os
import signal
import sys
import traceback
from collections.abc import Iterable

from cifar_exp.text import printable

# Exit codes: LOCKED means that another process trains this run; a signal's own is 128 + its number.
DONE, FAILED, MISTAKE, LOCKED, INTERRUPTED = 0, 1, 2, 3, 130


class UserError(Exception):
    """A user's mistake, or several: a sentence each. The command exits 2."""

    def __init__(self, messages: str | Iterable[str]) -> None:
        self.messages = [messages] if isinstance(messages, str) else list(messages)
        super().__init__("\n".join(self.messages))


class EnvironmentFailure(Exception):
    """A fault that is not the user's: says what is safe and how to go on. The command exits 1."""


class Interrupted(BaseException):
    """A signal asked the run to stop. Like KeyboardInterrupt, it is not an Exception."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum, self.exit_code = signum, 128 + signum
        self.is_time_limit = signum == signal.SIGALRM


STOPS = (KeyboardInterrupt, Interrupted)  # whoever catches BaseException lets these pass


def describe(error: BaseException) -> str:
    """The error's type and message on one line: `KeyError: 'x'`, `SystemExit: 0`."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def print_error(error: UserError | EnvironmentFailure) -> int:
    """Print its sentences on stderr, a line each; returns the command's exit code.

    HYDRA_FULL_ERROR=1 adds the traceback.
    """
    is_mistake = isinstance(error, UserError)
    for message in error.messages if isinstance(error, UserError) else [str(error)]:
        lines = map(printable, message.split("\n"))  # it may quote what a user's file holds
        print("error: " + "\n".join(lines), file=sys.stderr)
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        traceback.print_exception(error)
    return MISTAKE if is_mistake else FAILED
