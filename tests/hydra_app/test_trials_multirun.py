from collections.abc import Callable

import pytest

ErrorsOf = Callable[..., list[str]]
SEED = "must be an integer in [0, 4294967296)"


LISTS = ["0,1,2", "choice(0,1,2)", "range(0,3)", "sort(2,0,1)"]


def test_several_values_need_multirun(errors_of: ErrorsOf) -> None:
    lines = [*(f"seed={values}" for values in LISTS), "model=base,wide", "data=glob(*)"]
    assert sorted(errors_of(*lines)) == sorted(
        f"{line}: several values make several runs; add --multirun" for line in lines
    )


@pytest.mark.parametrize("values", LISTS)
def test_with_multirun_several_values_are_accepted(check: Callable, values: str) -> None:
    assert sorted(s.seed for s in check("--multirun", f"seed={values}")) == [0, 1, 2]


def test_with_multirun_several_options_are_accepted(check: Callable) -> None:
    found = check("--multirun", "model=glob(t*)", "optimizer=sgd,adam", "data=shapes")
    assert {s.model.width for s in found} == {8}
    assert "sgd" in {s.optimizer.name for s in found}


def test_every_listed_value_is_among_the_settings(check: Callable) -> None:
    found = check("-m", "seed=0,1,2", "model.width=16,32", "model.dropout=0.0")
    assert {s.seed for s in found} == {0, 1, 2}
    assert {s.model.width for s in found} == {16, 32}
    assert {s.model.dropout for s in found} == {0.0}


def test_every_listed_value_is_checked(errors_of: ErrorsOf) -> None:
    found = errors_of("--multirun", "seed=0,-1,x,true", "model.width=8,0", "keep=all,nne")
    assert sorted(found) == [
        "keep=nne: must be one of weights, all, none; did you mean none?",
        "model.width=0: must be an integer in [1, 4096]",
        f"seed=-1: {SEED}",
        f"seed=true: {SEED}",
        f"seed=x: {SEED}",
    ]


def test_a_wrong_first_value_does_not_hide_the_next(errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "seed=-1,-2") == [f"seed=-1: {SEED}", f"seed=-2: {SEED}"]


def test_every_listed_option_must_exist(errors_of: ErrorsOf) -> None:
    (sentence,) = errors_of("--multirun", "model=base,wdie")
    assert sentence.startswith("model=wdie: no such option; model may be base, ")
    assert sentence.endswith("; did you mean wide?")


def test_an_unknown_key_is_reported_once_whatever_its_number_of_values(errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "model.widht=1,2,3") == [
        "model.widht: no such setting; did you mean model.width?"
    ]


def test_a_value_that_conflicts_with_another_setting_is_a_mistake(errors_of: ErrorsOf) -> None:
    (sentence,) = errors_of("--multirun", "data.val_fraction=0.1,0", "scheduler=plateau")
    assert sentence.startswith("scheduler=plateau watches val_loss, and data.val_fraction=0 ")


def test_lists_may_be_swept(check: Callable) -> None:
    found = check("-m", "scheduler=step", "scheduler.milestones=[0.5],[0.3,0.6],[]")
    assert [s.scheduler.milestones for s in found] == [(0.5,), (0.3, 0.6), ()]


def test_values_in_quotes_are_one_value(check: Callable, errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "seed='0,1'") == [f"seed=0,1: {SEED}"]
    assert [s.data.root for s in check("-m", "data.root='a,b','c d'")] == ["a,b", "c d"]


def test_one_value_with_multirun_is_one_run(check: Callable) -> None:
    assert [s.seed for s in check("--multirun", "seed=3")] == [3]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ("optimizer=sgd,adam", "optimizer.momentum=0.5,0.9"),
            "optimizer.momentum: no such setting; optimizer has lr, weight_decay, ",
        ),
        (
            ("data.val_fraction=0.1,0", "scheduler=one_cycle,plateau"),
            "scheduler=plateau watches val_loss, and data.val_fraction=0 ",
        ),
        (("augmentation.mixup=0,1", "augmentation.cutmix=0,1"), "augmentation.mixup and "),
        (("model=base,resnet18", "model.width=8,16"), "model.width: no such setting; "),
    ],
)
def test_a_conflict_in_one_combination_is_a_mistake(
    errors_of: ErrorsOf, overrides: tuple[str, ...], sentence: str
) -> None:
    (found,) = errors_of("--multirun", *overrides)
    assert found.startswith(sentence)


def test_a_grid_has_each_combination_once(check: Callable) -> None:
    found = check("-m", "seed=0,1", "model=tiny,wide", "model.dropout=0,0.1,0.2")
    assert len(found) == 12
    assert {(s.seed, s.model.width, s.model.dropout) for s in found} == {
        (seed, width, dropout) for seed in (0, 1) for width in (8, 64) for dropout in (0, 0.1, 0.2)
    }


def test_a_shuffled_list_is_checked_as_a_whole(errors_of: ErrorsOf) -> None:
    assert errors_of("--multirun", "seed=shuffle(0,1,-1)") == [f"seed=-1: {SEED}"]


@pytest.mark.parametrize(
    ("override", "beginning"),
    [
        ("seed=range(0,0)", "seed=range(0,0): lists no value"),
        ("model=glob(zzz*)", "model=glob(zzz*): lists no value"),
        ("seed=range(0,1,0)", "seed=range(0,1,0): "),
        (
            "optimizer.lr=interval(0,1)",
            "optimizer.lr=interval(0,1): an interval has no list of values; ",
        ),
    ],
)
def test_a_list_without_values_is_a_mistake(
    errors_of: ErrorsOf, override: str, beginning: str
) -> None:
    (found,) = errors_of("--multirun", override)
    assert found.startswith(beginning)


def test_hydra_mode_makes_a_sweep_as_the_option_does(check: Callable) -> None:
    assert [s.seed for s in check("hydra.mode=MULTIRUN", "seed=0,1")] == [0, 1]
