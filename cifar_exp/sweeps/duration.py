"""How long runs will take, predicted from completed runs.

Records of other runs may be damaged: a number that makes no sense is left out, never an error.
"""

import heapq
import math
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import median

from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.training.cost import DatasetSizes, RunCost, spent_cost

# The growth of log seconds with log PFLOP per image beyond the samples, measured from model=tiny to
# base on two cores: a small network is bound by overhead, a large one by computing.
SLOPE_BELOW, SLOPE_ABOVE = 0.5, 0.8
NONSENSE = (ZeroDivisionError, OverflowError, ValueError)  # from the numbers of a damaged record


@dataclass(frozen=True)
class TimingSample:
    """A completed run: PFLOP and seconds per image, and its number of threads."""

    per_image: float
    seconds_per_image: float
    threads: int


def timing_sample(state: RunState) -> TimingSample | None:
    """The timing of a completed run; None for any other run, and if its numbers make no sense."""
    record, elapsed = state.record, _elapsed(state)
    if record is None or record.status != "completed" or elapsed is None:
        return None
    with suppress(*NONSENSE):
        cost = _spent(record, state.epoch, is_tested=True)
        seconds = elapsed + _test_seconds(record, state.epoch, elapsed)
        sample = TimingSample(cost.per_image, seconds / cost.images, record.compute.threads)
        if all(map(_is_positive, vars(sample).values())) and record.compute.pflop > 0:
            return sample
    return None


def _elapsed(state: RunState) -> float | None:
    """The seconds that its epochs took; None before the first."""
    elapsed = state.row.get("elapsed_seconds") if state.row else None
    return elapsed if state.epoch and elapsed is not None and _is_positive(elapsed) else None


def _is_positive(number: float) -> bool:
    return 0 < number < math.inf


def _test_seconds(record: RunRecord, epoch: int, elapsed: float) -> float:
    """Seconds for the test set, from the seconds that evaluation took after each epoch."""
    sizes = _sizes(record)
    evaluating = max(0.0, elapsed - record.compute.train_seconds)
    return evaluating / epoch / sizes.evaluated_per_epoch * sizes.test


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
    """Predicts a run's seconds: log-log interpolation of samples, and straight lines beyond."""

    def __init__(self, samples: Iterable[TimingSample], threads: int | None = None) -> None:
        """`threads` is the number for each run; samples with the same number are preferred."""
        groups: dict[str, list[TimingSample]] = {}
        for sample in _with_threads(list(samples), threads):
            groups.setdefault(f"{sample.per_image:.2e}", []).append(sample)
        self.points = sorted(
            (
                math.log(median(s.per_image for s in group)),
                math.log(median(s.seconds_per_image for s in group)),
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
    """Seconds that a run still needs: from its own speed if it has begun, else from other runs."""
    elapsed = _elapsed(state)
    if elapsed is not None and state.record is not None and state.epochs:
        with suppress(*NONSENSE):
            seconds = _seconds_at_own_speed(state.record, state.epoch, state.epochs, elapsed, cost)
            if 0 <= seconds < math.inf:
                return seconds
    return durations.seconds(cost)


def _seconds_at_own_speed(
    record: RunRecord, epoch: int, epochs: int, elapsed: float, cost: RunCost | None
) -> float:
    if cost is None or not record.compute.pflop:
        return elapsed * (epochs / epoch - 1) + _test_seconds(record, epoch, elapsed)
    done = _spent(record, epoch, is_tested=False)
    return elapsed * max(0.0, cost.pflop / done.pflop - 1)


def makespan(
    running: Sequence[float | None], waiting: Sequence[float | None], jobs: int
) -> float | None:
    """Seconds until all runs are done, if each starts, in this order, in the first free slot.

    A run of unknown duration counts as an average one; None if all are unknown.
    """
    both = [*running, *waiting]
    known = [seconds for seconds in both if seconds is not None]
    if both and not known:
        return None
    average = sum(known) / len(known) if known else 0.0
    slots = [average if s is None else s for s in running] + [0.0] * (jobs - len(running))
    heapq.heapify(slots)
    for seconds in waiting:
        heapq.heapreplace(slots, slots[0] + (average if seconds is None else seconds))
    return max(slots, default=0.0)


def longest_first(costs: Mapping[str, RunCost | None], run_ids: Iterable[str]) -> list[str]:
    """The runs by decreasing cost, so that no long one starts last; unknown costs come first."""
    return sorted(run_ids, key=lambda i: -(e.pflop if (e := costs.get(i)) else math.inf))
