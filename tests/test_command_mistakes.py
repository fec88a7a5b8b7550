"""A mistake in a command: exit code 2, a sentence each on stderr, nothing left behind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import cifar_exp
from cifar_exp.train import main

pytestmark = pytest.mark.slow  # commands from their first line to their exit code

ROOT = Path(__file__).resolve().parents[1]
TRACEBACK = "Traceback (most recent call last)"
CommandResult = tuple[int, str, str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where commands run; it must stay empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CIFAR_EXP_DATA", raising=False)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., CommandResult]:
    """Runs the command in this process: exit code, stdout, stderr."""

    def run(*line: str) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["train", *line])
        try:
            code = main()
        except SystemExit as end:  # by which a sweep ends
            code = int(end.code or 0)
        return (code, *capsys.readouterr())

    return run


def typed(*line: str) -> CommandResult:
    """Runs the command as a user would: exit code, stdout, stderr."""
    ended = subprocess.run(
        [sys.executable, "-m", "cifar_exp.train", *line],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_all_mistakes_are_printed_on_stderr() -> None:
    code, out, err = typed("model.widht=3", "optimiser=adam", "seed=-1", "trainer.epochs=0")
    assert (code, out) == (2, "")
    assert sorted(err.splitlines()) == [
        "error: model.widht: no such setting; did you mean model.width?",
        "error: optimiser: no such setting or group; did you mean optimizer?",
        "error: seed=-1: must be an integer in [0, 4294967296)",
        "error: trainer.epochs=0: must be an integer in [1, 1000000]",
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            ["seed=0,1,2"],
            "error: seed=0,1,2: several values make several runs; add --multirun\n",
        ),
        (
            ["--multirun", "seed=0,-1"],
            "error: seed=-1: must be an integer in [0, 4294967296)\n",
        ),
        (
            ["--multrun", "seed=0,1"],
            "error: unrecognized arguments: --multrun; did you mean --multirun?\n",
        ),
        (
            ["--config-dir", "absent", "seed=0"],
            "error: --config-dir=absent: there is no such folder\n",
        ),
        (
            ["data.val_fraction=0", "trainer.evaluate=best"],
            "error: trainer.evaluate=best chooses by val_accuracy, and data.val_fraction=0 leaves "
            "no validation images; set that to 0.1, for example, or choose trainer.evaluate=last\n",
        ),
        (["~seed"], "error: ~seed: a setting cannot be removed\n"),
    ],
    ids=["several values", "one of several", "option", "folder", "conflict", "deletion"],
)
def test_a_mistake_ends_the_command_with_two(
    command: Callable[..., CommandResult], line: list[str], sentence: str
) -> None:
    assert command(*line) == (2, "", sentence)


def test_a_full_traceback_is_shown_on_request(
    command: Callable[..., CommandResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = command("seed=-1")
    assert (code, TRACEBACK in err) == (2, False)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    code, out, err = command("seed=-1")
    assert (code, out) == (2, "")
    assert err.startswith("error: seed=-1: must be an integer in [0, 4294967296)\n")
    assert TRACEBACK in err
    assert "check_command_line" in err


def test_a_device_that_is_not_there_is_a_mistake(command: Callable[..., CommandResult]) -> None:
    code, out, err = command("--multirun", "seed=0,1", "trainer.device=cuda:99")
    assert (code, out) == (2, "")
    assert err.startswith("error: trainer.device=cuda:99: not on this machine, which has ")
    assert err.endswith("cpu\n")


def test_images_that_are_not_there_are_a_mistake() -> None:
    code, out, err = typed("data=cifar100", "data.root=nowhere", "data.download=false")
    assert (code, out) == (2, "")
    assert err.startswith("error: data.root=nowhere: ")
    assert len(err.splitlines()) == 1


def test_the_version_is_printed(command: Callable[..., CommandResult]) -> None:
    assert command("--version") == (0, f"cifar_exp {cifar_exp.__version__}\n", "")


def test_help_is_printed_whatever_else_is_typed(
    command: Callable[..., CommandResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.hydra_app.command.help_text", lambda _: "the help")
    assert command("--help", "seed=-1") == (0, "the help\n", "")


def test_the_settings_are_shown_and_nothing_is_done() -> None:
    line = ["model=tiny", "init_from=12e4567890", "seed=3"]
    code, out, err = typed("--cfg", "job", *line)
    assert (code, err) == (0, "")
    shown = yaml.safe_load(out)
    assert (shown["seed"], shown["init_from"]) == (3, "12e4567890")
    assert shown["model"]["name"] == "convnet"


@pytest.mark.parametrize("line", [("seed=1",), ("--multirun", "seed=0,1")], ids=str)
def test_a_broken_link_in_place_of_outputs_is_a_mistake(
    command: Callable[..., CommandResult], folder: Path, line: tuple[str, ...]
) -> None:
    (folder / "outputs").symlink_to("gone")
    code, out, err = command("data=shapes", *line)
    (folder / "outputs").unlink()
    assert (code, out) == (2, "")
    assert err == "error: outputs exists but is not a writable folder\n"


@pytest.mark.parametrize("name", ["runs/.locks", "sweeps/.locks"])
@pytest.mark.parametrize("line", [("seed=1",), ("--multirun", "seed=0,1")], ids=str)
def test_a_file_in_place_of_a_locks_folder_is_a_mistake(
    command: Callable[..., CommandResult], folder: Path, line: tuple[str, ...], name: str
) -> None:
    path = folder / "outputs" / name
    path.parent.mkdir(parents=True)
    path.touch()
    code, out, err = command("data=shapes", *line)
    shutil.rmtree(folder / "outputs")
    assert (code, out) == (2, "")
    assert err == f"error: outputs/{name} exists but is not a writable folder\n"


THREE_WAYS = [("seed=1",), ("--multirun", "seed=0,1"), ("--multirun", "seed=0,1", "plan=true")]


@pytest.fixture
def own(
    tmp_path_factory: pytest.TempPathFactory, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of the pictures, outside the folder where commands run, and a cache beside it."""
    place = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(place / "cache"))
    return Path(shutil.copytree(pictures, place / "pictures"))


@pytest.fixture
def of_own(command: Callable[..., CommandResult], own: Path) -> Callable[..., CommandResult]:
    """Runs the command on the copied pictures."""

    def run(*line: str) -> CommandResult:
        return command("data=folder", f"data.root={own}", "model=tiny", *line)

    return run


@pytest.mark.parametrize("line", THREE_WAYS, ids=" ".join)
def test_an_image_that_cannot_be_read_is_a_mistake_in_a_run_a_sweep_and_a_plan(
    of_own: Callable[..., CommandResult], own: Path, line: tuple[str, ...]
) -> None:
    broken = own / "train" / "along" / "003.png"
    broken.write_bytes(broken.read_bytes()[:100])
    code, out, err = of_own(*line)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: data.root: cannot read the image {broken} (")
    assert err.endswith("); replace it or remove it\n")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("line", THREE_WAYS, ids=" ".join)
def test_a_class_missing_from_test_is_a_mistake_in_a_run_a_sweep_and_a_plan(
    of_own: Callable[..., CommandResult], own: Path, line: tuple[str, ...]
) -> None:
    shutil.rmtree(own / "test" / "along")
    sentence = f"data.root: {own / 'test'} lacks the class along; train and test have the same"
    assert of_own(*line) == (2, "", f"error: {sentence} classes\n")


@pytest.mark.parametrize("line", THREE_WAYS, ids=" ".join)
def test_a_cache_that_cannot_be_written_ends_a_run_a_sweep_and_a_plan_with_one(
    of_own: Callable[..., CommandResult],
    own: Path,
    line: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (own / "a_file").touch()
    monkeypatch.setenv("CIFAR_EXP_CACHE", str(own / "a_file" / "cache"))
    code, out, err = of_own(*line)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: cannot store decoded images in {own / 'a_file' / 'cache'} (")
    assert err.endswith("CIFAR_EXP_CACHE to another folder, and run the same command again\n")
    assert len(err.splitlines()) == 1


def test_a_sweep_over_a_broken_image_exits_2(own: Path) -> None:
    broken = own / "test" / "along" / "003.png"
    broken.write_bytes(b"no picture")
    code, out, err = typed("data=folder", f"data.root={own}", "model=tiny", "-m", "seed=0,1")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: data.root: cannot read the image {broken} (")
    assert len(err.splitlines()) == 1
