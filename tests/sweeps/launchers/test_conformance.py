"""What every executor must do: our own, and Hydra's basic and joblib as batches.

That for SLURM has processes of this machine for a queue here.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode
from joblib.externals.loky import get_reusable_executor
from omegaconf import OmegaConf

from cifar_exp.config.launcher import LocalOptions, RayOptions, SlurmOptions
from cifar_exp.config.schema import Settings
from cifar_exp.hydra_app.compose import conf_folder
from cifar_exp.hydra_app.hydra_launcher import HydraExecutor
from cifar_exp.hydra_app.task import train_trial
from cifar_exp.runs.execute import identify
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.run_state import RunState, read_states
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.launchers.local.executor import LocalExecutor
from cifar_exp.sweeps.launchers.ray.executor import RayExecutor
from cifar_exp.sweeps.launchers.slurm.executor import SlurmExecutor
from cifar_exp.sweeps.launchers.slurm.queue import Queue

pytestmark = pytest.mark.slow  # trains in processes

ON_RAY = pytest.param("ray", marks=pytest.mark.xdist_group("ray"))
EXECUTORS = ("local", "slurm", "basic", "joblib", ON_RAY)
FAILS = ("optimizer.lr=1e30",)
SMALL = (
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.width=4",
    "model.stages=2",
    "trainer.batch_size=16",
    "trainer.epochs=1",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "trainer.device=cpu",
    "trainer.threads=1",
)


@contextmanager
def hydra_launcher(name: str) -> Iterator[tuple[Launcher, dict[str, Any]]]:
    """One of Hydra's launchers as its main makes it, with its section of the config."""
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2("train", create_config_search_path(str(conf_folder())))
    jobs = ["hydra.launcher.n_jobs=2"] if name == "joblib" else []
    config = hydra.compose_config(
        "config",
        [f"hydra/launcher={name}", *jobs],
        run_mode=RunMode.MULTIRUN,
        with_log_configuration=False,
    )
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=HydraContext(hydra.config_loader, Callbacks(config)),
        task_function=train_trial,
        config=config,
    )
    section: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    try:
        yield launcher, section
    finally:
        GlobalHydra.instance().clear()
        if name == "joblib":  # its processes would keep this test's folder for the next one
            get_reusable_executor().shutdown(wait=True)


@pytest.fixture(params=EXECUTORS)
def executor(
    request: pytest.FixtureRequest, process_queue: Queue, tmp_path: Path
) -> Iterator[Executor]:
    """Each executor, with two slots where it has a number of them."""
    with ExitStack() as stack:
        made: Executor
        if request.param == "local":
            made = LocalExecutor(LocalOptions(n_jobs=2), needs_accelerator=False)
        elif request.param == "ray":
            request.getfixturevalue("local_ray")
            made = RayExecutor(RayOptions())
        elif request.param == "slurm":
            sweep = tmp_path / "outputs" / "sweeps" / "test"
            made = SlurmExecutor(SlurmOptions(n_jobs=2, cpus=1), sweep, process_queue)
        else:
            made = HydraExecutor(*stack.enter_context(hydra_launcher(request.param)))
        yield stack.enter_context(made)


@pytest.fixture
def spec(
    make_settings: Callable[..., Settings],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., RunSpec]:
    """The spec of a run whose overrides say everything, in the current folder."""
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def make(*more: str) -> RunSpec:
        overrides = (*SMALL, f"data.root={pictures}", *more)
        settings = make_settings(*overrides)
        return RunSpec(settings, "tiny", overrides, run_id=identify(settings, lambda *_: None))

    return make


def ids(*specs: RunSpec) -> set[str]:
    return {str(spec.run_id) for spec in specs}


def train(executor: Executor, *specs: RunSpec) -> dict[str, Exception | None]:
    """Submit all and poll until none is live; at most 5 minutes for each."""
    ends: dict[str, Exception | None] = {}
    for spec in specs:
        executor.submit(spec)
    while executor.live():
        ends.update(executor.poll(300))
    return ends


def states(*specs: RunSpec) -> dict[str, RunState]:
    return read_states(Path("outputs/runs"), ids(*specs))


def test_it_trains_what_is_submitted(executor: Executor, spec: Callable[..., RunSpec]) -> None:
    specs = [spec(f"seed={seed}") for seed in range(3)]
    assert train(executor, *specs) == dict.fromkeys(ids(*specs))
    assert {state.status for state in states(*specs).values()} == {"completed"}


def test_a_run_is_live_from_its_submission_until_it_is_polled(
    executor: Executor, spec: Callable[..., RunSpec]
) -> None:
    one, other = spec("seed=0"), spec("seed=1")
    assert executor.live() == set()
    executor.submit(one)
    assert executor.live() == ids(one)
    executor.submit(other)
    assert executor.live() == ids(one, other)
    ended: set[str] = set()
    while executor.live():
        ended |= set(executor.poll(300))
        assert executor.live() == ids(one, other) - ended
    assert ended == ids(one, other)


def test_a_poll_without_runs_returns_at_once(executor: Executor) -> None:
    assert executor.poll(0) == {}


def test_a_run_that_fails_fails_alone(executor: Executor, spec: Callable[..., RunSpec]) -> None:
    good, bad = spec("seed=0"), spec("seed=1", *FAILS)
    ends = train(executor, bad, good)
    assert ends == {str(bad.run_id): None, str(good.run_id): None}  # its own record says why
    found = states(good, bad)
    assert found[str(good.run_id)].status == "completed"
    assert found[str(bad.run_id)].status == "diverged"


def test_a_run_that_cannot_be_recorded_returns_its_reason(
    executor: Executor, spec: Callable[..., RunSpec]
) -> None:
    bad = spec("init_from=0123456789")
    (error,) = train(executor, bad).values()
    assert "init_from=0123456789: there is no such run" in str(error)
    assert states(bad)[str(bad.run_id)].status == "pending"


def test_a_completed_run_is_not_trained_again(
    executor: Executor, spec: Callable[..., RunSpec]
) -> None:
    one = spec()
    train(executor, one)
    (record,) = Path("outputs/runs").glob("tiny-*/run.json")
    before = record.read_bytes(), record.stat().st_mtime_ns
    assert train(executor, one) == {str(one.run_id): None}
    assert (record.read_bytes(), record.stat().st_mtime_ns) == before


def test_the_capacity_is_the_number_of_jobs_at_a_time(
    executor: Executor, request: pytest.FixtureRequest
) -> None:
    jobs = 1 if "basic" in request.node.name else 2
    assert len(executor.capacity()) == jobs
    assert executor.capacity() == executor.capacity()


def test_what_is_cancelled_is_not_trained(executor: Executor, spec: Callable[..., RunSpec]) -> None:
    specs = [spec(f"seed={seed}", "trainer.epochs=1000") for seed in range(5)]
    for each in specs:
        executor.submit(each)
    executor.cancel()
    assert "completed" not in {state.status for state in states(*specs).values()}
    assert {state.holder for state in states(*specs).values()} == {None}
