"""Size of the page, and its speed in Chromium: `python benchmarks/page.py [RUNS ...]`.

For each number of runs (50 epochs each, made up by made_runs.py) a report is written and opened in
Debian's chromium. Load is until the page can be used; sorting, filtering and opening a run are
until the next frame is drawn. The median of several tries, in milliseconds.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from made_runs import make_runs
from playwright.sync_api import sync_playwright

from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.report import ReportOptions, make_report
from cifar_exp.analysis.statistics.metric import METRICS

EPOCHS, TRIES = 50, 5
FLAGS = ["--no-sandbox", "--disable-gpu"]
UNTIL_DRAWN = """(action) => new Promise((done) => {
    const started = performance.now();
    eval(action);
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)));
})"""
HEADING = "document.querySelectorAll('[data-table=runs] thead th')[3].click()"
TYPING = """const box = document.querySelector('.filter input');
    box.value = box.value === '' ? 'seed<5 val>20' : '';
    box.dispatchEvent(new Event('input'))"""
OPENING = "document.querySelector('[data-table=runs] .open').click()"
CLOSING = "document.querySelector('#run').close()"


def main() -> None:
    """Print a line for each number of runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=int, default=[27, 300, 1000, 2000])
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for runs in parser.parse_args().runs:
            with tempfile.TemporaryDirectory() as name:
                print(measured(browser, Path(name), runs), flush=True)


def measured(browser: Any, folder: Path, runs: int) -> str:
    """Size of the page and milliseconds of what a reader does."""
    make_runs(folder / "outputs", runs, EPOCHS)
    options = ReportOptions(METRICS["val_accuracy"], output=folder / "report")
    page = make_report(find_inputs([folder / "outputs"]), options, lambda _line: None).page
    tries = [tried(browser, page.as_uri()) for _ in range(TRIES)]
    parts = [f"{what} {statistics.median(t[what] for t in tries):.0f} ms" for what in tries[0]]
    return f"{runs:>5} runs: {page.stat().st_size / 1024:,.0f} KiB; {', '.join(parts)}"


def tried(browser: Any, address: str) -> dict[str, float]:
    """The times of a page that is opened anew."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(address)
    load = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    times = {"load": load}
    for what, action in (("sort", HEADING), ("filter", TYPING), ("open a run", OPENING)):
        times[what] = tab.evaluate(UNTIL_DRAWN, action)
    tab.evaluate(CLOSING)
    tab.close()
    return times


if __name__ == "__main__":
    main()
