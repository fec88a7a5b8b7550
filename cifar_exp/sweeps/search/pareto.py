"""What is best at every cost: configurations that no other beats in accuracy without more PFLOP."""

from collections.abc import Sequence

from cifar_exp.sweeps.search.samplers.base import Observation
from cifar_exp.text import percent, value_as_text


def front(history: Sequence[Observation]) -> list[Observation]:
    """The Pareto front of accuracy and PFLOP, from cheap to expensive; paused runs are left out."""
    whole = [each for each in history if each.paused_at is None]
    found: list[Observation] = []
    for each in sorted(whole, key=lambda o: (o.pflop, -o.accuracy)):
        if not found or each.accuracy > found[-1].accuracy:
            found.append(each)
    return found


def front_note(history: Sequence[Observation]) -> str | None:
    """The front in a line: accuracy, PFLOP and values of each."""
    shown = [
        f"{percent(each.accuracy)} at {each.pflop:.3g} PFLOP ("
        + " ".join(f"{key}={value_as_text(value)}" for key, value in each.values.items())
        + ")"
        for each in front(history)
    ]
    return f"best at every cost: {', '.join(shown)}" if shown else None
