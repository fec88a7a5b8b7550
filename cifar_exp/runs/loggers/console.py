"""A line on the terminal and in train.log for each epoch."""

from collections.abc import Callable, Sequence

from cifar_exp.runs.console import Console
from cifar_exp.storage.record import RunRecord
from cifar_exp.storage.run_folder import Row
from cifar_exp.text import duration, percent


class ConsoleLogger:
    """Prints the metrics of each epoch, the best so far, and the time left."""

    def __init__(self, console: Console, seconds_left: Callable[[], float]) -> None:
        self.console, self.seconds_left = console, seconds_left
        self._epochs, self._best = 0, 0.0

    def start(self, record: RunRecord, rows: Sequence[Row]) -> None:
        """Take the best validation accuracy from the epochs so far."""
        self._epochs = int(record.params["trainer.epochs"])
        self._best = max((row["val_accuracy"] or 0.0 for row in rows), default=0.0)

    def epoch(self, row: Row) -> None:
        """Print the epoch's line."""
        self._best = max(self._best, row["val_accuracy"] or 0.0)
        self.console.close()
        self.console.print(epoch_line(row, self._epochs, self._best, self.seconds_left()))

    def end(self, record: RunRecord) -> None:  # noqa: ARG002
        """Remove the bar."""
        self.console.close()


def epoch_line(row: Row, epochs: int, best: float, seconds_left: float) -> str:
    """The metrics of one epoch: losses in nats, accuracies in percent."""
    parts = [f"epoch {row['epoch']:>3}/{epochs}", f"loss {row['train_loss']:.3f}"]
    if row["train_accuracy"] is not None:
        parts.append(f"train {percent(row['train_accuracy'])}")
    if row["val_accuracy"] is not None:
        parts.append(f"val {percent(row['val_accuracy'])}")
        parts.append(f"best {percent(best)}")
    parts.append(f"{row['images_per_second']:,.0f} images/s")
    parts.append(f"{duration(seconds_left)} left")
    return "  ".join(parts)
