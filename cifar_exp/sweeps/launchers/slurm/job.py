"""What a job calls: it trains one run in the folder of the command."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cifar_exp.data.registry import Loader
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec
from cifar_exp.sweeps.launchers.local.worker import WorkerResult, result_of_error

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
            execute(self.spec, Loader())
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
