"""Files as parts of the page, so that it needs nothing beside it."""

import base64
from pathlib import Path


def as_data_uri(png: Path) -> str:
    """A PNG file as the text of an image's source."""
    return f"data:image/png;base64,{base64.b64encode(png.read_bytes()).decode()}"
