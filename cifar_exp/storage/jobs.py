"""jobs.csv of a sweep: the jobs of a cluster's queue that no command has seen end."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cifar_exp.storage.atomic import write_csv
from cifar_exp.storage.lock import lock_file
from cifar_exp.storage.reading import UnreadableError, read_text


@dataclass(frozen=True)
class Job:
    """A job that trains a run; `executor` names the launcher, `submitted_at` is UTC, ISO 8601."""

    executor: str
    job_id: str
    run_id: str
    submitted_at: str


COLUMNS = tuple(field.name for field in fields(Job))


class JobsFile:
    """`outputs/sweeps/<name>/jobs.csv`. Several commands may change it at a time."""

    def __init__(self, sweep: Path) -> None:
        self.path = sweep / "jobs.csv"

    def read(self) -> list[Job]:
        """The jobs, in the order of their submission; none where the file is missing or damaged."""
        try:
            lines = csv.DictReader(io.StringIO(read_text(self.path), newline=""))
            return [Job(*(line[name] or "" for name in COLUMNS)) for line in lines]
        except (FileNotFoundError, UnreadableError, KeyError, csv.Error):
            return []

    def add(self, jobs: Iterable[Job]) -> None:
        """Add jobs that were submitted."""
        self._change(lambda known: [*known, *jobs])

    def remove(self, executor: str, job_ids: Iterable[str]) -> None:
        """Remove jobs that have ended."""
        ended = {(executor, job_id) for job_id in job_ids}
        self._change(lambda known: [j for j in known if (j.executor, j.job_id) not in ended])

    def _change(self, change: Callable[[list[Job]], list[Job]]) -> None:
        with self._locked():
            known = self.read()
            changed = change(known)
            if changed != known:
                write_csv(self.path, COLUMNS, map(asdict, changed))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        sweep = self.path.resolve().parent
        path = sweep.parent / ".locks" / f"{sweep.name}.jobs"
        with lock_file(path, f"the list of jobs of sweep {sweep.name}"):
            yield
