"""Accuracy, loss and calibration of a network on images without augmentation."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cifar_exp.data.device_splits import Split
from cifar_exp.data.normalization import Normalization
from cifar_exp.training.devices import autocast

BATCH = 500
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Evaluation:
    """Tensors (N,) on the host, by image; `loss` is in nats, `in_top5` is boolean."""

    labels: Tensor
    loss: Tensor
    prediction: Tensor
    confidence: Tensor
    in_top5: Tensor

    @property
    def mean_loss(self) -> float:
        """Cross-entropy in nats, without smoothing."""
        return float(self.loss.double().mean())

    @property
    def accuracy(self) -> float:
        """Fraction of images whose top prediction is correct."""
        return float((self.prediction == self.labels).double().mean())

    @property
    def top5_accuracy(self) -> float:
        """Fraction of images whose class is among the top five predictions."""
        return float(self.in_top5.double().mean())

    def calibration_error(self) -> float:
        """ECE: mean gap between confidence and accuracy over 15 equal bins of confidence.

        Source: Guo et al. 2017, arXiv:1706.04599.
        """
        right = (self.prediction == self.labels).double()
        confidence = self.confidence.double()
        bins = (confidence * CALIBRATION_BINS).ceil().long().clamp(1, CALIBRATION_BINS) - 1
        gaps = torch.zeros(CALIBRATION_BINS, dtype=torch.float64)
        gaps.index_add_(0, bins, right - confidence)
        return float(gaps.abs().sum() / len(right))

    def group_accuracy(self, group_of_class: Tensor) -> float:
        """Fraction of images predicted to be in the right group; `group_of_class` is (classes,)."""
        same = group_of_class[self.prediction] == group_of_class[self.labels]
        return float(same.double().mean())


@torch.no_grad()
def evaluate(
    network: nn.Module,
    split: Split,
    normalization: Normalization,
    precision: str,
    before_batch: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Run `network` in evaluation mode on the images of `split`, on their device.

    `before_batch` may raise an exception to stop it.
    """
    was_training = network.training
    network.eval()
    parts = []
    for start in range(0, len(split), BATCH):
        before_batch()
        part = slice(start, start + BATCH)
        with autocast(split.labels.device, precision):
            logits = network(normalization.apply(split.take(part)))
        parts.append(_per_image(logits.float(), split.labels[part]))
    network.train(was_training)
    columns = [torch.cat(column).cpu() for column in zip(*parts, strict=True)]
    return Evaluation(*columns)


def _per_image(logits: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
    loss = F.cross_entropy(logits, labels, reduction="none")
    confidence, prediction = logits.softmax(1).max(1)
    top5 = logits.topk(min(5, logits.shape[1])).indices
    return labels, loss, prediction, confidence, (top5 == labels[:, None]).any(1)
