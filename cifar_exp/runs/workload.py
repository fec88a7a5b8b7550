"""How fast a run goes, how much it has computed, and how long it will take."""

import time
from collections.abc import Mapping

from cifar_exp.training.cost import PETA, TRAINING_PASSES, training_macs
from cifar_exp.training.trainer import Trainer


class Workload:
    """Multiply-accumulates done and to do, weighted by each step's resolution."""

    def __init__(self, trainer: Trainer, macs: Mapping[int, int]) -> None:
        """`macs`: of one image, by its size."""
        self.trainer, self.macs = trainer, macs
        batches, splits = trainer.train_batches, trainer.splits
        self.images_per_step = len(batches) / batches.steps_per_epoch  # on average
        self.evaluated_images = len(splits.val) + len(splits.train_eval)  # after each epoch
        self.begin()

    def begin(self) -> None:
        """Start the clock at the trainer's position."""
        self._first_step, self._started = self.trainer.step, time.perf_counter()

    @property
    def steps_timed(self) -> int:
        """Steps made since `begin`."""
        return self.trainer.step - self._first_step

    def pflop(self) -> float:
        """6 x MACs x images seen, at the resolution seen, / 1e15, since the run began."""
        return 2 * self._training_macs(0, self.trainer.step) / PETA

    def images_per_second(self) -> float:
        """Images trained per second, since `begin`."""
        return self.steps_timed * self.images_per_step / (time.perf_counter() - self._started)

    def seconds_left(self) -> float:
        """Time to the end of training at the speed since `begin`."""
        done = self._all_macs(self._first_step, self.trainer.step)
        if done == 0:
            return 0.0
        seconds = time.perf_counter() - self._started
        return seconds * self._all_macs(self.trainer.step, self.trainer.total_steps) / done

    def _training_macs(self, first: int, last: int) -> float:
        trainer = self.trainer
        per_image = training_macs(trainer.resolution, self.macs, first, last, trainer.total_steps)
        return TRAINING_PASSES * per_image * self.images_per_step

    def _all_macs(self, first: int, last: int) -> float:
        steps = self.trainer.train_batches.steps_per_epoch
        epochs_ended = last // steps - first // steps
        full = self.macs[self.trainer.resolution.full]
        return self._training_macs(first, last) + epochs_ended * self.evaluated_images * full
