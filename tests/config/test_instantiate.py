import collections
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.config.fields import TargetSection
from cifar_exp.config.instantiate import find_target, instantiate
from cifar_exp.errors import Interrupted

SOURCE = """\
class Net:
    class Small: ...

    def __init__(self, width, num_classes=10):
        if width < 1:
            raise ValueError("too narrow")
        self.given = (width, num_classes)

    @classmethod
    def wide(cls, **settings):
        return settings


class Plain:
    def __init__(self, width=1):
        self.width = width


def waves(optimizer, height, *, total_steps):
    return optimizer, height, total_steps


def unlucky():
    raise RuntimeError("out of luck")


def lost():
    return {}["width"]


def wrong():
    assert False


def gone():
    raise SystemExit(0)


def interrupted():
    from cifar_exp.errors import Interrupted

    raise Interrupted(15)


NUMBER = 3
"""


@pytest.fixture(autouse=True)
def _own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_nets.py").write_text(SOURCE)
    (tmp_path / "own_incomplete.py").write_text("import a_library_that_lacks\n")
    (tmp_path / "own_script.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "own_interrupted.py").write_text("raise KeyboardInterrupt\n")
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").touch()
    (tmp_path / "own_package" / "nets.py").write_text(SOURCE)
    importlib.invalidate_caches()
    yield
    for name in (
        "own_nets",
        "own_incomplete",
        "own_script",
        "own_interrupted",
        "own_package",
        "own_package.nets",
    ):
        sys.modules.pop(name, None)


def section(name: str, **arguments: Any) -> TargetSection:
    return TargetSection(**{"_target_": name, **arguments})


def test_a_class_is_found_by_its_dotted_name() -> None:
    assert find_target("collections.OrderedDict") is collections.OrderedDict
    assert find_target("own_nets.Net").__name__ == "Net"


def test_a_module_that_its_package_has_not_imported_is_found() -> None:
    assert find_target("own_package.nets.Plain")().width == 1


def test_members_of_a_class_are_found_too() -> None:
    assert find_target("own_nets.Net.Small").__qualname__ == "Net.Small"
    assert find_target("own_nets.Net.wide")(a=1) == {"a": 1}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere.Net", "there is no module nowhere; is its folder on PYTHONPATH?"),
        ("nowhere.part.Net", "there is no module nowhere; is its folder on PYTHONPATH?"),
        ("own_nets.Nett", "own_nets has no Nett"),
        ("own_nets.part.Net", "own_nets has no part"),
        ("own_nets.Net.Large", "own_nets.Net has no Large"),
        ("collections.nowhere.Net", "collections has no nowhere"),
        ("own_nets.NUMBER", "is not a class or function"),
        ("collections.abc", "is not a class or function"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error(name: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^_target_=") as caught:
        find_target(name)
    assert str(caught.value) == f"_target_={name}: {sentence}"


def test_a_library_that_the_module_lacks_is_named_and_not_the_module() -> None:
    with pytest.raises((ImportError, ValueError), match="a_library_that_lacks"):
        find_target("own_incomplete.Net")


def test_a_module_that_ends_the_program_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^_target_=") as caught:
        find_target("own_script.Net")
    sentence = "_target_=own_script.Net: importing own_script raised SystemExit: 3"
    assert str(caught.value) == sentence


def test_an_interruption_of_an_import_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        find_target("own_interrupted.Net")


def test_a_class_gets_its_own_settings_and_those_offered_that_it_accepts() -> None:
    assert instantiate(section("own_nets.Net", width=3), num_classes=100).given == (3, 100)
    assert instantiate(section("own_nets.Plain", width=3), num_classes=100).width == 3


def test_a_class_that_accepts_any_keyword_gets_all_that_are_offered() -> None:
    made = instantiate(section("own_nets.Net.wide", a=1), num_classes=100)
    assert made == {"a": 1, "num_classes": 100}


def test_the_users_value_wins_over_the_offered_one() -> None:
    net = instantiate(section("own_nets.Net", width=3, num_classes=7), num_classes=100)
    assert net.given == (3, 7)


def test_positional_arguments_come_first() -> None:
    made = instantiate(section("own_nets.waves", height=2), "optimizer", total_steps=9)
    assert made == ("optimizer", 2, 9)


def test_a_class_without_a_signature_is_offered_nothing() -> None:
    assert instantiate(section("builtins.dict", a=1), num_classes=100) == {"a": 1}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"width": 3, "depth": 2}, "Net.__init__() got an unexpected keyword argument 'depth'"),
        ({}, "Net.__init__() missing 1 required positional argument: 'width'"),
        ({"width": 0}, "too narrow"),
        ({"width": "x"}, "'<' not supported between instances of 'str' and 'int'"),
    ],
)
def test_settings_that_a_class_refuses_are_an_error(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match="refuses its settings") as caught:
        instantiate(section("own_nets.Net", **arguments))
    assert str(caught.value) == f"_target_=own_nets.Net refuses its settings: {reason}"
    assert isinstance(caught.value.__cause__, TypeError | ValueError)


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        ("unlucky", "RuntimeError: out of luck"),
        ("lost", "KeyError: 'width'"),
        ("wrong", "AssertionError"),
        ("gone", "SystemExit: 0"),
    ],
)
def test_whatever_else_a_class_raises_is_named_with_its_type(name: str, raised: str) -> None:
    with pytest.raises(ValueError, match=r"^_target_=") as caught:
        instantiate(section(f"own_nets.{name}"))
    assert str(caught.value) == f"_target_=own_nets.{name} raised {raised}"


def test_an_interruption_of_a_class_passes() -> None:
    with pytest.raises(Interrupted):
        instantiate(section("own_nets.interrupted"))
