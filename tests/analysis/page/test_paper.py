"""The text for a paper has what the NeurIPS checklist asks for."""

from typing import Any

import pandas as pd

import cifar_exp
from cifar_exp.analysis.page.paper import paper_paragraphs


def test_a_grid_is_described_with_data_settings_results_compute_and_code(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout / 2)
    statistics = outputs.statistics()
    data, settings, results, compute, code = paper_paragraphs(statistics)
    assert data == (
        "We used shapes with 900 images for training, 100 for validation and 200 for testing. The "
        "validation images were held out of the training set, stratified by class, and are the "
        "same in all runs (split seed 0). All choices were made on them; each run read the test "
        "images once, at its end."
    )
    assert settings == (
        "We trained all 9 combinations of these settings: model.width 8, 16, 32; model.dropout 0, "
        "0.1, 0.2. The one with the best mean validation accuracy was chosen. Each run trained "
        "for 3 epochs. Settings common to all runs: model.name convnet."
    )
    own = statistics.counted[statistics.counted["configuration"] == "width=32 dropout=0"]["value"]
    mean, sd = pd.Series(own).mean(), pd.Series(own).std()
    assert (
        f"mean validation accuracy of {mean * 100:.2f} % (SD {sd * 100:.2f} pp over 3 seeds; "
        in (results)
    )
    assert results.startswith("Each configuration was trained with 3 seeds, which determine the ")
    assert "simultaneous intervals (Tukey-Kramer, for all pairs) from a model" in results
    assert sum(3.0 * width * 9 for width in (8, 16, 32)) == 25 * 60 + 12
    pflop = sum(width**2 / 1000 * 9 for width in (8, 16, 32))
    assert compute == (
        f"The 27 runs took 25 min of training and {pflop:.3g} PFLOP in total "
        "(6 x multiply-accumulates x images), on made up with 1 thread per run, in fp32."
    )
    assert code.startswith(
        f"Runs were trained and analyzed with cifar_exp {cifar_exp.__version__} (commit abc) "
        "and PyTorch 2.1"
    )


def test_one_seed_has_no_interval_and_lost_runs_are_told(outputs: Any) -> None:
    outputs.run(val=0.5)
    outputs.run(status="diverged", val=None, model__width=4)
    text = " ".join(paper_paragraphs(outputs.statistics()))
    assert "with one seed, so no interval can be given." in text
    assert "Of 2 runs, 1 diverged; they are left out of all means." in text


def test_results_on_test_are_not_for_choosing(outputs: Any) -> None:
    outputs.run(val=None, test=0.5, data={"val_size": 0})
    text = " ".join(paper_paragraphs(outputs.statistics()))
    assert "so the results below are on the test images and must not be used to choose" in text
    assert "All choices were made on them" not in text


def test_without_a_run_that_counts_there_is_no_text(outputs: Any) -> None:
    outputs.run(status="failed", error="x")
    assert paper_paragraphs(outputs.statistics()) == []


def test_a_search_is_named_with_the_ranges_that_it_drew_from(outputs: Any) -> None:
    runs = [outputs.run(val=0.5 + i / 100, optimizer__lr=0.01 * 1.3**i) for i in range(9)]
    sweep = outputs.sweep("mine", runs)
    (sweep / "sweep.yaml").write_text("name: mine\nsearch: {sampler: random}\n")
    settings = paper_paragraphs(outputs.statistics(sweep))[1]
    assert "optimizer.lr 9 values from 0.01 to 0.08157" in settings
    assert "They were proposed by random search." in settings
