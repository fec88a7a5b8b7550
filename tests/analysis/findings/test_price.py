"""The sentence on what an effect is worth in compute."""

import re
from itertools import product
from typing import Any

import numpy as np

from cifar_exp.analysis.findings.price import price_findings


def ladder(outputs: Any, cost: float = 1.0) -> Any:
    random = np.random.default_rng(0)
    for width, dropout, seed in product((8, 16, 32), (0.0, 0.2), range(3)):
        value = 0.4 + 0.04 * np.log2(width) - 0.03 * (dropout > 0) + random.normal(0, 0.0005)
        pflop = width**2 / 1000 * (cost if dropout == 0 else 1.0)
        settings = {"model__width": width, "model__dropout": dropout}
        outputs.run(seed=seed, val=float(value), compute={"pflop": pflop}, **settings)
    return outputs.statistics()


def test_an_effect_is_told_in_compute_with_its_ladder(outputs: Any) -> None:
    (finding,) = price_findings(ladder(outputs))
    # 0.75 doublings of the width are worth 1.5 doublings of the compute, 2.8 times
    assert re.fullmatch(
        r"Dropout 0 instead of 0\.2 is worth 2\.[789] times the compute \(95 % interval "
        r"2\.[678] to (2\.9|3\.0)\), where compute buys width from 8 to 32 "
        r"\(measured at 8 and 16\)\.",
        finding.text,
    )
    assert (finding.claim, finding.setting) == ("price", "model.dropout")
    assert (finding.level, finding.reference) == ("0", "0.2")


def test_what_it_costs_itself_is_told_as_well(outputs: Any) -> None:
    (finding,) = price_findings(ladder(outputs, cost=1.4))
    assert finding.text.endswith("(measured at 8 and 16), and itself costs 1.4 times.")


def test_without_a_ladder_nothing_is_told(outputs: Any) -> None:
    for a, b, seed in product((1, 2), (1, 2), range(3)):
        outputs.run(seed=seed, val=0.3 + a / 10 + b / 100 + seed / 1000 * a, x__a=a, x__b=b)
    assert list(price_findings(outputs.statistics())) == []
