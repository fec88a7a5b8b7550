import csv
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from cifar_exp.config.schema import Settings
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line
from cifar_exp.storage.lease import LockHolder
from cifar_exp.storage.run_state import RunState
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.sweeps.plan import Plan, PlannedRun
from cifar_exp.sweeps.trial import Trial
from cifar_exp.text import value_as_text
from cifar_exp.training.cost import RunCost

KEYS = ("model.width", "seed")
MakePlan = Callable[..., Plan]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return check_command_line(parse_arguments(["data=shapes"])).settings[0]


@pytest.fixture
def plan_of(settings: Settings, tmp_path: Path) -> MakePlan:
    """A plan of the runs with these ids and swept values."""

    def plan(runs: Mapping[str, Mapping[str, Any]], **more: Any) -> Plan:
        planned = [
            PlannedRun(run_id, Trial(settings, "base", (), values), RunCost(10, 0.5))
            for run_id, values in runs.items()
        ]
        return Plan("mine", KEYS, planned, len(planned), **{"fixed": {}, **more}, outputs=tmp_path)

    return plan


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path / "sweeps" / "mine")


def ids() -> Iterator[str]:
    """Ids that a careless reader parses as numbers."""
    yield from ("12e4567890", "0123456789", "0000000000", "1e00000000", "9999999999", "0x12345678")
    yield from (f"{n:010d}" for n in range(100, 200))


def grid(widths: list[int], seeds: list[int]) -> dict[str, dict[str, Any]]:
    """The trials of a grid by id, seeds outermost; a trial's id follows from its values."""
    return {
        f"{1000 * seed + width:010d}": {"model.width": width, "seed": seed}
        for seed, width in product(seeds, widths)
    }


def lines(folder: SweepFolder) -> list[dict[str, str]]:
    with (folder.path / "runs.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def file(folder: SweepFolder) -> dict[str, Any]:
    return yaml.safe_load((folder.path / "sweep.yaml").read_text())


def test_a_sweep_writes_what_was_requested_and_a_line_for_each_run(
    folder: SweepFolder, plan_of: MakePlan
) -> None:
    folder.enter(plan_of(grid([8, 16], [0, 1]), fixed={"trainer.epochs": 3}).entry("the command"))
    assert (folder.path / "runs.csv").read_text() == (
        "run_id,folder,status,model.width,seed\n"
        "0000000008,,pending,8,0\n"
        "0000000016,,pending,16,0\n"
        "0000001008,,pending,8,1\n"
        "0000001016,,pending,16,1\n"
    )
    content = file(folder)
    (command,) = content.pop("commands")
    assert command["command"] == "the command"
    assert content == {
        "name": "mine",
        "parameters": {"model.width": [8, 16], "seed": [0, 1]},
        "fixed": {"trainer.epochs": 3},
        "efforts": {run_id: [10, 0.5] for run_id in grid([8, 16], [0, 1])},
    }
    assert {path.name for path in folder.path.iterdir()} == {"sweep.yaml", "runs.csv"}


def test_ids_stay_strings_whatever_their_digits(folder: SweepFolder, plan_of: MakePlan) -> None:
    runs = {run_id: {"seed": seed} for seed, run_id in enumerate(ids())}
    folder.enter(plan_of(runs).entry(""))
    assert [row.run_id for row in folder.rows()] == list(runs)
    assert [line["run_id"] for line in lines(folder)] == list(runs)
    assert list(file(folder)["efforts"]) == list(runs)
    read = folder.read_file()
    assert [read.efforts[run_id] for run_id in runs] == [[10, 0.5]] * len(runs)


def test_more_values_extend_the_sweep_in_grid_order(folder: SweepFolder, plan_of: MakePlan) -> None:
    folder.enter(plan_of(grid([8, 16], [0, 1])).entry("first"))
    folder.enter(plan_of(grid([32, 16], [1, 2, 0])).entry("second"))
    content = file(folder)
    assert content["parameters"] == {"model.width": [8, 16, 32], "seed": [0, 1, 2]}
    assert [command["command"] for command in content["commands"]] == ["first", "second"]
    found = [(int(line["seed"]), int(line["model.width"])) for line in lines(folder)]
    asked = {*product((0, 1), (8, 16)), *product((0, 1, 2), (16, 32))}
    assert found == [trial for trial in product((0, 1, 2), (8, 16, 32)) if trial in asked]
    assert set(content["efforts"]) == {line["run_id"] for line in lines(folder)}


def test_the_lines_of_a_search_keep_the_order_of_its_proposals(
    folder: SweepFolder, plan_of: MakePlan
) -> None:
    entry = replace(
        plan_of({}).entry("the command"), keys=["model.width"], search={"sampler": "tpe"}
    )
    folder.enter(entry)
    proposals = {f"{width:010d}": {"model.width": width, "seed": 0} for width in (8, 4, 16)}
    folder.extend(lambda _: proposals)
    folder.extend(lambda _: {f"{2:010d}": {"model.width": 2, "seed": 0}})
    folder.enter(entry)
    assert [line["model.width"] for line in lines(folder)] == ["8", "4", "16", "2"]
    assert file(folder)["parameters"] == {"model.width": []}
    assert file(folder)["search"] == {"sampler": "tpe"}


def test_a_repeated_command_changes_only_the_list_of_commands(
    folder: SweepFolder, plan_of: MakePlan
) -> None:
    plan = plan_of(grid([8, 16], [0, 1]))
    folder.enter(plan.entry("first"))
    state = RunState("0000001008", folder.runs_folder / "base-0000001008")
    folder.refresh({"0000001008": state})
    rows, content = folder.rows(), file(folder)
    folder.enter(plan.entry("second"))
    assert folder.rows() == rows
    assert {**file(folder), "commands": content["commands"]} == content


def test_extending_keeps_the_status_and_folder_of_earlier_runs(
    folder: SweepFolder, plan_of: MakePlan
) -> None:
    folder.enter(plan_of(grid([8], [0])).entry(""))
    ran = RunState("0000000008", folder.runs_folder / "tiny-0000000008")
    folder.refresh({"0000000008": ran})
    before = folder.rows()[0]
    assert before.folder == "../../runs/tiny-0000000008"
    folder.enter(plan_of(grid([4, 8], [0])).entry(""))
    assert [row.run_id for row in folder.rows()] == ["0000000008", "0000000004"]
    assert folder.rows()[0] == before


def test_refresh_writes_the_status_of_these_runs_and_leaves_others(
    folder: SweepFolder, plan_of: MakePlan
) -> None:
    folder.enter(plan_of(grid([8, 16, 32], [0])).entry(""))
    runs = folder.runs_folder
    holder = LockHolder("here", 7)
    states = {
        "0000000008": RunState("0000000008", runs / "base-0000000008", holder=holder),
        "0000000032": RunState("0000000032"),
        "ffffffffff": RunState("ffffffffff", runs / "of-another-ffffffffff"),
    }
    folder.refresh(states)
    assert [(line["run_id"], line["folder"], line["status"]) for line in lines(folder)] == [
        ("0000000008", "../../runs/base-0000000008", "running"),
        ("0000000016", "", "pending"),
        ("0000000032", "", "pending"),
    ]


def test_nothing_is_written_if_nothing_has_changed(folder: SweepFolder, plan_of: MakePlan) -> None:
    folder.enter(plan_of(grid([8], [0])).entry(""))
    before = (folder.path / "runs.csv").stat()
    folder.refresh({"0000000008": RunState("0000000008")})
    after = (folder.path / "runs.csv").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("adam", "adam"),
        ("", ""),
        ("a,b\n\"c\" 'd'", "a,b\n\"c\" 'd'"),
        (1, "1"),
        (0.1, "0.1"),
        (1e-05, "1e-05"),
        (True, "true"),
        (None, "null"),
        ([0.25, 0.5], "[0.25, 0.5]"),
        ({"kind": "a"}, '{"kind": "a"}'),
    ],
)
def test_values_of_any_kind_come_back_as_they_were_written(
    folder: SweepFolder, plan_of: MakePlan, value: Any, text: str
) -> None:
    assert value_as_text(value) == text
    folder.enter(plan_of({"0123456789": {"key": value}}).entry(""))
    assert folder.rows()[0].values == {"key": text}
    assert file(folder)["parameters"] == {"key": [value]}


def test_a_run_of_unknown_cost_has_no_effort(folder: SweepFolder, plan_of: MakePlan) -> None:
    plan = plan_of(grid([8], [0]))
    plan = replace(plan, runs=[replace(run, cost=None) for run in plan.runs])
    folder.enter(plan.entry(""))
    assert file(folder)["efforts"] == {}
    assert folder.read_file().efforts == {}


def test_a_folder_without_files_is_an_empty_sweep(folder: SweepFolder) -> None:
    assert folder.rows() == []
    assert folder.read_file().name == "mine"
    assert folder.read_file().parameters == {}
    assert not folder.path.exists()


@pytest.mark.parametrize("text", ["", "a: [", "3", "unheard: of"])
def test_a_broken_file_does_not_stop_the_sweep(
    folder: SweepFolder, plan_of: MakePlan, text: str
) -> None:
    folder.enter(plan_of(grid([8], [0])).entry("first"))
    (folder.path / "sweep.yaml").write_text(text)
    folder.enter(plan_of(grid([16], [0])).entry("second"))
    assert [row.run_id for row in folder.rows()] == ["0000000008", "0000000016"]


def test_commands_at_the_same_time_lose_nothing(folder: SweepFolder, plan_of: MakePlan) -> None:
    plans = [plan_of(grid([width], [0, 1])) for width in range(1, 13)]

    def work(index: int) -> None:
        one = SweepFolder(folder.path)
        one.enter(plans[index].entry(f"command {index}"))
        run_id = plans[index].runs[0].run_id
        one.refresh({run_id: RunState(run_id, folder.runs_folder / f"base-{run_id}")})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(len(plans))))
    content = file(folder)
    assert sorted(content["parameters"]["model.width"]) == list(range(1, 13))
    assert {command["command"] for command in content["commands"]} == {
        f"command {index}" for index in range(12)
    }
    assert {line["run_id"] for line in lines(folder)} == set(grid([*range(1, 13)], [0, 1]))
    assert sum(line["folder"] != "" for line in lines(folder)) == 12


def test_a_key_that_is_swept_later_fills_earlier_rows(
    folder: SweepFolder, plan_of: MakePlan
) -> None:
    folder.enter(plan_of({"a" * 10: {"seed": 0}}).entry(""))
    both = {"a" * 10: {"seed": 0, "model.depth": 2}, "b" * 10: {"seed": 0, "model.depth": 3}}
    folder.enter(plan_of(both).entry(""))
    assert [(row["run_id"], row["model.depth"]) for row in lines(folder)] == [
        ("a" * 10, "2"),
        ("b" * 10, "3"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("runs.csv", b"\xff\xfe\x81abc"),
        ("runs.csv", b"a,b\n1,2\n"),
        ("sweep.yaml", b"name: x\nparameters:\n  se"),
        ("sweep.yaml", b"\xff\xfe\x81abc"),
    ],
    ids=str,
)
def test_a_damaged_file_is_written_again(
    folder: SweepFolder, plan_of: MakePlan, name: str, content: bytes
) -> None:
    folder.enter(plan_of(grid([8], [0])).entry("first"))
    whole = lines(folder)
    (folder.path / name).write_bytes(content)
    folder.rows()
    folder.enter(plan_of(grid([8], [0])).entry("second"))
    assert lines(folder) == whole
    assert file(folder)["parameters"] == {"model.width": [8], "seed": [0]}
