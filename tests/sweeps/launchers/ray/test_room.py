"""Runs on the nodes of a cluster, as Ray lists them."""

from typing import Any

import pytest

from cifar_exp.config.launcher import RayOptions
from cifar_exp.errors import EnvironmentFailure
from cifar_exp.sweeps.launchers.ray.room import check_room, room

NODES = [
    {"Alive": True, "Resources": {"CPU": 5.0, "GPU": 1.0}},
    {"Alive": True, "Resources": {"CPU": 2.0}},
    {"Alive": False, "Resources": {"CPU": 64.0}},
]


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"cpus": 1}, 7),
        ({"cpus": 2}, 3),
        ({"cpus": 2, "gpus": 1}, 1),
        ({"cpus": 1, "gpus": 0.5}, 2),
        ({"cpus": 4, "gpus": 0.25}, 1),
    ],
)
def test_the_room_is_what_fits_on_each_living_node(options: dict[str, Any], number: int) -> None:
    assert room(RayOptions(address="head:6379", **options), NODES) == number


def test_runs_that_fit_on_no_node_are_refused_unless_the_cluster_may_grow() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        check_room(RayOptions(address="head:6379", cpus=8, gpus=1), NODES)
    assert str(caught.value) == (
        "hydra.launcher.cpus=8 hydra.launcher.gpus=1: no Ray node has so many cores and GPUs; "
        "there are 5 and 1 or 2 and 0"
    )
    check_room(RayOptions(address="head:6379", cpus=8, n_jobs=4), NODES)
