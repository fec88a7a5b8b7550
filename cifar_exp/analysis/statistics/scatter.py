"""Scatter between seeds within configurations, and whether it is uneven."""

from dataclasses import dataclass

import numpy as np
from scipy import special

UNEVEN = 0.1  # Bartlett's p value below which the scatters are taken as different
FEWEST = 2  # degrees of freedom of a configuration; with fewer, its own scatter says nothing
NO_SCATTER = 1e-18  # a smaller variance is rounding


@dataclass(frozen=True)
class Scatter:
    """`variances` and `df` by configuration, (cells,); `pooled` over all, with `total_df`.

    `p`: Bartlett's test that all are equal (Proc. R. Soc. A 1937); NaN if too few can be compared.
    """

    variances: np.ndarray
    df: np.ndarray
    pooled: float
    total_df: int
    p: float

    @property
    def is_uneven(self) -> bool:
        """Whether the configurations differ in scatter, and each has its own estimate."""
        return bool(self.p < UNEVEN)


def within_configurations(values: np.ndarray, cells: np.ndarray, counts: np.ndarray) -> Scatter:
    """The scatter of `values` (N,) around the mean of their cell; codes in `cells` (N,)."""
    means = np.bincount(cells, values) / counts
    squares = np.bincount(cells, (values - means[cells]) ** 2)
    df = counts - 1
    total = int(df.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        variances = np.where(df > 0, squares / df, np.nan)
    pooled = float(squares.sum() / total) if total else float("nan")
    return Scatter(variances, df, pooled, total, _bartlett(variances, df))


def _bartlett(variances: np.ndarray, df: np.ndarray) -> float:
    if len(df) < 2 or df.min() < FEWEST:
        return float("nan")
    total, floor = df.sum(), max(NO_SCATTER, 1e-12 * float(variances.max()))
    pooled = float((variances * df).sum() / total)
    if pooled < NO_SCATTER:
        return float("nan")
    logs = np.log(np.maximum(variances, floor))
    statistic = total * np.log(pooled) - (df * logs).sum()
    correction = 1 + ((1 / df).sum() - 1 / total) / (3 * (len(df) - 1))
    return float(special.chdtrc(len(df) - 1, statistic / correction))
