"""Random numbers, one independent stream a purpose, so that drawing more for one never changes another."""

from __future__ import annotations

import numpy as np

PURPOSES = ("initialize", "shuffle", "check")


def stream(rng: int | np.random.Generator, purpose: str) -> np.random.Generator:
    """Return the generator that serves one purpose.

    A seed gives the same stream for the same purpose every time, and unrelated streams for different
    purposes; a `Generator` spawns a child, so that two calls with it give two different streams.

    Raises: `ValueError` for a purpose that is not in `PURPOSES`.
    Source: NumPy, "Parallel random number generation" (`SeedSequence` with several entropy words).
    """
    index = PURPOSES.index(purpose)
    if isinstance(rng, np.random.Generator):
        return rng.spawn(1)[0]
    return np.random.default_rng([rng, index])
