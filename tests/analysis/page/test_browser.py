"""Readers sort, filter, open, compare and share."""

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(reader: Any, made_outputs: Any) -> str:
    """A report on a grid, a run whose id looks like a number, a failed run, and a sweep."""
    outputs = made_outputs
    odd = outputs.run(seed=5, label="odd", model__name="torch.Odd")
    outputs.sweep("data", [odd])  # a name that the page uses for something else
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout, seeds=2)
    outputs.run(run_id="12e4567890", val=0.05, model__width=8, model__dropout=0.5)
    outputs.run(run_id="9" * 10, status="failed", val=None, error="<b>boom</b>", done=0,
                model__width=64, model__dropout=0.0)  # fmt: skip
    address: str = reader.write(outputs.path)
    return address


@pytest.fixture
def page(reader: Any, address: str) -> Iterator[Any]:
    """The report, opened anew."""
    with reader.open(address) as tab:
        reader.see_all(tab)
        yield tab


def group(page: Any) -> Any:
    return page.locator("#group-convnet-in-no-sweep")


def table(page: Any, name: str = "runs") -> Any:
    return group(page).locator(f"[data-table={name}]")


def sort(place: Any, name: str) -> None:
    place.locator("thead th").filter(has_text=name).first.click()


def fill(page: Any, query: str) -> None:
    group(page).get_by_label("Filter", exact=True).fill(query)


def open_run(page: Any, number: int = 0) -> None:
    table(page).locator(".open").nth(number).click()
    page.locator("#run").wait_for(state="visible")


def shown(page: Any) -> str:
    text: str = group(page).locator(".shown").inner_text()
    return text


def test_the_first_click_on_a_result_sorts_the_best_first_and_empty_cells_last(
    reader: Any, page: Any
) -> None:
    runs = table(page)
    sort(runs, "val (%)")
    values = reader.column(runs, "val (%)")
    numbers = [float(value) for value in values if value]
    assert numbers == sorted(numbers, reverse=True)
    assert values[-1] == ""
    sort(runs, "val (%)")
    values = reader.column(runs, "val (%)")
    assert [float(value) for value in values if value] == sorted(numbers)
    assert values[-1] == ""
    assert runs.locator("th[aria-sort=ascending]").inner_text().startswith("val (%)")
    sort(runs, "run")
    assert reader.column(runs, "run") == sorted(reader.column(runs, "run"))  # ids are text


def test_settings_are_sorted_as_numbers_and_columns_that_say_nothing_are_left_out(
    reader: Any,
    page: Any,
) -> None:
    configurations = table(page, "configurations")
    sort(configurations, "configuration")
    names = [
        text.partition(". ")[2] or text for text in reader.column(configurations, "configuration")
    ]
    assert names[:5] == [f"width=8 dropout={d}" for d in ("0", "0.1", "0.2", "0.5")] + [
        "width=16 dropout=0"
    ]
    heads = table(page, "configurations").locator("thead th").all_inner_texts()
    assert "n" in heads  # one configuration has a single seed
    assert "averaged over" not in table(page, "comparisons").locator("thead").inner_text()
    assert reader.column(configurations, "not counted")[-1] == "1 failed"
    right = table(page).locator("tbody tr").first.locator("td.number").first
    assert right.evaluate("cell => getComputedStyle(cell).textAlign") == "right"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 20),
        ("width=16 seed=1", 3),
        ("width=16, seed=1", 3),
        ("dropout=0.10 width=16", 2),
        ("width=", 20),
        ("failed", 1),
        ("-failed", 19),
        ("width>8", 13),
        ("width > 8", 13),
        ("width>=8 width<=16", 13),
        ("width=8,32", 13),
        ("width!=8", 13),
        ("-width=8", 13),
        ("model.width=16", 6),
        ("seed=0 width=8 or seed=1 width=8", 7),
        ("seed=0 width=16 OR failed", 4),
        ("val>55", 2),
        ("mean>55", 2),
        ("rank=1", 2),
        ("status=failed", 1),
        ("tiny-12e", 1),
        ("9999999999 or 12e4567890", 2),
        ("run=tiny-12e4567890", 1),
        ('"width=16 dropout=0.1"', 2),
        ("Dropout<0.1", 7),
    ],
)
def test_a_filter_finds_what_it_says(reader: Any, page: Any, query: str, expected: int) -> None:
    fill(page, query)
    assert shown(page).startswith(f"{expected} of 20 runs")
    assert len(reader.column(table(page), "run")) == expected
    assert group(page).locator(".hint").inner_text() == ""


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("widht=8", "Nothing is called widht. Did you mean width?"),
        ("zzzz>1", "Nothing is called zzzz. Names are dropout, width, seed, status, val and test."),
        ("width=9", "No run has width=9: width is 8, 16, 32, 64."),
        ("val>99", "No run has val>99: val is 5.00 to 62.14 %."),
        ("nonsense", "No run has nonsense."),
        ("width>x", "width>x: x is not a number."),
        ("width=64 seed=1", "Each condition is true of some run, but no run meets them all."),
    ],
)  # fmt: skip
def test_a_filter_that_finds_nothing_says_why(page: Any, query: str, hint: str) -> None:
    fill(page, query)
    assert shown(page).startswith("0 of 20 runs")
    text = group(page).locator(".hint").inner_text()
    if query.startswith("val"):
        text, hint = text[:24], hint[:24]
    assert text == hint


def test_a_filter_acts_on_configurations_and_comparisons_too(reader: Any, page: Any) -> None:
    fill(page, "width=32")
    assert len(reader.column(table(page, "configurations"), "configuration")) == 3
    assert shown(page) == "6 of 20 runs, 3 of 11 configurations"
    assert all(
        "width=32" in name for name in reader.column(table(page, "comparisons"), "configuration")
    )
    group(page).get_by_role("button", name="Show all", exact=True).first.click()
    assert shown(page).startswith("20 of 20 runs")


def test_a_run_opens_with_its_settings_and_the_next_one_follows(page: Any) -> None:
    dialog = page.locator("#run")
    table(page).get_by_text("tiny-12e4567890").click()
    assert dialog.locator("h2").inner_text() == "tiny-12e4567890"
    assert dialog.locator(".run-command").inner_text() == "python -m cifar_exp.train seed=0"
    assert "model.dropout" in dialog.locator(".run-settings").inner_text()
    assert "5.00 %" in dialog.locator(".run-results").inner_text()
    dialog.get_by_label("Next run").click()
    assert dialog.locator("h2").inner_text() == "tiny-9999999999"
    assert dialog.locator(".run-reason").inner_text() == "ValueError: <b>boom</b>"
    assert dialog.locator(".run-history").inner_text() == "No epoch is recorded."
    assert dialog.get_by_label("Next run").is_disabled()
    page.keyboard.press("ArrowLeft")
    assert dialog.locator("h2").inner_text() == "tiny-12e4567890"
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_ticked_configurations_are_compared_by_what_differs(reader: Any, page: Any) -> None:
    boxes = table(page, "configurations").locator("tbody input")
    boxes.nth(0).click()
    assert group(page).get_by_role("button", name="Compare", exact=True).is_disabled()
    boxes.nth(1).click()
    group(page).get_by_role("button", name="Compare", exact=True).click()
    dialog = page.locator("#compare")
    lines = {row[0]: row[1:] for row in texts(dialog)}
    assert lines["model.dropout"] == ["0", "0.1"]
    assert "model.width" not in lines
    means = [float(text) for text in lines["validation accuracy (%)"]]
    difference = lines["difference (pp)"][1].replace("−", "-")
    assert float(difference) == pytest.approx(means[1] - means[0], abs=0.011)
    low, high = lines["95 % interval"][1].replace("−", "-").strip("[]").split(", ")
    assert float(low) < float(difference) < float(high)
    rows = {row[0].partition(". ")[2]: row[2] for row in reader.rows(table(page, "comparisons"))}
    assert lines["95 % interval"][1] == rows[lines[""][1]]  # one difference, one interval
    page.keyboard.press("Escape")
    group(page).get_by_role("button", name="Clear", exact=True).click()
    assert not group(page).locator(".ticked").is_visible()


def texts(dialog: Any) -> list[list[str]]:
    return [row.locator("th, td").all_inner_texts() for row in dialog.locator("tr").all()]


def test_no_more_than_five_are_ticked(page: Any) -> None:
    boxes = table(page).locator("tbody input")
    for i in range(6):
        boxes.nth(i).click()
    assert group(page).locator(".ticked span").inner_text() == "No more than 5 can be compared"
    assert [boxes.nth(i).is_checked() for i in range(6)] == [True] * 5 + [False]


def test_the_address_restores_the_view(reader: Any, page: Any, address: str) -> None:
    fill(page, "width=16")
    sort(table(page), "test (%)")
    table(page).locator("tbody input").first.click()
    open_run(page, 1)
    name = page.locator("#run h2").inner_text()
    link = page.url
    assert link.startswith(address + "#")
    with reader.open(link) as other:
        assert other.locator("#run h2").inner_text() == name
        other.keyboard.press("Escape")
        assert shown(other).startswith("6 of 20 runs")
        assert table(other).locator("th[aria-sort=descending]").inner_text().startswith("test (%)")
        assert table(other).locator("tbody input").first.is_checked()
        assert reader.column(table(other), "run") == reader.column(table(page), "run")


def test_the_address_restores_a_brush(reader: Any, page: Any) -> None:
    figure = group(page).locator("figure[id$='-parallel']")
    figure.scroll_into_view_if_needed()
    figure.get_by_role("combobox", name="Axis", exact=True).select_option(label="dropout")
    figure.get_by_role("spinbutton", name="from").fill("0.2")
    figure.get_by_role("spinbutton", name="from").press("Tab")
    page.wait_for_function("location.hash.includes('brush')")
    assert shown(page).startswith("7 of 20 runs")
    assert set(reader.column(table(page), "dropout")) == {"0.2", "0.5"}
    fill(page, "width=8")
    assert shown(page).startswith("3 of 20 runs")
    with reader.open(page.url) as other:
        assert shown(other).startswith("3 of 20 runs")
        group(other).get_by_role("button", name="Show all", exact=True).first.click()
        assert shown(other).startswith("20 of 20 runs")


def test_the_back_button_takes_a_step_back(page: Any) -> None:
    fill(page, "width=16")
    open_run(page)
    page.go_back()
    assert not page.locator("#run").is_visible()
    assert shown(page).startswith("6 of 20 runs")
    page.go_back()
    assert shown(page).startswith("20 of 20 runs")
    assert group(page).get_by_label("Filter", exact=True).input_value() == ""


def test_links_within_the_page_keep_the_filter(page: Any) -> None:
    fill(page, "width=16")
    group(page).locator(".contents").get_by_text("Methods").click()
    assert "group-convnet-in-no-sweep-methods?" in page.url
    assert shown(page).startswith("6 of 20 runs")
    focused = page.evaluate("document.activeElement.id")
    assert focused == "group-convnet-in-no-sweep-methods"
