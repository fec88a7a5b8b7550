"""Two claimants of one lock, in every order in which their steps can follow each other."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.storage import lock
from cifar_exp.storage.lease import read_content
from cifar_exp.storage.lock import Hold, LockedError

SECONDS = 30.0  # for a step; only a deadlock takes so long


class Claimant(threading.Thread):
    """Acquires the lock, one step whenever it is let."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.hold = Hold(path, "it")
        self.may_go, self.is_waiting = threading.Semaphore(0), threading.Semaphore(0)
        self.outcome: list[bool] = []  # once it has ended: whether it has won

    def run(self) -> None:
        try:
            self.hold.acquire()
            self.outcome.append(True)
        except LockedError:
            self.outcome.append(False)
        self.is_waiting.release()

    def pause(self) -> None:
        self.is_waiting.release()
        assert self.may_go.acquire(timeout=SECONDS)

    def step(self) -> None:
        self.may_go.release()
        assert self.is_waiting.acquire(timeout=SECONDS)


def pausing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, before which a claimant pauses."""

    def paused(*arguments: Any, **options: Any) -> Any:
        thread = threading.current_thread()
        if isinstance(thread, Claimant):
            thread.pause()
        return function(*arguments, **options)

    return paused


def race(path: Path, order: Sequence[int]) -> tuple[list[Claimant], list[int]]:
    """Both claimants, and who took each step that both could take, as `order` says."""
    claimants = [Claimant(path), Claimant(path)]
    for claimant in claimants:
        claimant.start()
        assert claimant.is_waiting.acquire(timeout=SECONDS)
    taken: list[int] = []
    while left := [claimant for claimant in claimants if not claimant.outcome]:
        if len(left) == 2:
            taken.append(order[len(taken)] if len(taken) < len(order) else 0)
            left = [claimants[taken[-1]]]
        left[0].step()
    return claimants, taken


def orders() -> Generator[list[int], list[int], None]:
    """Every order, found by changing the last step that can be another's; told by `send`."""
    order: list[int] = []
    while True:
        taken = yield order
        while taken and taken[-1] == 1:
            taken.pop()
        if not taken:
            return
        order = [*taken[:-1], 1]


@pytest.mark.slow
def test_two_claimants_never_both_win_in_any_order_of_their_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # both have found the lock free; a step ends before a file is made, read, renamed or removed
    monkeypatch.setattr(Hold, "_make_claim", pausing(Hold._make_claim))
    monkeypatch.setattr(lock, "_remove_claims", pausing(lock._remove_claims))
    monkeypatch.setattr(os, "replace", pausing(os.replace))
    monkeypatch.setattr(lock, "read_content", pausing(read_content))
    seen, wins = 0, set()
    choices = orders()
    order = next(choices)
    while True:
        claimants, taken = race(tmp_path / str(seen) / "lock", order)
        path = claimants[0].hold.path
        won = [claimant.outcome[0] for claimant in claimants]
        content = path.read_bytes()
        assert sum(won) < 2, taken
        assert [c.hold._lease.is_in(content) for c in claimants] == won, taken
        for claimant in claimants:
            claimant.hold._release()
        seen += 1
        wins.add(tuple(won))
        try:
            order = choices.send(taken)
        except StopIteration:
            break
    assert wins >= {(True, False), (False, True)}
    assert seen > 200
