"""Sentences on importance: ranges of what is known to matter, nothing of what is not."""

import re
from itertools import product
from typing import Any

import numpy as np

from cifar_exp.analysis.findings.importance import importance_findings


def texts(outputs: Any, **options: Any) -> list[str]:
    return [finding.text for finding in importance_findings(outputs.statistics(**options))]


def test_a_grid_leads_with_the_range_of_each_setting(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 120 - dropout / 2, noise=0.0005)
    (text,) = texts(outputs)
    pattern = r"Over these levels, width moves the validation accuracy by 20\.\d points and "
    assert re.fullmatch(pattern + r"dropout by (10\.0|9\.9|10\.1)\.", text)


def test_with_one_seed_each_the_sentence_says_so(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 120 - dropout / 2, seeds=1, noise=0)
    assert texts(outputs) == [
        "Over these levels, with one seed each, width moves the validation accuracy by 20.0 "
        "points and dropout by 10.0."
    ]


def test_a_loss_has_its_own_unit(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 120 - dropout / 2, seeds=1, noise=0)
    assert texts(outputs, metric="val_loss") == [
        "Over these levels, with one seed each, width moves the validation loss by 0.200 nats "
        "and dropout by 0.100."
    ]


def test_a_setting_without_a_significant_effect_is_not_named(outputs: Any) -> None:
    outputs.grid(lambda width, _: 0.3 + width / 120, noise=0.002)
    (text,) = texts(outputs)
    assert "width" in text
    assert "dropout" not in text


def test_noise_moves_nothing(outputs: Any) -> None:
    outputs.grid(lambda *_: 0.5, noise=0.01)
    assert texts(outputs) == []


def test_one_setting_alone_has_no_sentence(outputs: Any) -> None:
    for width in (8, 16):
        outputs.run(val=width / 100, model__width=width)
    assert texts(outputs) == []


def search(outputs: Any, noise: float) -> None:
    random = np.random.default_rng(0)
    for i in range(60):
        lr, decay = float(random.uniform(0, 1)), float(random.uniform(0, 1))
        value = float(0.5 + (noise < 0.01) * 0.2 * lr + random.normal(0, noise))
        outputs.run(val=value, run_id=f"{i:010d}", optimizer__lr=lr, optimizer__wd=decay)


def test_a_random_search_says_what_the_estimate_rests_on(outputs: Any) -> None:
    search(outputs, 0.005)
    (text,) = texts(outputs)
    assert re.fullmatch(
        r"Over the values drawn, lr moves the validation accuracy by (19|20)\.\d points, as "
        r"estimated by a Gaussian process fitted to 60 configurations "
        r"\(held-out R2 (0\.9\d|1\.00)\)\.",
        text,
    )


def test_a_random_search_of_noise_has_no_shares_but_a_reason(outputs: Any) -> None:
    search(outputs, 0.05)
    (text,) = texts(outputs)
    assert text.startswith(
        "The importance of the settings cannot be estimated: a Gaussian process fitted to 60 "
        "configurations cannot predict those left out (held-out R2 "
    )


def test_a_fraction_of_a_grid_has_levels_and_no_drawn_values(outputs: Any) -> None:
    random = np.random.default_rng(0)
    for row in product((0, 1), repeat=5):
        if sum(row) % 2 == 0:
            value = 0.5 + 0.02 * row[0] + 0.01 * row[1] + random.normal(0, 0.0015)
            settings = {f"x__{name}": level for name, level in zip("abcde", row, strict=True)}
            outputs.run(val=float(value), **settings)
    (text,) = texts(outputs)
    assert re.match(
        r"Over these levels, a moves the validation accuracy by [12]\.\d points and b by [01]\.\d+"
        r", as estimated by a Gaussian process fitted to 16 configurations",
        text,
    )
