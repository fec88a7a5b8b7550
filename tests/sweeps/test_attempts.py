"""What a command tries again, by the states that its runs are left in."""

from collections.abc import Callable

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.storage.lease import LockHolder
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_state import RunState
from cifar_exp.sweeps.attempts import Attempts

MakeSettings = Callable[..., Settings]


@pytest.fixture
def states(make_record: Callable[..., RunRecord]) -> Callable[..., dict[str, RunState]]:
    """States by id, as `a="failed"` gives them; `pending` has no record."""

    def make(**statuses: str) -> dict[str, RunState]:
        return {
            run_id: RunState(
                run_id, record=None if status == "pending" else make_record(status, run_id=run_id)
            )
            for run_id, status in statuses.items()
        }

    return make


def attempts(make_settings: MakeSettings, *overrides: str) -> Attempts:
    return Attempts(make_settings(*overrides))


def test_a_run_that_failed_is_not_tried_again(
    make_settings: MakeSettings, states: Callable
) -> None:
    tried = attempts(make_settings)
    tried.add("a", None)
    tried.judge(states(a="failed", b="failed"))
    assert tried.given_up == {"a"}


def test_a_run_gets_as_many_more_attempts_as_retries_says(
    make_settings: MakeSettings, states: Callable
) -> None:
    tried = attempts(make_settings, "retries=2")
    for number in range(3):
        assert tried.given_up == set(), number
        tried.add("a", RuntimeError("killed"))
        tried.judge(states(a="pending"))
    assert tried.given_up == {"a"}
    assert tried.reasons == {"a": "3 attempts: killed"}


def test_a_paused_run_may_be_proposed_again(make_settings: MakeSettings, states: Callable) -> None:
    tried = attempts(make_settings)
    tried.add("a", None)
    tried.judge(states(a="pruned"))
    tried.add("a", None)
    tried.judge(states(a="pruned"))
    assert tried.given_up == set()


def test_a_paused_run_whose_promotion_breaks_is_given_up(
    make_settings: MakeSettings, states: Callable
) -> None:
    tried = attempts(make_settings)
    tried.add("a", RuntimeError("killed"))
    tried.judge(states(a="pruned"))
    assert tried.given_up == {"a"}


def test_a_sweep_stops_at_its_number_of_failures(
    make_settings: MakeSettings, states: Callable
) -> None:
    tried = attempts(make_settings, "max_failures=2")
    tried.add("a", None)
    tried.add("b", None)
    tried.judge(states(a="failed", b="completed", c="pending"))
    assert not tried.is_enough
    stopped = attempts(make_settings, "max_failures=2")
    for run_id in ("a", "c"):
        stopped.add(run_id, RuntimeError("gone"))
    stopped.judge(states(a="failed", b="completed", c="pending"))
    assert stopped.is_enough
    assert stopped.notes == ["stopped after 2 runs did not complete (max_failures=2)"]


def test_a_failed_launch_leaves_the_runs_that_it_did_not_reach_to_the_next(
    make_settings: MakeSettings, states: Callable
) -> None:
    tried = attempts(make_settings)
    tried.add_launch({"a", "b", "c"}, RuntimeError("job 1 was killed"))
    tried.judge(states(a="interrupted", b="pending", c="completed"))
    assert tried.given_up == {"a", "c"}
    assert tried.reasons == {}
    assert tried.notes == [
        "a launch failed (job 1 was killed); its runs were judged by their folders"
    ]


def test_a_launch_that_reaches_no_run_is_the_reason_of_each(
    make_settings: MakeSettings, states: Callable
) -> None:
    tried = attempts(make_settings)
    tried.add_launch({"a", "b"}, RuntimeError("no sbatch"))
    tried.judge(states(a="pending", b="pending"))
    assert tried.given_up == {"a", "b"}
    assert tried.reasons == {"a": "no sbatch", "b": "no sbatch"}


@pytest.mark.parametrize("status", ["pruned", "failed"])
def test_a_run_that_is_in_progress_again_is_not_given_up(
    make_settings: MakeSettings, states: Callable, status: str
) -> None:
    tried = attempts(make_settings, "retries=1")
    tried.add("a", None)
    tried.judge(states(a=status))
    tried.judge({"a": RunState("a", holder=LockHolder("host", 1))})  # another run has ended
    assert not tried.given_up
    assert not tried.notes
    tried.add("a", None)
    tried.judge(states(a="completed"))
    assert tried.given_up == {"a"}
