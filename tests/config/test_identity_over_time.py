"""A release that adds a setting must find the runs of the releases before it."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, create_model

from cifar_exp.config.identity import flatten, identifying, run_id
from cifar_exp.config.schema import Settings, TrainerSection

LaterTrainer = create_model(
    "LaterTrainer",
    __base__=TrainerSection,
    lookahead=(Annotated[int, Field(ge=0)], 0),
    sharpness=(float, 0.0),
    averaging=(str | None, None),
    swaps=(bool, False),
)
LaterSettings = create_model(
    "LaterSettings", __base__=Settings, trainer=(LaterTrainer, ...), note=(str, "")
)
ADDED = {
    "trainer.lookahead": 5,
    "trainer.sharpness": 0.5,
    "trainer.averaging": "swa",
    "trainer.swaps": True,
    "note": "other",
}


def test_a_setting_added_later_leaves_old_ids_alone(tree: Callable, settings: Callable) -> None:
    later = LaterSettings.model_validate(tree())
    assert set(flatten(later)) - set(flatten(settings())) == set(ADDED)
    assert run_id(later) == run_id(settings())


def test_an_added_setting_spelled_out_at_its_old_value_keeps_the_id(tree: Callable) -> None:
    spelled = tree({"trainer.lookahead": 0, "trainer.averaging": None, "note": ""})
    assert run_id(LaterSettings.model_validate(spelled)) == run_id(Settings.model_validate(tree()))


@pytest.mark.parametrize("key", ADDED)
def test_an_added_setting_at_another_value_is_another_run(tree: Callable, key: str) -> None:
    changed = LaterSettings.model_validate(tree({key: ADDED[key]}))
    assert run_id(changed) != run_id(LaterSettings.model_validate(tree()))
    assert identifying(changed)[key] == ADDED[key]


def test_the_interval_of_a_users_scheduler_enters_the_id_only_if_it_is_not_epoch(
    settings: Callable,
) -> None:
    def ident(**own: Any) -> str:
        return run_id(settings({"scheduler": {"_target_": "torch.optim.X", **own}}))

    assert ident() == ident(interval="epoch")
    assert ident() != ident(interval="step")


class Lookahead(BaseModel):
    steps: int = 5
    points: tuple[float, ...] = (0.1, 0.5)


def test_a_group_or_a_list_added_later_leaves_old_ids_alone(
    tree: Callable, settings: Callable
) -> None:
    with_more = create_model(
        "WithMore",
        __base__=Settings,
        lookahead=(Lookahead, Lookahead()),
        milestones=(tuple[float, ...], (0.5, 0.75)),
        made=(list[int], Field(default_factory=list)),
    )
    later = with_more.model_validate(tree())
    assert run_id(later) == run_id(settings())
    changed = with_more.model_validate({**tree(), "lookahead": {"steps": 6}})
    assert run_id(changed) != run_id(settings())
    assert "lookahead.points" not in identifying(changed)
