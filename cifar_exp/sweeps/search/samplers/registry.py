"""The samplers by the name that `search` has for them; libraries are imported when needed."""

from collections.abc import Callable

from cifar_exp.config.search import SearchSection
from cifar_exp.errors import UserError
from cifar_exp.sweeps.search.samplers.base import Sampler
from cifar_exp.sweeps.search.samplers.independent import RandomSampler
from cifar_exp.sweeps.search.samplers.near_prior import NearPrior
from cifar_exp.sweeps.search.space import Space


def make_sampler(section: SearchSection, space: Space) -> Sampler:
    """The sampler that `section` names, over `space`.

    Raises UserError if it cannot search this space, or not for these objectives.
    """
    if section.minimizes_pflop and section.name not in TWO_OBJECTIVES:
        able = " or ".join(f"search={name}" for name in TWO_OBJECTIVES)
        raise UserError(
            f"search={section.name}: it cannot search for {section.objective}; {able} can"
        )
    sampler = SAMPLERS[section.name](space, section)
    has_prior = any(dimension.prior is not None for dimension in space.dimensions)
    return NearPrior(sampler, space, section.seed) if has_prior else sampler


def _random(space: Space, section: SearchSection) -> Sampler:
    return RandomSampler(space, section.seed)


def _tpe(space: Space, section: SearchSection) -> Sampler:
    from cifar_exp.sweeps.search.samplers.with_optuna import OptunaSampler, tpe

    return OptunaSampler(space, section.seed, tpe, minimizes_pflop=section.minimizes_pflop)


def _quasirandom(space: Space, section: SearchSection) -> Sampler:
    from cifar_exp.sweeps.search.samplers.quasirandom import QuasirandomSampler

    return QuasirandomSampler(space, section.seed)


def _cmaes(space: Space, section: SearchSection) -> Sampler:
    from cifar_exp.sweeps.search.samplers.cma_es import CmaEsSampler

    return CmaEsSampler(space, section.seed)


SAMPLERS: dict[str, Callable[[Space, SearchSection], Sampler]] = {
    "random": _random,
    "tpe": _tpe,
    "cmaes": _cmaes,
    "quasirandom": _quasirandom,
}
TWO_OBJECTIVES = ("random", "tpe", "quasirandom")
