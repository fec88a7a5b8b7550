"""The connection to a cluster, with a stand-in for the module `ray`."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cifar_exp.errors import EnvironmentFailure
from cifar_exp.sweeps.launchers.ray.cluster import connected


class Ray:
    """What is asked of the module `ray`, and what it does to a process."""

    def __init__(self) -> None:
        self._private = SimpleNamespace(worker=SimpleNamespace(print_to_stdstream=print))
        self.options: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        self.prints, self.fails = "", False
        self.is_open = False

    def is_initialized(self) -> bool:
        return self.is_open

    def init(self, **options: Any) -> None:
        self.options, self.variables = options, dict(os.environ)
        signal.signal(signal.SIGTERM, lambda *_: None)
        os.write(2, self.prints.encode())
        if self.fails:
            raise ConnectionError("Failed to connect")
        self.is_open = True

    def shutdown(self, **_options: Any) -> None:
        self.is_open = False


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ray:
    ray = Ray()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return ray


@pytest.fixture
def address() -> Iterator[str]:
    """Of a cluster that is there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_cluster_of_this_machine_has_a_token_that_no_file_holds(ray: Ray, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with connected(None):
        assert ray.is_initialized()
        assert signal.getsignal(signal.SIGTERM) == handler
    assert not ray.is_initialized()
    assert ray.options["_node_ip_address"] == "127.0.0.1"
    assert not Path(ray.options["_temp_dir"]).exists()
    assert (ray.variables["RAY_AUTH_MODE"], len(ray.variables["RAY_AUTH_TOKEN"])) == ("token", 64)
    assert "RAY_AUTH_TOKEN" not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_sent_if_there_is_one(
    ray: Ray, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(address):
        assert ray.options["address"] == address
    assert "RAY_AUTH_MODE" not in ray.variables
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    with connected(address):
        assert ray.variables["RAY_AUTH_MODE"] == "token"
    assert "RAY_AUTH_MODE" not in os.environ


def test_what_ray_prints_is_not_ours(ray: Ray, capfd: pytest.CaptureFixture[str]) -> None:
    ray.prints = "[W 14150] network_util.cc: no network\n"
    with connected(None):
        ray._private.worker.print_to_stdstream("(raylet) a worker died")
    assert capfd.readouterr() == ("", "")


def test_a_cluster_that_refuses_the_token_says_what_it_wants(ray: Ray, address: str) -> None:
    ray.prints, ray.fails = "Unauthenticated: RPC error: InvalidAuthToken: missing\n", True
    with pytest.raises(EnvironmentFailure) as caught, connected(address):
        pass
    assert str(caught.value) == (
        f"the Ray cluster at hydra.launcher.address={address} cannot be joined: it asks for "
        "another token, in the variable RAY_AUTH_TOKEN or in ~/.ray/auth_token"
    )


def test_a_cluster_that_cannot_be_joined_says_why(ray: Ray, address: str) -> None:
    ray.fails = True
    message = "cannot be joined: Failed to connect"
    with pytest.raises(EnvironmentFailure, match=message), connected(address):
        pass


@pytest.mark.usefixtures("ray")
def test_an_address_that_nothing_answers_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(EnvironmentFailure) as caught, connected(closed):
        pass
    assert str(caught.value).startswith(
        f"hydra.launcher.address={closed}: no Ray cluster answers there ("
    )


def test_a_process_that_is_connected_keeps_its_connection(ray: Ray) -> None:
    ray.is_open = True
    with connected("elsewhere:1"):
        pass
    assert ray.is_initialized()
    assert ray.options == {}
