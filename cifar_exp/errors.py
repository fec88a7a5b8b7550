"""The errors that end a command with a sentence instead of a traceback."""

from collections.abc import Iterable


class UserError(Exception):
    """A user's mistake, or several: a sentence each. The command exits 2."""

    def __init__(self, messages: str | Iterable[str]) -> None:
        self.messages = [messages] if isinstance(messages, str) else list(messages)
        super().__init__("\n".join(self.messages))


class OutsideError(Exception):
    """A fault that is not the user's: says what is safe and how to go on. The command exits 1."""
