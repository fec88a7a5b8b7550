from collections.abc import Callable

import pytest

Told = Callable[..., list[str]]
SEED = "must be an integer in [0, 4294967296)"


LISTS = ["0,1,2", "choice(0,1,2)", "range(0,3)", "sort(2,0,1)"]


def test_several_values_need_multirun(mistakes: Told) -> None:
    lines = [*(f"seed={values}" for values in LISTS), "model=base,wide", "data=glob(*)"]
    assert sorted(mistakes(*lines)) == sorted(
        f"{line}: several values make several runs; add --multirun" for line in lines
    )


@pytest.mark.parametrize("values", LISTS)
def test_with_multirun_several_values_are_taken(check: Callable, values: str) -> None:
    assert sorted(s.seed for s in check("--multirun", f"seed={values}")) == [0, 1, 2]


def test_with_multirun_several_options_are_taken(check: Callable) -> None:
    found = check("--multirun", "model=glob(t*)", "optimizer=sgd,adam", "data=shapes")
    assert {s.model.width for s in found} == {8}
    assert "sgd" in {s.optimizer.name for s in found}


def test_every_value_of_every_key_is_among_the_settings_found(check: Callable) -> None:
    found = check("-m", "seed=0,1,2", "model.width=16,32", "model.dropout=0.0")
    assert {s.seed for s in found} == {0, 1, 2}
    assert {s.model.width for s in found} == {16, 32}
    assert {s.model.dropout for s in found} == {0.0}


def test_every_value_that_is_listed_is_checked(mistakes: Told) -> None:
    told = mistakes("--multirun", "seed=0,-1,x,true", "model.width=8,0", "keep=all,nne")
    assert sorted(told) == [
        "keep=nne: must be one of weights, all, none; did you mean none?",
        "model.width=0: must be an integer in [1, 4096]",
        f"seed=-1: {SEED}",
        f"seed=true: {SEED}",
        f"seed=x: {SEED}",
    ]


def test_a_wrong_first_value_does_not_hide_the_next(mistakes: Told) -> None:
    assert mistakes("--multirun", "seed=-1,-2") == [f"seed=-1: {SEED}", f"seed=-2: {SEED}"]


def test_every_option_that_is_listed_must_exist(mistakes: Told) -> None:
    (sentence,) = mistakes("--multirun", "model=base,wdie")
    assert sentence.startswith("model=wdie: no such option; model may be base, ")
    assert sentence.endswith("; did you mean wide?")


def test_an_unknown_key_is_told_once_however_many_values_it_has(mistakes: Told) -> None:
    assert mistakes("--multirun", "model.widht=1,2,3") == [
        "model.widht: no such setting; did you mean model.width?"
    ]


def test_a_value_that_fits_no_other_setting_is_told(mistakes: Told) -> None:
    (sentence,) = mistakes("--multirun", "data.val_fraction=0.1,0", "scheduler=plateau")
    assert sentence.startswith("scheduler=plateau watches val_loss, and data.val_fraction=0 ")


def test_lists_may_be_swept(check: Callable) -> None:
    found = check("-m", "scheduler=step", "scheduler.milestones=[0.5],[0.3,0.6],[]")
    assert [s.scheduler.milestones for s in found] == [(0.5,), (0.3, 0.6), ()]


def test_values_in_quotes_are_one_value(check: Callable, mistakes: Told) -> None:
    assert mistakes("--multirun", "seed='0,1'") == [f"seed=0,1: {SEED}"]
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
def test_cells_that_only_together_are_wrong_are_told(
    mistakes: Told, overrides: tuple[str, ...], sentence: str
) -> None:
    (told,) = mistakes("--multirun", *overrides)
    assert told.startswith(sentence)


def test_every_cell_of_a_grid_is_checked_once(check: Callable) -> None:
    found = check("-m", "seed=0,1", "model=tiny,wide", "model.dropout=0,0.1,0.2")
    assert len(found) == 12
    assert {(s.seed, s.model.width, s.model.dropout) for s in found} == {
        (seed, width, dropout) for seed in (0, 1) for width in (8, 64) for dropout in (0, 0.1, 0.2)
    }


def test_a_shuffled_list_is_checked_as_a_whole(mistakes: Told) -> None:
    assert mistakes("--multirun", "seed=shuffle(0,1,-1)") == [f"seed=-1: {SEED}"]


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
def test_a_list_without_values_is_told(mistakes: Told, override: str, beginning: str) -> None:
    (told,) = mistakes("--multirun", override)
    assert told.startswith(beginning)


def test_a_file_may_ask_for_many_runs_as_well_as_the_option(check: Callable) -> None:
    assert [s.seed for s in check("hydra.mode=MULTIRUN", "seed=0,1")] == [0, 1]
