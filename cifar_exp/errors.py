"""The errors that end a command with a sentence instead of a traceback, and their exit codes."""

import os
import sys
import traceback
from collections.abc import Iterable

FAILED, MISTAKE = 1, 2


class UserError(Exception):
    """A user's mistake, or several: a sentence each. The command exits 2."""

    def __init__(self, messages: str | Iterable[str]) -> None:
        self.messages = [messages] if isinstance(messages, str) else list(messages)
        super().__init__("\n".join(self.messages))


class OutsideError(Exception):
    """A fault that is not the user's: says what is safe and how to go on. The command exits 1."""


def print_error(error: UserError | OutsideError) -> int:
    """Print its sentences on stderr, a line each; returns the command's exit code.

    HYDRA_FULL_ERROR=1 adds the traceback.
    """
    is_mistake = isinstance(error, UserError)
    for message in error.messages if isinstance(error, UserError) else [str(error)]:
        print(f"error: {message}", file=sys.stderr)
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        traceback.print_exception(error)
    return MISTAKE if is_mistake else FAILED
