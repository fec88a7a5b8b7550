"""run.json: a run's settings, status and results. Its keys are listed in docs/formats.md."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from cifar_exp.config.schema import Settings
from cifar_exp.storage.atomic import write_json
from cifar_exp.storage.reading import UnreadableError, read_bytes

SCHEMA = 1
Status = Literal["running", "completed", "interrupted", "failed", "diverged", "pruned"]
TERMINAL = frozenset({"completed", "diverged"})  # a pruned run is only paused


def needs_no_training(status: str, settings: Settings) -> bool:
    """Whether a run with this status needs no more training."""
    if settings.rerun:
        return False
    return status in TERMINAL or (status == "failed" and not settings.retry_failed)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class DatasetInfo(_Part):
    """The dataset; sizes in images, `superclasses` by class."""

    name: str
    fingerprint: str
    classes: int
    class_names: list[str]
    superclasses: list[str] | None
    split_seed: int
    train_size: int
    val_size: int
    test_size: int


class ModelInfo(_Part):
    """`macs`: multiply-accumulates of a forward pass of one image at full resolution."""

    parameters: int
    macs: int


class ComputeInfo(_Part):
    """Device and amount: `pflop` is 6 x MACs x images seen, at the resolution seen, / 1e15."""

    device: str
    device_name: str
    threads: int
    precision: str
    pflop: float = 0.0
    train_seconds: float = 0.0
    peak_memory_mb: float | None = None
    lr_groups: list[dict[str, Any]]


class Segment(_Part):
    """One period of training without interruption."""

    host: str
    device: str
    threads: int
    from_epoch: int
    started_at: str


class ValMetrics(_Part):
    """Metrics on the validation part of train after an epoch."""

    epoch: int
    val_accuracy: float | None
    val_loss: float | None


class TestMetrics(_Part):
    """Metrics on the test set, which is read once."""

    accuracy: float
    top5_accuracy: float
    loss: float
    ece: float
    superclass_accuracy: float | None


class PrunedInfo(_Part):
    """Which rule paused a run, for the sake of which sweep, and after which epoch."""

    sweep: str
    rule: str
    epoch: int


class ErrorInfo(_Part):
    """Why a run failed or diverged."""

    type: str
    message: str
    traceback: str | None


class RunRecord(BaseModel):
    """The content of run.json."""

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA
    run_id: str
    label: str
    status: Status
    seed: int
    params: dict[str, Any]
    dataset: DatasetInfo
    model: ModelInfo
    compute: ComputeInfo
    segments: list[Segment]
    pruned: PrunedInfo | None = None
    best: ValMetrics | None = None
    final: ValMetrics | None = None
    test: TestMetrics | None = None
    started_at: str
    finished_at: str | None = None
    environment: dict[str, Any]
    error: ErrorInfo | None = None

    @property
    def selected(self) -> ValMetrics | None:
        """The val metrics of the weights that `trainer.evaluate` names."""
        return self.best if self.params.get("trainer.evaluate") == "best" else self.final

    @property
    def metric(self) -> float | None:
        """The number to rank the run by: val accuracy of `selected`; without val, test accuracy."""
        if self.selected is not None and self.selected.val_accuracy is not None:
            return self.selected.val_accuracy
        return self.test.accuracy if self.test else None

    def save(self, folder: Path) -> None:
        """Write run.json."""
        values = self.model_dump(mode="json")
        write_json(folder / "run.json", {"schema": values.pop("schema_version"), **values})

    @classmethod
    def load(cls, folder: Path) -> "RunRecord | None":
        """Read run.json; None if it is missing or is not a record. A newer schema is accepted."""
        try:
            return parse_record(_read_json(folder / "run.json"), newest=None)
        except UnreadableError:
            return None


def read_record(folder: Path) -> RunRecord:
    """Read run.json. Raises UnreadableError with the reason if it cannot be used."""
    return parse_record(_read_json(folder / "run.json"))


def parse_record(content: Any, newest: int | None = SCHEMA) -> RunRecord:
    """A record from the content of run.json, of schema `newest` or older.

    Raises UnreadableError with the reason if the content is not such a record.
    """
    if not isinstance(content, Mapping) or "run_id" not in content:
        raise UnreadableError("run.json is not a run of cifar_exp")
    schema = content.get("schema", 0)
    if newest is not None and isinstance(schema, int) and schema > newest:
        raise UnreadableError(
            f"run.json was written by a newer cifar_exp (schema {schema}; this one reads {newest})"
        )
    try:
        return RunRecord.model_validate({**content, "schema_version": schema})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        older = f"schema {schema}, " if schema != SCHEMA else ""
        raise UnreadableError(f"run.json is not valid ({older}{where}: {first['msg']})") from error


def _read_json(path: Path) -> Any:
    try:
        return from_json(read_bytes(path))  # unlike json, refuses texts that UTF-8 cannot hold
    except FileNotFoundError as error:
        raise UnreadableError("has no run.json") from error
    except OSError as error:
        raise UnreadableError(f"run.json cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UnreadableError("run.json is damaged: not valid JSON") from error


def now() -> str:
    """The current time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
