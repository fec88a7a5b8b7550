"""The trends that the page's charts draw."""

from typing import Any

import numpy as np

from cifar_exp.analysis.page.trends import trend_data


def test_a_trend_has_the_statistics_values_and_the_values_that_may_be_best(outputs: Any) -> None:
    random = np.random.default_rng(0)
    for rate in np.geomspace(1e-3, 1, 30):
        value = 0.6 - 0.05 * np.log10(rate / 0.05) ** 2 + random.normal(0, 0.003)
        outputs.run(val=float(value), optimizer__lr=float(f"{rate:.4g}"))
    statistics = outputs.statistics()
    (trend,) = trend_data(statistics, ["model.width", "optimizer.lr"])
    assert (trend["factor"], trend["other"], trend["level"]) == (1, -1, "")
    table = statistics.trends
    np.testing.assert_allclose(trend["x"], table["value"], rtol=1e-3)
    for name in ("mean", "low", "high"):
        np.testing.assert_allclose(trend[name], table[name], rtol=1e-3)
    assert trend["good"] == statistics.regions[["low", "high"]].astype(float).to_numpy().tolist()
    assert len(trend["good"]) == 1


def test_a_grid_has_no_trend(outputs: Any) -> None:
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout, seeds=2)
    assert trend_data(outputs.statistics(), ["model.width", "model.dropout"]) == []
