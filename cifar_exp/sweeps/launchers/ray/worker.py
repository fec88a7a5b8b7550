"""What a Ray worker calls: it trains one run in the folder of the command."""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cifar_exp.runs.spec import RunSpec
from cifar_exp.sweeps.launchers.local.worker import WorkerResult

T = TypeVar("T")
Train = Callable[[RunSpec], WorkerResult]


class NotSharedError(Exception):
    """A node does not see the command's files under the same path."""


@dataclass(frozen=True)
class Workplace:
    """Where the command was given: its folder and its environment variables.

    A worker starts in the folder and with the variables of its node's daemon. `mark` is a file in
    the outputs of this command alone: a folder of the same name that is not shared would take the
    runs, and the sweep would not see them.
    """

    folder: Path
    variables: Mapping[str, str]
    mark: Path | None = None

    def enter(self) -> None:
        """Work there from now on. Raises NotSharedError if it is not there on this node."""
        missing = self._missing()
        if missing is not None:
            raise NotSharedError(
                f"the Ray node {socket.gethostname()} has no {missing}, or another one: all nodes "
                "must share this folder under the same path"
            )
        os.chdir(self.folder)
        os.environ.update(self.variables)
        if str(self.folder) not in sys.path:  # as of `python -m`: a user's own modules
            sys.path.insert(0, str(self.folder))

    def _missing(self) -> Path | None:
        if self.mark is not None and not self.mark.exists():
            return self.mark.parent
        return None if self.folder.is_dir() else self.folder


def train_at(workplace: Workplace, train: Train, spec: RunSpec) -> WorkerResult:
    """Train a run, or the rest of it; relative paths are those of the command."""
    try:
        workplace.enter()
    except NotSharedError as error:
        return WorkerResult("environment", message=str(error))
    return train(spec)


def call_at(workplace: Workplace, function: Callable[[], T]) -> T:
    """Call the function in the command's folder. Raises NotSharedError."""
    workplace.enter()
    return function()
