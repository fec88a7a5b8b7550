from collections.abc import Callable

import pytest
import torch

from cifar_exp.config.metadata import sections_of, variants
from cifar_exp.config.schema import Settings
from cifar_exp.config.validation import validate
from cifar_exp.models.build import build_network
from cifar_exp.training.muon import Muon
from cifar_exp.training.optimizers import BUILDERS, build_optimizer

Make = Callable[..., Settings]
OPTIONS = [tag for tag in variants(Settings.model_fields["optimizer"]) if tag != "_target_"]


def groups(settings: Settings) -> dict[str, dict]:
    network = build_network(settings.model, 10)
    optimizer = build_optimizer(settings.optimizer, network)
    names = {id(p): name for name, p in network.named_parameters()}
    return {
        group["name"]: {**group, "members": {names[id(p)] for p in group["params"]}}
        for group in optimizer.param_groups
    }


@pytest.mark.parametrize("option", OPTIONS)
def test_norms_and_biases_do_not_decay_and_weights_do(make_settings: Make, option: str) -> None:
    found = groups(
        make_settings("data=shapes", f"optimizer={option}", "optimizer.weight_decay=0.01")
    )
    decaying = set().union(*(g["members"] for g in found.values() if g["weight_decay"] > 0))
    resting = set().union(*(g["members"] for g in found.values() if g["weight_decay"] == 0))
    assert all("conv.weight" in n or n == "head.1.weight" for n in decaying)
    assert all("norm" in n or n.endswith("bias") or n == "head.0.weight" for n in resting)
    assert decaying
    assert resting
    assert not decaying & resting


@pytest.mark.parametrize("option", OPTIONS)
def test_every_trained_parameter_is_in_one_group(make_settings: Make, option: str) -> None:
    settings = make_settings("data=shapes", f"optimizer={option}")
    members = [name for g in groups(settings).values() for name in g["members"]]
    network = build_network(settings.model, 10)
    trained = sorted(name for name, p in network.named_parameters() if p.requires_grad)
    assert sorted(members) == trained
    assert "stem.0.weight" not in members  # whitening filters are fixed


def test_biases_learn_faster_by_their_scale(make_settings: Make) -> None:
    found = groups(make_settings("data=shapes", "optimizer.lr=0.3", "optimizer.bias_lr_scale=8"))
    assert found["weights"]["lr"] == found["norms"]["lr"] == pytest.approx(0.3)
    assert found["biases"]["lr"] == pytest.approx(2.4)


def test_muon_orthogonalizes_hidden_weights_and_leaves_the_head_to_sgd(make_settings: Make) -> None:
    settings = make_settings("data=shapes", "optimizer=muon", "optimizer.sgd_lr=0.07")
    found = groups(settings)
    assert found["hidden weights"]["orthogonal"]
    assert found["weights"]["members"] == {"head.1.weight"}
    assert found["weights"]["lr"] == pytest.approx(0.07)
    assert not found["weights"]["orthogonal"]


def test_each_option_builds_its_rule(make_settings: Make) -> None:
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    for option, kind in {**kinds, "muon": Muon}.items():
        settings = make_settings("data=shapes", f"optimizer={option}")
        optimizer = build_optimizer(settings.optimizer, build_network(settings.model, 10))
        assert type(optimizer) is kind


def test_sgd_is_nesterovs(make_settings: Make) -> None:
    settings = make_settings("data=shapes", "optimizer=sgd")
    optimizer = build_optimizer(settings.optimizer, build_network(settings.model, 10))
    assert all(group["nesterov"] for group in optimizer.param_groups)
    still = make_settings("data=shapes", "optimizer=sgd", "optimizer.momentum=0")
    build_optimizer(still.optimizer, build_network(still.model, 10))  # torch refuses nesterov at 0


def test_a_class_that_is_not_an_optimizer_is_refused(make_settings: Make) -> None:
    plain = make_settings("data=shapes")
    values = plain.model_dump(by_alias=True)
    own = validate({**values, "optimizer": {"_target_": "builtins.list"}})
    with pytest.raises(ValueError, match=r"^_target_=") as caught:
        build_optimizer(own.optimizer, build_network(plain.model, 10))
    assert str(caught.value) == "_target_=builtins.list: list is not a torch.optim.Optimizer"


def test_every_optimizer_of_the_schema_has_a_builder() -> None:
    assert set(BUILDERS) == set(sections_of(Settings.model_fields["optimizer"]))
