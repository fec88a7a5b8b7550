"""What a search may spend, all workers and commands together, and what its runs have spent."""

from collections.abc import Iterable
from dataclasses import dataclass

from cifar_exp.config.search import SearchSection
from cifar_exp.storage.run_state import RunState


@dataclass(frozen=True)
class Spent:
    """Minutes include evaluation; PFLOP are those of training, as in run.json."""

    minutes: float
    pflop: float


def spent(states: Iterable[RunState]) -> Spent:
    """What these runs have cost, also those that are paused, failed or still running."""
    minutes = pflop = 0.0
    for state in states:
        seconds = (state.row or {}).get("elapsed_seconds", 0.0)
        if state.record is not None:
            seconds = max(seconds, state.record.compute.train_seconds)
            pflop += state.record.compute.pflop
        minutes += seconds / 60
    return Spent(minutes, pflop)


def exceeded(section: SearchSection, costs: Spent) -> str | None:
    """Which budget is used up, in a sentence; None while neither is.

    It is compared before each new run, so runs in progress may exceed it.
    """
    if section.budget_minutes is not None and costs.minutes >= section.budget_minutes:
        return (
            f"no new runs: {costs.minutes:.4g} of search.budget_minutes="
            f"{section.budget_minutes:g} are used"
        )
    if section.budget_pflop is not None and costs.pflop >= section.budget_pflop:
        return (
            f"no new runs: {costs.pflop:.4g} of search.budget_pflop={section.budget_pflop:g} "
            "are used"
        )
    return None
