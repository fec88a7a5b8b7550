"""Readers without a mouse: one tab stop a table, arrows within it, and copies of tables."""

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(reader: Any, made_outputs: Any) -> str:
    """A report on a grid of 9 configurations and 3 seeds."""
    outputs = made_outputs
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout)
    address: str = reader.write(outputs.path)
    return address


@pytest.fixture
def page(reader: Any, address: str) -> Iterator[Any]:
    """The report, opened anew; the clipboard may be written to."""
    with reader.open(address, permissions=["clipboard-read", "clipboard-write"]) as tab:
        yield tab


def focused(page: Any) -> str:
    text: str = page.evaluate("document.activeElement.innerText")
    return text.strip()


def table(page: Any, name: str) -> Any:
    return page.locator(f"[data-table={name}]")


def test_each_table_is_one_tab_stop(page: Any) -> None:
    for name in ("configurations", "effects", "comparisons", "runs"):
        assert table(page, name).locator("[tabindex='0']:not(button)").count() == 1
    table(page, "configurations").locator("thead th").first.focus()
    page.keyboard.press("Tab")
    assert focused(page) == "Markdown"
    page.keyboard.press("Tab")
    assert (
        page.evaluate("document.activeElement.closest('[data-table]').dataset.table")
        == "importance"
    )


def test_the_first_tab_skips_to_the_findings(page: Any) -> None:
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_arrows_move_enter_sorts_and_opens_and_the_space_bar_ticks(reader: Any, page: Any) -> None:
    runs = table(page, "runs")
    runs.locator("thead th").first.focus()
    page.keyboard.press("End")
    assert focused(page).startswith("PFLOP")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    seconds = [float(text) for text in reader.column(runs, "train s")]
    assert seconds == sorted(seconds)
    assert focused(page).startswith("train s")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    name = focused(page)
    assert name == reader.column(runs, "run")[1]
    page.keyboard.press("Space")
    assert runs.locator("tbody input").nth(1).is_checked()
    page.keyboard.press("Enter")
    assert page.locator("#run h2").inner_text() == name
    page.keyboard.press("Escape")
    assert focused(page) == name
    page.keyboard.press("Control+End")
    assert page.evaluate("document.activeElement.closest('tr').dataset.position") == "26"


def test_a_table_is_copied_as_it_is_filtered_and_sorted(reader: Any, page: Any) -> None:
    page.get_by_label("Filter", exact=True).fill("width=8")
    comparisons = table(page, "comparisons")
    copied = {}
    for format_ in ("Markdown", "LaTeX", "CSV"):
        comparisons.get_by_role("button", name=format_).click()
        comparisons.get_by_role("button", name="Copied").wait_for()
        copied[format_] = page.evaluate("navigator.clipboard.readText()").splitlines()
        comparisons.get_by_role("button", name=format_).wait_for()
    first = reader.column(comparisons, "difference (pp)")[0].replace("−", "-")
    names = reader.column(comparisons, "configuration")
    assert copied["Markdown"][0].startswith("| configuration | difference (pp) |")
    assert copied["Markdown"][1].startswith("|---|---:|")
    assert copied["Markdown"][2].startswith(f"| {names[0]} | {first} |")
    assert len(copied["Markdown"]) == 2 + len(names)
    assert copied["LaTeX"][0] == r"\begin{tabular}{lrrlr}"
    assert copied["LaTeX"][2].startswith(r"configuration & difference (pp) & 95 \% interval")
    assert copied["LaTeX"][4].startswith(f"{names[0]} & ${first[0]}${first[1:]} & [$-$")
    assert copied["CSV"][0] == "configuration,difference (pp),95 % interval,verdict,p"
    assert copied["CSV"][1].startswith(f'{names[0]},{first},"[-')


def test_without_a_clipboard_the_text_is_shown_and_selected(reader: Any, address: str) -> None:
    with reader.open(address) as page:
        page.evaluate("() => {navigator.clipboard.writeText = () => Promise.reject()}")
        page.get_by_role("button", name="Copy the text").click()
        area = page.locator("#copy textarea")
        assert area.input_value().startswith("We used shapes with 900 images")
        start, end = area.evaluate("area => [area.selectionStart, area.selectionEnd]")
        assert (start, end) == (0, len(area.input_value()))
