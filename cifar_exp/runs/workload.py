"""How much a run computes, how fast it goes, and when it will end."""

import time
from collections.abc import Mapping

from cifar_exp.training.trainer import Loop

PETA = 1e15
TRAINING_PASSES = 3  # forward, and backward at twice its price


class Workload:
    """Multiply-accumulates done and to do, weighted by each step's resolution."""

    def __init__(self, loop: Loop, macs: Mapping[int, int], evaluated_images: int) -> None:
        """`macs` by image size; `evaluated_images` are looked at after every epoch."""
        self.loop, self.macs, self.evaluated_images = loop, macs, evaluated_images
        self._images = len(loop.feed) / loop.feed.steps_per_epoch  # a step, on average
        self.begin()

    def begin(self) -> None:
        """Start the clock at the loop's position."""
        self._first_step, self._started = self.loop.step, time.perf_counter()

    @property
    def steps_timed(self) -> int:
        """Steps made since `begin`."""
        return self.loop.step - self._first_step

    def pflop(self) -> float:
        """6 x MACs x images seen, at the resolution seen, / 1e15, since the run began."""
        return 2 * self._training_macs(0, self.loop.step) / PETA

    def images_per_second(self) -> float:
        """Images trained on a second, since `begin`."""
        return self.steps_timed * self._images / (time.perf_counter() - self._started)

    def seconds_left(self) -> float:
        """Time to the end of training, if all goes on as since `begin`."""
        done = self._all_macs(self._first_step, self.loop.step)
        if done == 0:
            return 0.0
        seconds = time.perf_counter() - self._started
        return seconds * self._all_macs(self.loop.step, self.loop.total_steps) / done

    def _training_macs(self, first: int, last: int) -> float:
        total, resolution = self.loop.total_steps, self.loop.resolution
        per_image = sum(self.macs[resolution.size(step / total)] for step in range(first, last))
        return TRAINING_PASSES * per_image * self._images

    def _all_macs(self, first: int, last: int) -> float:
        steps = self.loop.feed.steps_per_epoch
        epochs_ended = last // steps - first // steps
        evaluation = epochs_ended * self.evaluated_images * self.macs[self.loop.resolution.full]
        return self._training_macs(first, last) + evaluation
