"""What the user believes to be near the best: `search.near='optimizer.lr=0.1 model.width=16'`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cifar_exp.errors import UserError
from cifar_exp.hydra_app.overrides import parse_override
from cifar_exp.hydra_app.search.dimensions import Searched
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.text import did_you_mean, format_value

EXAMPLE = "optimizer.lr=0.1 model.width=16"


def with_priors(
    validator: OverrideValidator, searched: Sequence[Searched], near: str | None
) -> list[Searched]:
    """The same with priors; mistakes are added to the validator's errors."""
    found = list(searched)
    for word in (near or "").split():
        try:
            place, prior = _prior(validator, searched, word)
        except UserError as error:
            validator.errors += error.messages
            continue
        each = found[place]
        found[place] = replace(each, dimension=replace(each.dimension, prior=prior))
    return found


def _prior(
    validator: OverrideValidator, searched: Sequence[Searched], word: str
) -> tuple[int, Any]:
    """Which dimension a word such as `optimizer.lr=0.1` is about, and what is near its best.

    Raises UserError if it is about none, or if the value is outside.
    """
    shown = f"search.near={format_value(word)}"
    if "=" not in word:
        raise UserError(f"{shown}: must be settings of the space, such as '{EXAMPLE}'")
    parsed = parse_override(word, validator.composer.config_loader)
    place = _place([each.typed for each in searched], parsed.key, shown)
    dimension, value = searched[place].dimension, parsed.values[0].value
    if dimension.kind == "choice":
        if not dimension.contains(value):
            choices = ", ".join(map(format_value, dimension.choices))
            raise UserError(f"{shown}: must be one of {choices}")
        return place, value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not dimension.low <= value <= dimension.high:
        raise UserError(f"{shown}: must be in [{dimension.low}, {dimension.high}]")
    return place, value


def _place(keys: Sequence[str], typed: str, shown: str) -> int:
    """The place of a key among those searched; the last part will do where only one has it."""
    places = [place for place, key in enumerate(keys) if key == typed]
    places = places or [p for p, key in enumerate(keys) if key.rpartition(".")[2] == typed]
    if len(places) == 1:
        return places[0]
    if places:
        named = " or ".join(keys[place] for place in places)
        raise UserError(f"{shown}: name one of them in full, {named}")
    near = did_you_mean(typed, keys) or f"; the space has {', '.join(keys)}"
    raise UserError(f"{shown}: is not searched{near}")
