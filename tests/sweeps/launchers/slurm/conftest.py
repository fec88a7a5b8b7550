"""A SLURM of one node on loopback, with its state in one folder; for root, without systemd."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "srun", "squeue", "scancel", "scontrol")
SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
START_SECONDS = 30.0
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge/socket
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd.pid
StateSaveLocation={state}/controller
SlurmdSpoolDir={state}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ReturnToService=2
MpiDefault=none
MailProg=/bin/true
SlurmdParameters=config_overrides
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Why no SLURM can be started here, or None."""
    missing = [name for name in (*DAEMONS, *COMMANDS) if not shutil.which(name, path=SEARCHED)]
    if missing:
        return f"{missing[0]} is not installed"
    if os.geteuid() != 0:
        return "SLURM's daemons are started by root"
    address = socket.gethostbyname(socket.gethostname())
    if not address.startswith("127."):  # they bind what the name resolves to
        return f"this machine's name resolves to {address}, which is not loopback"
    return None


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real SLURM, on which eight jobs of one core run at a time.

    CIFAR_EXP_SLURM=demanded makes it a failure that there is none.
    """
    reason = why_not()
    if reason is not None:
        if os.environ.get("CIFAR_EXP_SLURM") == "demanded":
            pytest.fail(f"no SLURM: {reason}")
        pytest.skip(f"needs a SLURM of its own: {reason}")
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


@contextmanager
def cluster(state: Path) -> Iterator[None]:
    """Start the daemons, let this process's commands find them, and end them by their ids."""
    (state / "munge").mkdir(mode=0o700)
    key = state / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    configuration = state / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(state=state, host=host, ports=_free_ports(2)))
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(configuration)
    files = [f"--{name}-file={state}/munge/{name}" for name in ("key", "pid", "log", "seed")]
    with ExitStack() as stack:
        _start(stack, state, "munged", "--foreground", "--force", *files, _socket(state))
        _wait_for(state / "munge" / "socket")
        _start(stack, state, "slurmctld", "-D", "-c")
        _start(stack, state, "slurmd", "-D", "-N", host)
        try:
            _wait_until_idle(state)
            yield
        finally:
            subprocess.run(["scancel", "--user=root"], check=False)
            _wait_until_empty()
            os.environ.pop("SLURM_CONF")
            if before is not None:
                os.environ["SLURM_CONF"] = before


def _socket(state: Path) -> str:
    return f"--socket={state}/munge/socket"


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _start(stack: ExitStack, state: Path, name: str, *arguments: str) -> None:
    program = shutil.which(name, path=SEARCHED)
    assert program is not None
    log = stack.enter_context((state / f"{name}.log").open("w"))
    process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)

    def end() -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(end)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.05)


def _wait_until_idle(state: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while _said("sinfo", "--noheader", "--format=%t") != "idle":
        assert time.monotonic() < deadline, (state / "slurmctld.log").read_text()
        time.sleep(0.1)


def _wait_until_empty() -> None:
    deadline = time.monotonic() + START_SECONDS
    while _said("squeue", "--noheader") and time.monotonic() < deadline:
        time.sleep(0.1)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
