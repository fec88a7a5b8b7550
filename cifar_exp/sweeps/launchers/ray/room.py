"""How many runs fit on the nodes of a Ray cluster at a time."""

from collections.abc import Iterable, Mapping
from typing import Any

from cifar_exp.config.launcher import RayOptions
from cifar_exp.errors import EnvironmentFailure

ROUNDING = 1e-9  # of GPUs by parts of one

Nodes = Iterable[Mapping[str, Any]]  # as `ray.nodes()` lists them


def room(options: RayOptions, nodes: Nodes) -> int:
    """The number of runs that the living nodes train at a time if they have nothing else to do."""
    return sum(_fitting(options, size) for size in _sizes(nodes))


def check_room(options: RayOptions, nodes: Nodes) -> None:
    """Raise EnvironmentFailure if a run would wait forever.

    With `n_jobs`, a cluster that is joined may start its nodes when they are needed.
    """
    sizes = _sizes(nodes)
    may_grow = options.address is not None and options.n_jobs != "auto"
    if may_grow or any(_fitting(options, size) for size in sizes):
        return
    seen = dict.fromkeys(f"{size.get('CPU', 0):g} and {size.get('GPU', 0):g}" for size in sizes)
    raise EnvironmentFailure(
        f"hydra.launcher.cpus={options.cpus} hydra.launcher.gpus={options.gpus:g}: no Ray node has "
        f"so many cores and GPUs; there are {' or '.join(seen) or 'none'}"
    )


def _fitting(options: RayOptions, size: Mapping[str, float]) -> int:
    wanted = {"CPU": options.cpus, "GPU": options.gpus}
    return min(int(size.get(key, 0) / n + ROUNDING) for key, n in wanted.items() if n)


def _sizes(nodes: Nodes) -> list[Mapping[str, float]]:
    return [node["Resources"] for node in nodes if node["Alive"]]
