"""The source of trials that a plan asks for."""

from cifar_exp.sweeps.plan import Plan
from cifar_exp.sweeps.search.base import Source
from cifar_exp.sweeps.search.grid import GridSource


def make_source(plan: Plan) -> Source:
    """A search, or the grid. Raises UserError if the sampler cannot search the space."""
    if plan.search is None:
        return GridSource(plan)
    from cifar_exp.sweeps.search.source import SearchSource

    return SearchSource(plan, plan.search.space, plan.search.make_run)
