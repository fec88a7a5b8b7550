import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cifar_exp.storage.process import LARGEST_PID, Process, _machine, this_process

SAY = (
    "import sys; from dataclasses import astuple\n"
    "from cifar_exp.storage.process import this_process\n"
    "print(*astuple(this_process()), sep='\\n', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SAY], text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def test_a_process_is_alive_until_it_ends_even_if_nobody_has_waited_for_it(
    child: subprocess.Popen[str],
) -> None:
    assert child.stdout is not None
    host, pid, machine, started = (child.stdout.readline().rstrip() for _ in range(4))
    process = Process(host, int(pid), machine, started)
    assert process.is_alive()
    child.send_signal(signal.SIGSTOP)
    assert process.is_alive()
    assert replace(process, started=f"{started}0").is_alive() is False  # its pid was given again
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie
    assert process.is_alive() is False
    child.wait()
    assert process.is_alive() is False


def test_this_process_is_alive() -> None:
    assert this_process().is_alive()
    assert this_process().pid == os.getpid()


def test_a_process_of_another_container_on_this_machine_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = this_process()
    _machine.cache_clear()
    monkeypatch.setattr("cifar_exp.storage.process._namespace", lambda _: 0)
    assert this_process().boot == theirs.boot
    assert theirs.is_alive() is None
    _machine.cache_clear()


def test_of_a_process_elsewhere_nothing_is_known_even_if_its_pid_is_free_here() -> None:
    process = replace(this_process(), pid=LARGEST_PID)
    assert process.is_alive() is False
    assert replace(process, machine="another").is_alive() is None
    assert replace(process, host="another").is_alive() is None
