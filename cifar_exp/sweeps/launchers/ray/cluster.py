"""The connection to a Ray cluster: one that is joined, or one that is started on this machine."""

import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from cifar_exp.errors import STOPS, EnvironmentFailure
from cifar_exp.machine import available_cores

LOOPBACK = "127.0.0.1"
STORE_BYTES = 100 * 2**20  # of shared memory: only specs and outcomes are exchanged
ANSWER_SECONDS = 5.0  # within which a cluster that is there answers
REFUSED = "it asks for another token, in the variable RAY_AUTH_TOKEN or in ~/.ray/auth_token"
TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Be connected to the cluster at `address` in the block, or to one that is started for it.

    A process that is connected already keeps its connection. Raises EnvironmentFailure if there is
    no such cluster.
    """
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield
    elif address is None:
        with _started():
            yield
    else:
        with _joined(address):
            yield


@contextmanager
def _started() -> Iterator[None]:
    # A token that no file holds: Ray's own is left in the home folder, where it locks later
    # clusters. On the loopback no other machine can reach it.
    variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
    with (
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
        _environment(variables),
        _initialized(
            "Ray cannot be started on this machine",
            address="local",
            num_cpus=available_cores(),
            object_store_memory=STORE_BYTES,
            include_dashboard=False,
            _node_ip_address=LOOPBACK,
            _temp_dir=folder,
        ),
    ):
        yield


@contextmanager
def _joined(address: str) -> Iterator[None]:
    _check_answer(address)
    # Ray sends the token that it has only if it is told to
    has_token = any(map(os.environ.get, TOKENS)) or (Path.home() / ".ray" / "auth_token").exists()
    variables = {"RAY_AUTH_MODE": "token"} if has_token else {}
    trouble = f"the Ray cluster at hydra.launcher.address={address} cannot be joined"
    with _environment(variables), _initialized(trouble, address=address):
        yield


@contextmanager
def _initialized(trouble: str, **options: Any) -> Iterator[None]:
    with _kept_handlers(), _quiet() as printed:
        import ray

        # Ray prints each death of a worker into our terminal, and has no option that stops it
        ray._private.worker.print_to_stdstream = lambda *_, **__: None
        try:
            ray.init(log_to_driver=False, logging_level="ERROR", **options)
        except BaseException as error:  # SystemExit too
            ray.shutdown()
            if isinstance(error, STOPS):
                raise
            reason = REFUSED if "InvalidAuthToken" in printed() else error
            raise EnvironmentFailure(f"{trouble}: {reason}") from error
    try:
        yield
    finally:
        ray.shutdown(wait_for_processes=True)


def _check_answer(address: str) -> None:
    """Ray itself would try for half a minute, and print what happens meanwhile."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError as error:
        raise EnvironmentFailure(
            f"hydra.launcher.address={address}: no Ray cluster answers there ({error})"
        ) from error


@cache
def _token() -> str:
    """Ray reads it once in a process."""
    return secrets.token_hex(32)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that the user has not set, for the block."""
    new = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def _quiet() -> Iterator[Callable[[], str]]:
    """Keep what Ray's native code writes to stderr off the terminal; yields what returns it."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile("w+", errors="replace") as file:

        def printed() -> str:
            file.seek(0)
            return file.read()

        os.dup2(file.fileno(), 2)
        try:
            yield printed
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def _kept_handlers() -> Iterator[None]:
    """Ray's handler of SIGTERM would displace the one that saves the runs."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
