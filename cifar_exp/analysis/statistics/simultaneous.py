"""Simultaneous inference: p values and critical values of the largest of several t statistics."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import special  # scipy.stats would take half a second to import

DRAWS = 2**16  # of the normal distribution: a critical value is then known to about 0.3 %
TABLE = 4096  # points at which the distribution of the largest is kept: a small table is fast
MOST_DRAWN = 200  # statistics; for more, Sidak's inequality is close and much cheaper
NODES = 48  # of the quadrature over a t statistic's scale: exact to five digits at 5 % and 0.25 %
SMALL = 0.002  # the frequency of smaller p values in the draws is uncertain: Bonferroni's is used
ROUNDS, PARTS = 9, 16  # of the search for a critical value, which is then known to 1e-10


@dataclass(frozen=True, eq=False)
class Family:
    """The largest of `size` statistics with one normal distribution each, divided by one scale.

    `points` and `probabilities` tabulate the distribution of the largest before it is divided.
    """

    size: int
    points: np.ndarray
    probabilities: np.ndarray
    is_two_sided: bool = True

    def p_values(self, t: np.ndarray, df: np.ndarray) -> np.ndarray:
        """The chance that the largest statistic exceeds each `t`, at its degrees of freedom."""
        t, df = np.broadcast_arrays(np.asarray(t, dtype=float), np.asarray(df, dtype=float))
        found = np.full(t.shape, np.nan)
        for freedom in np.unique(df[~np.isnan(t) & ~np.isnan(df)]):
            rows = (df == freedom) & ~np.isnan(t)
            found[rows] = self._p_values(t[rows], float(freedom))
        return found

    def critical(self, df: np.ndarray, alpha: float) -> np.ndarray:
        """The value that the largest statistic exceeds with probability `alpha`."""
        df = np.asarray(df, dtype=float)
        unique = np.unique(df[~np.isnan(df)])
        values = {float(freedom): self._critical(float(freedom), alpha) for freedom in unique}
        found = [values.get(float(freedom), np.nan) for freedom in df.ravel()]
        return np.array(found).reshape(df.shape)

    def _p_values(self, t: np.ndarray, df: float) -> np.ndarray:
        scales, shares = scale_quadrature(df)
        below = np.interp(t[:, None] * scales, self.points, self.probabilities)
        p = 1 - below @ shares
        sides = 2 if self.is_two_sided else 1
        bound = self.size * sides * special.stdtr(df, -t)
        small = np.minimum(bound, SMALL)
        return np.asarray(np.where(p < SMALL, small, np.minimum(p, bound)))

    def _critical(self, df: float, alpha: float) -> float:
        low, high = 0.0, 1.0
        while self._p_values(np.array([high]), df)[0] > alpha:
            low, high = high, 2 * high
        for _ in range(ROUNDS):
            points = np.linspace(low, high, PARTS + 1)
            reached = 1 + int(np.argmax(self._p_values(points[1:], df) <= alpha))
            low, high = float(points[reached - 1]), float(points[reached])
        return high


@cache
def scale_quadrature(df: float) -> tuple[np.ndarray, np.ndarray]:
    """Values of sqrt(chi2 / df), by which a normal variable is divided into a t variable, and the
    shares with which a function of them is averaged.

    Gauss and Legendre's nodes, moved towards both ends by u = x^3 (10 - 15 x + 6 x^2), so that rare
    scales are met as well.
    """
    chances, shares = _chances()
    return np.sqrt(special.chdtri(df, chances) / df), shares


@cache
def _chances() -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    x = (nodes + 1) / 2
    return x**3 * (10 - 15 * x + 6 * x**2), 15 * (x * (1 - x)) ** 2 * weights


def single() -> Family:
    """One t statistic, alone."""
    return independent(1)


def independent(size: int) -> Family:
    """Statistics treated as independent (Sidak), which is conservative if they are correlated."""
    points = np.linspace(0, 12, 6001)
    return Family(size, points, special.erf(points / 2**0.5) ** size)


def correlated(correlation: np.ndarray) -> Family:
    """Two-sided statistics with this correlation matrix: the multivariate t distribution."""
    size = len(correlation)
    if size == 1 or size > MOST_DRAWN:
        return independent(size)
    key = np.round(correlation, 6)
    return _drawn(key.tobytes(), size)


def against_one(shares: np.ndarray, *, is_two_sided: bool) -> Family:
    """Comparisons with one reference (Dunnett, JASA 1955; one-sided for Hsu's comparisons).

    `shares`: the reference's part in the variance of each comparison.
    """
    roots = np.sqrt(shares)
    correlation = np.outer(roots, roots)
    np.fill_diagonal(correlation, 1.0)
    if is_two_sided or len(shares) > MOST_DRAWN:
        return correlated(correlation)
    return _drawn(np.round(correlation, 6).tobytes(), len(shares), is_two_sided=False)


@cache
def _drawn(correlation: bytes, size: int, *, is_two_sided: bool = True) -> Family:
    """Tabulate the largest statistic from draws of a fixed seed."""
    matrix = np.frombuffer(correlation).reshape(size, size)
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = np.random.default_rng(0).standard_normal((DRAWS, size)) @ root.T
    largest = np.sort((np.abs(draws) if is_two_sided else draws).max(axis=1))
    points = np.linspace(largest[0], largest[-1], TABLE)
    probabilities = np.interp(points, largest, (np.arange(DRAWS) + 0.5) / DRAWS)
    return Family(size, points, probabilities, is_two_sided)


@cache
def all_pairs(count: int) -> Family:
    """Differences between all pairs of `count` means, as t statistics (Tukey and Kramer).

    The range of normal means: count * integral of phi(z) (Phi(z) - Phi(z - r))^(count - 1) dz.
    """
    z = np.linspace(-8, 8, 801)
    density = np.exp(-(z**2) / 2) / (2 * np.pi) ** 0.5 * (z[1] - z[0])
    ranges = np.linspace(0, 16, 1601)
    below = np.maximum(special.ndtr(z) - special.ndtr(z - ranges[:, None]), 0.0)
    probabilities = np.minimum(count * (below ** (count - 1)) @ density, 1.0)
    return Family(count * (count - 1) // 2, ranges / 2**0.5, probabilities)


@dataclass(frozen=True)
class Differences:
    """Simultaneous inference on several differences.

    `means`, `errors` (standard errors) and `df` are those of the differences; `wider` has errors
    and df of a second estimate where the first may be too small: the wider interval counts.
    """

    family: Family
    means: np.ndarray
    errors: np.ndarray
    df: np.ndarray
    wider: tuple[np.ndarray, np.ndarray] | None = None

    @cached_property
    def p_values(self) -> np.ndarray:
        """Adjusted two-sided p values; NaN where there is no standard error."""
        p = self._p_values(self.errors, self.df)
        return p if self.wider is None else np.asarray(np.fmax(p, self._p_values(*self.wider)))

    def half_widths(self, alpha: float) -> np.ndarray:
        """Half the width of each simultaneous interval of confidence 1 - alpha."""
        half = np.asarray(self.family.critical(self.df, alpha) * self.errors)
        if self.wider is None:
            return half
        errors, df = self.wider
        return np.asarray(np.fmax(half, self.family.critical(df, alpha) * errors))

    def _p_values(self, errors: np.ndarray, df: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.means) / errors
        return self.family.p_values(np.where(errors > 0, t, np.nan), df)
