from collections.abc import Callable

import pytest
import torch
from torch import nn

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.metadata import sections_of
from cifar_exp.config.schema import Settings
from cifar_exp.models.build import BUILDERS, build_network


def test_every_model_of_the_schema_has_a_builder() -> None:
    assert set(BUILDERS) == set(sections_of(Settings.model_fields["model"]))


def test_the_network_scores_each_class(make_settings: Callable[..., Settings]) -> None:
    network = build_network(make_settings("data=shapes", "model=tiny").model, 7)
    assert network.eval()(torch.zeros(2, 3, 16, 16)).shape == (2, 7)


def test_a_target_is_given_the_number_of_classes_only_if_it_takes_it() -> None:
    linear = TargetSection(**{"_target_": "torch.nn.Linear", "in_features": 3, "out_features": 5})
    assert build_network(linear, 7).out_features == 5
    resnet = TargetSection(**{"_target_": "torchvision.models.resnet18"})
    head = build_network(resnet, 7).fc
    assert isinstance(head, nn.Linear)
    assert head.out_features == 7


def test_a_target_that_refuses_its_settings_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^_target_=torch"):
        build_network(TargetSection(**{"_target_": "torch.nn.Linear", "widht": 3}), 7)
