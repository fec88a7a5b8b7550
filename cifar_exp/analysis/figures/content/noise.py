"""What the figure of noise shows."""

from cifar_exp.analysis.figures.base import FigureData, FigureSkipped

ROUNDING = 1e-9  # a smaller SD is rounding


def noise_alt(data: FigureData) -> str:
    """The SD between seeds."""
    sd, df = data.statistics.noise
    if not df:
        raise FigureSkipped("no configuration has two seeds")
    if sd < ROUNDING:
        raise FigureSkipped("all seeds of a configuration have the same result")
    metric = data.statistics.metric
    return (
        f"Seeds of a configuration scatter with an SD of {sd * metric.scale:.{metric.digits}f} "
        f"{metric.difference_unit}, pooled over configurations with {df} degrees of freedom."
    )
