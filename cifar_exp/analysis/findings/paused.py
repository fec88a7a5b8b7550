"""Runs that a pruner paused, in words: how many, when, and what can no longer be concluded."""

from collections.abc import Iterator

from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.importance import Importance
from cifar_exp.text import counted

MOST_EPOCHS = 3  # that are listed with their numbers of runs
MOST_NAMED = 3


def paused_cautions(statistics: GroupStatistics) -> Iterator[str]:
    """What was paused, and how that selects what is compared; nothing if no run was paused."""
    paused = statistics.paused
    if not len(paused.runs):
        return
    if paused.configurations:
        total, rest = len(statistics.summary), len(statistics.evaluated)
        what = (
            f"what is said of the settings is said of the {rest} trained to the end, which are "
            "those that did well early"
        )
        if rest == 1:
            what = "with only one trained to the end, the settings cannot be compared"
        yield (
            f"{len(paused.configurations)} of {counted(total, 'configuration')} "
            f"{_were(len(paused.configurations))} paused early ({paused_when(statistics)}): paused "
            f"runs enter no mean, and {what}."
        )
    if paused.incomplete:
        names = [*paused.incomplete[:MOST_NAMED]]
        more = len(paused.incomplete) - len(names)
        rest_of = [f"{more} more"] if more else []
        yield (
            f"Further seeds of {listed([*names, *rest_of])} were paused for being behind, so what "
            "is left of their seeds flatters them."
        )
    if isinstance(statistics.importance, Importance) and paused.configurations:
        yield (
            "Paused runs have no part in the importance of settings, so a setting whose bad values "
            "were paused seems less important than it is."
        )


def paused_when(statistics: GroupStatistics) -> str:
    """`20 after epoch 1 and 8 after epoch 3 of 27`, or the range of many epochs."""
    runs, epochs = statistics.paused.runs, statistics.paused.epochs
    planned = runs["epochs"].dropna().unique()
    of_all = f" of {planned[0]:g}" if len(planned) == 1 else ""
    if len(epochs) == 1:
        return f"after epoch {epochs.index[0]}{of_all}"
    if len(epochs) > MOST_EPOCHS:
        return f"after epochs {epochs.index[0]} to {epochs.index[-1]}{of_all}"
    return f"{listed([f'{n} after epoch {epoch}' for epoch, n in epochs.items()])}{of_all}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
