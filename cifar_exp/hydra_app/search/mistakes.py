"""What does not go with a search, and what goes only with one: a sentence on each mistake."""

from collections.abc import Iterator
from dataclasses import replace

from cifar_exp.config.launcher import OPTIONS
from cifar_exp.config.search import SearchSection
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.compose import ComposedConfig
from cifar_exp.hydra_app.overrides import PAIRED, ParsedOverride, without_interval
from cifar_exp.hydra_app.request import SweepRequest
from cifar_exp.hydra_app.search.overrides import option_setting
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.sweeps.search.space import Space

WORD = "search."
NO_SEARCH = "none"
OPTION_EXAMPLE = "optimizer=sgd,adamw optimizer.sgd.lr=0.1,0.2 optimizer.adamw.lr=0.01,0.02"
FOR_EXAMPLE = "'optimizer.lr=tag(log,interval(0.02,1))' model.width=16,32"


def is_search(composed: ComposedConfig) -> bool:
    """Whether a sampler is chosen."""
    words = composed.tree.get("search")
    return isinstance(words, dict) and words.get("name") != NO_SEARCH


def request_errors(request: SweepRequest) -> Iterator[str]:
    """What of a command does not go with a search."""
    if any(override.key == "confirm.sweep" for override in request.overrides):
        yield "a search does not go with confirm.sweep, which trains what a sweep has selected"
        return
    has_several = any(len(override.values) > 1 for override in request.overrides)
    if not request.is_sweep and not has_several:  # otherwise each of them is told already
        yield "a search makes several runs; add --multirun"
    if request.paired:
        yield f"{PAIRED}: goes with a grid; a search takes {OPTION_EXAMPLE}"
    if request.hydra.has_foreign_sweeper:
        yield "a search does not go with hydra/sweeper: leave the sweeper out"
    elif request.hydra.options is None:
        names = ", ".join(options.name for options in OPTIONS)
        yield (
            "a search does not go with this launcher, which would let it wait for whole batches; "
            f"hydra/launcher may be {names}"
        )


def limit_errors(words: SearchSection, space: Space) -> Iterator[str]:
    """A sentence where a search could not begin, or would never end."""
    if not space.dimensions:
        yield f"a search has nothing to search; give it intervals or lists, as {FOR_EXAMPLE}"
        return
    limits = (words.runs, words.budget_minutes, words.budget_pflop)
    if all(limit is None for limit in limits) and space.size() is None:
        yield (
            f"search={words.name}: its space has no end; set search.runs=40, "
            "search.budget_minutes or search.budget_pflop"
        )


def without_search(validator: OverrideValidator, request: SweepRequest) -> SweepRequest:
    """A grid without what only a search can do, on each of which an error is noted."""
    kept: list[ParsedOverride] = []
    for override in request.overrides:
        error = _needs_search(validator, override)
        validator.errors += [error] if error else []
        kept += [] if error else [override]
    return replace(request, overrides=kept)


def _needs_search(validator: OverrideValidator, override: ParsedOverride) -> str | None:
    is_told = any(error.startswith("search=") for error in validator.errors)  # no such sampler
    if override.key.startswith(WORD) and not is_told:
        samplers = [name for name in validator.composer.options("search") if name != NO_SEARCH]
        return f"{override.shown}: goes with a search; search may be {', '.join(samplers)}"
    if option_setting(validator, override) is not None:
        return (
            f"{override.shown}: a setting of one option goes with a search; in a grid, "
            f"{PAIRED} lists settings that move together"
        )
    try:
        without_interval(override)
    except UserError as error:
        return error.messages[0]
    return None
