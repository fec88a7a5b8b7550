"""What a job calls: it trains one run in the folder of the command."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cifar_exp.data.registry import Loader
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.lock import RunLockedError
from cifar_exp.sweeps.launchers.local.worker import WorkerResult, result_of_error

RESTARTS = "SLURM_RESTART_COUNT"  # set in a job that was queued again
LOST_SECONDS = 90.0  # until a lock is free whose holder was lost with its node
WAIT_SECONDS = 5.0
SPENT = "reached its time limit more often than hydra.launcher.max_requeues allows, position saved"


@dataclass(frozen=True)
class TrainJob:
    """Trains a run, or the rest of it; relative paths are those of the command's `folder`."""

    spec: RunSpec
    folder: Path

    def __call__(self) -> WorkerResult:
        """The outcome is recorded in the run's folder. SystemExit: the job was queued again."""
        os.chdir(self.folder)
        try:
            self._train()
        except SystemExit:
            raise
        except BaseException as error:
            if type(error).__name__ == "UncompletedJobError":  # submitit's, which is not typed
                return WorkerResult("stopped", message=SPENT)
            return result_of_error(self.spec, error)
        return WorkerResult("recorded")

    def checkpoint(self) -> Any:
        """What submitit queues again: the same, because the run continues from its folder."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _train(self) -> None:
        deadline = time.monotonic() + (LOST_SECONDS if os.environ.get(RESTARTS) else 0)
        while True:
            try:
                execute(self.spec, Loader())
            except RunLockedError:  # by this job, perhaps, before a node or its process was lost
                if time.monotonic() > deadline:
                    raise
                time.sleep(WAIT_SECONDS)
            else:
                return
