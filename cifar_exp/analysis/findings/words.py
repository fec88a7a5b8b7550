"""Numbers, lists and intervals as words, the same in every sentence."""

from collections.abc import Sequence

from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.analysis.statistics.metric import Metric


def listed(parts: Sequence[str], conjunction: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {conjunction} {parts[-1]}"


def capital(name: str) -> str:
    """`Width` for `width`, to begin a sentence; a dotted key as it is."""
    return name if "." in name else name[:1].upper() + name[1:]


def amount(metric: Metric, size: float) -> str:
    """A difference's size without its sign: `20.1 points`, or `0.213 nats`."""
    if metric.is_fraction:
        points = abs(size) * metric.scale
        return f"{points:.{2 if points < 1 else 1}f} points"
    return f"{abs(size):.{metric.digits}f} {metric.difference_unit}"


def worth_text(statistics: GroupStatistics) -> str:
    """The smallest difference that matters, as it was typed: `0.5 points`; empty if none was."""
    if statistics.worth is None:
        return ""
    size = f"{statistics.worth * statistics.metric.scale:g}"
    if not statistics.metric.is_fraction:
        return f"{size} {statistics.metric.difference_unit}"
    return f"{size} point{'' if size == '1' else 's'}"


def interval(metric: Metric, low: float, high: float) -> str:
    """`95 % interval [18.51, 21.63]`; empty if a bound is NaN."""
    text = metric.interval_text(low, high)
    return f"95 % interval {text}" if text else ""


def distinct_values(statistics: GroupStatistics, column: str, length: int = 40) -> str:
    """The different values of a column of the runs, at most four of them."""
    values = sorted({str(value)[:length] for value in statistics.runs[column].dropna()})
    if column == "git_commit" and statistics.runs[column].isna().any():
        values.append("unknown")
    return ", ".join([*values[:4], *(["..."] if len(values) > 4 else [])]) or "unknown"
