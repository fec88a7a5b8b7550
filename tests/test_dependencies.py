"""The locked development environment against what the package asks for."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
LINES = [
    line
    for line in (ROOT / "requirements" / "dev-constraints.txt").read_text().splitlines()
    if not line.startswith("#")
]


def pinned() -> dict[str, str]:
    return {name: version for name, _, version in (line.partition("==") for line in LINES)}


@pytest.mark.parametrize("asked", ASKED)
def test_every_dependency_is_pinned_to_a_version_that_pyproject_allows(asked: str) -> None:
    requirement = Requirement(asked)
    assert pinned()[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_constraints_are_names_and_versions_alone() -> None:
    for line in LINES:
        (specifier,) = Requirement(line).specifier
        assert specifier.operator == "=="
        assert line == f"{canonicalize_name(Requirement(line).name)}=={specifier.version}"
    assert sorted(set(pinned())) == list(pinned())
