"""How long runs take, judged by runs that are done."""

import heapq
import math
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from cifar_exp.storage.run_state import RunState
from cifar_exp.training.cost import RunCost, images_evaluated_per_epoch, spent_cost

# How time grows with the work for an image beyond the examples (on two cores, model=tiny to base):
# a small network spends it on other things, a large one on the work itself.
SLOPE_BELOW, SLOPE_ABOVE = 0.5, 0.8


@dataclass(frozen=True)
class TimingSample:
    """How long a completed run took for an image, which asked for so much work, on `threads`."""

    per_image: float
    seconds_per_image: float
    threads: int


def timing_sample(state: RunState) -> TimingSample | None:
    """What a completed run tells; None of any other."""
    record, row = state.record, state.row
    if record is None or row is None or record.status != "completed":
        return None
    if not row["epoch"] or not record.compute.pflop:
        return None
    cost = spent_cost(record, int(row["epoch"]), is_tested=True)
    seconds = row["elapsed_seconds"] + _test_seconds(state)
    return TimingSample(cost.per_image, seconds / cost.images, record.compute.threads)


def _test_seconds(state: RunState) -> float:
    """Time for the test set, by the time for the images that were looked at after each epoch."""
    assert state.record is not None
    assert state.row is not None
    dataset, row = state.record.dataset, state.row
    looking = max(0.0, row["elapsed_seconds"] - state.record.compute.train_seconds)
    return looking / row["epoch"] / images_evaluated_per_epoch(dataset) * dataset.test_size


class DurationModel:
    """Predicts the seconds of a run from examples, between and beyond them on a log-log line."""

    def __init__(self, examples: Iterable[TimingSample], threads: int | None = None) -> None:
        """`threads` is how many a run will have; examples with as many are preferred."""
        groups: dict[str, list[TimingSample]] = {}
        for example in _with_threads(list(examples), threads):
            groups.setdefault(f"{example.per_image:.2e}", []).append(example)
        self.points = sorted(
            (
                math.log(median(e.per_image for e in group)),
                math.log(median(e.seconds_per_image for e in group)),
            )
            for group in groups.values()
        )

    def seconds(self, cost: RunCost | None) -> float | None:
        """Seconds of a run of this cost; None where there is nothing to judge by."""
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


def _with_threads(examples: list[TimingSample], threads: int | None) -> list[TimingSample]:
    if threads is None:
        return examples
    same = [example for example in examples if example.threads == threads]
    return same or [
        replace(e, seconds_per_image=e.seconds_per_image * e.threads / threads) for e in examples
    ]


def seconds_left(state: RunState, cost: RunCost | None, durations: DurationModel) -> float | None:
    """Seconds that a run still needs: by its own speed where it has one, else by other runs."""
    whole = durations.seconds(cost)
    if state.row is None or state.record is None or not state.epochs:
        return whole
    elapsed = state.row["elapsed_seconds"]
    if cost is None or not state.record.compute.pflop:
        return elapsed * (state.epochs / state.epoch - 1) + _test_seconds(state)
    done = spent_cost(state.record, state.epoch, is_tested=False)
    return elapsed * max(0.0, cost.pflop / done.pflop - 1)


def makespan(
    running: Sequence[float | None], waiting: Sequence[float | None], jobs: int
) -> float | None:
    """Seconds until all is done when each run in turn goes to the first free of `jobs` slots.

    A run of unknown length is taken for a usual one; None where all are unknown.
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
    """The runs by falling cost, so that no long one is left for the end; unknown ones first."""
    return sorted(run_ids, key=lambda i: -(e.pflop if (e := costs.get(i)) else math.inf))
