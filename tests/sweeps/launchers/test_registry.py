from pathlib import Path

import pytest

from cifar_exp.config.launcher import LocalOptions, RayOptions, SlurmOptions
from cifar_exp.errors import UserError
from cifar_exp.sweeps.launchers import registry
from cifar_exp.sweeps.launchers.local.executor import LocalExecutor


def test_a_missing_package_is_a_mistake_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda _: None)
    with pytest.raises(UserError) as caught:
        registry.check_launcher(SlurmOptions(), trains=False)
    assert caught.value.messages == [
        "hydra/launcher=slurm needs the package submitit: pip install 'cifar_exp[slurm]'"
    ]
    registry.check_launcher(LocalOptions(), trains=True)


def test_only_training_needs_the_commands_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "which", lambda name: None if name == "squeue" else name)
    registry.check_launcher(SlurmOptions(), trains=False)
    with pytest.raises(UserError) as caught:
        registry.check_launcher(SlurmOptions(), trains=True)
    assert caught.value.messages == [
        "hydra/launcher=slurm needs the command squeue: start it on a machine of the cluster"
    ]


def test_the_options_decide_which_executor_is_made(tmp_path: Path) -> None:
    made = registry.make_executor(LocalOptions(n_jobs=3), tmp_path, needs_accelerator=False)
    assert isinstance(made, LocalExecutor)
    assert len(made.capacity()) == 3


def test_only_where_an_executor_can_call_is_a_step_timed(tmp_path: Path) -> None:
    local = registry.make_executor(LocalOptions(), tmp_path, needs_accelerator=False)
    assert registry.probe_of(local) is not None
    assert registry.probe_of(registry.make_executor(RayOptions(), tmp_path)) is not None
    assert registry.probe_of(registry.make_executor(SlurmOptions(), tmp_path / "a" / "b")) is None
