"""The page: one HTML file that loads nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

import cifar_exp
from cifar_exp.analysis.load.discover import Skipped
from cifar_exp.storage.atomic import write_text
from cifar_exp.storage.record import now

HERE = Path(__file__).parent
# In this order: each may use, while it is loaded, only what the ones before it define.
SCRIPTS = (
    *("data", "format", "state", "fields", "filter", "copy"),
    *("grid", "tables", "run", "compare", "permalink", "charts"),
)


@dataclass(frozen=True)
class Heading:
    """The page's title, and what it reports on."""

    title: str
    subject: str


def write_page(
    path: Path,
    heading: Heading,
    groups: Sequence[Mapping[str, Any]],
    skipped: Sequence[Skipped],
) -> None:
    """Render the `group_context`s into `path`. Texts that users wrote are escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}  # browsers refuse NaN
    template = environment.from_string((HERE / "index.html.jinja").read_text(encoding="utf-8"))
    text = template.render(
        heading=heading,
        made=now(),
        version=cifar_exp.__version__,
        groups=groups,
        skipped=skipped,
        data=[group["data"] for group in groups],
        css=_joined([HERE / "page.css", HERE / "js/charts/charts.css"]),
        vendored=[_text(path) for path in sorted(HERE.glob("vendor/*.js"))],
        js=_scripts(),
    )
    write_text(path, text)


def _scripts() -> str:
    """All scripts; those of charts are many, so each has a scope for its own names."""
    charts = [f"{{\n{_text(path)}}}" for path in sorted(HERE.glob("js/charts/*.js"))]
    first = [_text(HERE / f"js/{name}.js") for name in SCRIPTS]
    return "\n".join([*first, *charts, _text(HERE / "js/main.js")])


def _joined(paths: Sequence[Path]) -> str:
    return "\n".join(_text(path) for path in paths)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
