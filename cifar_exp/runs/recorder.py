"""One stretch of a run: train epoch by epoch, evaluate, save, and in the end test."""

import math
import time
from typing import Any

import torch

from cifar_exp.config.schema import Settings
from cifar_exp.data.dataset import Dataset
from cifar_exp.data.device_splits import Split
from cifar_exp.errors import Interrupted
from cifar_exp.runs.build import Components
from cifar_exp.runs.checkpoint import UnreadableCheckpointError, load_checkpoint, save_checkpoint
from cifar_exp.runs.console import RunConsole, epoch_line
from cifar_exp.runs.signals import StopRequest
from cifar_exp.runs.workload import Workload
from cifar_exp.storage.predictions import Predictions, write_predictions
from cifar_exp.storage.record import RunRecord, TestMetrics, ValMetrics
from cifar_exp.storage.run_folder import Row, RunDirectory
from cifar_exp.text import duration, percent
from cifar_exp.training.devices import peak_memory_mb
from cifar_exp.training.evaluation import Evaluation, evaluate
from cifar_exp.training.trainer import DivergedError, EpochMetrics, Loop

ESTIMATE_AFTER = 10  # steps; the first ones are slower than the rest


class Session:
    """Trains from the directory's last checkpoint, or from the beginning, to the end."""

    def __init__(
        self,
        settings: Settings,
        parts: Components,
        directory: RunDirectory,
        record: RunRecord,
        teller: RunConsole,
        stop: StopRequest,
    ) -> None:
        self.settings, self.parts, self.loop = settings, parts, parts.loop
        self.directory, self.record = directory, record
        self.teller, self.stop = teller, stop
        self.history: list[Row] = []
        self.pending: EpochMetrics | None = None  # trained, but not evaluated yet
        self.elapsed_before = 0.0
        self.started = time.perf_counter()
        evaluated = len(parts.splits.val) + len(parts.splits.train_eval)
        self.workload = Workload(parts.loop, parts.macs, evaluated)

    def resume(self) -> bool:
        """Take up last.pt, if there is one, else begin at the beginning; the record follows.

        Raises UnreadableCheckpointError, but with `rerun=true` begins at the beginning there too.
        """
        state = self._saved_state()
        if state is None:
            self.directory.clear()
        else:
            self._take_up(state)
        self._update_record()
        return state is not None

    def _saved_state(self) -> dict[str, Any] | None:
        if not self.directory.last.exists():
            return None
        try:
            state = load_checkpoint(self.directory.last, self.loop.device)
            if self.settings.trainer.evaluate == "best" and state.get("history"):
                load_checkpoint(self.directory.best)  # damage is found before hours of training
        except UnreadableCheckpointError as error:
            if self.settings.rerun:
                self.teller.line(f"note     {error}: training starts from the beginning")
                return None
            raise UnreadableCheckpointError(
                f"{error}; the run's other files are kept: rerun=true trains it from the beginning"
            ) from error
        # a completed run has only weights; if its record was lost, it is trained again
        return state if "loop" in state else None

    def _take_up(self, state: dict[str, Any]) -> None:
        self.loop.load_state_dict(state["loop"])
        self.history, self.elapsed_before = state["history"], state["elapsed_seconds"]
        self.pending = EpochMetrics(**state["pending"]) if state["pending"] else None
        self.directory.write_history(self.history)

    def train(self) -> None:
        """Go on to the last epoch. On a signal the position is saved and Interrupted is raised."""
        loop, epochs = self.loop, self.settings.trainer.epochs
        self.workload.begin()
        while loop.epoch < epochs or self.pending:
            try:
                with self.stop.deferred():
                    if self.pending is None:
                        self.pending = loop.train_epoch(self._after_step)
                self._evaluate_epoch()
            except Interrupted:
                self.save()
                raise

    def test(self) -> Evaluation:
        """Read the test set with the weights that `trainer.evaluate` names, and record it.

        Raises DivergedError where its loss is not finite.
        """
        if self.settings.trainer.evaluate == "best":
            self._load_best()
        result = self._evaluation("test", self.parts.splits.test)
        self.record.test = _test_metrics(result, self.parts.dataset)
        arrays = (result.labels, result.prediction, result.confidence)
        write_predictions(self.directory.path, Predictions(*(each.numpy() for each in arrays)))
        return result

    def keep_best(self) -> None:
        """See that there is a best.pt: without val, best is last."""
        if not self.directory.best.exists():
            save_checkpoint(self.directory.best, self.weights())

    def write_reduced(self) -> None:
        """Write the weights that replace last.pt at the end, where `keep` asks for that."""
        if self.settings.keep == "weights":
            save_checkpoint(self.directory.reduced, self.weights())

    def save(self) -> None:
        """last.pt: all that training depends on, and the rows that metrics.csv is written from.

        The record is brought to the same position.
        """
        pending = None if self.pending is None else vars(self.pending)
        content = {
            **self._identity(),
            "loop": self.loop.state_dict(),
            "history": self.history,
            "pending": pending,
            "elapsed_seconds": self.elapsed_seconds(),
        }
        save_checkpoint(self.directory.last, content)
        self._update_record()

    def weights(self) -> dict[str, Any]:
        """The weights that count, with what is needed to use them."""
        return {**self._identity(), "network": self.loop.evaluated.state_dict()}

    def elapsed_seconds(self) -> float:
        """Seconds of work on this run, over all its sessions."""
        return self.elapsed_before + time.perf_counter() - self.started

    def _identity(self) -> dict[str, Any]:
        normalization = self.parts.normalization
        return {
            "run_id": self.record.run_id,
            "params": self.record.params,
            "class_names": list(self.parts.dataset.class_names),
            "normalization": {"mean": list(normalization.mean), "std": list(normalization.std)},
        }

    def _after_step(self) -> bool:
        loop, teller = self.loop, self.teller
        if self.workload.steps_timed == ESTIMATE_AFTER:
            teller.line(f"time     about {duration(self.workload.seconds_left())}")
        if teller.has_bar:
            speed = f"{self.workload.images_per_second():,.0f} images/s"
            best = percent(self.record.best.val_accuracy if self.record.best else None)
            what = f"epoch {loop.epoch + 1}/{loop.section.epochs}  {speed}  best {best}"
            teller.report(what, loop.step, loop.total_steps)
        return self.stop()

    def _evaluate_epoch(self) -> None:
        figures = self.pending
        assert figures is not None
        self.teller.close()
        splits = self.parts.splits
        val = self._evaluation("validation", splits.val) if len(splits.val) else None
        train_eval = self._evaluation("train_eval", splits.train_eval)
        with self.stop.deferred():
            loop = self.loop
            loop.schedule.after_epoch(val.mean_loss if val else None)
            self.history.append(_row(loop, figures, val, train_eval, self.elapsed_seconds()))
            self.pending = None
            self._record_epoch()

    def _record_epoch(self) -> None:
        record, row, best = self.record, self.history[-1], best_row(self.history)
        # best.pt first: killed right after it, the epoch is made again and gives the same weights
        if best is row and best["val_accuracy"] is not None:
            save_checkpoint(self.directory.best, self.weights())
        self.save()
        self.directory.write_history(self.history)
        record.save(self.directory.path)
        self.teller.line(
            epoch_line(
                row,
                self.settings.trainer.epochs,
                best["val_accuracy"],
                self.workload.seconds_left(),
            )
        )

    def _update_record(self) -> None:
        """All that run.json says of training, from the history and position that last.pt holds.

        Nothing else sets it: a process that goes on from last.pt records what an undisturbed one
        does. The peak of memory alone cannot be derived, and is the largest of all processes.
        """
        record, history, compute = self.record, self.history, self.record.compute
        record.final = _val_metrics(history[-1]) if history else None
        record.best = _val_metrics(best_row(history)) if history else None
        compute.train_seconds = sum(float(row["epoch_seconds"] or 0) for row in history)
        compute.pflop = self.workload.pflop()
        peak = peak_memory_mb(self.loop.device)
        compute.peak_memory_mb = max(compute.peak_memory_mb or 0.0, peak)

    def _evaluation(self, name: str, split: Split) -> Evaluation:
        loop = self.loop
        result = evaluate(loop.evaluated, split, self.parts.normalization, loop.precision)
        if not math.isfinite(result.mean_loss):
            raise DivergedError(f"the {name} loss is not finite after epoch {loop.epoch}")
        return result

    def _load_best(self) -> None:
        state = load_checkpoint(self.directory.best, self.loop.device)
        self.loop.evaluated.load_state_dict(state["network"])


def best_row(history: list[Row]) -> Row:
    """The first epoch with the highest val accuracy; the last epoch where there is no val."""
    if history[-1]["val_accuracy"] is None:
        return history[-1]
    return max(history, key=lambda row: float(row["val_accuracy"] or 0))


def _row(
    loop: Loop,
    figures: EpochMetrics,
    val: Evaluation | None,
    train_eval: Evaluation,
    elapsed_seconds: float,
) -> Row:
    return {
        "epoch": loop.epoch,
        "step": loop.step,
        "lr": figures.lr,
        "train_loss": figures.loss,
        "train_accuracy": figures.accuracy,
        "val_loss": val.mean_loss if val else None,
        "val_accuracy": val.accuracy if val else None,
        "val_top5_accuracy": val.top5_accuracy if val else None,
        "epoch_seconds": round(figures.seconds, 3),
        "elapsed_seconds": round(elapsed_seconds, 3),
        "images_per_second": round(figures.images / figures.seconds, 1),
        "train_eval_loss": train_eval.mean_loss,
        "train_eval_accuracy": train_eval.accuracy,
    }


def _val_metrics(row: Row) -> ValMetrics:
    return ValMetrics.model_validate({key: row[key] for key in ValMetrics.model_fields})


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
