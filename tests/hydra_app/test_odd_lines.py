"""Command lines at the limits: long, deep, endless, and options with odd names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line
from cifar_exp.text import SHOWN

ErrorsOf = Callable[..., list[str]]

LONG = "a" * 5_000
CUT = "a" * SHOWN + "..."
GROUPS = ("augmentation", "data", "experiment", "model", "optimizer", "scheduler", "sweep")


@pytest.mark.parametrize(
    "line",
    [
        LONG,
        f"{LONG}=1",
        f"+{LONG}=1",
        f"~{LONG}",
        f"model.{LONG}=1",
        f"model={LONG}",
        f"seed={LONG}",
        f"seed='{LONG}",
        f"hydra.{LONG}=1",
        f"hydra.launcher.{LONG}=1",
        f"hydra/{LONG}=1",
        f"hydra/launcher={LONG}",
        f"--{LONG}",
        f"--config-dir={LONG}",
        f"--config-path={LONG}",
        f"--config-name={LONG}",
        "seed=" + ",".join(map(str, range(3_000))),
        "trainer.epochs=" + "9" * 4_000,
        "trainer.epochs=" + "9" * 5_000,
    ],
    ids=lambda line: line[:24],
)
def test_a_long_line_is_not_echoed_whole(errors_of: ErrorsOf, line: str) -> None:
    (sentence,) = errors_of(line)
    assert len(sentence) < 500
    assert "..." in sentence


def test_a_group_of_hydras_that_does_not_exist_is_a_mistake(errors_of: ErrorsOf) -> None:
    assert errors_of("hydra/lancher=local") == ["hydra/lancher: no such group"]


def test_a_value_nested_too_deeply_is_a_mistake(errors_of: ErrorsOf) -> None:
    deep = "{a:" * 60 + "1" + "}" * 60
    (sentence,) = errors_of(f"seed={deep}")
    assert sentence == f"seed={deep}"[:SHOWN] + "...: more than 20 nested brackets"


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("model.width=range(0,1e12)", "1,000,000,000,000"),
        ("seed=range(0,300000000)", "300,000,000"),
        ("seed=range(300000000)", "300,000,000"),
        ("seed=range(0,-300000000,-1)", "300,000,000"),
        ("optimizer.lr=range(0,1,0.00000001)", "100,000,000"),
        ("seed=shuffle(range(0,300000000))", "300,000,000"),
    ],
)
def test_a_range_without_end_is_refused_before_it_is_listed(
    errors_of: ErrorsOf, line: str, count: str
) -> None:
    assert errors_of("--multirun", line) == [
        f"{line}: lists {count} values; a sweep has at most 50,000 runs"
    ]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("path", ["none/../{0}", "../{1}/{0}", "./{0}", "/{0}", "{0}/", "{0}/."])
def test_a_path_is_not_an_option(errors_of: ErrorsOf, conf: Path, group: str, path: str) -> None:
    option = sorted(file.stem for file in (conf / group).glob("*.yaml"))[0]
    typed = path.format(option, group)
    (sentence,) = errors_of(f"{group}={typed}")
    assert sentence.startswith(f"{group}={typed}: no such option; {group} may be {option}")


@pytest.mark.parametrize("name", ["hydra/launcher", "hydra/sweeper", "hydra/job_logging"])
def test_a_path_is_not_an_option_of_hydras(errors_of: ErrorsOf, name: str) -> None:
    (sentence,) = errors_of(f"{name}=none/../basic")
    assert sentence.startswith(f"{name}=none/../basic: no such option; {name} may be ")


@pytest.mark.parametrize("name", ["12", "1e5", "nan", "null", "true", "a.b", "1_0", "0x1", "-1"])
def test_an_option_may_be_named_like_a_number(own_yaml: Callable[..., Path], name: str) -> None:
    folder = own_yaml(**{f"model/{name}": "defaults: [base, _self_]\nwidth: 77\n"})
    line = ["--config-dir", str(folder), f"model={name}"]
    (trial,) = check_command_line(parse_arguments(line)).trials
    assert (trial.settings.model.width, trial.label) == (77, name)


def test_options_named_like_numbers_can_be_swept(own_yaml: Callable[..., Path]) -> None:
    names = ["12", "nan", "null"]
    files = {f"model/{name}": "defaults: [tiny, _self_]\n" for name in names}
    line = ["--config-dir", str(own_yaml(**files)), "--multirun", "model=12,nan,null,tiny"]
    grid = check_command_line(parse_arguments(line))
    assert [trial.values["model"] for trial in grid.trials] == [*names, "tiny"]


@pytest.mark.parametrize("line", ["model=12", "model=1e5", "model=null", "model=nan"])
def test_an_option_that_does_not_exist_is_shown_as_it_was_typed(
    errors_of: ErrorsOf, line: str
) -> None:
    (sentence,) = errors_of(line)
    assert sentence.startswith(f"{line}: no such option; model may be base, ")


def test_a_group_that_the_settings_lack_is_a_mistake(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path]
) -> None:
    own = ["--config-dir", str(own_yaml(**{"foo/a": "x: 1\n"}))]
    groups = (
        "augmentation, data, experiment, model, optimizer, pruning, scheduler, search, sweep, "
        "trainer"
    )
    sentence = f"foo: no such setting or group; the groups are {groups}"
    assert errors_of(*own, "foo=a") == [sentence]
    assert errors_of(*own, "+foo=a") == [sentence]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("+model=tiny", "leave out the +"),
        ("++model=tiny", "leave out the +"),
        ("~model", "a group cannot be removed"),
        ("model@x=tiny", "groups have no packages here"),
        ("+seed=3", "seed exists already; leave out the +"),
    ],
)
def test_a_sign_that_hydra_knows_and_the_settings_do_not_is_a_mistake(
    errors_of: ErrorsOf, line: str, reason: str
) -> None:
    assert errors_of(line) == [f"{line}: {reason}"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("seed=0,1,", "ends with a comma; leave it out"),
        ("data.root=a,", "ends with a comma; leave it out"),
        (
            "optimizer.lr=logspace(1,2)",
            "no such function; there are range, choice, glob, sort and shuffle",
        ),
        (
            "optimizer.lr=interval(0,1)",
            "an interval has no list of values; list them, as optimizer.lr=0.1,0.2, "
            "or search it with search=tpe search.runs=40",
        ),
    ],
)
def test_advice_on_broken_lists_helps(errors_of: ErrorsOf, line: str, reason: str) -> None:
    assert errors_of("--multirun", line) == [f"{line}: {reason}"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["--package", "x"], "--package goes with --cfg job"),
        (["-p", "x"], "--package goes with --cfg job"),
        (["--config-name", "nope"], "--config-name=nope: there is no nope.yaml in {conf}"),
        (["--config-path", "nope"], "--config-path=nope: there is no such folder"),
        (["--config-dir", ""], "--config-dir=: there is no such folder"),
    ],
    ids=" ".join,
)
def test_an_option_of_the_command_with_a_wrong_value_is_a_mistake(
    errors_of: ErrorsOf, conf: Path, line: list[str], sentence: str
) -> None:
    assert errors_of(*line) == [sentence.format(conf=conf)]
