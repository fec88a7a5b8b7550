"""All parts of an old checkpoint are restored: each that is lost would show in the losses."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

pytestmark = pytest.mark.slow

STOPPED_IN_EPOCH_5 = "7b805cc24d"
SHOWN = 0.01  # ten times the tolerance of test_continuing.py

State = dict[str, Any]


def lose_momentum(state: State) -> None:
    for buffers in state["optimizer"]["state"].values():
        buffers["momentum_buffer"].zero_()


def lose_average(state: State) -> None:
    for name, weights in state["network"].items():
        state["averaged"][f"module.{name}"].copy_(weights)


def lose_rate(state: State) -> None:
    state["schedule"]["current"] = 1.0


def lose_augmentation(state: State) -> None:
    state["feed"]["generator"] = torch.Generator().manual_seed(99).get_state()


def lose_dropout(state: State) -> None:
    state["random"]["cpu"] = torch.Generator().manual_seed(99).get_state()


def lose_step(state: State) -> None:
    state["step_in_epoch"] -= 1


def lose_sums(state: State) -> None:
    state["sums"].update(loss=torch.zeros((), dtype=torch.float64), images=0)


def lose_nothing(state: State) -> None:
    assert (state["epoch"], state["step_in_epoch"]) == (4, 3)


def losses_after(place: Any, change: Callable[[State], None]) -> list[float]:
    """The losses of the run stopped in epoch 5, continued from a changed checkpoint."""
    last = place.runs.path(STOPPED_IN_EPOCH_5) / "checkpoints" / "last.pt"
    content = torch.load(last, weights_only=True)
    change(content["loop"])
    torch.save(content, last)
    place.train(STOPPED_IN_EPOCH_5)
    return place.runs.losses(STOPPED_IN_EPOCH_5)


def test_continued_twice_on_one_machine_a_run_ends_the_same(continued: Any, place: Any) -> None:
    assert losses_after(place, lose_nothing) == continued.runs.losses(STOPPED_IN_EPOCH_5)


@pytest.mark.parametrize(
    "lose",
    [
        lose_momentum,
        lose_average,
        lose_rate,
        lose_augmentation,
        lose_dropout,
        lose_step,
        lose_sums,
    ],
)
def test_what_is_lost_shows_in_the_losses(
    place: Any, undisturbed: Any, largest_change: Callable[..., float], lose: Callable
) -> None:
    losses = losses_after(place, lose)
    assert largest_change(losses, undisturbed.losses(STOPPED_IN_EPOCH_5)) > SHOWN
