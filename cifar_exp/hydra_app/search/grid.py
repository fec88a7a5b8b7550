"""A search as a command line asks for it: its space, checked, and what makes its trials."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from cifar_exp.config.search import SearchSection
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.fixed import fixed_settings
from cifar_exp.hydra_app.request import SweepRequest
from cifar_exp.hydra_app.search.compositions import Compositions
from cifar_exp.hydra_app.search.dimensions import Searched
from cifar_exp.hydra_app.search.examples import Example, ExampleChecker
from cifar_exp.hydra_app.search.mistakes import limit_errors, request_errors
from cifar_exp.hydra_app.search.near import with_priors
from cifar_exp.hydra_app.search.overrides import OverrideReader, SearchOverrides
from cifar_exp.hydra_app.search.trials import TrialMaker
from cifar_exp.hydra_app.validation import OverrideValidator
from cifar_exp.sweeps.search.space import Space
from cifar_exp.sweeps.trial import Grid, Search


def search_grid(validator: OverrideValidator, request: SweepRequest) -> Grid:
    """The examples and the space of a search. Raises UserError with a sentence on each mistake."""
    validator.errors += request_errors(request)
    compositions = Compositions(validator, request)
    overrides = OverrideReader(validator, request, compositions).read()
    make = TrialMaker(validator, overrides, compositions)
    checker = ExampleChecker(validator, overrides.searched, compositions, make)
    examples = list(checker.examples())
    validator.raise_errors()
    first = examples[0]
    words = first.settings.search
    searched = with_priors(validator, overrides.searched, words.near)
    space = make_space(searched, examples)
    validator.errors += limit_errors(words, space)
    validator.raise_errors()
    return Grid(
        trials=[make(example.values, example.settings.seed) for example in examples],
        keys=list(dict.fromkeys(each.override.key for each in searched)),
        is_sweep=True,
        option=request.option,
        fixed=_fixed(validator, request, overrides, make, first),
        launcher=request.hydra.launcher,
        launcher_options=request.hydra.options,
        search=Search(space, make, _suffix(validator, request, words)),
    )


def make_space(searched: Sequence[Searched], examples: Sequence[Example]) -> Space:
    """The space, with the settings that tell an option from the others, read from the examples."""
    keys = {each.override.key for each in searched}
    first = examples[0]
    options = {group: _options(group, keys, examples) for group in first.options}
    telling = {key for found in options.values() for own in found.values() for key in own}
    fixed = {k: v for k, v in first.params.items() if k not in keys and k not in telling}
    return Space(tuple(each.dimension for each in searched), options, fixed)


def _options(
    group: str, searched: AbstractSet[str], examples: Sequence[Example]
) -> dict[str, dict[str, Any]]:
    """By option of a group, the settings that differ among the options, and those of the group."""
    first = examples[0].options
    others = {key: option for key, option in first.items() if key != group}
    params = {
        example.options[group]: example.params
        for example in examples
        if others.items() <= example.options.items()
    }
    keys = dict.fromkeys(key for each in params.values() for key in each if key not in searched)
    missing = object()
    telling = [
        key
        for key in keys
        if key.startswith(f"{group}.")
        or any(
            each.get(key, missing) != examples[0].params.get(key, missing)
            for each in params.values()
        )
    ]
    return {
        option: {key: each[key] for key in telling if key in each}
        for option, each in params.items()
    }


def _fixed(
    validator: OverrideValidator,
    request: SweepRequest,
    overrides: SearchOverrides,
    make: TrialMaker,
    first: Example,
) -> dict[str, Any]:
    """What all trials share, and what options have alone; it names the sweep.

    What the sweep file lists is no part of it, as in a grid.
    """
    alone_here = [v for option in first.options.items() for v in overrides.alone.get(option, ())]
    listed = [value for value in overrides.fixed if value.key in request.listed]
    varied = [*make.varied(first.values), *alone_here, *listed]
    fixed = fixed_settings(validator, request.shared, varied, first.settings)
    alone = {
        ".".join([group, option, value.key.partition(".")[2]]): value.value
        for (group, option), values in overrides.alone.items()
        for value in values
    }
    return fixed | {key: value for key, value in alone.items() if key not in request.listed}


def _suffix(validator: OverrideValidator, request: SweepRequest, words: SearchSection) -> str:
    """What tells the search from one by the sampler and the seed of the sweep's own file."""
    composed = validator.composed([value.text for value in request.shared])
    own = validate(composed.tree).search if composed else SearchSection()
    sampler = f"-{words.name}" if words.name != own.name else ""
    return f"{sampler}-seed{words.seed}" if words.seed != own.seed else sampler
