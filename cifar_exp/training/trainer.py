"""The training loop: an epoch at a time, stoppable after any step, and resumable bit for bit."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cifar_exp.config.schema import TrainerSection
from cifar_exp.data.batches import Batch, TrainingBatches
from cifar_exp.seeding import derive_seed
from cifar_exp.training.devices import autocast, synchronize
from cifar_exp.training.resolution import ResolutionSchedule
from cifar_exp.training.schedules import Schedule


class DivergedError(Exception):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class EpochMetrics:
    """What one epoch of training showed, over its augmented images.

    `accuracy` is None where labels are mixed; `seconds` is training alone.
    """

    lr: float
    loss: float
    accuracy: float | None
    seconds: float
    images: int


@dataclass
class _EpochTotals:
    """Running sums of the epoch in progress. Tensors stay on the device: nobody waits for them."""

    loss: Tensor
    correct: Tensor
    images: int = 0
    mixed: bool = False
    seconds: float = 0.0


class Loop:
    """Trains `network` on `feed`. Knows no files: the caller evaluates, records and saves."""

    def __init__(
        self,
        network: nn.Module,
        feed: TrainingBatches,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        section: TrainerSection,
        *,
        device: torch.device,
        precision: str,
        resolution: ResolutionSchedule,
    ) -> None:
        self.network = network
        self.feed, self.optimizer, self.schedule = feed, optimizer, schedule
        self.section, self.device, self.precision = section, device, precision
        self.resolution = resolution
        self.averaged = _averaged(network, section.ema)
        self.epoch = 0  # epochs completed
        self.step_in_epoch = 0
        self._forward = torch.compile(network) if section.compile else network
        self._sums = self._new_totals()

    @property
    def step(self) -> int:
        """Steps made since the run began."""
        return self.epoch * self.feed.steps_per_epoch + self.step_in_epoch

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.section.epochs * self.feed.steps_per_epoch

    @property
    def evaluated(self) -> nn.Module:
        """The network whose weights count: their running mean where that is kept."""
        return self.network if self.averaged is None else self.averaged.module

    def train_epoch(self, stop: Callable[[], bool]) -> EpochMetrics | None:
        """Train to the end of the epoch; None if `stop` answered true after a step on the way.

        Raises DivergedError when the loss is not finite: at once on a CPU, else at the epoch's end,
        since looking at it earlier would make the device wait.
        """
        self.network.train()
        started, before = time.perf_counter(), self._sums.seconds
        for batch in self._batches():
            self._train_step(batch)
            self.step_in_epoch += 1
            if self.device.type == "cpu":
                self._check_finite()
            if self.step_in_epoch < self.feed.steps_per_epoch and stop():
                self._sums.seconds = before + time.perf_counter() - started
                return None
        synchronize(self.device)
        self._check_finite()
        self._sums.seconds = before + time.perf_counter() - started
        return self._finish_epoch()

    def state_dict(self) -> dict[str, Any]:
        """All that training depends on, as tensors and plain values on the host's types."""
        return {
            "network": self.network.state_dict(),
            "averaged": None if self.averaged is None else self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "feed": self.feed.state_dict(),
            "random": _random_state(self.device),
            "epoch": self.epoch,
            "step_in_epoch": self.step_in_epoch,
            "sums": vars(self._sums).copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`, on this loop's device."""
        self.network.load_state_dict(state["network"])
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.feed.load_state_dict(state["feed"])
        _restore_random_state(state["random"], self.device)
        self.epoch, self.step_in_epoch = state["epoch"], state["step_in_epoch"]
        self._sums = _EpochTotals(**state["sums"])
        self._sums.loss = self._sums.loss.to(self.device)
        self._sums.correct = self._sums.correct.to(self.device)

    def _batches(self) -> Iterator[Batch]:
        first, before = self.step_in_epoch, self.epoch * self.feed.steps_per_epoch
        if first == 0:
            torch.manual_seed(derive_seed(self.feed.seed, "dropout", self.epoch + 1))
        sizes = [
            self.resolution.size((before + step) / self.total_steps)
            for step in range(self.feed.steps_per_epoch)
        ]
        return self.feed.batches(self.epoch + 1, first, sizes)

    def _train_step(self, batch: Batch) -> None:
        self.schedule.before_step(self.step)
        with autocast(self.device, self.precision):
            logits = self._forward(batch.images)
            loss = _loss(logits, batch, self.section.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.section.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.section.gradient_clip)
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.network)
        self._add(loss.detach(), logits.detach(), batch)

    def _add(self, loss: Tensor, logits: Tensor, batch: Batch) -> None:
        sums, count = self._sums, len(batch.labels)
        sums.loss += loss * count
        sums.correct += (logits.argmax(1) == batch.labels).sum()
        sums.images += count
        sums.mixed |= batch.mix is not None

    def _check_finite(self) -> None:
        if not torch.isfinite(self._sums.loss):
            raise DivergedError(
                f"the training loss is not finite in epoch {self.epoch + 1}, step {self.step}"
            )

    def _finish_epoch(self) -> EpochMetrics:
        sums = self._sums
        figures = EpochMetrics(
            lr=self.optimizer.param_groups[0]["lr"],
            loss=float(sums.loss) / sums.images,
            accuracy=None if sums.mixed else int(sums.correct) / sums.images,
            seconds=sums.seconds,
            images=sums.images,
        )
        self.epoch, self.step_in_epoch = self.epoch + 1, 0
        self._sums = self._new_totals()
        return figures

    def _new_totals(self) -> _EpochTotals:
        wide = torch.float32 if self.device.type == "mps" else torch.float64
        return _EpochTotals(
            loss=torch.zeros((), dtype=wide, device=self.device),
            correct=torch.zeros((), dtype=torch.int64, device=self.device),
        )


def _loss(logits: Tensor, batch: Batch, smoothing: float) -> Tensor:
    """Mean cross-entropy; of two labels, weighted by image, where they are mixed."""
    if batch.mix is None:
        return F.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
    own, other = (
        F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
        for labels in (batch.labels, batch.mix.other)
    )
    return torch.lerp(other, own, batch.mix.weight.to(own)).mean()


def _averaged(network: nn.Module, decay: float) -> AveragedModel | None:
    if decay == 0:
        return None
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)


def _random_state(device: torch.device) -> dict[str, Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def _restore_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
