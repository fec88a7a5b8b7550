"""The command on a cluster of two nodes that was started in another folder, and loses a node."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]

# Ray listens on every address of the machine and writes into the home folder; a process that it
# leaves behind ends with the namespace.
ALONE = ("unshare", "-rn", "--pid", "--fork", "--kill-child", "--mount-proc")
SCRIPT = Path(__file__).with_name("two_nodes.py")
ROOT = Path(__file__).parents[4]
EPOCHS = 40
SWEEP = (
    "data=folder",
    "data.image_size=16",
    "data.val_fraction=0.25",
    "model=tiny",
    "model.width=4",
    "model.stages=2",
    "trainer.batch_size=16",
    f"trainer.epochs={EPOCHS}",
    "trainer.resolution_scales=[]",
    "trainer.resolution_until=[]",
    "trainer.device=cpu",
    "optimizer.lr=0.05",
    "trainer.progress=plain",
    "report=false",
    "seed=0,1",
    "hydra/launcher=ray",
)


@pytest.fixture
def alone() -> tuple[str, ...]:
    """What starts a process where nothing but itself is reached."""
    if find_spec("ray") is None:  # it is not imported here: that reads the variables of tokens
        pytest.skip("Ray is not installed: pip install 'cifar_exp[ray]'")
    try:
        subprocess.run([*ALONE, "ip", "link", "set", "lo", "up"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a Ray cluster needs namespaces of its own: {error}")
    return ALONE


def test_a_node_that_dies_costs_its_run_an_epoch_and_runs_are_in_the_commands_folder(
    alone: tuple[str, ...], pictures: Path, tmp_path: Path
) -> None:
    head, here = tmp_path / "head", tmp_path / "here"
    head.mkdir()
    here.mkdir()
    command = [sys.executable, "-m", "cifar_exp.train", "--multirun", *SWEEP]
    done = subprocess.run(
        [*alone, sys.executable, SCRIPT, head, *command, f"data.root={pictures}"],
        cwd=here,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "CIFAR_EXP_CACHE": str(tmp_path / "cache"),
            "RAY_AUTH_MODE": "disabled",
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "done     2 completed" in said
    logs = [log.read_text() for log in (here / "outputs" / "runs").glob("*/train.log")]
    assert sorted("resume   after epoch" in log for log in logs) == [False, True]
    for table in (here / "outputs" / "runs").glob("*/metrics.csv"):
        epochs = [line.partition(",")[0] for line in table.read_text().splitlines()[1:]]
        assert epochs == [str(epoch) for epoch in range(1, EPOCHS + 1)]
    assert list(head.iterdir()) == []
    assert "(raylet)" not in said
