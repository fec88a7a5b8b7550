"""What runs need before they begin."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.config.schema import Settings
from cifar_exp.data.dataset import Dataset
from cifar_exp.errors import UserError
from cifar_exp.runs import requirements
from cifar_exp.runs.execute import execute
from cifar_exp.runs.requirements import (
    check_requirements,
    find_weights,
    target_errors,
    targets_of,
)
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import RunDirectory


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def errors_of(*settings: Settings) -> list[str]:
    with pytest.raises(UserError) as caught:
        check_requirements(settings)
    return caught.value.messages


def test_a_device_is_looked_for_only_where_nothing_cheaper_is_wrong(
    small_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(_name: str) -> str:
        raise AssertionError("torch was imported")

    monkeypatch.setattr(requirements, "_device_error", look)
    settings = small_settings("data.root=nowhere", "trainer.device=cuda:99")
    (sentence,) = errors_of(settings)
    assert sentence.startswith("data.root=nowhere: ")


def test_all_that_is_missing_is_reported_at_once(
    small_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "outputs").touch()
    found = errors_of(
        small_settings("data.root=nowhere"),
        small_settings("data.root=nowhere", "seed=1"),
        small_settings("data=shapes", "data.limit_train=4", "data.val_fraction=0.1"),
    )
    assert [sentence.partition(":")[0] for sentence in found] == [
        "outputs exists but is not a writable folder",
        "data.root=nowhere",
        "data.val_fraction=0.1",
    ]


@pytest.mark.parametrize(
    ("limit", "fraction", "parts"),
    [
        (4, 0.1, "4 training images into 4 to train on and 0"),
        (10, 0.99, "10 training images into 0"),
    ],
)
def test_a_split_that_leaves_nothing_is_found_before_images_are_read(
    small_settings: Callable[..., Settings], limit: int, fraction: float, parts: str
) -> None:
    settings = small_settings(
        "data=cifar100", f"data.limit_train={limit}", f"data.val_fraction={fraction}"
    )
    (sentence,) = errors_of(settings)
    assert sentence.startswith(f"data.val_fraction={fraction}: splits {parts}")


def make_run(folder: Path, record: RunRecord, *, has_weights: bool = True) -> None:
    directory = RunDirectory(folder)
    directory.create()
    record.save(folder)
    if has_weights:
        directory.best.touch()


def test_the_weights_of_a_completed_run_are_found(
    tmp_path: Path, make_record: Callable[..., RunRecord]
) -> None:
    make_run(tmp_path / "tiny-0123456789", make_record("completed"))
    assert find_weights(tmp_path, "0123456789") == RunDirectory(tmp_path / "tiny-0123456789").best


@pytest.mark.parametrize(
    ("status", "has_weights", "reason"),
    [
        ("interrupted", True, "{folder} is not completed yet"),
        ("failed", True, "{folder} is not completed yet"),
        ("completed", False, "{folder} kept no weights (keep=none)"),
    ],
)
def test_a_run_without_final_weights_cannot_be_started_from(
    tmp_path: Path,
    make_record: Callable[..., RunRecord],
    status: str,
    has_weights: bool,
    reason: str,
) -> None:
    folder = tmp_path / "tiny-0123456789"
    make_run(folder, make_record(status), has_weights=has_weights)
    with pytest.raises(UserError) as caught:
        find_weights(tmp_path, "0123456789")
    assert str(caught.value) == f"init_from=0123456789: {reason.format(folder=folder)}"


def test_a_run_that_does_not_exist_cannot_be_started_from(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        find_weights(tmp_path, "0123456789")
    assert str(caught.value) == (
        f"init_from=0123456789: there is no such run in {tmp_path}; give a run's id"
    )


def test_each_class_that_settings_name_is_looked_up_once(
    make_settings: Callable[..., Settings],
) -> None:
    own = make_settings("model=resnet18", "seed=1")
    again = make_settings("model=resnet18", "seed=2")
    assert targets_of([own, make_settings(), again]) == [("model", "torchvision.models.resnet18")]


def test_a_sentence_names_the_group_of_a_class_that_does_not_exist() -> None:
    targets = [("model", "json.JSONDecoder"), ("optimizer", "json.nope"), ("model", "json.decoder")]
    assert target_errors(targets) == [
        "optimizer: _target_=json.nope: json has no nope",
        "model: _target_=json.decoder: is not a class or function",
    ]


def test_a_run_looks_for_the_weights_to_start_from_before_it_reads_images(
    make_spec: Callable[..., RunSpec],
) -> None:
    def read(*_: object) -> Dataset:
        raise AssertionError("images were read")

    with pytest.raises(UserError, match="init_from=0123456789: there is no such run in "):
        execute(make_spec("data=shapes", "init_from=0123456789"), read)
