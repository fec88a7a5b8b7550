import pytest

from cifar_exp.training.cost import training_macs
from cifar_exp.training.resolution import ResolutionSchedule

SCHEDULES = [
    ResolutionSchedule((), (), 32),
    ResolutionSchedule((20,), (0.5,), 32),
    ResolutionSchedule((20, 24), (0.3, 0.7), 32),
    ResolutionSchedule((20, 24), (0.1, 1.0), 32),
]
MACS = {20: 3, 24: 50, 32: 700}


@pytest.mark.parametrize("resolution", SCHEDULES, ids=str)
@pytest.mark.parametrize("total", [1, 3, 10, 30, 77])
def test_the_sum_over_steps_equals_adding_them_one_by_one(
    resolution: ResolutionSchedule, total: int
) -> None:
    for first in range(0, total + 1, 2):
        for last in range(first, total + 1, 3):
            expected = sum(MACS[resolution.size(step / total)] for step in range(first, last))
            assert training_macs(resolution, MACS, first, last, total) == expected
