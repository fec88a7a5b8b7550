"""The page: one HTML file that asks for nothing beside it."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

import cifar_exp
from cifar_exp.analysis.load.discover import Skipped
from cifar_exp.storage.atomic import write_text
from cifar_exp.storage.record import now

HERE = Path(__file__).parent


def write_page(
    path: Path,
    title: str,
    asked: str,
    sections: Sequence[Mapping[str, Any]],
    left_out: Sequence[Skipped],
) -> None:
    """Render `section_content`s into `path`. Whatever a run's author wrote is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}  # browsers refuse NaN
    template = environment.from_string((HERE / "index.html.jinja").read_text(encoding="utf-8"))
    parts = {name: (HERE / f"page.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    text = template.render(
        title=title,
        asked=asked,
        made=now(),
        version=cifar_exp.__version__,
        sections=sections,
        left_out=left_out,
        details=[section["details"] for section in sections],
        **parts,
    )
    write_text(path, text)


def as_data_uri(png: Path) -> str:
    """A PNG file as the text of an image's source."""
    return f"data:image/png;base64,{base64.b64encode(png.read_bytes()).decode()}"
