from pathlib import Path

import pytest

from cifar_exp.storage.jobs import Job, JobsFile


def job(number: int, run_id: str = "12e4567890", executor: str = "slurm") -> Job:
    return Job(executor, f"7_{number}", run_id, "2026-11-27T20:00:00+00:00")


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs" / "sweeps" / "mine"
    folder.mkdir(parents=True)
    return folder


def test_jobs_are_read_as_they_were_added_and_in_that_order(sweep: Path) -> None:
    JobsFile(sweep).add([job(1), job(0)])
    JobsFile(sweep).add([job(2, "0123456789")])
    assert JobsFile(sweep).read() == [job(1), job(0), job(2, "0123456789")]
    assert (sweep / "jobs.csv").read_text().splitlines()[:2] == [
        "executor,job_id,run_id,submitted_at",
        "slurm,7_1,12e4567890,2026-11-27T20:00:00+00:00",
    ]


def test_jobs_that_have_ended_are_removed_and_those_of_other_executors_stay(sweep: Path) -> None:
    JobsFile(sweep).add([job(0), job(1), job(1, executor="other")])
    JobsFile(sweep).remove("slurm", ["7_1", "unknown"])
    assert JobsFile(sweep).read() == [job(0), job(1, executor="other")]


def test_a_sweep_without_jobs_gets_no_file(sweep: Path) -> None:
    JobsFile(sweep).remove("slurm", ["7_1"])
    assert JobsFile(sweep).read() == []
    assert not (sweep / "jobs.csv").exists()


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\udcff"])
def test_a_damaged_file_lists_no_jobs(sweep: Path, content: str) -> None:
    (sweep / "jobs.csv").write_bytes(content.encode(errors="surrogateescape"))
    assert JobsFile(sweep).read() == []
