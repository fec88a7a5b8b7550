"""Tasks, with a stand-in for the module `ray`."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from cifar_exp.config.launcher import RayOptions
from cifar_exp.errors import EnvironmentFailure, Interrupted
from cifar_exp.sweeps.launchers.local.worker import WorkerResult
from cifar_exp.sweeps.launchers.ray.tasks import Tasks


class RayError(Exception):
    pass


class WorkerCrashedError(RayError):
    pass


class NodeDiedError(RayError):
    pass


class OutOfMemoryError(RayError):
    pass


class TaskCancelledError(RayError):
    pass


class Ray:
    """Tasks are their results; those that are None do not end."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self) -> None:
        self.cancelled: list[tuple[Any, bool]] = []
        self.signal: BaseException | None = None

    def get(self, task: Any, **_options: Any) -> Any:
        if isinstance(task, Exception):
            raise task
        return task

    def wait(
        self, tasks: Sequence[Any], *, num_returns: int, **_options: Any
    ) -> tuple[list[Any], list[Any]]:
        assert num_returns <= len(tasks)
        if self.signal is not None:
            raise SystemError("returned a result with an exception set") from self.signal
        ended = [task for task in tasks if task is not None][:num_returns]
        return ended, [task for task in tasks if task not in ended]

    def cancel(self, task: Any, *, force: bool) -> None:
        self.cancelled.append((task, force))


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    ray = Ray()
    monkeypatch.setattr(Tasks, "_ray", ray)
    return ray


@pytest.fixture
def tasks(ray: Ray) -> Tasks:  # noqa: ARG001, it replaces the module
    return Tasks(RayOptions())


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (WorkerCrashedError(), ("killed", "its Ray worker died")),
        (NodeDiedError(), ("killed", "its Ray node died")),
        (OutOfMemoryError(), ("killed", "Ray ended it as the memory of its node ran out")),
        (TaskCancelledError(), ("stopped", "asked to stop")),
        (RayError("no module named mine"), ("crashed", "no module named mine")),
    ],
)
def test_an_error_of_rays_says_how_a_task_ended(
    tasks: Tasks, error: Exception, result: tuple[Any, str]
) -> None:
    assert tasks.result(error) == WorkerResult(*result)


def test_all_tasks_that_have_ended_are_returned_at_once(tasks: Tasks) -> None:
    assert tasks.ended(["one", None, "two"], 1) == ["one", "two"]
    assert tasks.ended([None], 1) == tasks.ended([], 1) == []


def test_the_exception_of_a_signal_is_not_hidden(tasks: Tasks, ray: Ray) -> None:
    ray.signal = Interrupted(15)
    with pytest.raises(Interrupted):
        tasks.ended([None], 1)


def test_the_queue_is_stopped_before_what_runs(tasks: Tasks, ray: Ray) -> None:
    assert tasks.stop(["runs", None, "waits"], 1) == [None]
    assert ray.cancelled == [("waits", False), (None, False), ("runs", False)]
    assert tasks.stop([], 1, kill=True) == []


def test_a_call_without_an_answer_is_given_up(
    tasks: Tasks, ray: Ray, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = RayError("timed out")
    monkeypatch.setattr(tasks, "start", lambda *_: error)
    with pytest.raises(EnvironmentFailure, match="no Ray worker answered: timed out"):
        tasks.call(print)
    assert ray.cancelled == [(error, True)]
