"""Train a run and record it: checkpoints, run.json, predictions.npz, and a row for each epoch."""

from dataclasses import asdict
from typing import Any

import torch

from cifar_exp.config.schema import Settings
from cifar_exp.data.dataset import Dataset
from cifar_exp.runs.build import Components
from cifar_exp.runs.checkpoint import (
    UnreadableCheckpointError,
    is_training_state,
    load_checkpoint,
    save_checkpoint,
    trainer_state,
)
from cifar_exp.runs.console import Console
from cifar_exp.runs.loggers.registry import Loggers
from cifar_exp.runs.pruning.pruner import Pruner
from cifar_exp.runs.signals import StopRequest
from cifar_exp.runs.workload import Workload
from cifar_exp.storage.fence import check_fence, is_lost
from cifar_exp.storage.predictions import Predictions, write_predictions
from cifar_exp.storage.record import RunRecord, TestMetrics, ValMetrics
from cifar_exp.storage.run_folder import RunDirectory
from cifar_exp.text import duration, percent
from cifar_exp.training.devices import peak_memory_mb
from cifar_exp.training.evaluation import Evaluation
from cifar_exp.training.trainer import EpochMetrics

ESTIMATE_AFTER = 10  # steps; the first ones are slower than the rest


class Recorder:
    """Trains from the directory's last checkpoint, or from the beginning, to the end."""

    def __init__(
        self,
        settings: Settings,
        components: Components,
        directory: RunDirectory,
        record: RunRecord,
        console: Console,
        stop: StopRequest,
        pruner: Pruner | None = None,
    ) -> None:
        self.settings, self.components = settings, components
        self.trainer, self.directory, self.record = components.trainer, directory, record
        self.console, self.stop, self.pruner = console, stop, pruner
        self.workload = Workload(components.trainer, components.macs)
        self.loggers = Loggers(settings, directory, console, self.workload.seconds_left)

    def resume(self) -> bool:
        """Continue from last.pt if it exists, or start from the beginning; returns which.

        Raises UnreadableCheckpointError; with `rerun=true` it starts from the beginning instead.
        """
        state = self._saved_state()
        if state is None:
            self.directory.clear()
        else:
            self.trainer.load_state_dict(state)
        self._update_record()
        return state is not None

    def _saved_state(self) -> dict[str, Any] | None:
        if not self.directory.last.exists():
            return None
        try:
            checkpoint = load_checkpoint(self.directory.last, self.trainer.device)
            if not is_training_state(checkpoint):  # of a completed run whose record was lost
                return None
            state = trainer_state(checkpoint, self.trainer.train_batches.steps_per_epoch)
            if self.settings.trainer.evaluate == "best" and state["history"]:
                load_checkpoint(self.directory.best)  # find damage before hours of training
        except UnreadableCheckpointError as error:
            if self.settings.rerun:
                self.console.print(f"note     {error}: training starts from the beginning")
                return None
            raise UnreadableCheckpointError(
                f"{error}; the run's other files are kept: rerun=true trains it from the beginning"
            ) from error
        return state

    def train(self, *, is_promoted: bool = False) -> None:
        """Train to the last epoch.

        `is_promoted`: the run was paused, and goes on whatever its rule says of the epochs so far.
        Raises Interrupted after a signal, PausedError where the rule pauses the run, when the
        position is saved; and RunTakenOverError when another process has taken the run over.
        """
        self.loggers.start(self.record, [asdict(metrics) for metrics in self.trainer.history])
        self.workload.begin()
        with self.stop.deferred():
            if not is_promoted:
                self._check_again()
            self._fit()
            while self.stop():
                self._save()
                if not self.stop.goes_on():
                    break
                self._fit()

    def _fit(self) -> None:
        for metrics in self.trainer.fit(self._should_stop, self._show_progress):
            self._record_epoch(metrics)
            if self.pruner is not None:
                self.pruner.check(metrics.epoch)
        check_fence()

    def _check_again(self) -> None:
        # the process may have been killed between the end of an epoch and the rule's answer
        if self.pruner is not None and self.trainer.epoch and not self.trainer.step_in_epoch:
            self.pruner.check(self.trainer.epoch)

    def _should_stop(self) -> bool:
        return self.stop() or is_lost()

    def _record_epoch(self, metrics: EpochMetrics) -> None:
        # best.pt first: if the process is killed right after it, the epoch is trained again and
        # gives the same weights
        if metrics is self.trainer.best and metrics.val_accuracy is not None:
            save_checkpoint(self.directory.best, self._weights())
        self._save()
        self.record.save(self.directory.path)
        self.loggers.epoch(asdict(metrics))

    def _save(self) -> None:
        """Write last.pt, and bring the record to the same position."""
        content = {**self._identity(), "trainer": self.trainer.state_dict()}
        save_checkpoint(self.directory.last, content)
        self._update_record()

    def _update_record(self) -> None:
        """Set all that run.json says of training, from the history and position in last.pt.

        Nothing else sets it, so a process that continues from last.pt records what an undisturbed
        one does. Only the peak of memory cannot be derived: it is the largest of all processes.
        """
        trainer, compute = self.trainer, self.record.compute
        self.record.final = _val_metrics(trainer.history[-1] if trainer.history else None)
        self.record.best = _val_metrics(trainer.best)
        compute.train_seconds = sum(metrics.epoch_seconds for metrics in trainer.history)
        compute.pflop = self.workload.pflop()
        peak = peak_memory_mb(trainer.device)
        compute.peak_memory_mb = max(compute.peak_memory_mb or 0.0, peak)

    def test(self) -> None:
        """Evaluate the weights that `trainer.evaluate` names on the test set, and record it.

        Raises DivergedError when the loss is not finite.
        """
        if self.settings.trainer.evaluate == "best":
            best = load_checkpoint(self.directory.best, self.trainer.device)
            self.trainer.eval_network.load_state_dict(best["network"])
        result = self.trainer.evaluate("test", self.components.splits.test)
        assert result is not None  # no dataset has an empty test set
        self.record.test = _test_metrics(result, self.components.dataset)
        arrays = (result.labels, result.prediction, result.confidence)
        write_predictions(self.directory.path, Predictions(*(each.numpy() for each in arrays)))

    def keep_best(self) -> None:
        """Ensure best.pt exists; without validation data it equals last.pt."""
        if not self.directory.best.exists():
            save_checkpoint(self.directory.best, self._weights())

    def write_reduced(self) -> None:
        """Write the weights that replace last.pt at the end, where `keep` says so."""
        if self.settings.keep == "weights":
            save_checkpoint(self.directory.reduced, self._weights())

    def _weights(self) -> dict[str, Any]:
        """The weights that are evaluated, with what is needed to use them."""
        return {**self._identity(), "network": self.trainer.eval_network.state_dict()}

    def _identity(self) -> dict[str, Any]:
        normalization = self.components.normalization
        return {
            "run_id": self.record.run_id,
            "params": self.record.params,
            "class_names": list(self.components.dataset.class_names),
            # the key of version 0.1: files keep their format
            "normalisation": {"mean": list(normalization.mean), "std": list(normalization.std)},
        }

    def _show_progress(self) -> None:
        trainer, workload = self.trainer, self.workload
        if workload.steps_timed == ESTIMATE_AFTER:
            self.console.print(f"time     about {duration(workload.seconds_left())}")
        if self.console.has_bar:
            speed = f"{workload.images_per_second():,.0f} images/s"
            best = percent(trainer.best.val_accuracy if trainer.best else None)
            what = f"epoch {trainer.epoch + 1}/{trainer.section.epochs}  {speed}  best {best}"
            self.console.update(what, trainer.step, trainer.total_steps)


def _val_metrics(metrics: EpochMetrics | None) -> ValMetrics | None:
    if metrics is None:
        return None
    return ValMetrics(
        epoch=metrics.epoch, val_accuracy=metrics.val_accuracy, val_loss=metrics.val_loss
    )


def _test_metrics(result: Evaluation, dataset: Dataset) -> TestMetrics:
    grouped = None
    if dataset.superclasses is not None:
        names = sorted(set(dataset.superclasses))
        groups = torch.tensor([names.index(name) for name in dataset.superclasses])
        grouped = result.group_accuracy(groups)
    return TestMetrics(
        accuracy=result.accuracy,
        top5_accuracy=result.top5_accuracy,
        loss=result.mean_loss,
        ece=result.calibration_error(),
        superclass_accuracy=grouped,
    )
