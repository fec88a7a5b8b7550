"""Run what this process has locked, from its components to its recorded outcome."""

import socket
import traceback

from cifar_exp.config.identity import flatten
from cifar_exp.errors import Interrupted
from cifar_exp.models.count import count_parameters
from cifar_exp.runs.build import Components
from cifar_exp.runs.console import Console, print_summary
from cifar_exp.runs.pruning.base import PausedError
from cifar_exp.runs.pruning.pruner import pruner_of
from cifar_exp.runs.recorder import Recorder
from cifar_exp.runs.signals import StopRequest
from cifar_exp.runs.spec import RunResult, RunSpec
from cifar_exp.storage.atomic import is_disk_full, remove_leftovers
from cifar_exp.storage.cleanup import settle_held
from cifar_exp.storage.environment import environment
from cifar_exp.storage.failures import disk_full
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.storage.record import (
    ComputeInfo,
    DatasetInfo,
    ErrorInfo,
    ModelInfo,
    RunRecord,
    Segment,
    Status,
    now,
)
from cifar_exp.storage.run_folder import RunDirectory, RunFolder, link_latest
from cifar_exp.text import counted
from cifar_exp.training.devices import device_name, is_out_of_memory
from cifar_exp.training.trainer import DivergedError


class TimeLimitError(Exception):
    """The run reached its time limit; the same command continues it."""


class Runner:
    """Trains one run, and writes only to its folder."""

    def __init__(
        self,
        spec: RunSpec,
        folder: RunFolder,
        components: Components,
        console: Console,
        stop: StopRequest,
    ) -> None:
        self.spec, self.folder, self.components = spec, folder, components
        self.console, self.stop = console, stop
        self.settings, self.compute = spec.settings, components.compute
        self.directory = RunDirectory(folder.write_path)

    def run(self) -> RunResult:
        """Train and test, or pause; the outcome is recorded, whatever it is.

        Raises Interrupted after a signal, when everything is saved, and EnvironmentFailure when the
        disk is full.
        """
        record = self._record()
        recorder = self._recorder(record)
        earlier = self.folder.write_record
        try:
            self._start(recorder)
            recorder.train(is_promoted=earlier is not None and earlier.status == "pruned")
            recorder.test()
            recorder.keep_best()
            self._write_reduced(recorder)
        except Interrupted as interruption:
            self._finish(recorder, "interrupted", self._time_limit(interruption))
            self.console.print("stopped  position saved; run the same command again to continue")
            raise
        except PausedError as pause:
            self.stop.ignore()
            record.pruned = pause.pruned
            self._finish(recorder, "pruned")
        except DivergedError as error:
            self._finish(recorder, "diverged", error)
        except (KeyboardInterrupt, RunLockedError):  # taken over: nothing may be recorded
            raise
        except BaseException as error:  # a user's own network may raise SystemExit
            self._finish(recorder, "failed", error)
            if is_disk_full(error):
                kept = "its last checkpoint and all other runs are intact"
                raise disk_full(self.directory.path, kept) from error
        else:
            self.stop.ignore()
            self._finish(recorder, "completed")
        return self._publish(record)

    def _recorder(self, record: RunRecord) -> Recorder:
        return Recorder(
            self.settings,
            self.components,
            self.directory,
            record,
            self.console,
            self.stop,
            pruner_of(self.spec, self.folder.run_id),
        )

    def _start(self, recorder: Recorder) -> None:
        directory, record = self.directory, recorder.record
        directory.create()
        remove_leftovers(directory.path)
        directory.write_settings(
            self.settings.model_dump(mode="json", by_alias=True), self.spec.overrides
        )
        self.console.log = directory.append_log
        self._print_header(record)
        if recorder.resume():
            self._print_resume(record)
        record.segments.append(
            Segment(
                host=socket.gethostname(),
                device=self.compute.device.type,
                threads=self.compute.threads,
                from_epoch=self.components.trainer.trained_epochs + 1,
                started_at=now(),
            )
        )
        record.save(directory.path)
        link_latest(self.spec.outputs, directory.path)

    def _write_reduced(self, recorder: Recorder) -> None:
        # last.pt is replaced only after the record says completed: until then it is needed to
        # continue
        try:
            recorder.write_reduced()
        except OSError as error:
            self.console.print(f"note     checkpoints keep their full size: {error}")

    def _finish(
        self, recorder: Recorder, status: Status, error: BaseException | None = None
    ) -> None:
        record = recorder.record
        self.console.close()
        record.status, record.finished_at = status, now()
        if error is not None:
            trace = "".join(traceback.format_exception(error))
            record.error = ErrorInfo(
                type=type(error).__name__, message=self._message(error), traceback=trace
            )
            self.directory.append_log(trace)
        try:
            record.save(self.directory.path)
        except OSError as refusal:
            self.console.print(
                f"error    could not write {self.directory.path}/run.json: {refusal}"
            )
        recorder.loggers.end(record)

    def _publish(self, record: RunRecord) -> RunResult:
        """Move a rerun to its run's place, reduce the checkpoints, and print the outcome."""
        try:
            settle_held(self.spec.runs, self.folder.run_id)
        except OSError as error:
            self.console.print(
                f"note     run the same command again to finish moving the run's files: {error}"
            )
        folder = self.directory.path if self.directory.path.exists() else self.folder.path
        link_latest(self.spec.outputs, folder)
        print_summary(record, folder, self.console)
        return RunResult(folder, record)

    def _time_limit(self, interruption: Interrupted) -> Exception | None:
        if not interruption.is_time_limit:
            return None
        minutes = (self.spec.time_limit or 0) / 60
        return TimeLimitError(f"stopped at its time limit of {minutes:g} min, position saved")

    def _message(self, error: BaseException) -> str:
        if is_out_of_memory(error):
            size = self.settings.trainer.batch_size
            return f"out of memory at trainer.batch_size={size}; use a smaller one ({error})"
        if isinstance(error, SystemExit):
            return f"exit({error.code!r}) was called during the run"
        return str(error)

    def _record(self) -> RunRecord:
        """The record of the run so far, or a new one."""
        earlier = self.folder.write_record
        network = self.components.network
        macs = self.components.macs[self.settings.data.image_size]
        return RunRecord(
            run_id=self.folder.run_id,
            label=self.spec.label,
            status="running",
            seed=self.settings.seed,
            params=flatten(self.settings),
            dataset=self._dataset_info(),
            model=ModelInfo(parameters=count_parameters(network), macs=macs),
            compute=self._compute_info(earlier),
            segments=earlier.segments if earlier else [],
            # as recorded, until the recorder derives them from last.pt
            best=earlier.best if earlier else None,
            final=earlier.final if earlier else None,
            started_at=earlier.started_at if earlier else now(),
            environment=environment(),
        )

    def _dataset_info(self) -> DatasetInfo:
        dataset, splits = self.components.dataset, self.components.splits
        superclasses = dataset.superclasses
        return DatasetInfo(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            classes=len(dataset.class_names),
            class_names=list(dataset.class_names),
            superclasses=None if superclasses is None else list(superclasses),
            split_seed=self.settings.data.split_seed,
            train_size=len(splits.train),
            val_size=len(splits.val),
            test_size=len(splits.test),
        )

    def _compute_info(self, earlier: RunRecord | None) -> ComputeInfo:
        used = {"pflop", "train_seconds", "peak_memory_mb"}
        groups = [
            {
                "name": group.get("name", f"group {index}"),
                "lr": group["lr"],
                "weight_decay": group.get("weight_decay", 0.0),
                "parameters": sum(p.numel() for p in group["params"]),
            }
            for index, group in enumerate(self.components.trainer.optimizer.param_groups)
        ]
        return ComputeInfo(
            device=self.compute.device.type,
            device_name=device_name(self.compute.device),
            threads=self.compute.threads,
            precision=self.compute.precision,
            lr_groups=groups,
            **(earlier.compute.model_dump(include=used) if earlier else {}),
        )

    def _print_header(self, record: RunRecord) -> None:
        data, compute, line = record.dataset, record.compute, self.console.print
        line(f"run      {self.directory.path}")
        line(
            f"data     {data.name}: {data.train_size:,} train, {data.val_size:,} val, "
            f"{data.test_size:,} test, {data.classes} classes"
        )
        self._print_absent_classes()
        line(
            f"network  {record.model.parameters:,} parameters, "
            f"{record.model.macs / 1e6:,.1f} M multiply-accumulates per image"
        )
        threads = counted(compute.threads, "thread")
        line(f"device   {compute.device} ({compute.device_name}), {threads}, {compute.precision}")

    def _print_absent_classes(self) -> None:
        names = self.components.dataset.class_names
        seen = set(self.components.splits.train.labels.tolist())
        absent = [name for index, name in enumerate(names) if index not in seen]
        if absent:
            more = ", ..." if len(absent) > 3 else ""
            self.console.print(
                f"note     {len(absent)} of {len(names)} classes have no training image: "
                f"{', '.join(absent[:3])}{more}"
            )

    def _print_resume(self, record: RunRecord) -> None:
        self.console.print(f"resume   after epoch {self.components.trainer.trained_epochs}")
        if self.settings.rerun and self.directory.path == self.folder.path:
            self.console.print("note     rerun=true: the run is not complete yet, so it continues")
        before = record.segments[-1] if record.segments else None
        current = (self.compute.device.type, self.compute.threads)
        if before is not None and (before.device, before.threads) != current:
            threads = counted(before.threads, "thread")
            self.console.print(
                f"note     started on {before.device} with {threads}: "
                "from now on metrics may differ in their last digits"
            )
