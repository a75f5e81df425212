"""The number of threads that matrix products use while a command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from plainnet.application.environment import threads
from plainnet.errors import InputError


@contextmanager
def blas_threads(number: int | None, workers: int = 1) -> Iterator[None]:
    """Use this many threads for matrix products; None shares out those there are among the `workers` of a recipe.

    Raises: `InputError` for a number below 1.
    """
    if number is not None and number < 1:
        raise InputError(f"--threads must be at least 1, received {number}")
    with threadpool_limits(number or max(1, threads() // workers), user_api="blas"):
        yield
