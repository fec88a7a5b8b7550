import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cifar_exp.errors import UserError
from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec

pytestmark = pytest.mark.slow  # trains whole runs

Make = Callable[..., RunSpec]


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def truncate(path: Path) -> None:
    os.truncate(path, 5000)


def test_init_from_starts_from_another_runs_weights(make_spec: Make) -> None:
    first = execute(make_spec())
    run = first.record.run_id
    frozen = ("optimizer.lr=1e-12", "trainer.epochs=1", "model.dropout=0")
    by_id = execute(make_spec(f"init_from='{run}'", *frozen))
    expected = torch.load(first.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    found = torch.load(by_id.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    torch.testing.assert_close(found["head.1.weight"], expected["head.1.weight"])
    assert by_id.record.run_id != run
    by_folder = execute(make_spec(f"init_from='{first.folder}'", *frozen))
    assert by_folder.folder == by_id.folder


def test_init_from_a_run_that_does_not_exist_is_a_mistake_of_the_user(make_spec: Make) -> None:
    spec = make_spec("init_from='0123456789'")
    with pytest.raises(UserError, match=r"^init_from=0123456789: there is no such run in "):
        execute(spec)
    assert not spec.runs.exists()


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        (
            "model.width=8",
            r"stages.0.entry.conv.weight has the shape \(4, 24, 3, 3\) there "
            r"and \(8, 24, 3, 3\) here",
        ),
        ("model.stages=3", "it has no stages.2.*"),
        ("model.depth=1", "this model has no stages.*"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_one_sentence(
    make_spec: Make, override: str, reason: str
) -> None:
    run = execute(make_spec()).record.run_id
    with pytest.raises(UserError) as refusal:
        execute(make_spec(f"init_from='{run}'", override))
    sentence = f"init_from={run}: its weights do not fit this model: {reason}"
    assert re.fullmatch(sentence, str(refusal.value))


@pytest.mark.parametrize("evaluate", ["last", "best"])
def test_init_from_takes_the_evaluated_weights_of_a_run_that_kept_everything(
    make_spec: Make, evaluate: str
) -> None:
    choices = ("trainer.ema=0.5", "trainer.epochs=2", f"trainer.evaluate={evaluate}")
    first = execute(make_spec(*choices, "keep=all"))
    reduced = execute(replace(make_spec(*choices, "rerun=true"), outputs=first.folder / "other"))
    expected = torch.load(reduced.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    frozen = ("optimizer.lr=1e-12", "trainer.epochs=1")
    run = execute(make_spec(f"init_from='{first.record.run_id}'", *frozen))
    found = torch.load(run.folder / "checkpoints" / "last.pt", weights_only=True)["network"]
    torch.testing.assert_close(found["head.1.weight"], expected["head.1.weight"])


def test_init_from_a_run_that_is_not_completed_is_refused(
    make_spec: Make, stop_before_the_test: Callable[..., Path]
) -> None:
    folder = stop_before_the_test("interrupted")
    run = record(folder)["run_id"]
    with pytest.raises(UserError, match=f"^init_from={run}: {folder} is not completed yet$"):
        execute(make_spec(f"init_from='{run}'"))


def test_init_from_a_run_whose_weights_are_damaged_is_refused(make_spec: Make) -> None:
    first = execute(make_spec())
    last = first.folder / "checkpoints" / "last.pt"
    truncate(last)
    run = first.record.run_id
    with pytest.raises(UserError, match=rf"^init_from={run}: {last} cannot be read \("):
        execute(make_spec(f"init_from='{run}'"))
