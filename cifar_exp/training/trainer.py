"""The training of one run: `Trainer.fit` is the whole loop, epoch by epoch.

It can be stopped after any step, and continues bit for bit from its `state_dict`.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cifar_exp.config.schema import TrainerSection
from cifar_exp.data.batches import Batch, TrainingBatches
from cifar_exp.data.device_splits import Split, Splits
from cifar_exp.data.normalization import Normalization
from cifar_exp.seeding import derive_seed
from cifar_exp.training.devices import autocast, random_state, set_random_state, synchronize
from cifar_exp.training.evaluation import Evaluation, evaluate
from cifar_exp.training.loss import training_loss
from cifar_exp.training.resolution import ResolutionSchedule
from cifar_exp.training.schedules import Schedule

Stop = Callable[[], bool]  # once true, it stays true


class DivergedError(Exception):
    """A loss is no longer a finite number."""


class _StoppedError(Exception):
    """`stop()` was true; `fit` ends."""


@dataclass(frozen=True)
class EpochMetrics:
    """The metrics of one epoch, under the names that metrics.csv and extra.csv give them.

    Losses are in nats, accuracies fractions in [0, 1]. `train_*` are means over the epoch's
    augmented images, `train_accuracy` is None where labels are mixed; `val_*` are None where there
    is no validation data. `epoch_seconds` is training alone; `elapsed_seconds` counts all work
    since the run began. A field beyond those of metrics.csv becomes a column of extra.csv; it needs
    a default, for checkpoints that do not have it.
    """

    epoch: int
    step: int
    lr: float
    train_loss: float
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    val_top5_accuracy: float | None
    epoch_seconds: float
    elapsed_seconds: float
    images_per_second: float
    train_eval_loss: float
    train_eval_accuracy: float


@dataclass
class _EpochTotals:
    """Sums over the steps of the current epoch. Tensors stay on the device: nothing waits."""

    loss: Tensor
    correct: Tensor
    images: int = 0
    mixed: bool = False
    seconds: float = 0.0


class Trainer:
    """Trains and evaluates `network`. Knows no files: the caller records and saves."""

    def __init__(
        self,
        network: nn.Module,
        train_batches: TrainingBatches,
        splits: Splits,
        normalization: Normalization,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        section: TrainerSection,
        *,
        device: torch.device,
        precision: str,
        resolution: ResolutionSchedule,
    ) -> None:
        self.network, self.train_batches = network, train_batches
        self.splits, self.normalization = splits, normalization
        self.optimizer, self.schedule, self.section = optimizer, schedule, section
        self.device, self.precision, self.resolution = device, precision, resolution
        self.ema = _build_ema(network, section.ema)
        self.epoch = 0  # epochs completed: trained and evaluated
        self.step_in_epoch = 0  # all steps of the epoch, while it waits for its evaluation
        self.history: list[EpochMetrics] = []
        self._forward = torch.compile(network) if section.compile else network
        self._totals = self._new_totals()
        self._started = time.perf_counter()  # less the seconds of earlier processes

    def fit(
        self, stop: Stop, after_step: Callable[[], object] = lambda: None
    ) -> Iterator[EpochMetrics]:
        """Train and evaluate epoch after epoch, and yield the metrics of each.

        Ends after the last epoch, or early once `stop()` is true, which is checked after each
        step and between the batches of an evaluation. `state_dict` then holds the position, from
        which `fit` continues. Raises DivergedError when a loss is not finite.
        """
        while self.epoch < self.section.epochs:
            try:
                self._train_epoch(stop, after_step)
                val = self.evaluate("validation", self.splits.val, stop)
                train_eval = self.evaluate("train_eval", self.splits.train_eval, stop)
            except _StoppedError:
                return
            metrics = self._metrics(val, train_eval)
            self.schedule.after_epoch(metrics.val_loss)
            self.history.append(metrics)
            self.epoch, self.step_in_epoch = self.epoch + 1, 0
            self._totals = self._new_totals()
            yield metrics
            if stop():
                return

    def _train_epoch(self, stop: Stop, after_step: Callable[[], object]) -> None:
        """Train to the end of the epoch, from wherever it was stopped."""
        self.network.train()
        started, before = time.perf_counter(), self._totals.seconds
        for batch in self._remaining_batches():
            self._train_step(batch)
            self.step_in_epoch += 1
            if self.device.type == "cpu":  # elsewhere it would make the device wait
                self._check_train_loss()
            after_step()
            if stop():
                break
        synchronize(self.device)
        self._totals.seconds = before + time.perf_counter() - started
        self._check_train_loss()
        _raise_if(stop)

    def _remaining_batches(self) -> Iterator[Batch]:
        first, before = self.step_in_epoch, self.epoch * self.train_batches.steps_per_epoch
        if first == 0:
            torch.manual_seed(derive_seed(self.train_batches.seed, "dropout", self.epoch + 1))
        sizes = [
            self.resolution.size((before + step) / self.total_steps)
            for step in range(self.train_batches.steps_per_epoch)
        ]
        return self.train_batches.batches(self.epoch + 1, first, sizes)

    def _train_step(self, batch: Batch) -> None:
        self.schedule.before_step(self.step)
        with autocast(self.device, self.precision):
            logits = self._forward(batch.images)
            loss = training_loss(logits, batch, self.section.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.section.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.section.gradient_clip)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update_parameters(self.network)
        self._accumulate(loss.detach(), logits.detach(), batch)

    def _accumulate(self, loss: Tensor, logits: Tensor, batch: Batch) -> None:
        totals, count = self._totals, len(batch.labels)
        totals.loss += loss * count
        totals.correct += (logits.argmax(1) == batch.labels).sum()
        totals.images += count
        totals.mixed |= batch.mix is not None

    def evaluate(self, name: str, split: Split, stop: Stop = lambda: False) -> Evaluation | None:
        """Evaluate the network on `split`; None where it is empty.

        Raises DivergedError, which says `name`, when the loss is not finite.
        """
        if not len(split):
            return None
        result = evaluate(
            self.eval_network, split, self.normalization, self.precision, lambda: _raise_if(stop)
        )
        if not math.isfinite(result.mean_loss):
            raise DivergedError(f"the {name} loss is not finite after epoch {self.trained_epochs}")
        return result

    def _metrics(self, val: Evaluation | None, train_eval: Evaluation | None) -> EpochMetrics:
        totals = self._totals
        assert train_eval is not None
        return EpochMetrics(
            epoch=self.epoch + 1,
            step=self.step,
            lr=self.optimizer.param_groups[0]["lr"],
            train_loss=float(totals.loss) / totals.images,
            train_accuracy=None if totals.mixed else int(totals.correct) / totals.images,
            val_loss=val.mean_loss if val else None,
            val_accuracy=val.accuracy if val else None,
            val_top5_accuracy=val.top5_accuracy if val else None,
            epoch_seconds=round(totals.seconds, 3),
            elapsed_seconds=round(self.elapsed_seconds, 3),
            images_per_second=round(totals.images / totals.seconds, 1),
            train_eval_loss=train_eval.mean_loss,
            train_eval_accuracy=train_eval.accuracy,
        )

    @property
    def step(self) -> int:
        """Steps made since the run began."""
        return self.epoch * self.train_batches.steps_per_epoch + self.step_in_epoch

    @property
    def trained_epochs(self) -> int:
        """Epochs whose steps are all made; the last of them may not be evaluated yet."""
        return self.step // self.train_batches.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.section.epochs * self.train_batches.steps_per_epoch

    @property
    def eval_network(self) -> nn.Module:
        """The network that is evaluated and kept: with the EMA of the weights, where it is on."""
        return self.network if self.ema is None else self.ema.module

    @property
    def best(self) -> EpochMetrics | None:
        """The first epoch with the highest val accuracy; without validation data the last epoch."""
        if not self.history or self.history[-1].val_accuracy is None:
            return self.history[-1] if self.history else None
        return max(self.history, key=lambda metrics: metrics.val_accuracy or 0.0)

    @property
    def elapsed_seconds(self) -> float:
        """Seconds of work on this run, in all its processes."""
        return time.perf_counter() - self._started

    def state_dict(self) -> dict[str, Any]:
        """Everything that training depends on, as tensors and plain values."""
        return {
            "network": self.network.state_dict(),
            "ema": None if self.ema is None else self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "train_batches": self.train_batches.state_dict(),
            "random": random_state(self.device),
            "epoch": self.epoch,
            "step_in_epoch": self.step_in_epoch,
            "totals": vars(self._totals).copy(),
            "history": [vars(metrics) for metrics in self.history],
            "elapsed_seconds": self.elapsed_seconds,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state of `state_dict`, on this trainer's device."""
        self.network.load_state_dict(state["network"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.train_batches.load_state_dict(state["train_batches"])
        set_random_state(state["random"], self.device)
        self.epoch, self.step_in_epoch = state["epoch"], state["step_in_epoch"]
        self._totals = _EpochTotals(**state["totals"])
        self._totals.loss = self._totals.loss.to(self.device)
        self._totals.correct = self._totals.correct.to(self.device)
        self.history = [EpochMetrics(**row) for row in state["history"]]
        self._started = time.perf_counter() - state["elapsed_seconds"]

    def _check_train_loss(self) -> None:
        if not torch.isfinite(self._totals.loss):
            raise DivergedError(
                f"the training loss is not finite in epoch {self.epoch + 1}, step {self.step}"
            )

    def _new_totals(self) -> _EpochTotals:
        wide = torch.float32 if self.device.type == "mps" else torch.float64
        return _EpochTotals(
            loss=torch.zeros((), dtype=wide, device=self.device),
            correct=torch.zeros((), dtype=torch.int64, device=self.device),
        )


def _build_ema(network: nn.Module, decay: float) -> AveragedModel | None:
    if decay == 0:
        return None
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)


def _raise_if(stop: Stop) -> None:
    if stop():
        raise _StoppedError
