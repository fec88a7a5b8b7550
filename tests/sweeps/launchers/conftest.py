"""Specs of small runs, and a queue of jobs that needs no cluster."""

import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from cifar_exp.config.identity import run_id
from cifar_exp.config.launcher import SlurmOptions
from cifar_exp.data.registry import load_dataset
from cifar_exp.runs.spec import RunSpec
from cifar_exp.sweeps.launchers.local.pool import fork_server
from cifar_exp.sweeps.launchers.ray import cluster
from cifar_exp.sweeps.launchers.slurm.job import TrainJob
from cifar_exp.sweeps.launchers.slurm.queue import RESULT, SlurmQueue


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """Ray with two cores on this machine: it takes seconds to start, so all tests share it."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'cifar_exp[ray]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "available_cores", lambda: 2)
        with cluster.connected(None):
            yield


@pytest.fixture
def make_spec(small_settings: Callable, tmp_path: Path) -> Callable[..., RunSpec]:
    """The spec of a small run, with its id."""
    fingerprints: dict[tuple[str, int], str] = {}

    def make(*overrides: str, outputs: str = "outputs") -> RunSpec:
        settings = small_settings(*overrides)
        key = (settings.data.root, settings.data.image_size)
        if key not in fingerprints:
            fingerprints[key] = load_dataset(settings.data, lambda *_: None).fingerprint
        identity = run_id(settings, fingerprints[key])
        return RunSpec(settings, "tiny", overrides, tmp_path / outputs, identity)

    return make


class ProcessQueue(SlurmQueue):
    """Jobs are processes of this machine, which all start at once; their ids are process ids."""

    def __init__(self, folder: Path) -> None:
        super().__init__(SlurmOptions(), folder)
        self.context = fork_server()
        self.jobs: dict[str, ForkServerProcess] = {}

    def submit(self, jobs: Sequence[TrainJob]) -> list[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return [self._start(job) for job in jobs]

    def _start(self, job: TrainJob) -> str:
        process = self.context.Process(target=call, args=(job, self._folder))
        process.start()
        self.jobs[str(process.pid)] = process
        return str(process.pid)

    def queued(self) -> set[str]:
        return {job_id for job_id, process in self.jobs.items() if process.is_alive()}

    def end(self, job_id: str) -> str:
        return f"ended with {self.jobs[job_id].exitcode}"

    def cancel(self, job_ids: Iterable[str], *, now: bool) -> None:
        for job_id in self.queued() & set(job_ids):
            with suppress(ProcessLookupError):
                os.kill(int(job_id), signal.SIGKILL if now else signal.SIGINT)


def call(job: TrainJob, folder: Path) -> None:
    """As submitit does it."""
    result = job()
    path = folder / f"{os.getpid()}{RESULT}"
    path.with_suffix(".new").write_bytes(pickle.dumps(("success", result)))
    path.with_suffix(".new").rename(path)


@pytest.fixture
def process_queue(tmp_path: Path) -> Iterator[ProcessQueue]:
    """A queue whose processes end with the test."""
    queue = ProcessQueue(tmp_path / "outputs" / "sweeps" / "test" / "jobs")
    yield queue
    queue.cancel(queue.queued(), now=True)
    for process in queue.jobs.values():
        process.join()
