"""The loss that training minimizes."""

import torch
from torch import Tensor
from torch.nn import functional as F

from cifar_exp.data.batches import Batch


def training_loss(logits: Tensor, batch: Batch, smoothing: float) -> Tensor:
    """Mean cross-entropy in nats of logits (B, classes); where labels are mixed, of both labels.

    Each image weighs its two labels as its pixels were mixed.
    """
    if batch.mix is None:
        return F.cross_entropy(logits, batch.labels, label_smoothing=smoothing)
    own, other = (
        F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
        for labels in (batch.labels, batch.mix.other)
    )
    return torch.lerp(other, own, batch.mix.weight.to(own)).mean()
