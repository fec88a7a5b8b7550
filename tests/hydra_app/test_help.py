import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from cifar_exp.config.launcher import OPTIONS
from cifar_exp.config.schema import Settings
from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.help import help_text

CONF = Path(__file__).resolve().parents[2] / "conf"
SCHEMA = Settings.model_json_schema()
ABSENT = object()
OWN_CLASSES = {"TargetSection", "TargetSchedulerSection"}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The whole help, with a network of the user's own; it composes every option of every group."""
    own = tmp_path_factory.mktemp("own") / "model"
    own.mkdir()
    (own / "mine.yaml").write_text("_target_: mine.Net\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CIFAR_EXP_DATA", raising=False)
        return help_text(parse_arguments(["--help", "--config-dir", str(own.parent)]))


def sections(group: str) -> list[str]:
    field = SCHEMA["properties"][group]
    references = [field] if "$ref" in field else field.get("oneOf", field.get("anyOf", []))
    names = [r["$ref"].rpartition("/")[2] for r in references if "$ref" in r]
    return [name for name in names if name not in OWN_CLASSES]


def keys() -> Iterator[tuple[str, dict[str, Any]]]:
    for group, field in SCHEMA["properties"].items():
        names = sections(group)
        if not names:
            yield group, field
        for name in names:
            for key, inner in SCHEMA["$defs"][name]["properties"].items():
                if key != "name" or group == "data":  # elsewhere it is found as the option
                    yield f"{group}.{key}", inner


def lines_of(text: str, key: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"  {key} ")]


def bounds(field: dict[str, Any]) -> list[float]:
    parts = [field, *field.get("anyOf", []), field.get("items", {})]
    limits = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    return [part[limit] for part in parts for limit in limits if limit in part]


def test_every_key_is_there_with_its_meaning_and_its_range(text: str) -> None:
    found = list(keys())
    assert len(found) > 50
    for key, field in found:
        line = next(one for one in lines_of(text, key) if field["description"] in one)
        allowed = line.partition(field["description"])[2]
        assert re.fullmatch(r" \(.+\)", allowed), line
        numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", allowed)]
        assert all(float(bound) in numbers for bound in bounds(field)), line
        choices = [str(choice) for choice in field.get("enum", [])]
        assert all(choice in re.split(r"[ ,()]+", allowed) for choice in choices), line


def test_every_default_is_the_one_that_is_composed(
    text: str, hydra_composes: Callable[..., Any]
) -> None:
    composed: Any = OmegaConf.to_container(hydra_composes(), resolve=True)
    seen = set()
    for key, field in keys():
        group, _, name = key.partition(".")
        value = composed[group].get(name, ABSENT) if name else composed[group]
        line = next(iter(lines_of(text, key)))
        if value is ABSENT or field["description"] not in line:
            continue  # another option's
        shown = line.removeprefix(f"  {key}").partition(field["description"])[0].strip()
        assert (shown if isinstance(value, str) else json.loads(shown)) == value
        seen.add(key)
    assert len(seen) > 40


def test_every_group_and_option_is_there_and_the_default_is_starred(text: str) -> None:
    chosen: dict[str, Any] = {}
    for entry in yaml.safe_load((CONF / "config.yaml").read_text())["defaults"]:
        chosen.update(entry if isinstance(entry, dict) else {})
    for folder in sorted(p for p in CONF.iterdir() if p.is_dir() and p.name != "hydra"):
        own = ["mine"] if folder.name == "model" else []
        options = sorted([file.stem for file in folder.glob("*.yaml")] + own)
        marked = [f"{o}*" if o == chosen[folder.name] else o for o in options]
        assert re.search(rf"^  {folder.name} +{re.escape(', '.join(marked))}$", text, re.MULTILINE)


def test_the_options_and_the_exit_codes_are_there(text: str) -> None:
    for option in ("--multirun", "--config-dir", "--cfg job", "--hydra-help", "--version"):
        assert option in text
    codes = re.search(r"Exit codes: (.+)", text, re.DOTALL)
    assert codes is not None
    assert {"0", "1", "2", "3", "130", "143"} <= set(re.findall(r"\d+", codes[1]))


def test_every_launcher_is_there_with_its_options(text: str) -> None:
    for options in OPTIONS:
        _, _, after = text.partition(f"  hydra/launcher={options.name}: ")
        listed = re.findall(r"^  hydra\.launcher\.(\w+) ", after.partition("\n\n")[0], re.MULTILINE)
        assert listed == list(options.model_fields)
