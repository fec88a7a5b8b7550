"""Learning rates over a run, as a factor on each group's own rate. Times are parts of the run."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch

from cifar_exp.config.instantiate import instantiate
from cifar_exp.config.schema import (
    ConstantSection,
    CosineSection,
    OneCycleSection,
    PlateauSection,
    Scheduler,
    StepSection,
    TargetSchedulerSection,
)

Factor = Callable[[float], float]


class Schedule(ABC):
    """Sets the groups' rates before a step, and may watch the validation loss."""

    @abstractmethod
    def before_step(self, step: int) -> None:
        """Set the rates for `step` (from 0)."""

    def after_epoch(self, val_loss: float | None) -> None:
        """Take note of an epoch's validation loss; most schedules do not care."""

    def state_dict(self) -> dict[str, Any]:
        """What has been learnt on the way; nothing where rates follow from the step alone."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state of `state_dict`."""


class FactorSchedule(Schedule):
    """Rates that follow from the part of the run that is done, in [0, 1)."""

    def __init__(self, optimizer: torch.optim.Optimizer, factor: Factor, total_steps: int) -> None:
        self.optimizer, self.factor, self.total_steps = optimizer, factor, total_steps
        self.rates = [group["lr"] for group in optimizer.param_groups]

    def before_step(self, step: int) -> None:
        # the middle of the step: no step at a rate of zero, and the same shape at any length
        factor = self.factor((step + 0.5) / self.total_steps)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor


class PlateauSchedule(FactorSchedule):
    """Multiplies by `factor` when more than `patience` epochs in a row brought no lower loss."""

    def __init__(
        self, optimizer: torch.optim.Optimizer, section: PlateauSection, total_steps: int
    ) -> None:
        super().__init__(optimizer, lambda _: self.current, total_steps)
        self.section = section
        self.current, self.lowest, self.bad_epochs = 1.0, math.inf, 0

    def after_epoch(self, val_loss: float | None) -> None:
        assert val_loss is not None  # the schema refuses a plateau without validation
        if val_loss < self.lowest:
            self.lowest, self.bad_epochs = val_loss, 0
            return
        self.bad_epochs += 1
        if self.bad_epochs > self.section.patience:
            self.current, self.bad_epochs = self.current * self.section.factor, 0

    def state_dict(self) -> dict[str, Any]:
        return {"current": self.current, "lowest": self.lowest, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.current, self.lowest = state["current"], state["lowest"]
        self.bad_epochs = state["bad_epochs"]


class TorchSchedule(Schedule):
    """A scheduler with torch's interface, stepped after every epoch or every step."""

    def __init__(self, scheduler: Any, interval: str) -> None:
        self.scheduler, self.interval = scheduler, interval

    def before_step(self, step: int) -> None:
        if self.interval == "step" and step > 0:
            self.scheduler.step()

    def after_epoch(self, val_loss: float | None) -> None:  # noqa: ARG002
        if self.interval == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = self.scheduler.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.scheduler.load_state_dict(state)


def build_schedule(
    section: Scheduler, optimizer: torch.optim.Optimizer, total_steps: int
) -> Schedule:
    """The schedule of `section` for a run of `total_steps` steps.

    Raises ValueError where a `_target_` refuses or cannot be stepped without the loss.
    """
    if isinstance(section, PlateauSection):
        return PlateauSchedule(optimizer, section, total_steps)
    if isinstance(section, TargetSchedulerSection):
        scheduler = instantiate(section, optimizer, total_steps=total_steps)
        _check_scheduler(section.target, scheduler)
        return TorchSchedule(scheduler, section.interval)
    return FactorSchedule(optimizer, factor_of(section), total_steps)


def _check_scheduler(target: str, scheduler: Any) -> None:
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        raise ValueError(
            f"_target_={target}: needs a loss at every step, which it is not given; use "
            "scheduler=plateau"
        )
    methods = ("step", "state_dict", "load_state_dict")
    missing = next((name for name in methods if not hasattr(scheduler, name)), None)
    if missing is not None:
        name = type(scheduler).__name__
        raise ValueError(f"_target_={target}: {name} is not a scheduler, it has no {missing}()")


def factor_of(
    section: OneCycleSection | CosineSection | StepSection | ConstantSection,
) -> Factor:
    """The factor by the part of the run that is done."""
    if isinstance(section, StepSection):
        return lambda part: section.factor ** sum(part >= m for m in section.milestones)
    if isinstance(section, ConstantSection):
        return lambda _: 1.0
    down = _cosine if isinstance(section, CosineSection) else _linear

    def factor(part: float) -> float:
        if part < section.warmup:
            return part / section.warmup
        rest = (part - section.warmup) / (1 - section.warmup)
        return section.final + (1 - section.final) * down(rest)

    return factor


def _linear(part: float) -> float:
    return 1 - part


def _cosine(part: float) -> float:
    return (1 + math.cos(math.pi * part)) / 2
