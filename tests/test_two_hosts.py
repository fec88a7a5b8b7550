"""One sweep on a shared folder, from two hosts: namespaces of host names, networks and processes.

The hosts see each other's process ids as little as two machines do. A host is frozen from outside.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNSHARE = ["unshare", "--net", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"]
HOST = 'hostname "$0" && ip link set lo up && exec "$@"'
SWEEP = [
    "data=folder",
    "data.image_size=16",
    "--config-dir=conf",
    "model=waits",
    "model.mode=a,b,c,d",
    "trainer.batch_size=16",
    "trainer.device=cpu",
    "trainer.epochs=4",
    "data.val_fraction=0.25",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "hydra.launcher.n_jobs=1",
    "report=false",
]
NETWORK = """
import pathlib, socket, time
from torch import nn

class Waits(nn.Sequential):
    # on the host alpha in the third epoch, until it has been frozen and thawed
    def __init__(self, mode, num_classes):
        super().__init__(nn.Flatten(), nn.Linear(768, num_classes))
        self.steps = 0

    def forward(self, images):
        self.steps += self.training
        if socket.gethostname() == "alpha" and self.steps > 12:
            pathlib.Path("alpha.waits").touch()
            while not pathlib.Path("alpha.thawed").exists():
                time.sleep(0.01)
        return super().forward(images)
"""
# every process of a host, its workers too; a minute is long for a test
LEASES = """
from cifar_exp.storage import liveness
liveness.RENEW_SECONDS, liveness.LEASE_SECONDS = 0.2, 3.0
"""


def reason_against_hosts() -> str:
    """Why namespaces cannot be made here; empty if they can."""
    command = [*UNSHARE, "sh", "-c", HOST, "alpha", "true"]
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True).stderr
    except FileNotFoundError as error:
        return str(error)


REASON = reason_against_hosts()
pytestmark = [
    pytest.mark.slow,  # commands in processes of their own
    pytest.mark.skipif(REASON != "", reason=f"namespaces cannot be made here: {REASON}"),
]

Start = Callable[[str], subprocess.Popen]


@pytest.fixture
def start(tmp_path: Path, pictures: Path) -> Iterator[Start]:
    """Gives the command of the sweep on a host."""
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "waits.yaml").write_text("_target_: waits.Waits\nmode: a\n")
    (tmp_path / "waits.py").write_text(NETWORK)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(LEASES)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(ROOT)]),
        "CIFAR_EXP_CACHE": str(tmp_path / "cache"),
    }
    command = [sys.executable, "-m", "cifar_exp.train", "--multirun", *SWEEP]
    started = []

    def begin(host: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [*UNSHARE, "sh", "-c", HOST, host, *command, f"data.root={pictures}"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_host_that_was_frozen_longer_than_the_lease_changes_nothing_when_it_wakes_up(
    tmp_path: Path, start: Start
) -> None:
    alpha = start("alpha")
    deadline = time.monotonic() + 120
    while not (tmp_path / "alpha.waits").exists():
        assert alpha.poll() is None, alpha.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(alpha.pid, signal.SIGSTOP)
    beta = start("beta")
    out = beta.communicate(timeout=300)[0]
    assert beta.returncode == 0, out
    runs = tmp_path / "outputs" / "runs"
    left = files(runs)

    (tmp_path / "alpha.thawed").touch()
    os.killpg(alpha.pid, signal.SIGCONT)
    out = alpha.communicate(timeout=120)[0]
    assert alpha.returncode == 0, out  # it finds that the other host has done the rest
    assert "4 completed" in out
    assert files(runs) == left

    records = [json.loads(path.read_text()) for path in runs.glob("*/run.json")]
    hosts = [[segment["host"] for segment in record["segments"]] for record in records]
    assert sorted(hosts) == [["alpha", "beta"], ["beta"], ["beta"], ["beta"]]
    assert {record["status"] for record in records} == {"completed"}
    assert len({record["run_id"] for record in records}) == 4
