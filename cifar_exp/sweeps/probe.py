"""The speed of this machine, measured before any run is done. This module itself needs no torch."""

from collections.abc import Callable, Sequence
from functools import partial

from cifar_exp.config.schema import Settings
from cifar_exp.errors import EnvironmentFailure, UserError
from cifar_exp.runs.spec import Slot
from cifar_exp.sweeps.duration import TimingSample
from cifar_exp.sweeps.plan import PlannedRun

Probe = Callable[[Sequence[Settings], Slot], Sequence[TimingSample]]
Samples = list[TimingSample]


def to_probe(runs: Sequence[PlannedRun]) -> list[Settings]:
    """The settings of the cheapest and the most expensive run per image: the others lie between."""
    known = [(run.cost.per_image, run) for run in runs if run.cost is not None]
    known.sort(key=lambda pair: pair[0])
    ends = {run.run_id: run.trial.settings for _, run in (*known[:1], *known[-1:])}
    return list(ends.values())


def probe(all_settings: Sequence[Settings], slot: Slot) -> Samples:
    """The time of a training step with each of these settings, in a process that may load torch.

    Leaves out what cannot be trained here: training says why.
    """
    from cifar_exp.runs.probe import time_step

    samples = []
    for settings in all_settings:
        try:
            samples.append(TimingSample(*time_step(settings, slot)))
        except (UserError, EnvironmentFailure, RuntimeError):  # RuntimeError: memory ran out
            continue
    return samples


def probe_by(call: Callable[[Callable[[], Samples]], Samples]) -> Probe:
    """`probe` in another process, in which `call` calls a function."""

    def probe_there(all_settings: Sequence[Settings], slot: Slot) -> Samples:
        try:
            return call(partial(probe, all_settings, slot))
        except EnvironmentFailure:  # the process died: it was too much for this machine's memory
            return []

    return probe_there
