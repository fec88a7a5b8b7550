"""The executor for a Ray cluster: a task for each run."""

import os
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import mkstemp
from typing import TypeVar

from cifar_exp.config.launcher import RayOptions
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.run_state import fail_dead_run
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.launchers.local.executor import error_of
from cifar_exp.sweeps.launchers.local.worker import GRACE_SECONDS, WorkerResult
from cifar_exp.sweeps.launchers.local.worker import train as train_run
from cifar_exp.sweeps.launchers.ray.tasks import Task, Tasks
from cifar_exp.sweeps.launchers.ray.worker import Train, Workplace, call_at, train_at

OURS = "CIFAR_EXP_"  # variables that say where data and cache are
KILL_SECONDS = 10.0  # for Ray to kill its workers
T = TypeVar("T")


class RayExecutor(Executor):
    """Trains on the workers of a cluster, which is joined or started when it is first needed.

    A run whose worker or node dies goes on from its checkpoint, on any node, `retries` times.
    `train` is replaced in tests.
    """

    def __init__(self, options: RayOptions, *, train: Train = train_run) -> None:
        self._options, self._train = options, train
        # Ray hides no GPU from a worker that asked for none
        self._slot = Slot(device=None if options.gpus else "cpu", threads=options.cpus)
        self._tasks = Tasks(options)
        self._opened = ExitStack()
        self._mark: Path | None = None
        self._queued: deque[RunSpec] = deque()
        self._running: dict[Task, RunSpec] = {}  # or waiting for room in the cluster
        self._deaths: Counter[str] = Counter()

    def capacity(self) -> Sequence[Slot]:
        """As many slots as the nodes have room for, or fewer by `n_jobs`."""
        room, limit = self._tasks.room(), self._options.n_jobs
        return [self._slot] * (room if limit == "auto" else min(limit, room or limit))

    def call(self, function: Callable[[], T]) -> T:
        """Call the function where a run would be trained, and wait.

        Raises EnvironmentFailure if no result comes in a minute.
        """
        result: T = self._tasks.call(call_at, _workplace(), function)
        return result

    def submit(self, spec: RunSpec) -> None:
        """Train as soon as a node has room."""
        self._queued.append(spec)
        self._assign()

    def poll(self, timeout: float) -> Mapping[str, Exception | None]:
        """The runs that have ended, once one has or `timeout` seconds have passed."""
        ended: dict[str, Exception | None] = {}
        for task in self._tasks.ended(list(self._running), timeout):
            ended.update(self._handle_ended(task))
        self._assign()
        return ended

    def live(self) -> set[str]:
        """The ids of queued and running runs."""
        return {str(spec.run_id) for spec in (*self._queued, *self._running.values())}

    def cancel(self, *, now: bool = False) -> None:
        """Save and stop all runs, and wait for that.

        A run that does not stop in `GRACE_SECONDS` is killed; on KeyboardInterrupt, every run is.
        """
        self._queued.clear()
        unfinished = list(self._running)
        try:
            if not now:
                unfinished = self._tasks.stop(unfinished, GRACE_SECONDS)
        finally:
            self._tasks.stop(unfinished, KILL_SECONDS, kill=True)

    def close(self) -> None:
        """Leave the cluster, or end all its processes if it was started here."""
        self._opened.close()
        self._tasks.close()

    def _assign(self) -> None:
        limit = self._options.n_jobs
        while self._queued and (limit == "auto" or len(self._running) < limit):
            self._start(self._queued.popleft())

    def _start(self, spec: RunSpec) -> None:
        minutes = self._options.timeout_min
        there = replace(
            spec,
            outputs=spec.outputs.absolute(),
            slot=self._slot,
            time_limit=None if minutes is None else 60 * minutes,
            is_silent=True,
        )
        workplace = _workplace(self._marked(there.outputs))
        self._running[self._tasks.start(train_at, workplace, self._train, there)] = spec

    def _marked(self, outputs: Path) -> Path:
        """A file by which a node tells these outputs from a folder of the same name."""
        if self._mark is None:
            outputs.mkdir(parents=True, exist_ok=True)
            descriptor, name = mkstemp(dir=outputs, prefix=".ray-")
            os.close(descriptor)
            self._mark = Path(name)
            self._opened.callback(self._mark.unlink, missing_ok=True)
        return self._mark

    def _handle_ended(self, task: Task) -> Mapping[str, Exception | None]:
        spec, result = self._running.pop(task), self._tasks.result(task)
        run_id = str(spec.run_id)
        if result.kind == "killed":
            self._deaths[run_id] += 1
            if self._deaths[run_id] <= self._options.retries:
                self._queued.appendleft(spec)
                return {}
            result = self._given_up(spec, result)
        return {run_id: error_of(result)}

    def _given_up(self, spec: RunSpec, result: WorkerResult) -> WorkerResult:
        run_id = str(spec.run_id)
        times = self._deaths.pop(run_id)
        message = result.message if times == 1 else f"{result.message} ({times} times)"
        fail_dead_run(spec.runs, run_id, message)  # its process could not record it
        return WorkerResult("killed", message)


def _workplace(mark: Path | None = None) -> Workplace:
    ours = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    return Workplace(Path.cwd(), ours, mark)
