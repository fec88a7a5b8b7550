"""The page in a headless Chromium: sorting, filtering, opening a run, no console messages."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.report import ReportOptions, make_report
from cifar_exp.analysis.statistics.metric import METRICS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
IS_DEMANDED = os.environ.get("CIFAR_EXP_BROWSER") == "demanded"  # otherwise it is optional
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None and not IS_DEMANDED, reason="Debian's chromium is not installed"
    ),
]


@pytest.fixture
def page(outputs: Any, tmp_path: Path) -> Iterator[Any]:
    """An open report on a grid, a run whose id looks like a number, and a failed run."""
    from playwright.sync_api import sync_playwright

    odd = outputs.run(seed=5, label="odd", model__name="torch.Odd")
    outputs.sweep("data", [odd])  # a name that the page uses for something else
    grid = outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout, seeds=2)
    outputs.run(run_id="12e4567890", val=0.05, model__width=8, model__dropout=0.5)
    outputs.run(run_id="9" * 10, status="failed", val=None, error="<b>boom</b>", done=0,
                model__width=64, model__dropout=0.0)  # fmt: skip
    outputs.write_predictions(grid[32, 0.0, 0], [0, 1, 2, 3], [0, 1, 2, 2])
    options = ReportOptions(METRICS["val_accuracy"], output=tmp_path)
    make_report(find_inputs([outputs.path]), options, lambda _line: None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        messages: list[str] = []
        urls: list[str] = []
        tab.on("console", lambda message: messages.append(message.text))
        tab.on("pageerror", lambda error: messages.append(str(error)))
        tab.on("request", lambda request: urls.append(request.url))
        tab.goto((tmp_path / "index.html").as_uri())
        yield tab
        assert messages == []
        outside = [url for url in urls if not url.startswith(("file://", "data:"))]
        assert outside == []
        assert sum(url.startswith("file://") for url in urls) == 1
        browser.close()


def column(page: Any, number: int) -> list[str]:
    cells = group(page).locator(f"table.runs tbody tr:visible td:nth-child({number})")
    return [text.strip() for text in cells.all_inner_texts()]


def group(page: Any) -> Any:
    return page.locator("#group-convnet-in-no-sweep")


def head(page: Any, name: str) -> Any:
    return group(page).locator("table.runs thead button", has_text=name)


def test_readers_can_sort_filter_and_open_runs(page: Any, tmp_path: Path) -> None:
    _sorting(page)
    _filtering(page)
    _opening(page)
    _sizes(page, tmp_path)


def _sorting(page: Any) -> None:
    head(page, "val (%)").click()
    values = column(page, 6)
    numbers = [float(value) for value in values if value]
    assert numbers == sorted(numbers)
    assert values[-1] == ""  # empty cells come last
    head(page, "val (%)").click()
    values = column(page, 6)
    assert [float(v) for v in values if v] == sorted(numbers, reverse=True)
    assert values[-1] == ""
    assert (
        group(page)
        .locator("table.runs th[aria-sort=descending]")
        .inner_text()
        .startswith("val (%)")
    )
    head(page, "run").first.click()
    assert column(page, 1) == sorted(
        column(page, 1)
    )  # ids are text, one assign_styles like a number


def _filtering(page: Any) -> None:
    box = group(page).get_by_label("Filter")
    box.fill("width=16 seed=1")
    assert column(page, 3) == ["16"] * 3
    assert column(page, 5) == ["1"] * 3
    assert group(page).locator(".shown").inner_text() == "3 of 20 runs"
    box.fill("dropout=0.10 width=16")
    assert column(page, 4) == ["0.1"] * 2
    box.fill("width=")
    assert group(page).locator(".shown").inner_text() == "20 of 20 runs"
    box.fill("failed")
    assert column(page, 1) == ["tiny-9999999999"]
    box.fill("")
    assert group(page).locator(".shown").inner_text() == "20 of 20 runs"


def _opening(page: Any) -> None:
    dialog = page.locator("dialog")
    assert not dialog.is_visible()
    page.get_by_role("button", name="tiny-12e4567890").click()
    assert dialog.locator("h2").inner_text() == "tiny-12e4567890"
    assert dialog.locator(".run-command").inner_text() == "python -m cifar_exp.train seed=0"
    assert "model.dropout" in dialog.locator(".run-settings").inner_text()
    assert dialog.locator("svg").count() == 2
    dialog.get_by_label("Close").click()
    assert not dialog.is_visible()
    page.get_by_role("button", name="tiny-9999999999").click()
    assert dialog.locator(".run-reason").inner_text() == "ValueError: <b>boom</b>"
    assert dialog.locator(".run-history").inner_text() == "No epoch is recorded."
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def _sizes(page: Any, tmp_path: Path) -> None:
    for name, width in (("desktop", 1280), ("phone", 390)):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for picture in page.locator("figure img").all():
            assert picture.evaluate("image => image.naturalWidth") > 0
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.emulate_media(media="print")
    assert not group(page).get_by_label("Filter").is_visible()
