"""Ray's own interface, as far as the executor needs it: tasks, and the room for them."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import cifar_exp
from cifar_exp.config.launcher import RayOptions
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.machine import available_cores
from cifar_exp.sweeps.launchers.local.worker import WorkerResult
from cifar_exp.sweeps.launchers.ray.cluster import connected
from cifar_exp.sweeps.launchers.ray.room import check_room, room
from cifar_exp.text import counted

CALL_SECONDS = 60.0  # for a call that is not worth a longer wait
T = TypeVar("T")
Task = Any  # a ray.ObjectRef; Ray is imported only when it is used

# How a task ends that returns nothing, by the class of Ray's error.
ENDS: Mapping[str, WorkerResult] = {
    "TaskCancelledError": WorkerResult("stopped", "asked to stop"),
    "WorkerCrashedError": WorkerResult("killed", "its Ray worker died"),
    "NodeDiedError": WorkerResult("killed", "its Ray node died"),
    "OutOfMemoryError": WorkerResult("killed", "Ray ended it as the memory of its node ran out"),
}


class Tasks:
    """Tasks in a cluster that is joined, or started on this machine, for the first of them."""

    def __init__(self, options: RayOptions) -> None:
        """Raises UserError if this machine has too few cores for a task."""
        if options.address is None and options.cpus > available_cores():
            raise UserError(
                f"hydra.launcher.cpus={options.cpus}: this machine has "
                f"{counted(available_cores(), 'core')}"
            )
        self._options = options
        self._opened = ExitStack()
        self._remotes: dict[Callable[..., Any], Any] = {}

    def room(self) -> int:
        """How many tasks the nodes have room for at a time."""
        return room(self._options, self._ray.nodes())

    def start(self, function: Callable[..., Any], *arguments: Any) -> Task:
        """Call the function in a worker as soon as a node has room."""
        return self._remote(function).remote(*arguments)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """The same, and wait. Raises EnvironmentFailure if no result comes in a minute."""
        task = self.start(function, *arguments)
        try:
            result: T = self._ray.get(task, timeout=CALL_SECONDS)
        except self._ray.exceptions.RayError as error:
            self._ray.cancel(task, force=True)
            raise EnvironmentFailure(f"no Ray worker answered: {error}") from error
        return result

    def ended(self, tasks: Sequence[Task], timeout: float) -> list[Task]:
        """Those that have ended, once one has or `timeout` seconds have passed."""
        if not tasks:
            return []
        if not self._wait(tasks, 1, timeout)[0]:
            return []
        return self._wait(tasks, len(tasks), 0)[0]

    def result(self, task: Task) -> WorkerResult:
        """What an ended task returned, or how it died."""
        try:
            result: WorkerResult = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            return ENDS.get(type(error).__name__) or WorkerResult("crashed", str(error))
        return result

    def stop(self, tasks: Iterable[Task], seconds: float, *, kill: bool = False) -> list[Task]:
        """Interrupt or kill the tasks, or take them out of the queue; returns the unfinished."""
        stopped = list(tasks)
        for task in reversed(stopped):  # the queue first, or it would fill what becomes free
            self._ray.cancel(task, force=kill)
        return self._wait(stopped, len(stopped), seconds)[1] if stopped else []

    def close(self) -> None:
        """Leave the cluster, or end all its processes if it was started here."""
        self._opened.close()

    @cached_property
    def _ray(self) -> Any:
        self._opened.enter_context(connected(self._options.address))
        import ray

        check_room(self._options, ray.nodes())
        return ray

    def _wait(
        self, tasks: Sequence[Task], number: int, timeout: float
    ) -> tuple[list[Task], list[Task]]:
        """The tasks that have ended, and those that have not."""
        try:
            ended, others = self._ray.wait(tasks, num_returns=number, timeout=timeout)
        except SystemError as error:  # what Ray makes of an exception that a signal raises
            raise error.__cause__ or error from None
        return ended, others

    def _remote(self, function: Callable[..., Any]) -> Any:
        if function not in self._remotes:
            self._remotes[function] = self._ray.remote(function).options(
                num_cpus=self._options.cpus,
                num_gpus=self._options.gpus,
                max_retries=0,  # the executor's: Ray would retry without end when memory runs out
                runtime_env={"env_vars": {"PYTHONPATH": _python_path()}},
            )
        return self._remotes[function]


def _python_path() -> str:
    """Where workers find this package, and a user's own modules."""
    paths = [str(Path(cifar_exp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(filter(None, paths))
