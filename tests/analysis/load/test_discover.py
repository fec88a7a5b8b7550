"""Which runs and sweeps the paths of a command stand for."""

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
    places = find_inputs([outputs.path])
    assert {path.name for path in places.runs} == {one.name, two.name}
    assert [(s.name, s.run_ids) for s in places.sweeps] == [("mine", (one.name[-10:],))]
    assert places.sweeps[0].commands == ("python -m cifar_exp.train sweep=mine",)
    assert places.output == outputs.path / "report"


def test_a_sweep_stands_for_its_own_runs_and_counts_those_not_begun(outputs: Any) -> None:
    one, _ = outputs.run(seed=0), outputs.run(seed=1)
    sweep = outputs.sweep("mine", [one], pending=["12e4567890"])
    places = find_inputs([sweep])
    assert [path.name for path in places.runs] == [one.name]
    assert places.sweeps[0].unstarted == ("12e4567890",)
    assert places.output == sweep / "report"


def test_a_run_of_another_label_is_found_by_its_id(outputs: Any) -> None:
    one = outputs.run(seed=0)
    sweep = outputs.sweep("mine", [one])
    renamed = one.rename(one.with_name(f"other-{one.name[-10:]}"))
    assert [path.name for path in find_inputs([sweep]).runs] == [renamed.name]


def test_run_folders_are_taken_as_given_and_twice_is_once(outputs: Any) -> None:
    one, two = outputs.run(seed=0), outputs.run(seed=1)
    places = find_inputs([one, two, outputs.path / "runs" / "." / one.name])
    assert list(places.runs) == [one, two]
    assert places.output.name.startswith(f"{one.name}-and-2-more-")
    assert places.output != find_inputs([one, one, two]).output
    assert places.output.parent.name == "reports"


def test_links_and_the_folder_of_runs_stand_for_what_they_lead_to(outputs: Any) -> None:
    one = outputs.run(seed=0)
    sweep = outputs.sweep("mine", [one])
    (outputs.path / "latest").symlink_to(os.path.relpath(sweep, outputs.path))
    assert found(outputs.path / "latest") == found(outputs.path / "runs") == {one.name}
    assert find_inputs([outputs.path / "latest"]).sweeps[0].name == "mine"


def test_what_is_no_run_is_left_out_with_the_reason_and_hidden_folders_are_not_told(
    outputs: Any,
) -> None:
    run = outputs.run()
    for name in ("notes", ".locks", f"{run.name}.rerun", f"{run.name}.replaced"):
        (outputs.path / "runs" / name).mkdir()
    left_out = find_inputs([outputs.path]).left_out
    assert left_out == (
        Skipped(str(outputs.path / "runs" / "notes"), "is not named like a run's folder"),
    )


def test_a_damaged_table_of_a_sweep_is_left_out_and_its_runs_are_still_found(outputs: Any) -> None:
    run = outputs.run()
    sweep = outputs.sweep("mine", [run])
    (sweep / "runs.csv").write_bytes(b"\xff\xfe\x00nonsense")
    places = find_inputs([outputs.path])
    assert places.sweeps == ()
    assert places.left_out == (Skipped(str(sweep / "runs.csv"), "is no table of runs"),)
    assert len(places.runs) == 1


@pytest.mark.parametrize("content", ["", "]: torn", "commands: 3", "commands: [{at: now}]"])
def test_a_damaged_sweep_yaml_costs_the_commands_alone(outputs: Any, content: str) -> None:
    sweep = outputs.sweep("mine", [outputs.run()])
    (sweep / "sweep.yaml").write_text(content)
    (place,) = find_inputs([sweep]).sweeps
    assert (place.commands, len(place.run_ids)) == ((), 1)


def test_all_wrong_paths_are_told_at_once(outputs: Any, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    wrong = [tmp_path / "absent", tmp_path / "other", outputs.path]
    with pytest.raises(UserError) as caught:
        find_inputs(wrong)
    assert caught.value.messages == [
        f"{wrong[0]}: is no folder; {ALLOWED}",
        f"{wrong[1]}: holds no run; {ALLOWED}",
        f"{wrong[2]}: holds no run yet; {ALLOWED}",
    ]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("", "holds runs, and a report must not mix with that; give another"),
        ("sweeps/mine", "holds sweep.yaml, and a report must not mix with that; give another"),
        ("runs", "is a run's place; give a folder of its own"),
        ("runs/new", "is a run's place; give a folder of its own"),
    ],
)
def test_a_report_is_never_written_among_runs_and_sweeps(
    outputs: Any, place: str, told: str
) -> None:
    outputs.sweep("mine", [outputs.run()])
    assert output_problem(outputs.path / place) == told
    for fit in ("report", "sweeps/mine/report", "elsewhere/deep"):
        assert output_problem(outputs.path / fit) is None


def test_an_output_that_is_no_path_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert output_problem(tmp_path / "file") == "is there, and no folder"
    assert output_problem(tmp_path / "file" / "x") == f"{tmp_path / 'file'} is no folder"
    assert output_problem(tmp_path / ("x" * 300)) == "is no path for a folder: File name too long"
    with pytest.raises(UserError):
        find_inputs([tmp_path / ("x" * 5000)])
