from typing import Any

import pytest

from cifar_exp.hydra_app import hydra_launcher
from cifar_exp.hydra_app.hydra_launcher import hydra_slots
from cifar_exp.runs.spec import Slot


@pytest.mark.parametrize(
    ("section", "jobs"),
    [
        ({"n_jobs": 4}, 4),
        ({"n_jobs": -1}, 8),
        ({"n_jobs": -2}, 7),
        ({"n_jobs": "auto"}, 1),
        ({"n_jobs": None}, 1),
        ({}, 1),
    ],
    ids=str,
)
def test_the_number_of_jobs_is_read_as_joblib_reads_it(
    monkeypatch: pytest.MonkeyPatch, section: dict[str, Any], jobs: int
) -> None:
    monkeypatch.setattr(hydra_launcher, "available_cores", lambda: 8)
    assert hydra_slots(section) == [Slot()] * jobs
