"""Random numbers: one independent stream per purpose, so that drawing more for one purpose never changes another.

"augment" serves everything that changes what a network sees from batch to batch: augmentation, dropout and noise.
"""

from __future__ import annotations

import numpy as np

from plainnet.errors import InputError

PURPOSES = ("initialize", "shuffle", "check", "augment")


def generator_for(rng: int | np.random.Generator, purpose: str) -> np.random.Generator:
    """Return the generator that serves one purpose.

    A seed always gives the same stream for the same purpose, and unrelated streams for different
    purposes. A `Generator` spawns a child, so that two calls with it give two different streams.

    Raises: `InputError` for a negative seed, `ValueError` for a purpose that is not in `PURPOSES`.
    Source: NumPy, "Parallel random number generation" (`SeedSequence` with several entropy words).
    """
    index = PURPOSES.index(purpose)
    if isinstance(rng, np.random.Generator):
        return rng.spawn(1)[0]
    if not isinstance(rng, int | np.integer) or rng < 0:
        raise InputError(f"the seed must be a whole number of at least 0, or a Generator, received {rng!r}")
    return np.random.default_rng([int(rng), index])
