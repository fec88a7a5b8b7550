import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cifar_exp.runs.execute import execute
from cifar_exp.runs.spec import RunSpec

pytestmark = pytest.mark.slow  # trains whole runs

Make = Callable[..., RunSpec]


def rows(folder: Path, name: str = "metrics.csv") -> list[dict[str, str]]:
    with (folder / name).open() as stream:
        return list(csv.DictReader(stream))


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def truncate(path: Path) -> None:
    os.truncate(path, 5000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def flip_bits(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 99] = bytes(255 - byte for byte in content[middle : middle + 99])
    path.write_bytes(content)


def replace_by_a_tensor(path: Path) -> None:
    torch.save(torch.zeros(3), path)


@pytest.mark.parametrize("status", ["failed", "interrupted"])
@pytest.mark.parametrize("damage", [truncate, empty, overwrite, flip_bits, replace_by_a_tensor])
def test_a_damaged_checkpoint_is_named_and_rerun_trains_from_the_beginning(
    make_spec: Make,
    stop_before_the_test: Callable[..., Path],
    status: str,
    damage: Callable[[Path], None],
) -> None:
    folder = stop_before_the_test(status)
    before, metrics = record(folder), rows(folder, "extra.csv")
    last = folder / "checkpoints" / "last.pt"
    damage(last)
    for _ in range(2):
        failed = execute(make_spec())
        assert failed.record.status == "failed"
        message = failed.record.error.message
        assert message.startswith(f"{last} ")
        assert message.endswith(
            "; the run's other files are kept: rerun=true trains it from the beginning"
        )
        assert len(message.splitlines()) == 1
        for part in ("best", "final", "compute"):
            assert record(folder)[part] == before[part]
        assert rows(folder, "extra.csv") == metrics
    done = execute(make_spec("rerun=true"))
    assert done.record.status == "completed"
    assert done.folder == folder
    assert rows(folder, "extra.csv") == metrics
    assert done.record.segments[-1].from_epoch == 1


def test_damaged_best_weights_that_test_would_read_are_named_before_training_continues(
    make_spec: Make, stop_before_the_test: Callable[..., Path]
) -> None:
    folder = stop_before_the_test("failed", "trainer.evaluate=best")
    best = folder / "checkpoints" / "best.pt"
    truncate(best)
    failed = execute(make_spec("trainer.evaluate=best"))
    assert failed.record.error.message.startswith(f"{best} cannot be read (")
    assert execute(make_spec("trainer.evaluate=best", "rerun=true")).record.test is not None


def test_a_damaged_checkpoint_of_a_rerun_does_not_block_the_next_one(
    make_spec: Make, stop_before_the_test: Callable[..., Path]
) -> None:
    first = execute(make_spec())
    folder = stop_before_the_test("interrupted", "rerun=true")
    assert folder == first.folder.with_name(f"{first.folder.name}.rerun")
    empty(folder / "checkpoints" / "last.pt")
    again = execute(make_spec("rerun=true"))
    assert again.folder == first.folder
    assert again.record.test == first.record.test
    assert not folder.exists()
