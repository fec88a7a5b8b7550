"""How long runs take, judged by runs that are done."""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from cifar_exp.config.schema import ConvNetSection, Settings
from cifar_exp.models.costs import convnet_macs
from cifar_exp.runs.state import RunState
from cifar_exp.training.resolution import ResolutionSchedule

PASSES = 3  # forward, and backward at twice its price
PETA = 1e15
# The larger a network, the more it computes a second: time grows slower than the work.
USUAL_SLOPE, LEAST_SLOPE, STEEPEST_SLOPE = 0.8, 0.2, 1.1


@dataclass(frozen=True)
class Effort:
    """What a run computes: training images seen, and 6 x MACs x images / 1e15."""

    images: int
    pflop: float

    @property
    def per_image(self) -> float:
        """Work for one image."""
        return self.pflop / self.images


def effort_of(settings: Settings, classes: int, train_size: int) -> Effort | None:
    """The effort of a run on so many training images; None of a network that is not our own."""
    if not isinstance(settings.model, ConvNetSection):
        return None
    trainer, size = settings.trainer, settings.data.image_size
    resolution = ResolutionSchedule.of(trainer, size)
    sizes, ends = [*resolution.sizes, size], [*resolution.until, 1.0]
    macs, begin = 0.0, 0.0
    for side, end in zip(sizes, ends, strict=True):
        macs += (end - begin) * convnet_macs(settings.model, classes, side)
        begin = end
    images = trainer.epochs * train_size
    return Effort(images, 2 * PASSES * macs * images / PETA)


@dataclass(frozen=True)
class Example:
    """How long a completed run took for an image, which asked for so much work, on `threads`."""

    per_image: float
    seconds_per_image: float
    threads: int


def example_of(state: RunState) -> Example | None:
    """What a completed run tells; None of any other."""
    record, row = state.record, state.row
    if record is None or row is None or record.status != "completed":
        return None
    images = int(row["epoch"]) * record.dataset.train_size
    if not images or not record.compute.pflop:
        return None
    seconds = row["elapsed_seconds"] + _test_seconds(state)
    return Example(record.compute.pflop / images, seconds / images, record.compute.threads)


def _test_seconds(state: RunState) -> float:
    """Time for the test set, by the time for the images that were looked at after each epoch."""
    assert state.record is not None
    assert state.row is not None
    dataset, row = state.record.dataset, state.row
    evaluated = dataset.val_size + min(2000, dataset.train_size)
    looking = max(0.0, row["elapsed_seconds"] - state.record.compute.train_seconds)
    return looking / row["epoch"] / evaluated * dataset.test_size


class Durations:
    """Predicts the seconds of a run from examples, between and beyond them on a log-log line."""

    def __init__(self, examples: Iterable[Example], threads: int | None = None) -> None:
        """`threads` is how many a run will have; examples with as many are preferred."""
        groups: dict[str, list[Example]] = {}
        for example in _with_threads(list(examples), threads):
            groups.setdefault(f"{example.per_image:.2e}", []).append(example)
        self.points = sorted(
            (
                math.log(median(e.per_image for e in group)),
                math.log(median(e.seconds_per_image for e in group)),
            )
            for group in groups.values()
        )

    def seconds(self, effort: Effort | None) -> float | None:
        """Seconds of a run of this effort; None where there is nothing to judge by."""
        if not self.points or effort is None:
            return None
        return effort.images * math.exp(self._on_line(math.log(effort.per_image)))

    def _on_line(self, x: float) -> float:
        points = self.points
        after = min(max(1, sum(px < x for px, _ in points)), len(points) - 1)
        x0, y0 = points[after - 1] if len(points) > 1 else points[0]
        slope = USUAL_SLOPE
        if len(points) > 1:
            x1, y1 = points[after]
            slope = min(max((y1 - y0) / (x1 - x0), LEAST_SLOPE), STEEPEST_SLOPE)
            if x >= x1:  # from the nearer end
                x0, y0 = x1, y1
        return y0 + slope * (x - x0)


def _with_threads(examples: list[Example], threads: int | None) -> list[Example]:
    if threads is None:
        return examples
    same = [example for example in examples if example.threads == threads]
    return same or [
        replace(e, seconds_per_image=e.seconds_per_image * e.threads / threads) for e in examples
    ]


def seconds_left(state: RunState, effort: Effort | None, durations: Durations) -> float | None:
    """Seconds that a run still needs: by its own speed where it has one, else by other runs."""
    whole = durations.seconds(effort)
    if state.row is None or state.record is None or not state.epochs:
        return whole
    part = state.epoch / state.epochs
    if effort is not None and state.record.compute.pflop:
        part = min(1.0, state.record.compute.pflop / effort.pflop)
    return float(state.row["elapsed_seconds"]) / part * (1 - part) + _test_seconds(state)


def time_to_end(running: Sequence[float], waiting: Iterable[float], jobs: int) -> float:
    """Seconds until all is done when each run in turn goes to the first free of `jobs` slots."""
    slots = [*running, *[0.0] * (jobs - len(running))]
    heapq.heapify(slots)
    for seconds in waiting:
        heapq.heapreplace(slots, slots[0] + seconds)
    return max(slots, default=0.0)


def longest_first(efforts: Mapping[str, Effort | None], run_ids: Iterable[str]) -> list[str]:
    """The runs by falling effort, so that no long one is left for the end; unknown ones first."""
    return sorted(run_ids, key=lambda i: -(e.pflop if (e := efforts.get(i)) else math.inf))
