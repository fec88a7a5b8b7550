"""Comparison groups, and baselines in them."""

from typing import Any

import pytest

from cifar_exp.errors import UserError


def shapes(all_statistics: Any) -> dict[str, int]:
    return {statistics.group.title: len(statistics.runs) for statistics in all_statistics}


@pytest.mark.parametrize(
    ("other", "parts"),
    [
        ({"data": {"name": "folder"}}, ("shapes", "folder")),
        ({"data": {"fingerprint": "e" * 64}}, ("data ffffff", "data eeeeee")),
        ({"data": {"split_seed": 1}}, ("split 0", "split 1")),
        ({"data": {"train_size": 450}}, ("900 train images", "450 train images")),
        ({"data": {"val_size": 50}}, ("100 val images", "50 val images")),
        ({"data": {"test_size": 50}}, ("200 test images", "50 test images")),
        ({"compute": {"device": "cuda"}}, ("cpu", "cuda")),
        ({"compute": {"precision": "bf16"}}, ("fp32", "bf16")),
    ],
)
def test_runs_that_were_measured_differently_are_never_averaged(
    outputs: Any, other: dict[str, Any], parts: tuple[str, str]
) -> None:
    one, two = outputs.run(val=0.2), outputs.run(val=0.8, **other)
    assert shapes(outputs.all_statistics()) == {f"convnet, {part}": 1 for part in parts}
    sweep = outputs.sweep("mine", [one, two])
    all_statistics = outputs.all_statistics(sweep)
    assert shapes(all_statistics) == {f"mine, {part}": 1 for part in parts}
    assert [statistics.summary["mean"].tolist() for statistics in all_statistics] == [[0.2], [0.8]]


def test_each_sweep_is_a_group_and_other_runs_are_grouped_by_network(outputs: Any) -> None:
    shared, first = outputs.run(seed=0), outputs.run(seed=1)
    second = outputs.run(seed=2)
    outputs.run(seed=3), outputs.run(seed=4, model__name="torchvision.models.resnet18")
    outputs.sweep("a", [shared, first])
    outputs.sweep("b", [shared, second])
    assert shapes(outputs.all_statistics()) == {
        "a": 2,
        "b": 2,
        "convnet, in no sweep": 1,
        "resnet18, in no sweep": 1,
    }


def test_a_sweep_without_runs_is_an_empty_group(outputs: Any) -> None:
    outputs.run()
    sweep = outputs.sweep("later", [], pending=["0123456789"])
    statistics = outputs.statistics(sweep)
    assert (len(statistics.runs), statistics.best, statistics.seeds) == (0, None, 0)


def test_files_of_groups_have_different_names(outputs: Any) -> None:
    for i, name in enumerate(("a b", "a?b", "a-b")):
        outputs.sweep(name, [outputs.run(seed=i)])
    slugs = [statistics.group.slug for statistics in outputs.all_statistics()]
    assert sorted(slugs) == ["a-b", "a-b-2", "a-b-3"]


def grid(outputs: Any) -> Any:
    return outputs.grid(lambda width, dropout: width / 100 - dropout, seeds=1)


@pytest.mark.parametrize(
    "text", ["width=16 dropout=0.1", "dropout=1e-1,width=16.0", "model.width=16 model.dropout=0.1"]
)
def test_a_baseline_is_named_by_settings(outputs: Any, text: str) -> None:
    grid(outputs)
    assert outputs.statistics(baseline=text).baseline == "width=16 dropout=0.1"


def test_a_baseline_is_named_by_a_run_or_its_folder(outputs: Any) -> None:
    folder = grid(outputs)[16, 0.1, 0]
    for text in (folder.name[-10:], folder.name, f"{folder}/"):
        assert outputs.statistics(baseline=text).baseline == "width=16 dropout=0.1"
    assert outputs.statistics(baseline="0123456789").baseline is None
    assert outputs.statistics(baseline="width=99 dropout=0.1").baseline is None


def test_a_baseline_takes_exact_or_shown_numbers_but_no_aliased_setting(outputs: Any) -> None:
    for lr in (0.0123456, 0.2):
        outputs.run(val=lr, optimizer__lr=lr, model__width=int(lr * 100))
    shown = outputs.statistics().factors[0].levels[0]
    assert shown == "0.01235"
    for text in ("lr=0.0123456", "lr=0.01235"):
        assert outputs.statistics(baseline=text).baseline == "lr=0.01235"
    with pytest.raises(UserError) as caught:
        outputs.statistics(baseline="model.width=1")
    assert caught.value.messages == [
        "--baseline='model.width=1': model.width changed only together with lr; use lr"
    ]


def test_values_in_a_baseline_may_contain_spaces(outputs: Any) -> None:
    for scales in ([1, 2], [3]):
        outputs.run(val=0.1 * scales[0], x__scales=scales, x__a=scales[0] * 2)
        outputs.run(val=0.1 * scales[0], x__scales=scales, x__a=7)
    assert outputs.statistics(baseline="scales=[1, 2] a=7").baseline == "scales=[1, 2] a=7"


def test_titles_that_are_the_same_are_numbered(outputs: Any) -> None:
    outputs.run(model__name="a.Net"), outputs.run(model__name="b.Net")
    assert shapes(outputs.all_statistics()) == {"Net": 1, "Net (2)": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht=8", "widht did not vary here (what varied: width, dropout); did you mean width?"),
        (
            "width=8",
            "matches 3 configurations; name one of them in full, such as 'width=8 dropout=0'",
        ),
        ("best", "must be a run's id or folder, or settings such as 'width=16 lr=0.1'"),
    ],
)
def test_a_baseline_that_names_no_configuration_is_a_mistake(
    outputs: Any, text: str, message: str
) -> None:
    grid(outputs)
    with pytest.raises(UserError) as caught:
        outputs.statistics(baseline=text)
    assert caught.value.messages == [f"--baseline={text!r}: {message}"]
