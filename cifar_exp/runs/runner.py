"""A run that this process holds: from its parts to its recorded end."""

import socket
import traceback

from cifar_exp.config.identity import flatten
from cifar_exp.errors import EnvironmentFailure, Interrupted
from cifar_exp.models.count import count_parameters
from cifar_exp.runs.build import Components
from cifar_exp.runs.console import RunConsole, print_summary
from cifar_exp.runs.recorder import Session
from cifar_exp.runs.signals import StopRequest
from cifar_exp.runs.spec import RunResult, RunSpec
from cifar_exp.storage.atomic import is_disk_full, remove_leftovers
from cifar_exp.storage.cleanup import settle_held
from cifar_exp.storage.environment import environment
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
from cifar_exp.storage.run_folder import RunDirectory, find_run, link_latest, new_path, write_target
from cifar_exp.training.devices import device_name, is_out_of_memory
from cifar_exp.training.trainer import DivergedError

DISK_FULL = (
    "there is no space left on the disk of {}; its last checkpoint and all other runs are whole: "
    "make room and give the same command again"
)


class TimeLimitError(Exception):
    """The run took longer than it may at a stretch; it goes on from there when asked again."""


class Runner:
    """Trains one run, and writes into its folder and nowhere else."""

    def __init__(
        self,
        spec: RunSpec,
        identity: str,
        parts: Components,
        teller: RunConsole,
        stop: StopRequest,
    ) -> None:
        self.spec, self.identity, self.parts = spec, identity, parts
        self.teller, self.stop = teller, stop
        self.settings, self.compute = spec.settings, parts.compute
        self.home = find_run(spec.runs, identity) or new_path(spec.runs, spec.label, identity)
        self.directory = RunDirectory(write_target(self.home))

    def go(self) -> RunResult:
        """Open the folder, train and test; however it ends is recorded.

        Raises Interrupted after a signal, all saved.
        """
        record = self._record()
        session = Session(self.settings, self.parts, self.directory, record, self.teller, self.stop)
        try:
            self._begin(session)
            session.train()
            session.test()
            session.keep_best()
            self._write_reduced(session)
        except Interrupted as interruption:
            self._close(record, "interrupted", self._time_limit(interruption))
            self.teller.line("stopped  position saved; the same command goes on from there")
            raise
        except DivergedError as error:
            self._close(record, "diverged", error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a network of the user's own may raise SystemExit
            self._close(record, "failed", error)
            if is_disk_full(error):
                raise EnvironmentFailure(DISK_FULL.format(self.directory.path)) from error
        else:
            self.stop.ignore()
            self._close(record, "completed")
        return self._conclude(record)

    def _begin(self, session: Session) -> None:
        directory, record = self.directory, session.record
        directory.create()
        remove_leftovers(directory.path)
        directory.write_settings(
            self.settings.model_dump(mode="json", by_alias=True), self.spec.overrides
        )
        self.teller.log = directory.append_log
        self._tell_start(record)
        if session.resume():
            self._tell_resume(record)
        record.segments.append(
            Segment(
                host=socket.gethostname(),
                device=self.compute.device.type,
                threads=self.compute.threads,
                from_epoch=self.parts.loop.epoch + 1,
                started_at=now(),
            )
        )
        record.save(directory.path)
        link_latest(self.spec.outputs, directory.path)

    def _write_reduced(self, session: Session) -> None:
        # last.pt is replaced after the record says completed: it is needed to go on until then
        try:
            session.write_reduced()
        except OSError as error:
            self.teller.line(f"note     checkpoints keep their full size: {error}")

    def _conclude(self, record: RunRecord) -> RunResult:
        try:
            settle_held(self.spec.runs, self.identity)
        except OSError as error:
            self.teller.line(f"note     the same command finishes what is left of the end: {error}")
        folder = self.directory.path if self.directory.path.exists() else self.home
        link_latest(self.spec.outputs, folder)
        print_summary(record, folder, self.teller)
        return RunResult(folder, record)

    def _close(self, record: RunRecord, status: Status, error: BaseException | None = None) -> None:
        self.teller.close()
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
            self.teller.line(f"error    could not write {self.directory.path}/run.json: {refusal}")

    def _time_limit(self, interruption: Interrupted) -> Exception | None:
        if not interruption.is_time_limit:
            return None
        minutes = (self.spec.time_limit or 0) / 60
        return TimeLimitError(f"stopped at its time limit of {minutes:g} min, position saved")

    def _message(self, error: BaseException) -> str:
        if is_out_of_memory(error):
            size = self.settings.trainer.batch_size
            return f"out of memory at trainer.batch_size={size}; take a smaller one ({error})"
        if isinstance(error, SystemExit):
            return f"exit({error.code!r}) was called during the run"
        return str(error)

    def _record(self) -> RunRecord:
        """The record of the run so far, or a new one."""
        earlier = RunRecord.load(self.directory.path)
        network = self.parts.network
        macs = self.parts.macs[self.settings.data.image_size]
        return RunRecord(
            run_id=self.identity,
            label=self.spec.label,
            status="running",
            seed=self.settings.seed,
            params=flatten(self.settings),
            dataset=self._dataset_info(),
            model=ModelInfo(parameters=count_parameters(network), macs=macs),
            compute=self._compute_info(earlier),
            segments=earlier.segments if earlier else [],
            # as recorded, until the session has read last.pt, from which they follow
            best=earlier.best if earlier else None,
            final=earlier.final if earlier else None,
            started_at=earlier.started_at if earlier else now(),
            environment=environment(),
        )

    def _dataset_info(self) -> DatasetInfo:
        dataset, splits = self.parts.dataset, self.parts.splits
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
            for index, group in enumerate(self.parts.loop.optimizer.param_groups)
        ]
        return ComputeInfo(
            device=self.compute.device.type,
            device_name=device_name(self.compute.device),
            threads=self.compute.threads,
            precision=self.compute.precision,
            lr_groups=groups,
            **(earlier.compute.model_dump(include=used) if earlier else {}),
        )

    def _tell_resume(self, record: RunRecord) -> None:
        self.teller.line(f"resume   after epoch {self.parts.loop.epoch}")
        before = record.segments[-1] if record.segments else None
        now_on = (self.compute.device.type, self.compute.threads)
        if before is not None and (before.device, before.threads) != now_on:
            self.teller.line(
                f"note     begun on {before.device} with {before.threads} threads: "
                "from here on figures may differ in their last digits"
            )

    def _tell_absent_classes(self) -> None:
        names = self.parts.dataset.class_names
        seen = set(self.parts.splits.train.labels.tolist())
        absent = [name for index, name in enumerate(names) if index not in seen]
        if absent:
            more = ", ..." if len(absent) > 3 else ""
            self.teller.line(
                f"note     {len(absent)} of {len(names)} classes have no training image: "
                f"{', '.join(absent[:3])}{more}"
            )

    def _tell_start(self, record: RunRecord) -> None:
        data, compute = record.dataset, record.compute
        tell = self.teller.line
        tell(f"run      {self.directory.path}")
        tell(
            f"data     {data.name}: {data.train_size:,} train, {data.val_size:,} val, "
            f"{data.test_size:,} test, {data.classes} classes"
        )
        self._tell_absent_classes()
        tell(
            f"network  {record.model.parameters:,} parameters, "
            f"{record.model.macs / 1e6:,.1f} M multiply-accumulates an image"
        )
        threads = f"{compute.threads} thread" + ("s" if compute.threads > 1 else "")
        tell(f"device   {compute.device} ({compute.device_name}), {threads}, {compute.precision}")
