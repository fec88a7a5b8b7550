"""From the options of a launcher to its executor; packages are imported when they are chosen."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from cifar_exp.config.launcher import LauncherOptions, LocalOptions, RayOptions, SlurmOptions
from cifar_exp.errors import UserError
from cifar_exp.sweeps.launchers.base import Executor
from cifar_exp.sweeps.probe import Probe, probe_by


def check_launcher(options: LauncherOptions, *, trains: bool) -> None:
    """Raise UserError if what the launcher needs is not installed. `trains`: this is no plan."""
    if options.package is not None and find_spec(options.package) is None:
        raise UserError(
            f"hydra/launcher={options.name} needs the package {options.package}: "
            f"pip install 'cifar_exp[{options.name}]'"
        )
    missing = [command for command in options.commands if which(command) is None]
    if trains and missing:
        raise UserError(
            f"hydra/launcher={options.name} needs the command {missing[0]}: start it on a machine "
            "of the cluster"
        )


def make_executor(
    options: LauncherOptions, folder: Path, *, needs_accelerator: bool = True
) -> Executor:
    """The executor of the launcher with these options.

    `folder` is the sweep's, for what it must remember of its jobs. `needs_accelerator`: whether any
    run may use more than the CPU.
    """
    return BUILDERS[type(options)](options, folder, needs_accelerator)


def probe_of(executor: Executor) -> Probe | None:
    """What times a training step where the executor trains; None if it cannot call there."""
    call = getattr(executor, "call", None)
    return None if call is None else probe_by(call)


def _local(options: LauncherOptions, _folder: Path, needs_accelerator: bool) -> Executor:
    from cifar_exp.sweeps.launchers.local.executor import LocalExecutor

    assert isinstance(options, LocalOptions)
    return LocalExecutor(options, needs_accelerator=needs_accelerator)


def _ray(options: LauncherOptions, _folder: Path, _needs_accelerator: bool) -> Executor:
    from cifar_exp.sweeps.launchers.ray.executor import RayExecutor

    assert isinstance(options, RayOptions)
    return RayExecutor(options)


def _slurm(options: LauncherOptions, folder: Path, _needs_accelerator: bool) -> Executor:
    from cifar_exp.sweeps.launchers.slurm.executor import SlurmExecutor
    from cifar_exp.sweeps.launchers.slurm.queue import SlurmQueue

    assert isinstance(options, SlurmOptions)
    return SlurmExecutor(options, folder, SlurmQueue(options, folder / "jobs"))


BUILDERS: Mapping[type[LauncherOptions], Callable[[LauncherOptions, Path, bool], Executor]] = {
    LocalOptions: _local,
    RayOptions: _ray,
    SlurmOptions: _slurm,
}
