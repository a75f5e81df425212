"""Possible inputs of an object, from the arrays that it holds: examples in rows or columns, one example, images, indices."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from plainnet.checks.code.roles import D, N
from plainnet.checks.code.values import Path, numbers_in


def indices_for(made: Any) -> list[np.ndarray]:
    """Return integer inputs that may index rows of the first matrix of an object: one sequence, or several."""
    matrices = [value for _, value in numbers_in({"self": made}, scalars=False) if value.ndim == 2]
    rows = np.random.default_rng(5).integers(0, len(matrices[0]), (N, 3)) if matrices else np.zeros((0, 0), int)
    return [rows[:, 0], rows] if matrices else []


def shapes_for(made: Any) -> list[tuple[int, ...]]:
    """Return possible input shapes, from the arrays of an object: examples in rows or columns, one example, images."""
    found = sorted(numbers_in({"self": made}, scalars=False), key=lambda pair: not _is_in_the_first_layer(pair[0]))
    arrays = [value for _, value in found]
    image = next((array for array in arrays if array.ndim == 4), None)
    if declared := _declared(made):
        return [declared, (3, *declared), (1, *declared)]
    if image is not None:
        a, b, c, d = image.shape
        if image.size == max(image.shape):  # one number per channel
            return [(3, image.size, 4, 6), (3, 4, 6, image.size)]
        return [
            (3, b, c + 3, d + 4),
            (3, c + 3, d + 4, c),
            (3, a, c + 3, d + 4),
            (2, 8, 9, b),
            (1, b, c + 3, d + 4),
            (b, c + 3, d + 4),
            (c + 3, d + 4, a),
            (c + 3, d + 4, b),
            (b + 3, c + 4, d),
        ]
    shaped = (
        [v for v in vars(made).values() if isinstance(v, tuple) and len(v) == 3 and all(isinstance(n, int) for n in v)]
        if hasattr(made, "__dict__")
        else []
    )
    if shaped:
        return [(3, *shaped[0]), shaped[0], (1, *shaped[0])]
    matrix = next((a for a in arrays if a.ndim == 2 and 1 not in a.shape), None)
    alike = arrays and all(max(a.shape, default=1) == a.size == arrays[0].size for a in arrays)
    if matrix is None and not alike:
        matrix = next((a for a in arrays if a.ndim == 2), None)
    if matrix is not None:
        r, c = matrix.shape
        one = [(c, 1), (r, 1), (1, r), (1, c), (1, 1, r), (c,), (r,)]
        return list(dict.fromkeys([(N, r), (N, c), (c, N), (r, N), *one, (3, 4, r), (3, 4, c)]))
    vector = next((a for a in arrays if a.ndim in (1, 2)), None)
    if vector is not None:
        r = vector.size  # one number per unit, as in (1, r) of batch normalization
        return [(N, r), (r, N), (r,), (r, 1), (N, max(r - 1, 1)), (3, r, 5, 6), (3, 5, 6, r)]
    return [(N, D), (3, 2, 6, 5), (3, 2, 6, 4), (D, 1), (D,), (3, 6, 5, 2), (3, 6, 4, 2), (3, 4, 6)]


def _declared(made: Any) -> tuple[int, ...] | None:
    """Return the shape of an image that an object with kernels declares as its input; None if it does not."""
    held = getattr(made, "__dict__", {})
    shape = next((v for name, v in held.items() if re.fullmatch(r"_?in(put)?_?shape", name.lower())), None)
    whole = isinstance(shape, tuple) and len(shape) == 3 and all(type(n) is int for n in shape)
    return shape if whole else None


def _is_in_the_first_layer(path: Path) -> bool:
    """Return whether an array belongs to the first object in a list of layers; a network may name its last one as well."""
    return any(kind == "item" and key == 0 and len(path) > i + 1 for i, (kind, key) in enumerate(path))
