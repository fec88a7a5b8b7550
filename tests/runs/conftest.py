"""Runs that stop before their end."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cifar_exp.errors import Interrupted
from cifar_exp.runs.execute import execute
from cifar_exp.runs.recorder import Recorder
from cifar_exp.runs.spec import RunSpec

Make = Callable[..., RunSpec]


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


@pytest.fixture
def stop_before_the_test(make_spec: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Trains a run that then fails or is interrupted, and gives its folder."""

    def stopped(status: str, *overrides: str) -> Path:
        def stop(_: Recorder) -> None:
            if status == "failed":
                raise RuntimeError("the roof fell in")
            os.kill(os.getpid(), signal.SIGTERM)

        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "test", stop)
            spec = make_spec(*overrides)
            with suppress(Interrupted):
                execute(spec)
        folders = [path for path in spec.runs.iterdir() if path.name != ".locks"]
        (folder,) = (path for path in folders if record(path)["test"] is None)
        assert record(folder)["status"] == status
        return folder

    return stopped
