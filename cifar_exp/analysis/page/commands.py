"""Commands as they would be typed: quoted no more than needed, without words that only control."""

import re
import shlex
from collections.abc import Iterable

PLAIN = re.compile(r"(?!(?i:none|null|true|false|nan|inf)$)[A-Za-z/.][\w./-]*")  # text for Hydra
NUMBER_LIKE = re.compile(r"\.?\d.*")
# They say what to do with runs that exist, or what to do at the end, not what is trained.
CONTROL = ("rerun", "plan", "report", "retry_failed", "wait", "keep", "on_end")


def legible_command(command: str) -> str:
    """A recorded command line with the least quotes; as it is if a shell could not read it."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    return " ".join(legible_words(words))


def legible_words(words: Iterable[str]) -> list[str]:
    """Each word as one would type it, without those that only control what the command does."""
    return [quoted(_unquoted_value(word)) for word in words if not _is_control(word)]


def _is_control(word: str) -> bool:
    return word.partition("=")[0] in CONTROL and "=" in word


def _unquoted_value(word: str) -> str:
    """`data.root='a/b'`, quoted for Hydra, as `data.root=a/b` where that is the same text."""
    key, sign, value = word.partition("=")
    inner = value[1:-1]
    is_quoted = len(value) > 2 and value[0] == value[-1] == "'"
    if is_quoted and PLAIN.fullmatch(inner) and not NUMBER_LIKE.fullmatch(inner):
        return f"{key}{sign}{inner}"
    return word


def quoted(word: str) -> str:
    """A word for the shell: only the value is quoted where that is enough."""
    if shlex.quote(word) == word:
        return word
    key, sign, value = word.partition("=")
    if not sign or shlex.quote(key) != key:
        return shlex.quote(word)
    if "'" in value and not re.search(r'["$`\\!\n]', value):
        return f'{key}="{value}"'
    return f"{key}={shlex.quote(value)}"
