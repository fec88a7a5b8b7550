"""The page's charts in a headless Chromium: hovering, options, brushing, reordering, many runs."""

import base64
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.report import ReportOptions, make_report
from cifar_exp.analysis.statistics.metric import METRICS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
IS_DEMANDED = os.environ.get("CIFAR_EXP_BROWSER") == "demanded"  # otherwise it is optional
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
DATA = re.compile(r'(<script type="application/json" id="data">)(.*?)(</script>)', re.S)
CHARTS = ["main", "seeds", "contour", "slices", "curves", "progress", "parallel"]

LABEL = "figure.querySelector('svg[role=img]').ariaLabel"
CHANGED = "figure.querySelector('path.curve').getAttribute('d') !== before"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None and not IS_DEMANDED, reason="Debian's chromium is not installed"
    ),
]

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def open_page() -> Iterator[Open]:
    """Opens a page in a tab of its own; at the end nothing was logged and nothing requested."""
    from playwright.sync_api import sync_playwright

    messages: list[str] = []
    urls: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def opened(
            path: Path, width: int = 1280, charts: Sequence[str] = CHARTS, **options: Any
        ) -> Any:
            tab = browser.new_page(viewport={"width": width, "height": 900}, **options)
            tab.on("console", lambda message: messages.append(message.text))
            tab.on("pageerror", lambda error: messages.append(str(error)))
            tab.on("request", lambda request: urls.append(request.url))
            tab.goto(path.as_uri())
            for name in charts:  # drawing one moves those below it
                chart(tab, name)
            return tab

        yield opened
        browser.close()
    assert messages == []
    assert [url for url in urls if not url.startswith(("file://", "data:"))] == []


@pytest.fixture
def grid(outputs: Any, tmp_path: Path) -> Path:
    """The page of 18 runs: accuracy rises with the width and falls with the dropout."""
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout, seeds=2)
    return _page(outputs, tmp_path)


def _page(outputs: Any, folder: Path, worth: float | None = None) -> Path:
    options = ReportOptions(METRICS["val_accuracy"], output=folder, worth=worth)
    make_report(find_inputs([outputs.path]), options, lambda _line: None)
    return folder / "index.html"


def chart(tab: Any, name: str) -> Any:
    """A chart that is in view and drawn."""
    figure = tab.locator(f"figure.chart[id$='-{name}']")
    figure.scroll_into_view_if_needed()
    figure.locator("svg[role=img]").wait_for()
    return figure


def hover(tab: Any, figure: Any, across: float, down: float) -> str:
    """What the chart says at a place: shares of the width and height of its drawing."""
    box = figure.locator("svg[role=img]").bounding_box()
    tab.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    return str(figure.locator(".tip").inner_text()) if figure.locator(".tip").is_visible() else ""


def wait(tab: Any, name: str, condition: str, before: str | None = None) -> None:
    """Until a condition holds of `figure`, a chart's element; `texts` and `before` may be in it."""
    code = f"""(before) => {{
        const figure = document.querySelector('figure.chart[id$="-{name}"]');
        const state = report.state(report.groups[0]);
        const texts = (wanted) => [...figure.querySelectorAll(wanted)].map((e) => e.textContent);
        return {condition};
    }}"""
    tab.wait_for_function(code, arg=before)


def line(figure: Any) -> str:
    return str(figure.locator("path.curve").first.get_attribute("d"))


def visible(tab: Any) -> int:
    """The number of runs that the whole page shows."""
    code = "(report.state(report.groups[0]).visible ?? report.groups[0].runs.id).size"
    count = tab.evaluate(code)
    return int(tab.evaluate("report.groups[0].runs.id.length") if count is None else count)


def test_each_chart_says_in_words_what_is_seen(grid: Path, open_page: Open) -> None:
    tab = open_page(grid)
    texts = {
        name: chart(tab, name).locator("svg[role=img]").get_attribute("aria-label")
        for name in (*CHARTS, "tradeoff")
    }
    assert "width 32 is best at every dropout" in texts["main"]
    assert "from width=32 dropout=0 with " in texts["seeds"]
    assert "best at dropout 0 and width 32" in texts["contour"]
    assert re.search(
        r"By dropout, .* is best at 0 \(\d\d\.\d\d %\) and worst at 0\.2", texts["slices"]
    )
    assert "val accuracy (%) by epoch, 9 lines" in texts["curves"]
    assert "over 18 runs in the order in which they ended" in texts["progress"]
    assert re.search(r"9 configurations .* from width=8 .* to width=32 ", texts["tradeoff"])
    assert "18 of 18 runs are visible" in texts["parallel"]


def test_hovering_and_the_arrow_keys_read_values(grid: Path, open_page: Open) -> None:
    tab = open_page(grid)
    curves = chart(tab, "curves")
    curves.locator("svg[role=img]").focus()
    tab.keyboard.press("ArrowRight")
    last = curves.locator(".tip").inner_text()
    assert re.match(r"val accuracy \d\d\.\d\d %\nwidth=32 dropout=0\nepoch 3, mean of 2 runs", last)
    tab.keyboard.press("ArrowLeft")
    assert "epoch 2" in curves.locator(".tip").inner_text()
    tab.keyboard.press("Escape")
    assert not curves.locator(".tip").is_visible()
    ring = curves.locator(".ring")
    tab.keyboard.press("ArrowRight")
    place, box = ring.bounding_box(), curves.locator("svg[role=img]").bounding_box()
    assert hover(
        tab,
        curves,
        (place["x"] + place["width"] / 2 - box["x"]) / box["width"],
        (place["y"] + place["height"] / 2 - box["y"]) / box["height"],
    ) == last  # fmt: skip


def test_series_smoothing_and_log_axis_are_chosen_by_keyboard(grid: Path, open_page: Open) -> None:
    tab = open_page(grid)
    curves = chart(tab, "curves")
    before = line(curves)
    curves.get_by_label("Smoothing").focus()
    for _ in range(10):
        tab.keyboard.press("ArrowRight")
    wait(tab, "curves", CHANGED, before)
    curves.get_by_role("combobox", name="Series", exact=True).select_option(label="train loss")
    wait(tab, "curves", f"{LABEL}.startsWith('train loss')")
    before = line(curves)
    curves.get_by_label("log values").focus()
    tab.keyboard.press("Space")
    wait(tab, "curves", CHANGED, before)
    curves.get_by_role("combobox", name="Lines", exact=True).select_option(label="each run")
    wait(tab, "curves", f"{LABEL}.includes('18 lines')")


def test_a_brush_shows_the_same_runs_in_all_charts_and_the_table(
    grid: Path, open_page: Open
) -> None:
    tab = open_page(grid)
    parallel = chart(tab, "parallel")
    brush = parallel.locator(".brush .overlay").first.bounding_box()
    x = brush["x"] + brush["width"] / 2
    tab.mouse.move(x, brush["y"] + 2)
    tab.mouse.down()
    tab.mouse.move(x, brush["y"] + brush["height"] / 5, steps=4)
    tab.mouse.up()
    wait(tab, "parallel", "state.visible?.size === 6")  # width 32
    label = chart(tab, "parallel").locator("svg[role=img]").get_attribute("aria-label")
    assert "6 of 18 runs are visible" in label
    wait(tab, "parallel", "figure.querySelector('path.hidden') !== null")
    rows = chart(tab, "seeds").locator(".row-name title")
    wait(tab, "seeds", "texts('.row-name').length === 3")
    assert rows.all_text_contents() == [
        "width=32 dropout=0", "width=32 dropout=0.1", "width=32 dropout=0.2",
    ]  # fmt: skip
    chart(tab, "parallel").get_by_role("button", name="clear brushes").click()
    wait(tab, "parallel", "state.visible === null")
    chart(tab, "seeds")
    wait(tab, "seeds", "texts('.row-name').length === 9")


def test_brushing_scaling_and_reordering_need_no_pointer(grid: Path, open_page: Open) -> None:
    tab = open_page(grid)
    parallel = chart(tab, "parallel")
    parallel.get_by_role("combobox", name="Axis", exact=True).select_option(label="dropout")
    parallel.get_by_role("spinbutton", name="from").fill("0.1")
    parallel.get_by_role("spinbutton", name="from").press("Tab")
    wait(tab, "parallel", "state.visible?.size === 12")
    assert parallel.locator(".brush .selection").nth(1).is_visible()
    for scale in ("percentile", "linear", "log"):  # 0 has no logarithm: linear
        parallel.get_by_role("combobox", name="Scale", exact=True).select_option(label=scale)
    parallel.get_by_role("combobox", name="Axis", exact=True).select_option(label="width")
    before = line(parallel)
    parallel.get_by_role("combobox", name="Scale", exact=True).select_option(label="linear")
    wait(tab, "parallel", CHANGED, before)
    names = parallel.locator(".axis-name")
    assert names.all_text_contents()[:2] == ["width", "dropout"]
    names.first.focus()
    tab.keyboard.press("ArrowRight")
    wait(tab, "parallel", "texts('.axis-name')[0] === 'dropout'")
    assert tab.evaluate("document.activeElement.textContent") == "width"  # it keeps the focus
    assert visible(tab) == 12


def test_an_axis_is_dragged_to_another_place(grid: Path, open_page: Open) -> None:
    tab = open_page(grid)
    names = chart(tab, "parallel").locator(".axis-name")
    first, last = names.first.bounding_box(), names.last.bounding_box()
    tab.mouse.move(first["x"] + 8, first["y"] + 8)
    tab.mouse.down()
    tab.mouse.move(last["x"] + last["width"], last["y"] + 8, steps=5)
    tab.mouse.up()
    wait(tab, "parallel", "texts('.axis-name').at(-1) === 'width'")


def test_one_factor_has_the_colors_of_all_charts(grid: Path, open_page: Open) -> None:
    tab = open_page(grid)
    assert chart(tab, "seeds").locator(".key b").inner_text() == "width"
    tab.get_by_role("combobox", name="Color in all charts").select_option(label="dropout")
    for name in ("seeds", "slices", "curves", "parallel"):
        key = chart(tab, name).locator(".key").first
        wait(tab, name, "texts('.key b')[0] === 'dropout'")
        assert key.locator("span").all_inner_texts() == ["0", "0.1", "0.2"]


def test_log_spaced_values_get_a_log_axis_and_contours(
    outputs: Any, tmp_path: Path, open_page: Open
) -> None:
    for i in range(30):
        rate, decay = 10 ** (-4 + i / 10), 10 ** (-5 + (7 * i % 30) / 10)
        outputs.run(
            val=0.5 - 0.01 * abs(i - 15),
            optimizer__lr=float(f"{rate:.4g}"),
            optimizer__weight_decay=float(f"{decay:.4g}"),
        )
    tab = open_page(_page(outputs, tmp_path))
    slices = chart(tab, "slices")
    ticks = slices.locator(".axis.bottom").first.locator(".tick text").all_text_contents()
    assert (
        ticks == ["1e-4", "0.001", "0.01"] or ticks == ["0.001", "0.01", "0.1"] or "0.01" in ticks
    )
    slices.get_by_role("combobox", name="Axis", exact=True).select_option(label="linear")
    wait(tab, "slices", "texts('.axis.bottom .tick text').includes('0.02')")
    assert chart(tab, "contour").locator("path.area").count() > 3
    assert slices.locator("path.band").count() > 0
    assert "is a Gaussian process, averaged over" in slices.locator("figcaption").inner_text()


def test_differences_are_beside_the_band_of_those_that_do_not_matter(
    outputs: Any, tmp_path: Path, open_page: Open
) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout, seeds=2)
    tab = open_page(_page(outputs, tmp_path, worth=0.5))
    main = chart(tab, "main")
    main.get_by_role("combobox", name="Show", exact=True).select_option(label="differences")
    wait(tab, "main", f"{LABEL}.startsWith('Differences')")
    label = main.locator("svg[role=img]").get_attribute("aria-label")
    assert "from width=32 dropout=0 with simultaneous 95 % intervals: 8 worse." in label
    assert "The closest is width=32 dropout=0.1 with −10." in label
    assert main.locator("rect.band").count() == 1
    assert "up to 0.50 pp, are too small to matter" in main.locator("figcaption").inner_text()


def test_runs_that_failed_or_diverged_are_crosses_where_they_are(
    outputs: Any, tmp_path: Path, open_page: Open
) -> None:
    for i in range(8):
        outputs.run(seed=i % 2, val=0.5 + i / 100, optimizer__lr=0.1 * 2 ** (i // 2))
    for seed in range(2):
        outputs.run(seed=seed, val=0.1, status="diverged", done=1, optimizer__lr=1.6)
    tab = open_page(_page(outputs, tmp_path), charts=["main", "slices"])
    slices = chart(tab, "slices")
    assert "2 runs failed or diverged." in slices.locator("svg[role=img]").get_attribute(
        "aria-label"
    )
    assert slices.locator("path.cross").get_attribute("d").count("M") == 4
    assert "A cross at the bottom is a run that failed" in slices.locator("figcaption").inner_text()


def test_no_chart_is_wider_than_a_phone_and_dark_mode_changes_the_colors(
    grid: Path, open_page: Open
) -> None:
    tab = open_page(grid, width=390, color_scheme="light")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    stroke = "getComputedStyle(document.querySelector('[id$=-curves] path.curve')).stroke"
    light = tab.evaluate(stroke)
    tab.emulate_media(color_scheme="dark")
    assert tab.evaluate(stroke) != light
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate(stroke) == light  # paper is white
    assert not tab.locator(".chart .options").first.is_visible()


def test_curves_of_compared_runs_are_overlaid(grid: Path, open_page: Open) -> None:
    tab = open_page(grid)
    tab.evaluate("""() => {
        const group = report.groups[0];
        const place = document.body.appendChild(report.element("div", { id: "place" }));
        report.charts.overlay(place, group, [0, 17]);
    }""")
    place = tab.locator("#place")
    keys = place.locator(".key span").all_inner_texts()
    assert keys[0].startswith("width=32 dropout=0, seed ")
    assert keys[1].startswith("width=8 dropout=0.2, seed ")
    assert keys[2:] == ["val", "train"]
    accuracy, loss = (svg.get_attribute("aria-label") for svg in place.locator("svg").all())
    assert re.match(
        r"accuracy \(%\) by epoch. At the end: val of width=32 dropout=0, .* 6\d", accuracy
    )
    assert loss.startswith("loss by epoch.")
    tab.evaluate("report.groups[0].curves.series = {}")
    tab.evaluate("report.charts.overlay(place, report.groups[0], [0])")
    assert place.inner_text() == "No epoch is recorded."


def test_two_thousand_runs_are_drawn_brushed_and_read(grid: Path, open_page: Open) -> None:
    tab = open_page(_with_runs(grid, 2000))
    assert visible(tab) == 2000
    chart(tab, "parallel").get_by_role("spinbutton", name="from").fill("40")
    tab.keyboard.press("Tab")
    wait(tab, "parallel", "state.visible?.size < 2000")
    curves = chart(tab, "curves")
    curves.get_by_role("combobox", name="Lines", exact=True).select_option(label="each run")
    wait(tab, "curves", f"/ \\d{{3,}} lines/.test({LABEL})")
    assert "val accuracy" in hover(tab, curves, 0.5, 0.5)


def _with_runs(path: Path, size: int) -> Path:
    """The same page with its runs over and over again."""
    match = DATA.search(path.read_text(encoding="utf-8"))
    assert match
    (group,) = json.loads(match[2])
    old = len(group["runs"]["id"])
    times = -(-size // old)
    for table in (group["runs"], group["details"]):
        for key, column in table.items():
            if isinstance(column, list) and len(column) == old:
                table[key] = (column * times)[:size]
    group["runs"]["id"] = [f"{i:010d}" for i in range(size)]
    for own in group["details"]["settings"].values():
        own["index"] = (own["index"] * times)[:size]
    curves = group["curves"]
    curves["grid"] = (curves["grid"] * times)[:size]
    for packed in curves["series"].values():
        packed["data"] = base64.b64encode(base64.b64decode(packed["data"]) * times).decode()
    text = json.dumps([group]).replace("</", "<\\/")
    source = path.read_text(encoding="utf-8")
    copy = path.with_name("many.html")
    copy.write_text(source[: match.start(2)] + text + source[match.end(2) :], encoding="utf-8")
    return copy
