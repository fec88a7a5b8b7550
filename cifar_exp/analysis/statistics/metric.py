"""What runs are judged by."""

from dataclasses import dataclass

from cifar_exp.errors import UserError
from cifar_exp.text import did_you_mean


@dataclass(frozen=True)
class Metric:
    """A column of the runs' frame; shown as `scale` times its value in `unit`."""

    name: str
    label: str
    is_higher_better: bool
    is_fraction: bool

    @property
    def is_on_test(self) -> bool:
        """Whether it is a figure on the test set."""
        return self.name.startswith("test_")

    @property
    def scale(self) -> float:
        """What a value is multiplied by to be shown."""
        return 100.0 if self.is_fraction else 1.0

    @property
    def unit(self) -> str:
        """Of a value."""
        return "%" if self.is_fraction else "nats"

    @property
    def difference_unit(self) -> str:
        """Of a difference of two values."""
        return "pp" if self.is_fraction else "nats"

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.is_higher_better else -1

    def text(self, value: float) -> str:
        """`64.22 %`."""
        return f"{value * self.scale:.{self.digits}f} {self.unit}"

    def difference_text(self, value: float) -> str:
        """`-0.42 pp`."""
        return f"{value * self.scale:+.{self.digits}f} {self.difference_unit}"

    def interval_text(self, low: float, high: float) -> str:
        """`[63.10, 65.34]`, in `unit`; empty where there is none."""
        if low != low or high != high:
            return ""
        return f"[{low * self.scale:.{self.digits}f}, {high * self.scale:.{self.digits}f}]"

    @property
    def digits(self) -> int:
        """After the point, where it is shown."""
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


def metric_named(name: str) -> Metric:
    """Raises UserError, with what is allowed, where there is no such metric."""
    if name not in METRICS:
        raise UserError(
            f"--metric={name}: must be one of {', '.join(METRICS)}{did_you_mean(name, METRICS)}"
        )
    return METRICS[name]


def without_val(metric: Metric) -> Metric:
    """What stands for a val metric where nothing was held out: the same on test."""
    return METRICS["test_" + metric.name.removeprefix("val_")]
