"""Learning rates over a run, as a factor on each group's own rate. Times are shares of the run."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from pydantic import BaseModel

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
        """Take note of the validation loss of an epoch; most schedules ignore it."""

    def state_dict(self) -> dict[str, Any]:
        """The state that has built up; empty if the rates follow from the step alone."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state that `state_dict` returned."""


class FactorSchedule(Schedule):
    """Rates that follow from the share of the run that is done, in [0, 1)."""

    def __init__(self, optimizer: torch.optim.Optimizer, factor: Factor, total_steps: int) -> None:
        self.optimizer, self.factor, self.total_steps = optimizer, factor, total_steps
        self.rates = [group["lr"] for group in optimizer.param_groups]

    def before_step(self, step: int) -> None:
        # the middle of the step: no rate is zero, and the shape is the same at any length
        factor = self.factor((step + 0.5) / self.total_steps)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor


class PlateauSchedule(FactorSchedule):
    """Multiplies rates by `factor` after more than `patience` epochs without a lower loss."""

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

    Raises ValueError if a `_target_` fails or cannot be stepped without the loss.
    """
    return BUILDERS[type(section)](section, optimizer, total_steps)


def _target(
    section: TargetSchedulerSection, optimizer: torch.optim.Optimizer, total_steps: int
) -> Schedule:
    scheduler = instantiate(section, optimizer, total_steps=total_steps)
    _check_scheduler(section.target, scheduler)
    return TorchSchedule(scheduler, section.interval)


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


def _plateau(
    section: PlateauSection, optimizer: torch.optim.Optimizer, total_steps: int
) -> Schedule:
    return PlateauSchedule(optimizer, section, total_steps)


def _by_factor(section: Any, optimizer: torch.optim.Optimizer, total_steps: int) -> Schedule:
    return FactorSchedule(optimizer, FACTORS[type(section)](section), total_steps)


def _one_cycle(section: OneCycleSection) -> Factor:
    return _after_warmup(section, lambda part: 1 - part)


def _cosine(section: CosineSection) -> Factor:
    return _after_warmup(section, lambda part: (1 + math.cos(math.pi * part)) / 2)


def _after_warmup(section: OneCycleSection | CosineSection, down: Factor) -> Factor:
    """A linear rise over the warm-up, then `down`, which goes from 1 at 0 to 0 at 1."""

    def factor(part: float) -> float:
        if part < section.warmup:
            return part / section.warmup
        rest = (part - section.warmup) / (1 - section.warmup)
        return section.final + (1 - section.final) * down(rest)

    return factor


def _step(section: StepSection) -> Factor:
    return lambda part: section.factor ** sum(part >= m for m in section.milestones)


def _constant(_section: ConstantSection) -> Factor:
    return lambda _: 1.0


FACTORS: dict[type[BaseModel], Callable[[Any], Factor]] = {
    OneCycleSection: _one_cycle,
    CosineSection: _cosine,
    StepSection: _step,
    ConstantSection: _constant,
}
"""The factor on the rates of each section whose rates follow from the step alone."""

BUILDERS: dict[type[BaseModel], Callable[[Any, torch.optim.Optimizer, int], Schedule]] = {
    **dict.fromkeys(FACTORS, _by_factor),
    PlateauSection: _plateau,
    TargetSchedulerSection: _target,
}
"""How each section of the group `scheduler` is built."""
