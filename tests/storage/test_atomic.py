import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cifar_exp.storage.atomic import (
    remove_leftovers,
    write_csv,
    write_json,
    write_text,
    write_whole,
)


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")

    def fail(stream) -> None:
        stream.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_kill_in_the_middle_of_a_write_leaves_the_old_file_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "old")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from cifar_exp.storage.atomic import write_whole\n"
        "def half(stream):\n"
        "    stream.write(b'half'); stream.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(Path(sys.argv[1]), half)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "file")],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == -9
    assert (tmp_path / "file").read_text() == "old"
    assert len(os.listdir(tmp_path)) == 2
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["file"]


def test_files_have_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "ordinary").write_text("")
    write_text(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_number_that_is_not_finite_is_refused_as_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file", {"loss": float("nan")})
    write_json(tmp_path / "file", {"name": "grün"})
    assert json.loads((tmp_path / "file").read_text()) == {"name": "grün"}


def test_a_missing_value_is_an_empty_cell(tmp_path: Path) -> None:
    write_csv(tmp_path / "file", ["a", "b"], [{"a": 1, "b": None}, {"a": None, "b": 0.5}])
    assert (tmp_path / "file").read_text() == "a,b\n1,\n,0.5\n"
