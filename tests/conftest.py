"""What tests of all folders share: settings, made-up records, a folder of small pictures."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from contextvars import Context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.compose import open_composer, settings_tree
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec, Slot
from cifar_exp.storage.lock import lock_run
from cifar_exp.storage.record import RunRecord, Status
from cifar_exp.sweeps.launchers.base import Executor

# Overrides that shrink the default recipe to a fraction of a second an epoch.
SMALL = (
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.width=4",
    "model.stages=2",
    "trainer.batch_size=16",
    "trainer.epochs=3",
    "trainer.resolution_scales=[0.75]",
    "trainer.resolution_until=[0.5]",
    "trainer.device=cpu",
    "trainer.threads=1",
    "optimizer.lr=0.05",
)


def compose(*overrides: str) -> Settings:
    """The settings of a command line."""
    with open_composer(parse_arguments([])) as compose_with:
        return validate(settings_tree(compose_with.compose(overrides)))


@pytest.fixture(autouse=True, scope="session")
def _default_hangup() -> Iterator[None]:
    """Under nohup SIGHUP is ignored, also in every process that a test starts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


TakeOver = Callable[[Path, str], Context]


@pytest.fixture
def take_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[TakeOver]:
    """Takes over a run as a process on another machine that counts its holder as dead.

    What is called with `run` of the result is done by that process.
    """
    holds: list[tuple[Context, ExitStack]] = []
    monkeypatch.setattr("cifar_exp.storage.liveness.is_on_local_disk", lambda _: False)

    def take(runs: Path, run_id: str) -> Context:
        theirs, hold = Context(), ExitStack()
        holds.append((theirs, hold))
        with monkeypatch.context() as there:
            there.setattr("cifar_exp.storage.process._machine", lambda _: "another machine")
            there.setattr("cifar_exp.storage.liveness.LEASE_SECONDS", 0.0)
            theirs.run(hold.enter_context, lock_run(runs, run_id))
        return theirs

    yield take
    for theirs, hold in holds:
        theirs.run(hold.close)


@pytest.fixture
def make_settings() -> Callable[..., Settings]:
    """Composes settings from overrides."""
    return compose


@pytest.fixture
def make_record() -> Callable[..., RunRecord]:
    """Makes up the record of a run that was never trained, from what a test looks at.

    `sizes` are those of train, val and test. `final`, `best` and `test` are accuracies; a run with
    one on test has final figures on val too, if without an accuracy. `error` is a message.
    """

    def make(
        status: Status = "completed",
        *,
        run_id: str = "0123456789",
        epochs: int = 8,
        sizes: tuple[int, int, int] = (100, 0, 0),
        threads: int = 1,
        pflop: float = 0.0,
        train_seconds: float = 0.0,
        final: float | None = None,
        best: float | None = None,
        test: float | None = None,
        error: str | None = None,
        **params: Any,
    ) -> RunRecord:
        val = {"epoch": epochs, "val_loss": None}
        tested = {"top5_accuracy": 1, "loss": 0, "ece": 0, "superclass_accuracy": None}
        failed = {"type": "ValueError", "traceback": None}
        has_final = final is not None or test is not None
        record = {
            "run_id": run_id,
            "label": "tiny",
            "status": status,
            "seed": 0,
            "params": {"trainer.epochs": epochs, **params},
            "dataset": {
                "name": "shapes",
                "fingerprint": "f",
                "classes": 1,
                "class_names": ["a"],
                "superclasses": None,
                "split_seed": 0,
                **dict(zip(("train_size", "val_size", "test_size"), sizes, strict=True)),
            },
            "model": {"parameters": 1, "macs": 1},
            "compute": {
                "device": "cpu",
                "device_name": "cpu",
                "threads": threads,
                "precision": "fp32",
                "pflop": pflop,
                "train_seconds": train_seconds,
                "lr_groups": [],
            },
            "segments": [],
            "best": None if best is None else {**val, "val_accuracy": best},
            "final": {**val, "val_accuracy": final} if has_final else None,
            "test": None if test is None else {**tested, "accuracy": test},
            "started_at": "2026-11-01T00:00:00+00:00",
            "environment": {},
            "error": None if error is None else {**failed, "message": error},
        }
        return RunRecord.model_validate(record)

    return make


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 + 8 pictures of 16 x 16 in each of four classes: bars of a class's own direction."""
    root = tmp_path_factory.mktemp("pictures")
    generator = np.random.RandomState(0)
    y, x = np.mgrid[:16, :16]
    directions = {"across": x, "along": y, "rising": x + y, "falling": x - y}
    for split, count in (("train", 32), ("test", 8)):
        for name, place in directions.items():
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                wave = np.sin(place * 0.9 + generator.uniform(0, 6))[..., None]
                noise = generator.normal(0, 40, (16, 16, 3))
                pixels = np.clip(128 + 60 * wave + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{index:03d}.png")
    return root


@pytest.fixture
def small_settings(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Settings]:
    """Composes small settings on the pictures; decoded images are cached in the test's folder."""
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(tmp_path / "cache"))
    return lambda *overrides: compose(*SMALL, f"data.root={pictures}", *overrides)


class InProcessExecutor(Executor):
    """Trains in the test's own process, one run a poll; `trained` lists the ids in order."""

    def __init__(self) -> None:
        self.trained: list[str] = []
        self._queued: dict[str, RunSpec] = {}

    def capacity(self) -> list[Slot]:
        return [Slot()]

    def submit(self, spec: RunSpec) -> None:
        self._queued[str(spec.run_id)] = spec

    def poll(self, timeout: float) -> dict[str, Exception | None]:  # noqa: ARG002
        run_id = next(iter(self._queued))
        execute(self._queued.pop(run_id))
        self.trained.append(run_id)
        return {run_id: None}

    def live(self) -> set[str]:
        return set(self._queued)

    def cancel(self, *, now: bool = False) -> None:  # noqa: ARG002
        self._queued = {}


@pytest.fixture
def in_process() -> InProcessExecutor:
    """An executor that needs no other process."""
    return InProcessExecutor()


@pytest.fixture
def make_spec(small_settings: Callable, tmp_path: Path) -> Callable[..., RunSpec]:
    """The spec of a small run that prints nothing."""

    def make(*overrides: str, label: str = "tiny") -> RunSpec:
        settings = small_settings("trainer.progress=none", *overrides)
        return RunSpec(settings, label, overrides, tmp_path / "outputs")

    return make
