"""The page of a search with paused runs, as a reader sees it in a headless Chromium."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow

COUNTED, PAUSED = 10, 4


@pytest.fixture(scope="module")
def tab(reader: Any, made_outputs: Any) -> Iterator[Any]:
    """Of fourteen runs, every third or so was paused at half of its compute; a second sweep."""
    folders = []
    for i in range(COUNTED + PAUSED):
        how = {"status": "pruned", "done": 2} if i % 4 == 1 else {}
        folders.append(
            made_outputs.run(
                val=0.4 + 0.01 * i,
                compute={"pflop": 0.5 if how else 1.0},
                finished_at=f"2026-11-02T00:{i:02d}:00+00:00",
                epochs=4,
                optimizer__lr=0.01 * 2**i,
                model__width=8 + i % 5,
                **how,
            )
        )
    made_outputs.sweep("search", folders)
    others = [made_outputs.run(val=0.9, epochs=4, seed=seed) for seed in range(3)]
    made_outputs.sweep("other", others)
    with reader.open(reader.write(made_outputs.path)) as tab:
        reader.see_all(tab)
        yield tab


def chart(tab: Any, name: str) -> Any:
    return tab.locator(f"#search-{name}")


def test_the_compute_of_paused_runs_counts_and_their_values_do_not(tab: Any) -> None:
    progress = chart(tab, "progress")
    text = progress.locator("svg[role=img]").get_attribute("aria-label")
    assert "over 14 runs in the order in which they ended" in text
    # the last of ten whole runs ended as the thirteenth, after three that were paused
    assert text.endswith("with 52.00 % after 11.5 of 12 PFLOP.")
    assert "the last improvement was run 13, " in text
    rings = progress.locator("path.rings").evaluate_all("p => p.map((e) => e.getAttribute('d'))")
    assert sum(path.count("M") for path in rings) == PAUSED
    assert progress.locator("path.trend.other").count() == 1
    assert "hollow point at the bottom is a run that was paused" in (
        progress.locator("figcaption").inner_text()
    )


def test_paused_runs_are_dashed_or_hollow_in_the_other_charts(tab: Any) -> None:
    for name in ("curves", "parallel"):
        dashed = chart(tab, name).locator("path.curve.paused")
        paths = dashed.evaluate_all("p => p.map((e) => e.getAttribute('d'))")
        assert sum(path.count("M") for path in paths) == PAUSED
    assert chart(tab, "slices").locator("path.rings").count() > 0


def test_the_table_of_runs_shows_where_a_run_was_paused(tab: Any, reader: Any) -> None:
    table = tab.locator("#group-search [data-table=runs]")
    statuses, epochs = reader.column(table, "status"), reader.column(table, "epochs")
    values = reader.column(table, "val (%)")
    paused = [i for i, status in enumerate(statuses) if status == "pruned"]
    assert len(paused) == PAUSED
    assert {epochs[i] for i in paused} == {"2/4"}
    assert all(re.fullmatch(r"\(\d\d\.\d\d\)", values[i]) for i in paused)


def test_the_dialog_of_a_paused_run_says_when_and_paused_runs_are_no_failures(tab: Any) -> None:
    tab.locator("#group-search [data-table=runs] tr", has_text="pruned").first.click()
    reason = tab.locator("#run .run-reason").inner_text()
    assert reason.startswith("paused after epoch 2 by asha")
    tab.keyboard.press("Escape")
    assert tab.locator("#group-search-failures").count() == 0
