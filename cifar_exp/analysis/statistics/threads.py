"""How many threads linear algebra uses."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """One, for matrices of some hundred rows: on busy cores threads wait longer than they work."""
    from threadpoolctl import threadpool_limits  # rarely needed

    with threadpool_limits(1):
        yield
