"""What sweep.yaml says of a selection, and how commands add to it."""

from cifar_exp.storage.selection import SelectedConfiguration, Selection, confirming_name


def configuration(name: str, rank: int, *runs: str) -> SelectedConfiguration:
    return SelectedConfiguration(name, rank, 0.5, list(runs), [])


WIDE = configuration("width=32", 1, "aaaaaaaaaa", "bbbbbbbbbb")
NARROW = configuration("width=16", 2, "cccccccccc")


def test_a_configuration_is_known_by_its_runs_whatever_its_name() -> None:
    renamed = configuration("width=32 dropout=0", 4, "bbbbbbbbbb", "dddddddddd")
    assert WIDE.is_same(renamed)
    assert not WIDE.is_same(NARROW)


def test_fresh_runs_are_added_once() -> None:
    once = WIDE.with_fresh(["1111111111", "2222222222"])
    twice = once.with_fresh(["2222222222", "3333333333"])
    assert twice.confirmed_on == ["1111111111", "2222222222", "3333333333"]
    assert (WIDE.confirmed_on, twice.selected_on) == ([], WIDE.selected_on)


def test_a_configuration_is_replaced_where_it_stands() -> None:
    selection = Selection("mine", "val_accuracy", 9, [WIDE], [NARROW])
    fresh = [NARROW.with_fresh(["1111111111"])]
    replaced = selection.replaced(fresh)
    assert (replaced.selected, replaced.baselines) == ([WIDE], fresh)
    assert replaced.all == [WIDE, *fresh]


def test_the_confirming_sweep_is_named_after_the_other() -> None:
    assert confirming_name("width_dropout") == "width_dropout-confirm"
