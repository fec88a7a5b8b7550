"""Parse an override from the command line or a sweep file into a key and its values."""

import math
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    IntervalSweep,
    Override,
    Quote,
    QuotedString,
    RangeSweep,
)
from hydra.errors import HydraException

from cifar_exp.config.identity import leaves
from cifar_exp.config.metadata import text_keys
from cifar_exp.errors import UserError
from cifar_exp.text import format_value

PAIRED = "hydra.sweeper.paired"
TEXTS = text_keys()
PLAIN = re.compile(r"(?!(?i:null|true|false|inf|nan)$)[A-Za-z_][\w/-]*")
MAX_TRIALS = 50_000  # of a sweep
MAX_DEPTH = 20  # of brackets in a value; Hydra's parser recurses
FUNCTIONS = "range, choice, glob, sort and shuffle"


@dataclass(frozen=True)
class _Parsed:
    override: Override

    @property
    def key(self) -> str:
        """`optimizer`, or `optimizer.lr`."""
        return self.override.key_or_group

    @property
    def line(self) -> str:
        """As it was typed."""
        return str(self.override.input_line)

    @property
    def shown(self) -> str:
        """The line for messages: cut if it is long."""
        return format_value(self.line)


@dataclass(frozen=True)
class OverrideValue(_Parsed):
    """A key with one value. `text` is the override that gives it to Hydra: `model.width=16`."""

    value: Any
    text: str


@dataclass(frozen=True)
class ParsedOverride(_Parsed):
    """An override with the values that it lists: one, or several in a sweep.

    Those of an interval are its ends.
    """

    values: tuple[OverrideValue, ...]

    @property
    def is_interval(self) -> bool:
        """Whether it lists no values: only a search can take some from it."""
        return isinstance(self.override.value(), IntervalSweep)


def parse_override(line: str, config_loader: ConfigLoader) -> ParsedOverride:
    """Read an override in Hydra's grammar. Raises UserError."""
    override = _override(line)
    override.config_loader = config_loader  # globs ask it for the options
    if not override.is_sweep_override():
        return ParsedOverride(override, (OverrideValue(override, override.value(), line),))
    _check_length(override, line)
    try:
        elements = list(_elements(override))  # once: a shuffle would draw again
    except (HydraException, ValueError) as error:
        raise UserError(f"{format_value(line)}: {_first_line(error)}") from error
    if not elements:
        raise UserError(f"{format_value(line)}: lists no value")
    return ParsedOverride(override, tuple(value_of(override, element) for element in elements))


def params_lines(params: Mapping[str, Any]) -> list[str]:
    """The overrides that `hydra.sweeper.params` in a sweep file stands for."""
    return [quoted(f"{key}={_text(value)}") for key, value in leaves(params)]


def parse_paired(paired: Any, config_loader: ConfigLoader) -> list[list[ParsedOverride]]:
    """The settings that move together: the overrides of each step. Raises UserError."""
    if not isinstance(paired, list) or not all(isinstance(p, Mapping) and p for p in paired):
        raise UserError(
            f"{PAIRED}={format_value(paired)}: must be a list of settings that move together, "
            "as [{model.width: 16, optimizer.lr: 0.4}, {model.width: 64, optimizer.lr: 0.2}]"
        )
    return [
        [
            without_interval(parse_override(f"{key}={_exact_text(value)}", config_loader))
            for key, value in leaves(step)
        ]
        for step in paired
    ]


def without_interval(override: ParsedOverride) -> ParsedOverride:
    """The same. Raises UserError for an interval, which a grid cannot list."""
    if override.is_interval:
        raise UserError(
            f"{override.shown}: an interval has no list of values; list them, as "
            f"{override.key}=0.1,0.2, or search it with search=tpe search.runs=40"
        )
    return override


def quoted(argument: str) -> str:
    """Put the values of text settings in quotes.

    Hydra would read a run id like 12e4567890 as a number, and a folder's brackets as syntax.
    """
    key, equals, text = argument.partition("=")
    if key not in TEXTS or text in ("", "null") or any(sign in text for sign in "'\"$("):
        return argument
    return key + equals + ",".join(f"'{part}'" for part in text.split(","))


def quoted_option(line: str, groups: Container[str]) -> str:
    """Put an option's name in quotes that Hydra would read as a number or null: `model=1e5`."""
    key, equals, text = line.partition("=")
    names = text.split(",")
    if key not in groups or not all(re.fullmatch(r"[\w.+-]+", name) for name in names):
        return line
    quoted_names = [name if PLAIN.fullmatch(name) else f"'{name}'" for name in names]
    return key + equals + ",".join(quoted_names)


def _override(line: str) -> Override:
    if _depth(line) > MAX_DEPTH:
        raise UserError(f"{format_value(line)}: more than {MAX_DEPTH} nested brackets")
    try:
        return OverridesParser.create().parse_override(line)
    except (HydraException, ValueError, RecursionError) as error:
        raise UserError(_syntax_error(line, error)) from error
    except Exception as error:
        if __debug__:
            raise
        # python -O removes the assertions that Hydra's parser takes its next steps in
        raise UserError(
            f"{format_value(line)}: Hydra cannot parse this under PYTHONOPTIMIZE or python -O; "
            "run without them"
        ) from error


def _depth(line: str) -> int:
    """How deep brackets are nested; those in quotes are counted too."""
    depth = deepest = 0
    for sign in line:
        depth += (sign in "[{(") - (sign in "]})")
        deepest = max(deepest, depth)
    return deepest


def _elements(override: Override) -> Iterable[Any]:
    sweep = override.value()
    if isinstance(sweep, IntervalSweep):
        return [sweep.start, sweep.end]
    return override.sweep_iterator()


def _check_length(override: Override, line: str) -> None:
    """Raise UserError for a range that is too long, before it is listed."""
    sweep = override.value()
    if isinstance(sweep, RangeSweep) and sweep.start is not None and sweep.stop is not None:
        length = (float(sweep.stop) - float(sweep.start)) / (float(sweep.step) or math.inf)
        if abs(length) > MAX_TRIALS:
            raise UserError(
                f"{format_value(line)}: lists {abs(length):,.0f} values; "
                f"a sweep has at most {MAX_TRIALS:,} runs"
            )


def value_of(override: Override, element: Any) -> OverrideValue:
    """The key of an override with one value, as Hydra's parser has read it, or a number."""
    text = f"{override.get_key_element()}={Override._get_value_element_as_str(element)}"
    return OverrideValue(override, Override._convert_value(element), text)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value  # in Hydra's grammar already: "16,32"
    return str(Override._get_value_element_as_str(value))


def _exact_text(value: Any) -> str:
    """The value of a YAML file; a string that Hydra would read as something else is quoted."""
    text = str(Override._get_value_element_as_str(value))
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        return QuotedString(value, Quote.single).with_quotes()
    return text


def _syntax_error(line: str, error: Exception) -> str:
    shown = format_value(line)
    if "=" not in line and not line.startswith("~"):
        return f"{shown}: not of the form key=value"
    key, _, value = line.partition("=")
    if value.endswith(","):
        return f"{shown}: ends with a comma; leave it out"
    reason = _first_line(error)
    if "Unknown function" in reason:
        return f"{shown}: no such function; there are {FUNCTIONS}"
    is_nested = value.startswith(("[", "{"))
    advice = "" if is_nested else f"; put text in quotes: \"{key}='{format_value(value)}'\""
    return f"{shown}: broken syntax ({format_value(reason)}){advice}"


def _first_line(error: Exception) -> str:
    # the first line has the place and the reason, the rest is advice for another shell
    return " ".join(str(error).partition("\n")[0].split())
