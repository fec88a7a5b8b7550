"""From a composed config to a run: what every launcher has done, in whatever process."""

from dataclasses import replace

from omegaconf import DictConfig

from cifar_exp.config.validation import validate
from cifar_exp.hydra_app.compose import settings_tree
from cifar_exp.runs.spec import RunSpec


def train_trial(config: DictConfig) -> float | None:
    """Train the run of a composed config, or what is missing of it; returns what it is ranked by.

    It tells its log alone: the sweep tells how all runs stand. Raises as `runs.execute.execute`
    does. What became of the run stands in its folder.
    """
    from cifar_exp.runs.execute import execute

    return execute(replace(spec_of(config), is_silent=True)).record.metric


def spec_of(config: DictConfig) -> RunSpec:
    """The run that Hydra's job of the moment stands for."""
    from hydra.core.hydra_config import HydraConfig

    hydra = HydraConfig.get()
    return RunSpec(
        settings=validate(settings_tree(config)),
        label=str(hydra.runtime.choices["model"]),
        overrides=list(hydra.overrides.task),
    )
