"""Find the runs and sweeps that the paths of a command refer to."""

import os
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis.load.discover import Skipped, find_inputs, output_problem
from cifar_exp.errors import UserError

ALLOWED = "give an outputs folder, sweep folders or run folders"


def found(*paths: Path) -> set[str]:
    return {path.name for path in find_inputs(paths).runs}


def test_an_outputs_folder_stands_for_all_its_runs_and_sweeps(outputs: Any) -> None:
    one, two = outputs.run(seed=0), outputs.run(seed=1)
    outputs.sweep("mine", [one])
    inputs = find_inputs([outputs.path])
    assert {path.name for path in inputs.runs} == {one.name, two.name}
    assert [(s.name, s.run_ids) for s in inputs.sweeps] == [("mine", (one.name[-10:],))]
    assert inputs.sweeps[0].commands == ("python -m cifar_exp.train sweep=mine",)
    assert inputs.output == outputs.path / "report"


def test_a_sweep_stands_for_its_own_runs_and_counts_the_pending_ones(outputs: Any) -> None:
    one, _ = outputs.run(seed=0), outputs.run(seed=1)
    sweep = outputs.sweep("mine", [one], pending=["12e4567890"])
    inputs = find_inputs([sweep])
    assert [path.name for path in inputs.runs] == [one.name]
    assert inputs.sweeps[0].pending == ("12e4567890",)
    assert inputs.output == sweep / "report"


def test_a_run_of_another_label_is_found_by_its_id(outputs: Any) -> None:
    one = outputs.run(seed=0)
    sweep = outputs.sweep("mine", [one])
    renamed = one.rename(one.with_name(f"other-{one.name[-10:]}"))
    assert [path.name for path in find_inputs([sweep]).runs] == [renamed.name]


def test_run_folders_are_taken_as_given_and_twice_is_once(outputs: Any) -> None:
    one, two = outputs.run(seed=0), outputs.run(seed=1)
    inputs = find_inputs([one, two, outputs.path / "runs" / "." / one.name])
    assert list(inputs.runs) == [one, two]
    assert inputs.output.name.startswith(f"{one.name}-and-2-more-")
    assert inputs.output != find_inputs([one, one, two]).output
    assert inputs.output.parent.name == "reports"


def test_links_and_the_folder_of_runs_stand_for_what_they_point_to(outputs: Any) -> None:
    one = outputs.run(seed=0)
    sweep = outputs.sweep("mine", [one])
    (outputs.path / "latest").symlink_to(os.path.relpath(sweep, outputs.path))
    assert found(outputs.path / "latest") == found(outputs.path / "runs") == {one.name}
    assert find_inputs([outputs.path / "latest"]).sweeps[0].name == "mine"


def test_a_folder_that_is_not_a_run_is_skipped_but_hidden_ones_are_ignored(outputs: Any) -> None:
    run = outputs.run()
    for name in ("notes", ".locks", f"{run.name}.rerun", f"{run.name}.replaced"):
        (outputs.path / "runs" / name).mkdir()
    skipped = find_inputs([outputs.path]).skipped
    assert skipped == (
        Skipped(str(outputs.path / "runs" / "notes"), "is not named like a run's folder"),
    )


def test_a_sweep_with_a_damaged_table_is_skipped_but_not_its_runs(outputs: Any) -> None:
    run = outputs.run()
    sweep = outputs.sweep("mine", [run])
    (sweep / "runs.csv").write_bytes(b"\xff\xfe\x00nonsense")
    inputs = find_inputs([outputs.path])
    assert inputs.sweeps == ()
    assert inputs.skipped == (Skipped(str(sweep), "runs.csv cannot be read: not UTF-8 text"),)
    assert len(inputs.runs) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "sweep.yaml does not describe a sweep"),
        ("]: torn", "sweep.yaml is damaged: not valid YAML"),
        ("{name: mine, commands: 3}", "sweep.yaml does not describe a sweep"),
        ("{name: mine, commands: [{at: now}]}", None),
        ("[" * 5000 + "]" * 5000, "sweep.yaml is damaged: not valid YAML"),
    ],
    ids=["empty", "torn", "other", "without a command", "nested too deeply"],
)
def test_a_damaged_sweep_yaml_costs_only_the_commands(
    outputs: Any, content: str, reason: str | None
) -> None:
    sweep = outputs.sweep("mine", [outputs.run()])
    (sweep / "sweep.yaml").write_text(content)
    inputs = find_inputs([sweep])
    (found,) = inputs.sweeps
    assert (found.commands, len(found.run_ids)) == ((), 1)
    assert [entry.reason for entry in inputs.skipped] == ([reason] if reason else [])


def test_the_folder_of_all_sweeps_stands_for_them_without_the_other_runs(outputs: Any) -> None:
    one, two = outputs.run(seed=0), outputs.run(seed=1)
    outputs.run(seed=2)
    outputs.sweep("a", [one]), outputs.sweep("b", [two])
    inputs = find_inputs([outputs.path / "sweeps"])
    assert [sweep.name for sweep in inputs.sweeps] == ["a", "b"]
    assert list(inputs.runs) == [one, two]
    assert inputs.output == outputs.path / "reports" / "sweeps"


def test_an_empty_folder_of_sweeps_says_so(outputs: Any) -> None:
    sweeps = outputs.path / "sweeps"
    sweeps.mkdir()
    with pytest.raises(UserError) as caught:
        find_inputs([sweeps])
    assert caught.value.messages == [f"{sweeps}: contains no sweeps yet; {ALLOWED}"]


def test_all_wrong_paths_are_reported_at_once(outputs: Any, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    wrong = [tmp_path / "absent", tmp_path / "other", outputs.path]
    with pytest.raises(UserError) as caught:
        find_inputs(wrong)
    assert caught.value.messages == [
        f"{wrong[0]}: is not a folder; {ALLOWED}",
        f"{wrong[1]}: contains no runs; {ALLOWED}",
        f"{wrong[2]}: contains no runs yet; {ALLOWED}",
    ]


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("", "contains runs, which a report must not mix with; give another folder"),
        (
            "sweeps/mine",
            "contains sweep.yaml, which a report must not mix with; give another folder",
        ),
        ("runs", "is a place for runs; give another folder"),
        ("runs/new", "is a place for runs; give another folder"),
    ],
)
def test_a_report_is_never_written_among_runs_and_sweeps(
    outputs: Any, place: str, problem: str
) -> None:
    outputs.sweep("mine", [outputs.run()])
    assert output_problem(outputs.path / place) == problem
    for fit in ("report", "sweeps/mine/report", "elsewhere/deep"):
        assert output_problem(outputs.path / fit) is None


def test_an_output_that_cannot_be_a_folder_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert output_problem(tmp_path / "file") == "is not a folder"
    assert output_problem(tmp_path / "file" / "x") == f"{tmp_path / 'file'} is not a folder"
    (tmp_path / "loop").symlink_to("loop")
    loop = "cannot be a folder: Too many levels of symbolic links"
    assert output_problem(tmp_path / "loop") == output_problem(tmp_path / "loop" / "x") == loop
    assert output_problem(tmp_path / ("x" * 300)) == "cannot be a folder: File name too long"
    with pytest.raises(UserError):
        find_inputs([tmp_path / ("x" * 5000)])
