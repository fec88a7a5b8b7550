"""What a line of the command, or of a sweep's file, asks for: a key and its values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from cifar_exp.config.identity import leaves
from cifar_exp.errors import UserError
from cifar_exp.text import format_value

PAIRED = "hydra.sweeper.paired"
TEXTS = ("init_from", "data.root")
PLAIN = re.compile(r"(?!(?i:null|true|false|inf|nan)$)[A-Za-z_][\w/-]*")


@dataclass(frozen=True)
class _Typed:
    override: Override

    @property
    def key(self) -> str:
        """`optimizer`, or `optimizer.lr`."""
        return self.override.key_or_group

    @property
    def line(self) -> str:
        """As it was typed."""
        return str(self.override.input_line)


@dataclass(frozen=True)
class OverrideValue(_Typed):
    """A key with one value. `text` is the override that says so to Hydra: `model.width=16`."""

    value: Any
    text: str


@dataclass(frozen=True)
class ParsedOverride(_Typed):
    """An override with the values that it lists: one, or several in a sweep."""

    choices: tuple[OverrideValue, ...]


def parse(line: str, config_loader: ConfigLoader) -> ParsedOverride:
    """Read an override in Hydra's grammar. Raises UserError."""
    try:
        override = OverridesParser.create().parse_override(line)
    except (HydraException, ValueError, RecursionError) as error:
        raise UserError(_syntax(line, error)) from error
    override.config_loader = config_loader  # globs ask it for the options
    if not override.is_sweep_override():
        return ParsedOverride(override, (OverrideValue(override, override.value(), line),))
    try:
        elements = list(override.sweep_iterator())  # once: a shuffle would draw anew
    except (HydraException, ValueError) as error:
        raise UserError(f"{line}: {str(error).partition(chr(10))[0]}") from error
    if not elements:
        raise UserError(f"{line}: lists no value")
    return ParsedOverride(override, tuple(_choice(override, element) for element in elements))


def lines_of(params: Mapping[str, Any]) -> list[str]:
    """The overrides that `hydra.sweeper.params` in a sweep's file stands for."""
    return [quoted(f"{key}={_text(value)}") for key, value in leaves(params)]


def parse_paired(paired: Any, config_loader: ConfigLoader) -> list[list[ParsedOverride]]:
    """The settings that move together: for each step the overrides of it. Raises UserError."""
    if not isinstance(paired, list) or not all(isinstance(p, Mapping) and p for p in paired):
        raise UserError(
            f"{PAIRED}={format_value(paired)}: must be a list of settings that move together, "
            "as [{model.width: 16, optimizer.lr: 0.4}, {model.width: 64, optimizer.lr: 0.2}]"
        )
    return [
        [parse(f"{key}={_exact_text(value)}", config_loader) for key, value in leaves(step)]
        for step in paired
    ]


def _choice(override: Override, element: Any) -> OverrideValue:
    text = f"{override.get_key_element()}={Override._get_value_element_as_str(element)}"
    return OverrideValue(override, Override._convert_value(element), text)


def quoted(argument: str) -> str:
    """Put the values of settings that are texts in quotes.

    Hydra would read a run id like 12e4567890 as a number, and a folder's brackets as syntax.
    """
    key, equals, text = argument.partition("=")
    if key not in TEXTS or text in ("", "null") or any(sign in text for sign in "'\"$("):
        return argument
    return key + equals + ",".join(f"'{part}'" for part in text.split(","))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value  # in Hydra's grammar already: "16,32"
    return str(Override._get_value_element_as_str(value))


def _exact_text(value: Any) -> str:
    """As YAML has it: a text that Hydra's grammar would take for something else is quoted."""
    text = str(Override._get_value_element_as_str(value))
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        return QuotedString(value, Quote.single).with_quotes()
    return text


def _syntax(line: str, error: Exception) -> str:
    if "=" not in line and not line.startswith("~"):
        return f"{format_value(line)}: not of the form key=value"
    # antlr says where and what in its first line; the rest is advice for another shell
    reason = " ".join(str(error).partition("\n")[0].split())
    key, _, value = line.partition("=")
    quoted = f"\"{key}='{format_value(value)}'\""
    advice = "" if value.startswith(("[", "{")) else f"; a text goes in quotes: {quoted}"
    return f"{format_value(line)}: broken syntax ({format_value(reason)}){advice}"
