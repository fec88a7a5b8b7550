"""Made-up runs of a known truth, as the frame from which the statistics are computed."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cifar_exp.analysis.statistics.claims import Claims
from cifar_exp.analysis.statistics.contrasts import (
    effect_contrasts,
    interaction_contrasts,
    reference_levels,
)
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.model import CellModel, fit_cells


class Study:
    """Counted runs with a column per factor, `seed` and `value`; a factor's key is its name."""

    def __init__(self, counted: pd.DataFrame) -> None:
        keys = [key for key in counted.columns if key not in ("seed", "value")]
        names = [" ".join(f"{k}={row[k]}" for k in keys) for row in counted.to_dict("records")]
        self.counted = counted.assign(configuration=names)
        self.factors = [
            Factor(key, key, tuple(dict.fromkeys(counted[key])), is_numeric=False)
            for key in keys
            if counted[key].nunique() > 1
        ]
        self.model: CellModel = fit_cells(self.counted, self.factors)
        self.cells = self.counted.drop_duplicates("configuration").reset_index(drop=True)
        self.references = reference_levels(self.counted, self.factors, None)
        self.main = effect_contrasts(self.cells, self.factors, self.references)
        self.pairs = interaction_contrasts(self.cells, self.factors, self.references)

    def claims(self, baseline: str | None = None) -> Claims:
        """What a report would claim of accuracies."""
        best = self.model.names[int(self.model.means.argmax())]
        return Claims(self.model, self.main, self.pairs, best, baseline)

    def values_of(self, configuration: str) -> np.ndarray:
        """The values of a configuration's runs."""
        own = self.counted[self.counted["configuration"] == configuration]
        return own["value"].to_numpy(dtype=float)


def _grid(
    seeds: Iterable[int] = range(3),
    effect: Callable[..., float] = lambda *_: 0.5,
    sd: float = 0.005,
    stream: int = 0,
    **levels: str,
) -> pd.DataFrame:
    """Each combination of levels (`a="0 1"`) with each seed; values are effect(a, ...) + noise."""
    random = np.random.default_rng(stream)
    rows = [
        {**dict(zip(levels, chosen, strict=True)), "seed": seed}
        for chosen in product(*(text.split() for text in levels.values()))
        for seed in seeds
    ]
    frame = pd.DataFrame(rows)
    true = [effect(*(row[key] for key in levels)) for row in rows]
    return frame.assign(value=np.array(true) + random.normal(0, sd, len(rows)))


@pytest.fixture
def study() -> type[Study]:
    """Makes a study from counted runs."""
    return Study


@pytest.fixture
def grid() -> Any:
    """Makes the runs of a grid."""
    return _grid
