"""What the schema says of its settings is what the rest of the package goes by."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

from cifar_exp.config import metadata
from cifar_exp.config.fields import Flag, Nuisance, TargetSection, Word
from cifar_exp.config.metadata import all_fields, nuisance_keys, number_kind, sections_of, text_keys
from cifar_exp.config.schema import (
    COMMAND_GROUPS,
    DataSection,
    MuonSection,
    PlateauSection,
    Settings,
    TargetSchedulerSection,
    TrainerSection,
)


def test_the_settings_that_do_not_name_a_run_are_those_that_never_did() -> None:
    # a change here changes the ids of all runs
    assert nuisance_keys() == {
        "data.root",
        "data.download",
        "trainer.device",
        "trainer.threads",
        "trainer.progress",
        "rerun",
        "keep",
        "retry_failed",
        "plan",
        "report",
        "confirm.sweep",
        "confirm.top",
        "confirm.seeds",
        "confirm.baseline",
        "search.name",
        "search.runs",
        "search.seeds",
        "search.seed",
        "search.budget_minutes",
        "search.budget_pflop",
        "search.objective",
        "search.near",
        "search.stop_at_noise",
        "pruning.name",
        "pruning.grace",
        "pruning.reduction",
        "pruning.top",
        "sweep_name",
        "retries",
        "max_failures",
        "on_end",
        "wait",
    }


def test_free_text_is_what_takes_any_name() -> None:
    texts = {"init_from", "data.root", "confirm.sweep", "confirm.baseline", "sweep_name", "on_end"}
    texts |= {"search.near"}
    assert text_keys() == texts


class LaterData(DataSection):
    """Settings as a later release may add them."""

    note: str = ""
    owner: Annotated[str, Nuisance] | None = None
    kind: Annotated[str, Word] = "a"
    mode: Literal["a", "b"] = "a"
    is_shown: Annotated[Flag, Nuisance] = False
    label: Annotated[str | None, Nuisance] = None


LaterSettings = create_model("LaterSettings", __base__=Settings, data=(LaterData, ...))


def test_a_new_setting_says_all_of_itself_in_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    known = nuisance_keys(), text_keys()
    monkeypatch.setattr(metadata, "Settings", LaterSettings)
    assert nuisance_keys() - known[0] == {"data.owner", "data.is_shown", "data.label"}
    assert text_keys() - known[1] == {"data.note", "data.owner", "data.label"}


@pytest.mark.parametrize(
    ("section", "name", "kind"),
    [
        (MuonSection, "lr", "float"),
        (DataSection, "limit_train", "int"),
        (TrainerSection, "threads", "int"),
        (TrainerSection, "gradient_clip", "float"),
        (TrainerSection, "resolution_scales", None),
        (TrainerSection, "compile", None),
        (TrainerSection, "precision", None),
    ],
)
def test_the_schema_says_which_numbers_a_setting_takes(
    section: type[BaseModel], name: str, kind: str | None
) -> None:
    assert number_kind(section.model_fields[name]) == kind


def test_the_fields_of_every_section_of_a_union_are_found() -> None:
    keys = {key for key, _ in all_fields()}
    assert {"seed", "data.root", "optimizer.momentum", "optimizer.beta2", "model._target_"} <= keys
    assert {"scheduler.factor", "scheduler.interval", "trainer.epochs"} <= keys


@pytest.mark.parametrize(
    ("group", "some", "count"),
    [
        ("seed", (), 0),
        ("trainer", (TrainerSection,), 1),
        ("optimizer", (MuonSection, TargetSection), 4),
        ("scheduler", (PlateauSection, TargetSchedulerSection), 6),
    ],
)
def test_the_sections_of_a_group_are_listed_once_each(
    group: str, some: tuple[type[BaseModel], ...], count: int
) -> None:
    found = sections_of(Settings.model_fields[group])
    assert set(some) <= set(found)
    assert len(found) == len(set(found)) == count


def test_every_setting_has_a_meaning() -> None:
    groups = {name for name, field in Settings.model_fields.items() if sections_of(field)}
    assert [key for key, field in all_fields() if not field.description] == []
    groups -= COMMAND_GROUPS  # words of the command, not of a run
    assert groups == {"data", "model", "augmentation", "optimizer", "scheduler", "trainer"}


def takes(field: FieldInfo, value: object) -> bool:
    kind: Any = Annotated[(field.annotation, *field.metadata, Nuisance)]
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def test_every_integer_has_an_upper_bound() -> None:
    integers = [
        (key, field) for key, field in all_fields() if takes(field, 8) and not takes(field, 0.5)
    ]
    assert len(integers) > 15
    assert [
        key for key, field in integers if takes(field, 10**200) or takes(field, -(10**200))
    ] == []
