"""Signatures change with what a report is made from, and with nothing else."""

import os
from typing import Any

import pytest

from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.load.signature import inputs_signature, run_signature


@pytest.mark.parametrize("name", ["run.json", "metrics.csv", "extra.csv"])
def test_the_signature_changes_with_every_file_that_is_read(outputs: Any, name: str) -> None:
    folder = outputs.run()
    before = run_signature(folder)
    assert run_signature(folder) == before
    (folder / name).write_text((folder / name).read_text() + "\n")
    assert run_signature(folder) != before
    (folder / name).unlink()
    assert run_signature(folder) != before


def test_an_older_file_changes_the_signature_too(outputs: Any) -> None:
    folder = outputs.run()
    before = inputs_signature(find_inputs([outputs.path]))
    os.utime(folder / "run.json", ns=(0, 0))
    assert inputs_signature(find_inputs([outputs.path])) != before


def test_a_pending_run_that_is_added_to_a_sweep_changes_the_signature(outputs: Any) -> None:
    sweep = outputs.sweep("mine", [outputs.run()])
    before = inputs_signature(find_inputs([sweep]))
    with (sweep / "runs.csv").open("a") as stream:
        stream.write("0123456789,,pending\n")
    assert inputs_signature(find_inputs([sweep])) != before


def test_the_runs_that_confirm_a_sweep_are_part_of_its_signature(outputs) -> None:
    selected = [outputs.run(val=0.5, model__width=8)]
    origin = outputs.sweep("mine", selected)
    before = inputs_signature(find_inputs([origin]))
    fresh = [outputs.run(seed=1, val=0.4, model__width=8)]
    outputs.confirming(origin, {"width=8": (selected, fresh)})
    confirmed = inputs_signature(find_inputs([origin]))
    (fresh[0] / "metrics.csv").write_text("epoch\n1\n")
    assert len({before, confirmed, inputs_signature(find_inputs([origin]))}) == 3
