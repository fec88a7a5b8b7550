"""docs/formats.md says what the code writes, in both directions: on runs, a sweep and a report."""

import csv
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from pydantic import BaseModel

from cifar_exp.config.identity import NUISANCE
from cifar_exp.data.registry import load_dataset
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line
from cifar_exp.report import main as report
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import Slot
from cifar_exp.storage.jobs import COLUMNS
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import read_states
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.dry_run import plan_as_json
from cifar_exp.sweeps.forecast import Machine
from cifar_exp.sweeps.monitor.as_json import status_as_json
from cifar_exp.sweeps.monitor.snapshot import SnapshotReader
from cifar_exp.sweeps.plan import make_plan

pytestmark = pytest.mark.slow  # trains a small sweep

DOCUMENT = (Path(__file__).resolve().parents[1] / "docs" / "formats.md").read_text()
SMALL = (
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.stages=2",
    "trainer.batch_size=32",
    "trainer.epochs=1",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "trainer.device=cpu",
    "trainer.threads=1",
    "trainer.progress=none",
)
SWEPT = {"model.width": "3,4", "model.dropout": "0.0,0.1", "seed": "0,1"}


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    (text,) = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", DOCUMENT, re.M | re.S)
    return text


def names(title: str) -> list[str]:
    """What the first column of the section's tables lists in backticks."""
    return re.findall(r"^\| `([^`]+)` \|", section(title), re.M)


def columns(path: Path) -> list[str]:
    with path.open(newline="") as stream:
        return next(csv.reader(stream))


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted keys of a record's model."""
    for name, field in model.model_fields.items():
        parts = [field.annotation, *typing.get_args(field.annotation)]
        nested = [p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)]
        is_list = typing.get_origin(field.annotation) is list
        for part in nested:
            yield from leaves(part, f"{prefix}{name}{'[]' * is_list}.")
        if not nested:
            yield f"{prefix}{name}"


@pytest.fixture(scope="module")
def outputs(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A trained sweep of two settings and two seeds, with its report but without figures."""
    folder = tmp_path_factory.mktemp("formats")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_EXP_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        swept = [f"{key}={values}" for key, values in SWEPT.items()]
        line = ["--multirun", *SMALL, f"data.root={pictures}", *swept]
        plan = make_plan(check_command_line(parse_arguments(line)), lambda *_: None)
        sweep = SweepFolder(plan.folder)
        sweep.enter(plan.entry("the command"))
        for run in plan.runs:
            assert execute(plan.spec(run)).record.status == "completed"
        sweep.refresh(read_states(plan.runs_folder, plan.by_id))
        patch.setattr("sys.argv", ["report", str(plan.folder), "--figures", "none"])
        assert report() == 0
        yield folder / "outputs"


@pytest.fixture
def run(outputs: Path) -> Path:
    return sorted(outputs.glob("runs/tiny-*"))[0]


@pytest.fixture
def sweep(outputs: Path) -> Path:
    (folder,) = outputs.glob("sweeps/[!.]*")
    return folder


def test_a_runs_files_are_those_of_the_document(run: Path) -> None:
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert sorted(names("A run's folder")) == sorted(files)


def test_the_keys_of_run_json_are_those_of_the_document(run: Path) -> None:
    content = json.loads((run / "run.json").read_text())
    keys = [key for key in leaves(RunRecord) if key not in ("schema_version", "environment")]
    keys += [f"environment.{key}" for key in content["environment"]]
    assert sorted(names("run.json")) == sorted(["schema", *keys])
    assert set(content) == {re.split(r"[.\[]", name)[0] for name in names("run.json")}
    groups = {key for group in content["compute"]["lr_groups"] for key in group}
    (described,) = re.findall(r"parameter groups of the optimizer: ([^|]*)", section("run.json"))
    assert set(re.findall(r"`(\w+)`", described)) == groups
    statuses = typing.get_args(RunRecord.model_fields["status"].annotation)
    (described,) = re.findall(r"^\| `status` \| text \| (.*?);", section("run.json"), re.M)
    assert re.findall(r"`(\w+)`", described) == list(statuses)


@pytest.mark.parametrize("file", ["metrics.csv", "extra.csv"])
def test_the_columns_by_epoch_are_those_of_the_document(run: Path, file: str) -> None:
    assert names(file) == columns(run / file)


def test_the_arrays_of_predictions_are_those_of_the_document(run: Path) -> None:
    with np.load(run / "predictions.npz") as arrays:
        assert names("predictions.npz") == list(arrays)


@pytest.mark.parametrize("file", ["best.pt", "last.pt"])
def test_the_keys_of_a_checkpoint_are_those_of_the_document(run: Path, file: str) -> None:
    saved = torch.load(run / "checkpoints" / file, weights_only=True)
    assert names("best.pt, and last.pt of a completed run") == list(saved)
    assert list(saved["normalisation"]) == ["mean", "std"]


def test_the_network_is_rebuilt_as_the_document_shows(run: Path, pictures: Path) -> None:
    (code,) = re.findall(r"<!-- example: rebuild -->\n```python\n(.*?)```", DOCUMENT, re.S)
    scope: dict[str, Any] = {}
    exec(code, scope)
    network, normalize = scope["load_run"](run)
    settings = check_command_line(parse_arguments([*SMALL, f"data.root={pictures}"])).settings[0]
    test = load_dataset(settings.data, lambda *_: None).test
    pixels = torch.from_numpy(np.array(test.images)).permute(0, 3, 1, 2)
    with torch.no_grad():
        probabilities = network(normalize(pixels)).softmax(1)
    with np.load(run / "predictions.npz") as saved:  # one epoch: the best weights are the last
        assert probabilities.max(1).values.numpy() == pytest.approx(saved["confidence"], abs=1e-3)
        assert (probabilities.argmax(1).numpy() == saved["prediction"]).all()
        assert (test.labels == saved["label"]).all()


def test_a_sweeps_files_are_those_of_the_document(sweep: Path) -> None:
    found = {path.name + "/" * path.is_dir() for path in sweep.iterdir()}
    assert set(names("A sweep's folder")) == found
    assert names("sweep.yaml") == list(yaml.safe_load((sweep / "sweep.yaml").read_text()))
    assert [*names("runs.csv of a sweep"), *SWEPT] == columns(sweep / "runs.csv")


def test_the_file_of_a_search_is_that_of_the_document(tmp_path: Path) -> None:
    line = ["--multirun", "search=tpe", "search.runs=4", "optimizer=sgd,adamw", "data=shapes"]
    line += ["optimizer.sgd.lr=tag(log,interval(0.1,1))", "model.width=range(8,48,8)"]
    line += ["search.near='width=16'"]
    plan = make_plan(check_command_line(parse_arguments(line)), lambda *_: None)
    folder = SweepFolder(tmp_path / "outputs" / "sweeps" / plan.name)
    folder.enter(plan.entry("the command"))
    content = yaml.safe_load((folder.path / "sweep.yaml").read_text())
    assert [*names("sweep.yaml"), "search"] == list(content)
    assert names("search of sweep.yaml") == list(content["search"])
    keys = dict.fromkeys(key for each in content["search"]["space"] for key in each)
    assert set(names("a dimension of the space")) == set(keys)


def test_the_columns_of_jobs_are_those_of_the_document() -> None:
    assert names("jobs.csv") == list(COLUMNS)


def test_the_files_of_a_report_are_those_of_the_document(sweep: Path) -> None:
    listed = set(names("A report's folder")) - {
        "figures/<group>/",
        "figures/.unfinished",  # none are drawn here
    }
    assert listed == {path.name for path in (sweep / "report").iterdir()}


def test_the_runs_of_a_report_have_the_columns_of_the_document(run: Path, sweep: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    found = columns(sweep / "report" / "runs.csv")
    settings = [key for key in found if key in record["params"] and key != "seed"]
    assert found[3:5] == ["model.width", "model.dropout"]
    assert set(settings) == set(record["params"]) - NUISANCE - {"seed"}
    assert names("runs.csv of a report") == [key for key in found if key not in settings]


def test_the_history_has_the_columns_of_metrics_and_extra(sweep: Path) -> None:
    listed = ["run_id", *names("metrics.csv"), *names("extra.csv")[1:]]
    assert columns(sweep / "report" / "history.csv") == listed


def test_the_tables_of_a_report_have_the_columns_of_the_document(sweep: Path) -> None:
    folder, differences = sweep / "report", names("effects.csv")
    of_pairs = differences[differences.index("mean") :]
    of_two = differences[differences.index("mean") : differences.index("averaged_over")]
    varied = ["model.width", "model.dropout"]
    summary = [key for key in columns(folder / "summary.csv") if key not in varied]
    assert names("summary.csv") == summary
    assert differences == columns(folder / "effects.csv")
    assert [*names("interactions.csv"), *of_pairs] == columns(folder / "interactions.csv")
    assert [*names("comparisons.csv"), *of_two] == columns(folder / "comparisons.csv")
    assert names("importance.csv") == columns(folder / "importance.csv")


def keys(value: Any, prefix: str = "") -> set[str]:
    """The dotted keys of a JSON object; those of a list's elements after `[]`."""
    if isinstance(value, list):
        return {key for element in value for key in keys(element, f"{prefix}[]")}
    if not isinstance(value, dict) or prefix.endswith((".values", ".counts")):
        return {prefix}
    start = f"{prefix}." if prefix else ""
    return {key for name, part in value.items() for key in keys(part, f"{start}{name}")}


def test_a_plan_as_json_has_the_keys_of_the_document(
    outputs: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(outputs.parent / "cache"))
    monkeypatch.chdir(outputs.parent)
    line = ["--multirun", *SMALL, f"data.root={pictures}", "seed=0,5"]
    plan = make_plan(check_command_line(parse_arguments(line)), lambda *_: None)
    found = plan_as_json(plan, Machine(lambda: [Slot(threads=1)], lambda *_: []))
    assert keys(found) == set(names("A plan as JSON"))


def test_the_state_as_json_has_the_keys_of_the_document(sweep: Path, run: Path) -> None:
    snapshot = SnapshotReader(sweep).take()
    state = read_states(run.parent, [run.name[-10:]])[run.name[-10:]]
    found = keys(status_as_json([snapshot], [state]))
    of_runs = {key for key in found if key.startswith("runs[]")}
    assert {f"sweeps[].{key}" for key in of_runs} < found
    listed = found - {f"sweeps[].{key}" for key in of_runs}
    assert listed == set(names("The state as JSON"))
