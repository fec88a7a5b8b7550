"""Signatures of stored files: equal signatures mean unchanged files, even if the clock changed."""

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cifar_exp.analysis.load.discover import ReportInputs, SweepInput

FILES = ("run.json", "metrics.csv", "extra.csv")


def run_signature(folder: Path | str) -> list[int]:
    """Size and modification time of each file that a report reads from a run; -1 if missing."""
    numbers: list[int] = []
    for name in FILES:
        try:
            stat = os.stat(f"{folder}/{name}")
            numbers += [stat.st_size, stat.st_mtime_ns]
        except OSError:
            numbers += [-1, -1]
    return numbers


def _confirmation(sweep: "SweepInput") -> list[list[str | int]]:
    """The runs that selected and that confirm, of which one half is not in the sweep itself."""
    runs = sweep.confirmation.runs if sweep.confirmation else {}
    return [[run.folder.name, *run_signature(run.folder)] for run in runs.values()]


def inputs_signature(inputs: "ReportInputs") -> str:
    """A hash over the runs of a report and the lists of runs of its sweeps."""
    folders = zip(inputs.runs, inputs.signatures, strict=True)
    runs = [[folder.name, *signature] for folder, signature in folders]
    sweeps = [[sweep.name, *sweep.run_ids, _confirmation(sweep)] for sweep in inputs.sweeps]
    return hashlib.sha256(json.dumps([runs, sweeps]).encode()).hexdigest()[:16]
