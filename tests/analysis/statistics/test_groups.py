"""What is compared with what."""

from typing import Any

import pytest

from cifar_exp.errors import UserError


def shapes(studies: Any) -> dict[str, int]:
    return {study.section.title: len(study.runs) for study in studies}


@pytest.mark.parametrize(
    ("other", "told"),
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
    outputs: Any, other: dict[str, Any], told: tuple[str, str]
) -> None:
    one, two = outputs.run(val=0.2), outputs.run(val=0.8, **other)
    assert shapes(outputs.studies()) == {f"convnet, {part}": 1 for part in told}
    sweep = outputs.sweep("mine", [one, two])
    studies = outputs.studies(sweep)
    assert shapes(studies) == {f"mine, {part}": 1 for part in told}
    assert [study.summary["mean"].tolist() for study in studies] == [[0.2], [0.8]]


def test_each_sweep_is_a_section_and_what_is_in_none_goes_by_its_network(outputs: Any) -> None:
    shared, first = outputs.run(seed=0), outputs.run(seed=1)
    second = outputs.run(seed=2)
    outputs.run(seed=3), outputs.run(seed=4, model__name="torchvision.models.resnet18")
    outputs.sweep("a", [shared, first])
    outputs.sweep("b", [shared, second])
    assert shapes(outputs.studies()) == {
        "a": 2,
        "b": 2,
        "convnet, in no sweep": 1,
        "resnet18, in no sweep": 1,
    }


def test_a_sweep_without_runs_is_a_section_that_says_so(outputs: Any) -> None:
    outputs.run()
    sweep = outputs.sweep("later", [], pending=["0123456789"])
    study = outputs.study(sweep)
    assert (len(study.runs), study.best, study.seeds) == (0, None, 0)


def test_files_of_sections_are_named_apart(outputs: Any) -> None:
    for i, name in enumerate(("a b", "a?b", "a-b")):
        outputs.sweep(name, [outputs.run(seed=i)])
    slugs = [study.section.slug for study in outputs.studies()]
    assert sorted(slugs) == ["a-b", "a-b-2", "a-b-3"]


def grid(outputs: Any) -> Any:
    return outputs.grid(lambda width, dropout: width / 100 - dropout, seeds=1)


@pytest.mark.parametrize(
    "text", ["width=16 dropout=0.1", "dropout=1e-1,width=16.0", "model.width=16 model.dropout=0.1"]
)
def test_a_baseline_is_named_by_settings(outputs: Any, text: str) -> None:
    grid(outputs)
    assert outputs.study(baseline=text).baseline == "width=16 dropout=0.1"


def test_a_baseline_is_named_by_a_run_or_its_folder(outputs: Any) -> None:
    folder = grid(outputs)[16, 0.1, 0]
    for text in (folder.name[-10:], folder.name, f"{folder}/"):
        assert outputs.study(baseline=text).baseline == "width=16 dropout=0.1"
    assert outputs.study(baseline="0123456789").baseline is None
    assert outputs.study(baseline="width=99 dropout=0.1").baseline is None


def test_a_baseline_takes_exact_and_shown_numbers_and_names_what_leads(outputs: Any) -> None:
    for lr in (0.0123456, 0.2):
        outputs.run(val=lr, optimizer__lr=lr, model__width=int(lr * 100))
    shown = outputs.study().settings[0].levels[0]
    assert shown == "0.01235"
    for text in ("lr=0.0123456", "lr=0.01235"):
        assert outputs.study(baseline=text).baseline == "lr=0.01235"
    with pytest.raises(UserError) as caught:
        outputs.study(baseline="model.width=1")
    assert caught.value.messages == [
        "--baseline='model.width=1': model.width changed only together with lr: name that"
    ]


def test_a_baseline_s_values_may_hold_spaces(outputs: Any) -> None:
    for scales in ([1, 2], [3]):
        outputs.run(val=0.1 * scales[0], x__scales=scales, x__a=scales[0] * 2)
        outputs.run(val=0.1 * scales[0], x__scales=scales, x__a=7)
    assert outputs.study(baseline="scales=[1, 2] a=7").baseline == "scales=[1, 2] a=7"


def test_titles_that_are_the_same_are_numbered(outputs: Any) -> None:
    outputs.run(model__name="a.Net"), outputs.run(model__name="b.Net")
    assert shapes(outputs.studies()) == {"Net": 1, "Net (2)": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("widht=8", "widht did not vary here (what did: width, dropout); did you mean width?"),
        ("width=8", "fits 3 configurations; one must be named, as 'width=8 dropout=0'"),
        ("best", "must be a run's id or folder, or settings as 'width=16 lr=0.1'"),
    ],
)
def test_a_baseline_that_names_none_is_told(outputs: Any, text: str, told: str) -> None:
    grid(outputs)
    with pytest.raises(UserError) as caught:
        outputs.study(baseline=text)
    assert caught.value.messages == [f"--baseline={text!r}: {told}"]
