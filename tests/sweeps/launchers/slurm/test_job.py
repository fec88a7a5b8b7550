from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from submitit.core.utils import UncompletedJobError

from cifar_exp.config.schema import Settings
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.sweeps.launchers.local.worker import WorkerResult
from cifar_exp.sweeps.launchers.slurm import job as module
from cifar_exp.sweeps.launchers.slurm.job import SPENT, TrainJob


@pytest.fixture
def job(make_settings: Callable[..., Settings], tmp_path: Path) -> TrainJob:
    spec = RunSpec(make_settings("data=shapes"), "tiny", (), tmp_path / "outputs", "0123456789")
    (tmp_path / "home").mkdir()
    return TrainJob(spec, tmp_path / "home")


@pytest.fixture
def execute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[BaseException | None], None]:
    """Replaces the training by the end that it has."""
    monkeypatch.chdir(tmp_path)  # and back

    def replace(error: BaseException | None) -> None:
        def end(*_: Any) -> None:
            if error is not None:
                raise error

        monkeypatch.setattr(module, "execute", end)

    return replace


Execute = Callable[[BaseException | None], None]


def test_a_run_is_trained_in_the_folder_of_the_command(job: TrainJob, execute: Execute) -> None:
    execute(None)
    assert job() == WorkerResult("recorded")
    assert Path.cwd() == job.folder


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (RunLockedError("held"), WorkerResult("locked", message="held")),
        (UserError("no such run"), WorkerResult("mistake", message="no such run")),
        (EnvironmentFailure("disk full"), WorkerResult("environment", message="disk full")),
        (KeyboardInterrupt(), WorkerResult("stopped", message="asked to stop")),
        (UncompletedJobError("timed-out too many times"), WorkerResult("stopped", message=SPENT)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_how_it_ends_is_what_the_job_returns(
    job: TrainJob, execute: Execute, error: BaseException, result: WorkerResult
) -> None:
    execute(error)
    assert job() == result


def test_the_exit_of_a_job_that_was_queued_again_passes(job: TrainJob, execute: Execute) -> None:
    execute(SystemExit(-1))
    with pytest.raises(SystemExit):
        job()


def test_the_same_is_queued_again(job: TrainJob) -> None:
    assert job.checkpoint().function == job
