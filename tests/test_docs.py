"""Links and file names in the documentation: each is there."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks/results/README.md",
    ROOT / ".github/pull_request_template.md",
]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)  # opening and closing fence in turn
# What a path looks like: a name with an ending that our files have, or with a slash at its end.
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.(?:py|md|yaml|toml|sh|txt|png)|[\w.-]+(?:/[\w.-]+)*/")
# Written by a run, by the user, or part of a dataset; not in the repository.
ELSEWHERE = re.compile(
    r"(?:runs|sweeps|jobs|report|checkpoints|figures|data|cifar-100-python)/"
    r"|runs/\.locks/.*"
    r"|(?:outputs|mine|sweep/mine|train|test)\b.*"
    r"|(?:\.\./shared/|\.cache).*|(?:config|overrides|sweep)\.yaml|figures/.*"
)
# The files that docs/extending.md adds in its examples.
ADDED = re.compile(r".*\b(?:lion|agreement|digits|near_best|serial|jsonl|behind)\.(?:py|yaml)")


def paths(text: str) -> list[str]:
    """The names in backticks, and those that begin a line of a block of text, that are paths."""
    quoted = re.findall(r"`([^`\s]+)`", BLOCK.sub("", text))
    blocks = [block for kind, block in BLOCK.findall(text) if kind == "text"]
    listed = [line.split()[0] for block in blocks for line in block.splitlines() if line.strip()]
    return [name for name in [*quoted, *listed] if FILE.fullmatch(name)]


def exists(name: str, page: Path) -> bool:
    """Whether a file is in the repository; a bare name may be in any folder of the package."""
    places = [ROOT, ROOT / "cifar_exp", page.parent]
    if any((place / name).exists() for place in places):
        return True
    return "/" not in name and any((ROOT / "cifar_exp").rglob(name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = [name for name in paths(page.read_text()) if not ELSEWHERE.fullmatch(name)]
    if page.name == "extending.md":
        named = [name for name in named if not ADDED.fullmatch(name)]
    assert [name for name in named if not exists(name, page)] == []


def test_the_pages_name_links_and_files() -> None:
    everything = "\n".join(page.read_text() for page in PAGES)
    assert len(LINK.findall(everything)) > 15
    assert len(paths(everything)) > 180


@pytest.mark.slow
def test_every_example_of_extending_can_be_imported() -> None:
    examples = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs/extending.md").read_text(), re.M | re.S
    )
    assert len(examples) == 8
    for example in examples:
        exec(example, {"__name__": "example"})


def test_the_layers_are_those_that_are_enforced() -> None:
    section = (ROOT / "docs/architecture.md").read_text().partition("## The layers")[2]
    shown = section.split("```")[1].removeprefix("text\n").strip().splitlines()
    inner = re.findall(r"\(([\w >]+)\)", "\n".join(shown))
    outer = [re.findall(r"\w+", line.partition("(")[0]) for line in shown]
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [re.findall(r"\w+", line) for line in contract["contracts"][0]["layers"]]
    within = [[name] for name in inner[0].split(" > ")]
    assert [layer for layer in layers if layer not in within] == outer
    assert [layer for layer in layers if layer in within] == within
