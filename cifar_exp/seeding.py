"""Independent streams of random numbers from one seed."""

import hashlib


def derive_seed(seed: int, purpose: str, epoch: int = 0) -> int:
    """A generator's seed for one purpose in one epoch.

    Hashed: generators seeded alike draw alike, and an image's crop would follow from its place.
    """
    digest = hashlib.sha256(f"{seed} {purpose} {epoch}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1  # torch takes 63 bits everywhere
