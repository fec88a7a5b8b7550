"""The page on a desktop, on a phone, in the dark and on paper."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 844}
# The lowest contrast of a visible text to what is behind it, by WCAG 2.2, with the text.
CONTRAST = """() => {
    const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
    const isSeen = (color) => numbers(color).length < 4 || numbers(color)[3] > 0;
    const light = (color) => numbers(color).slice(0, 3).map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => {
        for (let box = node; box; box = box.parentElement) {
            const color = getComputedStyle(box).backgroundColor;
            if (isSeen(color)) return color;
        }
        return "rgb(255, 255, 255)";
    };
    let lowest = [21, ""];
    for (const node of document.querySelectorAll("body *:not(svg *, script, style, option)")) {
        const text = [...node.childNodes].filter((child) => child.nodeType === 3)
            .map((child) => child.textContent.trim()).join("");
        if (!text || !node.checkVisibility() || node.disabled) continue;
        const pair = [light(getComputedStyle(node).color), light(behind(node))];
        const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        if (ratio < lowest[0]) lowest = [ratio, text];
    }
    return lowest;
}"""


@pytest.fixture(scope="module")
def address(reader: Any, made_outputs: Any) -> str:
    """A report on a grid with a failed and a diverged run."""
    made_outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout)
    for status in ("failed", "diverged"):
        made_outputs.run(status=status, val=None, error="boom", seed=len(status),
                         model__width=64, model__dropout=0.0)  # fmt: skip
    address: str = reader.write(made_outputs.path)
    return address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible(reader: Any, address: str, scheme: str) -> None:
    with reader.open(address, color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
        page.locator("[data-table=runs] tbody input").first.click()
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, text
        page.locator("[data-table=runs] .open").first.click()
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, text


def test_a_phone_scrolls_only_tables_and_keeps_the_names_in_sight(
    reader: Any, address: str
) -> None:
    with reader.open(address, viewport=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        runs = page.locator("[data-table=runs]")
        runs.locator(".scroll").evaluate("place => place.scrollLeft = 300")
        assert runs.locator(".scroll").evaluate("place => place.scrollLeft") > 0
        assert runs.locator("tbody th").first.bounding_box()["x"] >= 0
        reader.see_all(page)
        runs.locator(".open").first.click()
        page.locator("#run").wait_for(state="visible")
        box = page.locator("#run").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]


def test_dark_mode_is_dark_and_paper_is_white(reader: Any, address: str, tmp_path: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with reader.open(address, color_scheme="dark") as page:
        assert page.evaluate(background) == "rgb(20, 24, 28)"
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.evaluate(background) == "rgb(255, 255, 255)"
        assert page.evaluate(CONTRAST)[0] >= 4.5
        assert not page.get_by_label("Filter", exact=True).is_visible()
        assert page.locator("main details:not([open])").count() == 0
        chart = page.locator("[data-chart=main] svg[role=img]")
        assert (
            chart.bounding_box()["width"] < 720
        )  # as wide as paper, so that texts keep their size
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert page.evaluate(background) == "rgb(20, 24, 28)"
        assert page.locator("main details[open]").count() == 0
        page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("is_drawn", [False, True])
def test_a_setting_that_only_one_optimizer_has_is_drawn_where_it_is(
    reader: Any, outputs: Any, is_drawn: bool
) -> None:
    for i in range(24):
        value = 0.3 + (i * 7 % 24) / 100
        momentum = i / 24 if is_drawn else (0.5, 0.9)[i // 3 % 2]
        own = {"optimizer__momentum": momentum} if i % 3 else {}
        name = "sgd" if own else "adamw"
        outputs.run(seed=i // 6, val=value, model__width=8 + i % 6, optimizer__name=name, **own)
    with reader.open(reader.write(outputs.path)) as page:
        for figure in page.locator("figure.chart").all():
            figure.scroll_into_view_if_needed()
            figure.locator("svg[role=img]").wait_for()
        assert page.locator("[d*=NaN], [x1*=NaN], [transform*=NaN]").count() == 0
