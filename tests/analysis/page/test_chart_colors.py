"""The charts' colors can be seen on the page, in light and in dark."""

import re
from pathlib import Path

import pytest

import cifar_exp.analysis.page

PAGE = Path(cifar_exp.analysis.page.__file__).parent
COLOR = re.compile(r"--([\w-]+): (#[0-9a-f]{6})")


def palettes() -> tuple[dict[str, str], dict[str, str]]:
    """The CSS variables in light and in dark."""
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    for name in ("page.css", "js/charts/charts.css"):
        start, _, rest = (PAGE / name).read_text(encoding="utf-8").partition("@media")
        light |= dict(COLOR.findall(start))
        dark |= dict(COLOR.findall(rest.partition("\n}")[0]))
    return light, dark


def luminance(color: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_lines_points_and_their_names_stand_out_from_the_page(palette: dict[str, str]) -> None:
    names = [f"series-{i}" for i in range(1, 7)] + [f"ramp-{i}" for i in range(5)]
    faint = {n: contrast(palette[n], palette["page"]) for n in names}
    assert {name: value for name, value in faint.items() if value < 4.5} == {}


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_numbers_can_be_read_on_every_cell(palette: dict[str, str]) -> None:
    assert contrast(palette["ink"], palette["heat-bad"]) >= 4.5
    assert contrast(palette["ink"], palette["heat-good"]) >= 4.5


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_higher_levels_are_darker(palette: dict[str, str]) -> None:
    steps = [luminance(palette[f"ramp-{i}"]) for i in range(5)]
    assert steps == sorted(steps, reverse=True)
