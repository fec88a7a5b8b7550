"""A headless Chromium for tests that use the page as a reader does."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.report import ReportOptions, make_report
from cifar_exp.analysis.statistics.metric import METRICS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
IS_DEMANDED = os.environ.get("CIFAR_EXP_BROWSER") == "demanded"  # otherwise it is optional
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SIZE = {"width": 1280, "height": 900}

SEE_ALL = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    for (const chart of document.querySelectorAll(".chart, [data-chart]")) {
        chart.scrollIntoView();
        for (let i = 0; i < 3; i++) await frame();
    }
    let [height, frames] = [0, 0];
    while (frames < 5) {
        await frame();
        frames = document.body.scrollHeight === height ? frames + 1 : 0;
        height = document.body.scrollHeight;
    }
    scrollTo(0, 0);
}"""


class Reader:
    """Opens pages, and reads the tables in them."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    @staticmethod
    def write(outputs: Path) -> str:
        """The address of a new report on everything in an outputs folder."""
        folder = outputs.parent / "report"
        options = ReportOptions(METRICS["val_accuracy"], output=folder)
        make_report(find_inputs([outputs]), options, lambda _line: None)
        return (folder / "index.html").as_uri()

    @contextmanager
    def open(self, address: str, **options: Any) -> Iterator[Any]:
        """A page; at the end, it must have asked for nothing and complained of nothing."""
        context = self.browser.new_context(**{"viewport": SIZE, **options})
        tab = context.new_page()
        messages: list[str] = []
        urls: list[str] = []
        tab.on("console", lambda message: messages.append(message.text))
        tab.on("pageerror", lambda error: messages.append(f"{error}\n{error.stack}"))
        tab.on("request", lambda request: urls.append(request.url))
        tab.goto(address)
        yield tab
        assert messages == []
        page = address.partition("#")[0]
        assert [url for url in urls if url.partition("#")[0] != page and url != "data:,"] == []
        context.close()

    @staticmethod
    def see_all(tab: Any) -> None:
        """Scroll to every chart, so that none is drawn later and moves what is about to be clicked.

        Charts are drawn when they come into view.
        """
        tab.evaluate(SEE_ALL)

    @staticmethod
    def rows(place: Any) -> list[list[str]]:
        """The texts of a table's rows."""
        script = """place => [...place.querySelectorAll("tbody tr[data-position]")].map(
            (row) => [...row.cells].map((cell) => cell.innerText.trim()))"""
        found: list[list[str]] = place.evaluate(script)
        return found

    def column(self, place: Any, name: str) -> list[str]:
        """The texts below a heading of a table."""
        names = place.locator("thead th").all_text_contents()
        number = names.index(name)
        return [row[number] for row in self.rows(place)]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A reader with Debian's chromium; without it, the test is skipped."""
    if CHROMIUM is None and not IS_DEMANDED:
        pytest.skip("Debian's chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield Reader(browser)
        browser.close()


@pytest.fixture(scope="module")
def made_outputs(tmp_path_factory: pytest.TempPathFactory, outputs_at: Any) -> Any:
    """An empty outputs folder for all tests of a module."""
    return outputs_at(tmp_path_factory.mktemp("browser") / "outputs")
