"""YAML files of the user that Hydra would crash or hang on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.errors import UserError
from cifar_exp.hydra_app.yaml_check import MAX_DEPTH, MAX_NODES, check_yaml

ErrorsOf = Callable[..., list[str]]

DOUBLING = "a0: &a0 [1, 2]\n" + "".join(
    f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 25)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 500))
DEEP = f"is nested more than {MAX_DEPTH} levels deep"

FILES = {
    "number": ("3\n", "must be keys with their values"),
    "text": ("hello\n", "must be keys with their values"),
    "list": ("[1, 2]\n", "must be keys with their values"),
    "deep": ("a: " + "[" * 100 + "]" * 100, DEEP),
    "hundreds": ("a: " + "[" * 500 + "]" * 500, DEEP),
    "thousands": ("a: " + "[" * 20_000 + "]" * 20_000, DEEP),
    "blocks": ("".join(" " * i + f"a{i}:\n" for i in range(200)), DEEP),
    "anchor": ("width: &a [*a]\n", "line 1 contains itself"),
    "pair": ("a: &a\n  b: [*a]\n", "line 1 contains itself"),
    "doubling": (DOUBLING, f"expands to more than {MAX_NODES:,} values"),
    "chain": (CHAIN, f"expands to more than {MAX_NODES:,} values"),
    "set": ("a: 1\nb: !!set {x, y}\n", "line 2 has the tag !!set; leave it out"),
    "object": (
        "a: !!python/object/apply:os.system [ls]\n",
        "line 1 has the tag !!python/object/apply:os.system; leave it out",
    ),
    "null": ("? null\n: 3\n", "line 1 has a key that is not a name"),
    "key": ("? [a, b]\n: 3\n", "line 1 has a key that is not a name"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_settings_is_a_mistake_of_one_sentence(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path], name: str
) -> None:
    text, reason = FILES[name]
    folder = own_yaml(**{"model/own": text})
    assert errors_of("--config-dir", str(folder), "model=own", "seed=1") == [
        f"{folder}/model/own.yaml: {reason}"
    ]


def test_a_file_that_is_not_utf_8_is_a_mistake(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path]
) -> None:
    folder = own_yaml(**{"model/own": ""})
    (folder / "model" / "own.yaml").write_bytes(b"_target_: \xff\xfe\n")
    assert errors_of("--config-dir", str(folder), "model=own") == [
        f"{folder}/model/own.yaml: is not UTF-8 text"
    ]


def test_broken_yaml_is_a_mistake_with_its_place(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path]
) -> None:
    folder = own_yaml(**{"model/own": "a:\n\tb: 3\n"})
    (sentence,) = errors_of("--config-dir", str(folder), "model=own")
    assert sentence.startswith(f"{folder}/model/own.yaml: cannot be read (")
    assert "line 2, column 1" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "files",
    [
        {"model/own": "defaults: [own, _self_]\n"},
        {"model/own": "defaults: [other, _self_]\n", "model/other": "defaults: [own, _self_]\n"},
        {
            "model/own": "defaults: [/optimizer@x: other, _self_]\n",
            "optimizer/other": "defaults: [/data@y: third, _self_]\n",
            "data/third": "defaults: [/model@z: own, _self_]\n",
        },
    ],
    ids=["itself", "two files", "three groups"],
)
def test_defaults_that_include_each_other_are_a_mistake(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path], files: dict[str, str]
) -> None:
    folder = own_yaml(**files)
    assert errors_of("--config-dir", str(folder), "model=own") == [
        "a YAML file is nested too deeply, or its defaults lists include each other"
    ]


def test_a_broken_file_that_is_not_chosen_is_not_read(
    check: Callable, own_yaml: Callable[..., Path]
) -> None:
    folder = own_yaml(**{"model/own": DOUBLING})
    assert len(check("--config-dir", str(folder), "model=tiny")) == 1


def test_a_file_of_hydra_searchpath_is_checked_too(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path]
) -> None:
    folder = own_yaml(**{"model/tiny": DOUBLING})
    line = ["--config-path", str(folder.parent), f"hydra.searchpath=[file://{folder}]"]
    (folder.parent / "config.yaml").write_text("defaults: [model: tiny]\n")
    assert errors_of(*line) == [
        f"{folder}/model/tiny.yaml: expands to more than {MAX_NODES:,} values"
    ]


def test_a_value_that_must_be_set_is_reported_by_its_key(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path]
) -> None:
    folder = own_yaml(**{"model/own": "_target_: mine.Net\nwidth: ???\n"})
    assert errors_of("--config-dir", str(folder), "model=own", "plan=true") == [
        "model.width: must be set; a file holds ??? in its place"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\nb: [1, {c: null}]\n",
        "base: &base {a: 1}\nmore: {<<: *base, b: 2}\nday: 2026-01-02\n",
        "a: &a {b: 1}\nc: *a\nd: *a\n",
        "1: one\ntrue: two\n2.5: three\n",
        "a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "\n",
        "a: [" + "1, " * (MAX_NODES - 4) + "1]\n",
    ],
    ids=["empty", "nested", "merged", "shared", "keys", "just not too deep", "just not too many"],
)
def test_a_file_that_omegaconf_can_load_is_accepted(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    check_yaml(tmp_path / "own.yaml")


def test_the_limit_of_values_is_exact(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("a: [" + "1, " * (MAX_NODES - 3) + "1]\n")
    with pytest.raises(UserError, match="expands to more than"):
        check_yaml(tmp_path / "own.yaml")
