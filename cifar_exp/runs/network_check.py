"""Check that a network can learn from the images of a run, before anything is written."""

import copy
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from cifar_exp.errors import STOPS, UserError, describe

ONLY_FULL_SIZE = "trainer.resolution_scales=[] trainer.resolution_until=[]"


def check_network(network: nn.Module, sizes: Sequence[int], num_classes: int) -> None:
    """Try the network on blank images of each of `sizes`, of which the last is the full size.

    Raises UserError if it fails or does not return scores (N, num_classes).
    """
    if not hasattr(network, "training"):
        name = type(network).__name__
        raise UserError(f"model: {name}.__init__ does not call super().__init__()")
    *smaller, full = sizes
    was_training = network.training
    # the full size first: it fixes the shapes of lazy layers
    fault = _fault(network, full, num_classes)
    if fault is not None:
        raise UserError(f"model: {fault}")
    with _same_draws():
        for size in smaller:
            fault = _fault(network, size, num_classes)
            if fault is not None:
                raise UserError(
                    f"model: {fault}; {ONLY_FULL_SIZE} shows it only {full} x {full} images"
                )
    network.train(was_training)


def check_smallest_batch(
    network: nn.Module, sizes: Sequence[int], batch_size: int, images: int
) -> None:
    """Try the network in training mode on one image, if the run has a batch of one image.

    Raises UserError if that fails, as it does in batch normalization.
    """
    smallest = images // -(-images // batch_size)  # batches differ by one image at most
    if smallest > 1:
        return
    with _same_draws():
        for size in sizes:
            try:
                with torch.no_grad():
                    copy.deepcopy(network).train()(torch.zeros(1, 3, size, size))
            except STOPS:
                raise
            except BaseException as error:
                raise UserError(
                    f"trainer.batch_size={batch_size}: of {images} training images the smallest "
                    f"batch holds 1, from which the network cannot learn ({describe(error)}); "
                    "use 3 or more"
                ) from error


def _fault(network: nn.Module, size: int, num_classes: int) -> str | None:
    """What is wrong with the network's output for two images; None if nothing is."""
    try:
        with torch.no_grad():
            scores = network.eval()(torch.zeros(2, 3, size, size))
    except STOPS:
        raise
    except BaseException as error:  # a user's own network may raise anything
        return f"the network cannot take images of {size} x {size}: {describe(error)}"
    if not isinstance(scores, Tensor):
        name = type(scores).__name__
        article = "an" if name[0] in "aeiouAEIOU" else "a"
        return f"the network returns {article} {name}, not a tensor of scores (N, classes)"
    shape = tuple(scores.shape)
    if shape != (2, num_classes):
        return f"two images give {shape}, not (2, {num_classes}), one score for each class"
    return None


@contextmanager
def _same_draws() -> Iterator[None]:
    """Restore the global generators: a network may draw from any of them."""
    before = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
