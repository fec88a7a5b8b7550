"""What the README promises, typed as a user would."""

import csv
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # commands in processes of their own

ROOT = Path(__file__).parents[1]
QUICK = [
    "data=folder",
    "data.image_size=16",
    "model=tiny",
    "model.width=4",
    "model.stages=2",
    "trainer.batch_size=16",
    "trainer.threads=1",
    "trainer.device=cpu",
    "data.val_fraction=0.25",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
]
TIMES = ("epoch_seconds", "elapsed_seconds", "images_per_second")


class Shell:
    """A folder in which commands are typed."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        self.folder = folder
        self.quick = [*QUICK, f"data.root={pictures}"]
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CIFAR_EXP_CACHE": str(folder / "cache"),
        }

    def start(self, *overrides: str, **options: Any) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "cifar_exp.train", *self.quick, *overrides],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *overrides: str, **options: Any) -> subprocess.CompletedProcess:
        process = self.start(*overrides, **options)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @property
    def runs(self) -> list[Path]:
        return sorted(self.folder.glob("outputs/runs/[!.]*"))

    def record(self) -> dict:
        return json.loads((self.runs[0] / "run.json").read_text())

    def figures(self) -> list[dict[str, str]]:
        with (self.runs[0] / "metrics.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]

    def wait_for_checkpoint(self, process: subprocess.Popen) -> None:
        deadline = time.monotonic() + 90
        while not list(self.folder.glob("outputs/runs/*/checkpoints/last.pt")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def shell(tmp_path: Path, pictures: Path) -> Shell:
    return Shell(tmp_path, pictures)


def test_a_run_prints_its_network_its_accuracy_and_its_folder(shell: Shell) -> None:
    done = shell.run("trainer.epochs=2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"run      outputs/runs/{shell.runs[0].name}"
    assert "data     folder: 96 train, 32 val, 32 test, 4 classes" in lines
    assert any(line.startswith("network  ") and "multiply-accumulates" in line for line in lines)
    assert any(line.startswith("time     about ") for line in lines)
    assert any(line.startswith("epoch   2/2  loss ") for line in lines)
    accuracy = shell.record()["test"]["accuracy"]
    assert any(line.startswith(f"test     accuracy {100 * accuracy:.2f} %") for line in lines)
    assert lines[-1].startswith(f"done     outputs/runs/{shell.runs[0].name}")
    assert set(os.listdir(shell.folder)) == {"outputs", "cache"}  # Hydra itself writes nothing
    assert (shell.runs[0] / "train.log").read_text().splitlines() == lines


def test_after_kill_9_the_same_command_continues_the_run(shell: Shell, tmp_path: Path) -> None:
    overrides = ("trainer.epochs=40", "model.dropout=0.1")
    process = shell.start(*overrides)
    shell.wait_for_checkpoint(process)
    process.kill()
    process.communicate()
    assert shell.record()["status"] == "running"
    done = shell.run(*overrides)
    assert done.returncode == 0
    assert "resume   after epoch " in done.stdout
    record = shell.record()
    assert (record["status"], len(record["segments"])) == ("completed", 2)
    undisturbed = Shell(tmp_path / "other", Path(shell.quick[-1].partition("=")[2]))
    undisturbed.folder.mkdir()
    assert undisturbed.run(*overrides).returncode == 0
    assert shell.figures() == undisturbed.figures()
    assert record["test"] == undisturbed.record()["test"]


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_saves_the_position_and_exits(shell: Shell, signum: int, code: int) -> None:
    process = shell.start("trainer.epochs=4000")
    shell.wait_for_checkpoint(process)
    process.send_signal(signum)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (code, "")
    assert out.endswith("stopped  position saved; run the same command again to continue\n")
    assert shell.record()["status"] == "interrupted"
    assert len(shell.figures()) >= 1


def test_a_second_process_on_the_same_run_exits_3_and_names_the_first(shell: Shell) -> None:
    first = shell.start("trainer.epochs=4000")
    shell.wait_for_checkpoint(first)
    second = shell.run("trainer.epochs=4000")
    holder = f"process {first.pid} on {socket.gethostname()}"
    assert second.returncode == 3
    assert second.stderr.startswith("error: run ")
    assert f"is being trained by {holder}" in second.stderr
    first.kill()
    first.communicate()


def test_a_diverged_run_exits_1_and_is_not_repeated(shell: Shell) -> None:
    for _ in range(2):
        done = shell.run("optimizer.lr=1e30", "trainer.epochs=2")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "the training loss is not finite in epoch 1" in done.stdout
    assert len(shell.record()["segments"]) == 1


def test_out_of_memory_names_the_batch_size(shell: Shell) -> None:
    def cap() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30, 12 * 2**30))

    wide = ("model.width=4096", "model.stages=1", "model.stem=none", "trainer.batch_size=96")
    deep = ("model.depth=1", "data.image_size=64", "optimizer.momentum=0")
    done = shell.run(*wide, *deep, preexec_fn=cap)
    assert done.returncode == 1
    assert shell.record()["status"] == "failed"
    message = shell.record()["error"]["message"]
    assert message.startswith("out of memory at trainer.batch_size=96; use a smaller one (")
    assert "allocate memory" in message


def write_own_option(shell: Shell, group: str, text: str) -> None:
    folder = shell.folder / "conf" / group
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(text)


def test_a_network_an_optimizer_and_a_scheduler_of_the_users_are_one_yaml_file_each(
    shell: Shell,
) -> None:
    write_own_option(shell, "model", "_target_: their_module.TheirNet\nhidden: 8\n")
    write_own_option(shell, "optimizer", "_target_: torch.optim.RMSprop\nlr: 0.01\n")
    scheduler = "_target_: torch.optim.lr_scheduler.ExponentialLR\ngamma: 0.5\n"
    write_own_option(shell, "scheduler", scheduler)
    (shell.folder / "their_module.py").write_text(
        "from torch import nn\n"
        "class TheirNet(nn.Sequential):\n"
        "    def __init__(self, hidden, num_classes):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(768, hidden), nn.ReLU(),\n"
        "                         nn.Linear(hidden, num_classes))\n"
    )
    shell.quick = [o for o in shell.quick if not o.startswith("model")]
    choices = ("model=mine", "optimizer=mine", "scheduler=mine", "model.hidden=16")
    done = shell.run("--config-dir", "conf", *choices, "trainer.epochs=2")
    assert (done.returncode, done.stderr) == (0, "")
    assert shell.runs[0].name.startswith("mine-")
    assert shell.record()["model"]["parameters"] == 768 * 16 + 16 + 16 * 4 + 4
    assert [row["lr"] for row in shell.figures()] == ["0.01", "0.005"]


def test_torchvisions_resnet18_is_an_option(shell: Shell) -> None:
    shell.quick = [o for o in shell.quick if not o.startswith("model")]
    done = shell.run("model=resnet18", "trainer.epochs=1", "data.image_size=32")
    assert (done.returncode, done.stderr) == (0, "")
    assert shell.record()["model"]["parameters"] == 11_178_564  # 11,689,512 less 996 classes
