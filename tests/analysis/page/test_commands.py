"""Commands are legible, and a shell and Hydra still read the same."""

import shlex

import pytest

from cifar_exp.analysis.page.commands import legible_command, legible_words


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ("""'data.root='"'"'../shared/cifar100'"'"''""", "data.root=../shared/cifar100"),
        ("""'data.root='"'"'/a b'"'"''""", '''data.root="'/a b'"'''),
        ("'model.stages=[1,2]'", "model.stages='[1,2]'"),
        ("model.width=8,16", "model.width=8,16"),
        ("""'x.a='"'"'0'"'"''""", '''x.a="'0'"'''),  # a text, not the number 0
        ("""'x.a='"'"'true'"'"''""", '''x.a="'true'"'''),
        ("""'x.a='"'"'$HOME'"'"''""", """x.a=''"'"'$HOME'"'"''"""),
        ("'a b'", "'a b'"),
        ("seed=0 rerun=true plan=true report=false", "seed=0"),
        ("'never closed", "'never closed"),
    ],
)
def test_only_the_value_is_quoted_and_only_if_needed(recorded: str, expected: str) -> None:
    assert legible_command(recorded) == expected


@pytest.mark.parametrize("value", ["a'b", "'a \"b\"'", "$x", "`x`", "a\\b", "é", "", "'", "a=b c"])
def test_a_shell_reads_what_was_recorded(value: str) -> None:
    word = f"x.key={value}"
    assert shlex.split(" ".join(legible_words([word]))) == [word]
