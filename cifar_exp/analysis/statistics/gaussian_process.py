"""A Gaussian process over discrete axes whose averages over axes are known in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from cifar_exp.analysis.statistics.threads import one_thread

MOST_FITTED = 150  # observations that length scales are fitted to: the cost rises with their cube
START = (0.5, 0.1)  # length scale, and variance of the noise in units of the process's
LENGTHS = (0.05, 20.0)
NOISES = (1e-4, 1e3)
SPREAD = (1.5, 2.0)  # SD of the logarithms in the prior of length scales and noise
PRIOR = (1.0, 0.1)  # its medians


@dataclass(frozen=True)
class GaussianProcess:
    """The posterior of a function on the product of axes, given noisy values at some points.

    `kernels`: for each of the D axes the correlation of its levels, (L_d, L_d). `codes`: the level
    of each observation on each axis, (N, D). `inverse`: of the observations' covariance in units of
    `variance`, (N, N). `dual`: `inverse` times the values above `center`, (N,).
    `noise`: the SD of an observation around the process.

    Averages are over the product of the axes' own frequencies of levels. With an RBF kernel, which
    is a product over axes, they need no sampling (Durrande et al., 2013, J. Multivariate Analysis).
    """

    kernels: Sequence[np.ndarray]
    codes: np.ndarray
    inverse: np.ndarray
    dual: np.ndarray
    center: float
    variance: float
    noise: float

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """The frequency of each axis's levels among the observations."""
        sizes = [len(kernel) for kernel in self.kernels]
        columns = zip(self.codes.T, sizes, strict=True)
        return [np.bincount(column, minlength=size) / len(column) for column, size in columns]

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """The posterior mean at points given by the levels' numbers, (M, D) -> (M,)."""
        return np.asarray(self.center + _products(self.kernels, codes, self.codes) @ self.dual)

    @one_thread()
    def conditional(self, fixed: Mapping[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean (M,) and covariance (M, M) at M points, averaged over the other axes.

        `fixed`: by axis, the number of the level at each of the points.
        """
        cross: np.ndarray = np.ones(1)
        prior: np.ndarray = np.ones(1)
        for axis, (kernel, weight) in enumerate(zip(self.kernels, self.weights, strict=True)):
            column = self.codes[:, axis]
            if axis in fixed:
                levels = fixed[axis]
                cross = cross * kernel[np.ix_(levels, column)]
                prior = prior * kernel[np.ix_(levels, levels)]
            else:
                cross = cross * (weight @ kernel)[column]
                prior = prior * (weight @ kernel @ weight)
        cross = np.atleast_2d(cross)
        covariance = self.variance * (prior - cross @ self.inverse @ cross.T)
        return self.center + cross @ self.dual, covariance

    @one_thread()
    def variance_by_axes(self, subsets: Sequence[tuple[int, ...]]) -> list[float]:
        """The variance of the mean that each set of axes explains, lower orders included."""
        averages = [
            (weight @ kernel)[column]
            for kernel, weight, column in zip(self.kernels, self.weights, self.codes.T, strict=True)
        ]
        constant = reduce(np.multiply, averages)
        whole = np.outer(constant, constant)
        ratios = [self._ratio(axis, average) for axis, average in enumerate(averages)]
        mean = float(constant @ self.dual) ** 2
        found = []
        for axes in subsets:
            matrix = reduce(np.multiply, [ratios[axis] for axis in axes], whole)
            found.append(max(float(self.dual @ matrix @ self.dual) - mean, 0.0))
        return found

    def _ratio(self, axis: int, average: np.ndarray) -> np.ndarray:
        kernel, weight, column = self.kernels[axis], self.weights[axis], self.codes[:, axis]
        both = (kernel * weight) @ kernel
        return np.asarray(both[np.ix_(column, column)] / np.outer(average, average))


def fit_process(
    distances: Sequence[np.ndarray], codes: np.ndarray, values: np.ndarray
) -> GaussianProcess:
    """The process whose length scales and noise are the most probable ones given the values.

    `distances`: squared distances of each axis's levels, (L_d, L_d); `codes`: (N, D); `values`:
    (N,). Each axis has a length scale of its own. They are fitted to at most 150 observations,
    drawn the same way each time.
    """
    chosen = draw(len(values), MOST_FITTED)
    lengths, noise = _hyperparameters(distances, codes[chosen], values[chosen])
    kernels = [np.exp(-d / (2 * length**2)) for d, length in zip(distances, lengths, strict=True)]
    covariance = _products(kernels, codes, codes) + noise * np.eye(len(values))
    inverse = np.linalg.inv(covariance)
    center = float(values.mean())
    dual = inverse @ (values - center)
    variance = float((values - center) @ dual) / len(values)
    noise_sd = (noise * variance) ** 0.5
    return GaussianProcess(kernels, codes, inverse, dual, center, variance, noise_sd)


def draw(size: int, most: int) -> np.ndarray:
    """`most` of the numbers below `size`, in order: the same ones at every call."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(0).permutation(size)[:most])


def _products(kernels: Sequence[np.ndarray], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    parts = [kernel[np.ix_(a[:, axis], b[:, axis])] for axis, kernel in enumerate(kernels)]
    return reduce(np.multiply, parts)


def _hyperparameters(
    distances: Sequence[np.ndarray], codes: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, float]:
    """Length scales (D,) and the noise's variance in units of the process's."""
    from scipy.optimize import minimize  # rarely needed

    axes = enumerate(distances)
    squared = np.array([d[np.ix_(codes[:, axis], codes[:, axis])] for axis, d in axes])
    size = len(distances)
    found = minimize(
        _negative_posterior,
        np.log([START[0]] * size + [START[1]]),
        args=(squared, values - values.mean()),
        jac=True,
        method="L-BFGS-B",
        bounds=np.log([LENGTHS] * size + [NOISES]),
    )
    return np.exp(found.x[:-1]), float(np.exp(found.x[-1]))


def _negative_posterior(
    logs: np.ndarray, squared: np.ndarray, values: np.ndarray
) -> tuple[float, np.ndarray]:
    """Minus the log posterior of the logarithms and its gradient; the variance is profiled out."""
    inverse_squares, noise = np.exp(-2 * logs[:-1]), float(np.exp(logs[-1]))
    kernel = np.exp(-np.tensordot(inverse_squares, squared, 1) / 2)
    covariance = kernel + noise * np.eye(len(values))
    inverse = np.linalg.inv(covariance)
    dual = inverse @ values
    fit, size = float(values @ dual), len(values)
    loss = (size * np.log(fit) + np.linalg.slogdet(covariance).logabsdet) / 2
    slope = (inverse - size / fit * np.outer(dual, dual)) / 2
    by_length = np.tensordot(squared, slope * kernel, 2) * inverse_squares
    gradient = np.append(by_length, noise * np.trace(slope))
    medians = np.log([PRIOR[0]] * (len(logs) - 1) + [PRIOR[1]])
    spread = np.array([SPREAD[0]] * (len(logs) - 1) + [SPREAD[1]])
    z = (logs - medians) / spread
    return float(loss + (z**2).sum() / 2), gradient + z / spread
