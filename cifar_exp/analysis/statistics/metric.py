"""The metrics that runs can be ranked by."""

from dataclasses import dataclass

from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean


@dataclass(frozen=True)
class Metric:
    """A column of the frame of runs; shown in `unit`, multiplied by `scale`."""

    name: str
    label: str
    is_higher_better: bool
    is_fraction: bool

    @property
    def is_on_test(self) -> bool:
        """Whether it is measured on the test set."""
        return self.name.startswith("test_")

    @property
    def scale(self) -> float:
        """The factor from a stored value to the one shown."""
        return 100.0 if self.is_fraction else 1.0

    @property
    def unit(self) -> str:
        """The unit of a value."""
        return "%" if self.is_fraction else "nats"

    @property
    def difference_unit(self) -> str:
        """The unit of a difference between two values."""
        return "pp" if self.is_fraction else "nats"

    @property
    def sign(self) -> int:
        """1 if higher is better, -1 if lower is."""
        return 1 if self.is_higher_better else -1

    def text(self, value: float) -> str:
        """`64.22 %`."""
        return f"{value * self.scale:.{self.digits}f} {self.unit}"

    def difference_text(self, value: float) -> str:
        """`-0.42 pp`."""
        return f"{value * self.scale:+.{self.digits}f} {self.difference_unit}"

    def interval_text(self, low: float, high: float) -> str:
        """`[63.10, 65.34]`, in `unit`; empty if a bound is NaN."""
        if low != low or high != high:
            return ""
        return f"[{low * self.scale:.{self.digits}f}, {high * self.scale:.{self.digits}f}]"

    @property
    def digits(self) -> int:
        """Decimal places shown."""
        return 2 if self.is_fraction else 3


METRICS = {
    metric.name: metric
    for metric in (
        Metric("val_accuracy", "validation accuracy", True, True),
        Metric("val_loss", "validation loss", False, False),
        Metric("test_accuracy", "test accuracy", True, True),
        Metric("test_top5_accuracy", "test top-5 accuracy", True, True),
        Metric("test_loss", "test loss", False, False),
        Metric("test_ece", "test calibration error", False, True),
        Metric("test_superclass_accuracy", "test superclass accuracy", True, True),
    )
}


def get_metric(name: str) -> Metric:
    """The metric of this name. Raises UserError, listing all names, if there is none."""
    if name not in METRICS:
        raise UserError(
            f"--metric={name}: must be one of {', '.join(METRICS)}{did_you_mean(name, METRICS)}"
        )
    return METRICS[name]


def on_test(metric: Metric) -> Metric:
    """The same metric on the test set, for runs without validation data."""
    return METRICS["test_" + metric.name.removeprefix("val_")]
