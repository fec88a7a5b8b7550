"""What the executor makes of Ray's tasks, with a cluster that follows a script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.launcher import RayOptions
from cifar_exp.errors import UserError
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.sweeps.launchers.base import RunStoppedError
from cifar_exp.sweeps.launchers.local.worker import WorkerResult
from cifar_exp.sweeps.launchers.ray import executor as module
from cifar_exp.sweeps.launchers.ray import tasks
from cifar_exp.sweeps.launchers.ray.executor import RayExecutor
from cifar_exp.sweeps.launchers.ray.worker import NotSharedError, Workplace

DIED = WorkerResult("killed", "its Ray worker died")
DONE = WorkerResult("recorded")
MakeSpec = Callable[..., RunSpec]


@dataclass
class Script:
    """A cluster with room for two tasks, which end with these results in turn."""

    results: list[WorkerResult] = field(default_factory=list)
    started: list[RunSpec] = field(default_factory=list)
    workplaces: list[Workplace] = field(default_factory=list)

    def room(self) -> int:
        return 2

    def start(self, _function: object, workplace: Workplace, _train: object, spec: RunSpec) -> int:
        self.workplaces.append(workplace)
        self.started.append(spec)
        return len(self.started)

    def ended(self, running: Sequence[int], _timeout: float) -> list[int]:
        return list(running[:1])

    def result(self, _task: int) -> WorkerResult:
        return self.results.pop(0)

    def close(self) -> None:
        pass


@pytest.fixture
def make_executor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[RayExecutor, Script]]:
    """An executor with these options, and the cluster that it works with."""

    def make(*results: WorkerResult, **options: Any) -> tuple[RayExecutor, Script]:
        script = Script(list(results))
        monkeypatch.setattr(module, "Tasks", lambda _options: script)
        return RayExecutor(RayOptions(**options)), script

    return make


def test_a_run_whose_worker_dies_is_started_again(
    make_executor: Callable, make_spec: MakeSpec
) -> None:
    executor, script = make_executor(DIED, DIED, DONE, retries=2)
    spec = make_spec()
    executor.submit(spec)
    assert [executor.poll(0), executor.poll(0)] == [{}, {}]
    assert executor.live() == {spec.run_id}
    assert executor.poll(0) == {spec.run_id: None}
    assert [started.run_id for started in script.started] == [spec.run_id] * 3


def test_a_run_is_given_up_after_its_retries(make_executor: Callable, make_spec: MakeSpec) -> None:
    executor, _ = make_executor(DIED, DIED, DONE, retries=1)
    spec, other = make_spec("seed=0"), make_spec("seed=1")
    executor.submit(spec)
    assert executor.poll(0) == {}
    error = executor.poll(0)[spec.run_id]
    assert isinstance(error, RunStoppedError)
    assert str(error) == "its Ray worker died (2 times)"
    executor.submit(other)
    assert executor.poll(0) == {other.run_id: None}


def test_without_a_number_of_jobs_ray_gets_all_runs(
    make_executor: Callable, make_spec: MakeSpec
) -> None:
    executor, script = make_executor()
    for seed in range(3):
        executor.submit(make_spec(f"seed={seed}"))
    assert len(script.started) == 3
    assert len(executor.capacity()) == 2


def test_with_a_number_of_jobs_ray_gets_as_many(
    make_executor: Callable, make_spec: MakeSpec
) -> None:
    executor, script = make_executor(DONE, n_jobs=1)
    specs = [make_spec(f"seed={seed}") for seed in range(3)]
    for spec in specs:
        executor.submit(spec)
    assert len(script.started) == len(executor.capacity()) == 1
    assert executor.live() == {spec.run_id for spec in specs}
    executor.poll(0)
    assert len(script.started) == 2


def test_a_run_has_the_cores_and_the_minutes_of_the_options(
    make_executor: Callable, make_spec: MakeSpec
) -> None:
    executor, script = make_executor(cpus=3, timeout_min=2)
    executor.submit(make_spec())
    (spec,) = script.started
    assert (spec.slot, spec.time_limit, spec.is_silent) == (Slot("cpu", 3), 120, True)
    assert make_executor(gpus=0.5)[0].capacity() == [Slot(None, 1)] * 2


def test_a_worker_is_told_the_commands_folder_and_variables(
    make_executor: Callable, make_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    executor, script = make_executor()
    executor.submit(make_spec())
    (place,), (spec,) = script.workplaces, script.started
    assert place.folder == tmp_path
    assert place.variables["CIFAR_EXP_CACHE"] == str(tmp_path / "cache")
    assert spec.outputs == tmp_path / "outputs"
    assert place.mark.parent == spec.outputs
    assert place.mark.exists()
    executor.close()
    assert list(spec.outputs.iterdir()) == []


def test_a_node_that_does_not_share_the_folder_says_so(tmp_path: Path) -> None:
    mark = tmp_path / "outputs" / ".ray-1"
    with pytest.raises(NotSharedError) as caught:
        Workplace(tmp_path, {}, mark).enter()
    assert f"has no {mark.parent}, or another one: all nodes must share this folder" in str(
        caught.value
    )
    with pytest.raises(NotSharedError, match=f"has no {tmp_path}/gone, "):
        Workplace(tmp_path / "gone", {}).enter()


def test_more_cores_than_this_machine_has_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "available_cores", lambda: 2)
    with pytest.raises(UserError) as caught:
        RayExecutor(RayOptions(cpus=3))
    assert caught.value.messages == ["hydra.launcher.cpus=3: this machine has 2 cores"]
    RayExecutor(RayOptions(cpus=3, address="head:6379"))
