"""Numbers and lists in a sentence."""

from collections.abc import Sequence

from cifar_exp.analysis.statistics.metric import Metric


def amount(metric: Metric, size: float) -> str:
    """A difference's size without its sign: `20.1 points`, or `0.213 nats`."""
    if metric.is_fraction:
        return f"{abs(size) * 100:.1f} points"
    return f"{abs(size):.{metric.digits}f} {metric.difference_unit}"


def listed(parts: Sequence[str], conjunction: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {conjunction} {parts[-1]}"
