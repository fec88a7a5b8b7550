import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from cifar_exp.config.metadata import sections_of
from cifar_exp.config.schema import PlateauSection, Settings
from cifar_exp.config.validation import validate
from cifar_exp.training.schedules import BUILDERS, PlateauSchedule, Schedule, build_schedule

Make = Callable[..., Settings]


def optimizer(lr: float = 1.0) -> torch.optim.SGD:
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups: list[dict[str, Any]] = [{"params": parameters[:1]}]
    groups.append({"params": parameters[1:], "lr": 8 * lr})
    return torch.optim.SGD(groups, lr=lr)


def rates(make: Make, total: int, *overrides: str) -> list[float]:
    rule = optimizer()
    schedule = build_schedule(make("data=shapes", *overrides).scheduler, rule, total)
    return [rate_at(schedule, rule, step) for step in range(total)]


def rate_at(schedule: Schedule, rule: torch.optim.Optimizer, step: int) -> float:
    schedule.before_step(step)
    first, second = (group["lr"] for group in rule.param_groups)
    assert second == pytest.approx(8 * first)  # groups keep their proportion
    return float(first)


def test_one_cycle_rises_and_falls_in_straight_lines(make_settings: Make) -> None:
    found = rates(make_settings, 10, "scheduler=one_cycle", "scheduler.warmup=0.2")
    middles = [(step + 0.5) / 10 for step in range(10)]
    expected = [m / 0.2 if m < 0.2 else (1 - m) / 0.8 for m in middles]
    assert found == pytest.approx(expected)


def test_one_cycle_ends_at_its_final_rate(make_settings: Make) -> None:
    long = rates(make_settings, 1000, "scheduler=one_cycle", "scheduler.final=0.25")
    assert long[-1] == pytest.approx(0.25, abs=1e-3)


def test_cosine_falls_along_half_a_cosine_after_its_warm_up(make_settings: Make) -> None:
    found = rates(make_settings, 100, "scheduler=cosine", "scheduler.warmup=0.1")
    assert found[4] == pytest.approx(0.45)
    assert found[54] == pytest.approx((1 + math.cos(math.pi * (0.545 - 0.1) / 0.9)) / 2)
    assert found[-1] < 1e-3


def test_without_warm_up_the_first_step_is_nearly_at_full_rate(make_settings: Make) -> None:
    assert rates(make_settings, 100, "scheduler.warmup=0")[0] == pytest.approx(0.995)


def test_step_drops_at_its_milestones(make_settings: Make) -> None:
    overrides = ("scheduler=step", "scheduler.milestones=[0.5,0.8]", "scheduler.factor=0.1")
    assert rates(make_settings, 10, *overrides) == pytest.approx([1] * 5 + [0.1] * 3 + [0.01] * 2)


def test_constant_stays(make_settings: Make) -> None:
    assert rates(make_settings, 5, "scheduler=constant") == [1] * 5


@pytest.mark.parametrize("option", ["one_cycle", "cosine", "step"])
def test_a_shorter_run_is_rescaled_not_truncated(make_settings: Make, option: str) -> None:
    short = rates(make_settings, 100, f"scheduler={option}")
    long = rates(make_settings, 300, f"scheduler={option}")
    assert short == pytest.approx(long[1::3])  # the middles of the steps coincide


def plateau(patience: int, factor: float) -> tuple[PlateauSchedule, torch.optim.SGD]:
    rule = optimizer()
    section = PlateauSection(name="plateau", patience=patience, factor=factor)
    return PlateauSchedule(rule, section, 10), rule


def test_plateau_drops_as_torchs_own_does() -> None:
    schedule, rule = plateau(patience=2, factor=0.5)
    reference_rule = optimizer()
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        reference_rule, patience=2, factor=0.5, threshold=0
    )
    losses = [3.0, 2.0, 2.5, 2.1, 2.0, 1.9, 1.9, 1.9, 1.9, 1.8, 2, 2, 2, 2, 2, 2, 2]
    for step, loss in enumerate(losses):
        schedule.after_epoch(loss)
        reference.step(loss)
        assert rate_at(schedule, rule, step) == pytest.approx(reference_rule.param_groups[0]["lr"])


def test_plateau_continues_from_its_state() -> None:
    schedule, _ = plateau(patience=1, factor=0.1)
    for loss in (1.0, 1.5):
        schedule.after_epoch(loss)
    resumed, rule = plateau(patience=1, factor=0.1)
    resumed.load_state_dict(schedule.state_dict())
    resumed.after_epoch(1.5)
    assert rate_at(resumed, rule, 0) == pytest.approx(0.1)


def target_settings(make: Make, **scheduler: object) -> Settings:
    plain = make("data=shapes").model_dump(by_alias=True)
    return validate({**plain, "scheduler": scheduler})


def test_a_scheduler_of_torch_is_stepped_once_an_epoch(make_settings: Make) -> None:
    name = "torch.optim.lr_scheduler.ExponentialLR"
    section = target_settings(make_settings, _target_=name, gamma=0.5).scheduler
    rule = optimizer()
    schedule = build_schedule(section, rule, 6)
    seen = []
    for step in range(6):
        schedule.before_step(step)
        seen.append(rule.param_groups[0]["lr"])
        rule.step()
        if step % 2 == 1:
            schedule.after_epoch(None)
    assert seen == pytest.approx([1, 1, 0.5, 0.5, 0.25, 0.25])


def test_a_scheduler_of_torch_may_be_stepped_every_step_and_learns_their_number(
    make_settings: Make,
) -> None:
    name = "torch.optim.lr_scheduler.OneCycleLR"
    section = target_settings(make_settings, _target_=name, max_lr=1.0, interval="step").scheduler
    rule, reference_rule = optimizer(), optimizer()
    schedule = build_schedule(section, rule, 8)
    reference = torch.optim.lr_scheduler.OneCycleLR(reference_rule, max_lr=1.0, total_steps=8)
    for step in range(8):
        schedule.before_step(step)
        assert rule.param_groups[0]["lr"] == reference_rule.param_groups[0]["lr"]
        rule.step()
        reference_rule.step()
        if step < 7:
            reference.step()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "torch.optim.lr_scheduler.ReduceLROnPlateau",
            "needs a loss at every step, which it is not given; use scheduler=plateau",
        ),
        ("builtins.id", "int is not a scheduler, it has no step()"),
    ],
)
def test_a_scheduler_that_cannot_be_stepped_is_refused(
    make_settings: Make, name: str, reason: str
) -> None:
    section = target_settings(make_settings, _target_=name).scheduler
    with pytest.raises(ValueError, match=r"^_target_=") as caught:
        build_schedule(section, optimizer(), 6)
    assert str(caught.value) == f"_target_={name}: {reason}"


def test_every_scheduler_of_the_schema_has_a_builder() -> None:
    assert set(BUILDERS) == set(sections_of(Settings.model_fields["scheduler"]))
