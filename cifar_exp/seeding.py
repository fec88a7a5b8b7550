"""Independent streams of random numbers from one seed."""

import hashlib


def derive_seed(seed: int, purpose: str, epoch: int = 0) -> int:
    """The seed of a random generator for one purpose in one epoch, below 2**63.

    It is a hash: generators with the same seed draw the same numbers, and with one seed for all, an
    image's crop would follow from its place in the order.
    """
    digest = hashlib.sha256(f"{seed} {purpose} {epoch}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1  # torch accepts 63 bits on all devices
