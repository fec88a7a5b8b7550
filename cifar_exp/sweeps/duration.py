"""How long runs will take, predicted from completed ones."""

import heapq
import math
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.training.cost import DatasetSizes, RunCost, spent_cost

# How time grows with the work for an image beyond the samples (two cores, model=tiny to base): a
# small network spends its time on overhead, a large one on the work itself.
SLOPE_BELOW, SLOPE_ABOVE = 0.5, 0.8


@dataclass(frozen=True)
class TimingSample:
    """A completed run: PFLOP and seconds for an image, and its number of threads."""

    per_image: float
    seconds_per_image: float
    threads: int


def timing_sample(state: RunState) -> TimingSample | None:
    """The timing of a completed run; None for any other run."""
    record, row = state.record, state.row
    if record is None or row is None or record.status != "completed":
        return None
    if not row["epoch"] or not record.compute.pflop:
        return None
    cost = _spent(record, int(row["epoch"]), is_tested=True)
    seconds = row["elapsed_seconds"] + _test_seconds(state)
    return TimingSample(cost.per_image, seconds / cost.images, record.compute.threads)


def _test_seconds(state: RunState) -> float:
    """Time for the test set, from the time that evaluation took after each epoch."""
    assert state.record is not None
    assert state.row is not None
    sizes, row = _sizes(state.record), state.row
    evaluating = max(0.0, row["elapsed_seconds"] - state.record.compute.train_seconds)
    return evaluating / row["epoch"] / sizes.evaluated_per_epoch * sizes.test


def _sizes(record: RunRecord) -> DatasetSizes:
    data = record.dataset
    return DatasetSizes(data.classes, data.train_size, data.val_size, data.test_size)


def _spent(record: RunRecord, epochs: int, *, is_tested: bool) -> RunCost:
    return spent_cost(
        _sizes(record),
        macs=record.model.macs,
        training_pflop=record.compute.pflop,
        epochs=epochs,
        is_tested=is_tested,
    )


class DurationModel:
    """Predicts a run's seconds: log-log interpolation between samples, and lines beyond them."""

    def __init__(self, samples: Iterable[TimingSample], threads: int | None = None) -> None:
        """`threads` is what a run will have; samples with the same number are preferred."""
        groups: dict[str, list[TimingSample]] = {}
        for example in _with_threads(list(samples), threads):
            groups.setdefault(f"{example.per_image:.2e}", []).append(example)
        self.points = sorted(
            (
                math.log(median(e.per_image for e in group)),
                math.log(median(e.seconds_per_image for e in group)),
            )
            for group in groups.values()
        )

    def seconds(self, cost: RunCost | None) -> float | None:
        """Seconds for a run of this cost; None without samples."""
        if not self.points or cost is None:
            return None
        return cost.images * math.exp(self._on_line(math.log(cost.per_image)))

    def _on_line(self, x: float) -> float:
        (x0, y0), (x1, y1) = self.points[0], self.points[-1]
        if x <= x0:
            return y0 + SLOPE_BELOW * (x - x0)
        if x >= x1:
            return y1 + SLOPE_ABOVE * (x - x1)
        after = bisect([point[0] for point in self.points], x)
        (x0, y0), (x1, y1) = self.points[after - 1 : after + 1]
        return y0 + (y1 - y0) / (x1 - x0) * (x - x0)


def _with_threads(samples: list[TimingSample], threads: int | None) -> list[TimingSample]:
    if threads is None:
        return samples
    same = [sample for sample in samples if sample.threads == threads]
    return same or [
        replace(s, seconds_per_image=s.seconds_per_image * s.threads / threads) for s in samples
    ]


def seconds_left(state: RunState, cost: RunCost | None, durations: DurationModel) -> float | None:
    """Seconds that a run still needs: by its own speed if it has begun, else by other runs'."""
    whole = durations.seconds(cost)
    if state.row is None or state.record is None or not state.epochs:
        return whole
    elapsed = state.row["elapsed_seconds"]
    if cost is None or not state.record.compute.pflop:
        return elapsed * (state.epochs / state.epoch - 1) + _test_seconds(state)
    done = _spent(state.record, state.epoch, is_tested=False)
    return elapsed * max(0.0, cost.pflop / done.pflop - 1)


def makespan(
    running: Sequence[float | None], waiting: Sequence[float | None], jobs: int
) -> float | None:
    """Seconds until all runs are done when each goes, in this order, to the first free slot.

    A run of unknown length counts as an average one; None if all are unknown.
    """
    both = [*running, *waiting]
    known = [seconds for seconds in both if seconds is not None]
    if both and not known:
        return None
    usual = sum(known) / len(known) if known else 0.0
    slots = [usual if s is None else s for s in running] + [0.0] * (jobs - len(running))
    heapq.heapify(slots)
    for seconds in waiting:
        heapq.heapreplace(slots, slots[0] + (usual if seconds is None else seconds))
    return max(slots, default=0.0)


def longest_first(costs: Mapping[str, RunCost | None], run_ids: Iterable[str]) -> list[str]:
    """The runs by falling cost, so that no long one starts last; unknown costs come first."""
    return sorted(run_ids, key=lambda i: -(e.pflop if (e := costs.get(i)) else math.inf))
