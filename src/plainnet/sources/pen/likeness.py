"""Likeness: whether what is drawn is a digit at all, judged by a small network of its own.

A network that has only ever seen digits takes a letter for one, and is often sure of it. So a second one, which has
learned to tell digits from letters, signs and scribbles (`benchmarks/digit_or_not.py`), is asked as well. The
confidence of an answer is then that of both together: their odds multiplied.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from plainnet.evaluation import DIGITS
from plainnet.model import Model
from plainnet.model_file import load_model

_LARGEST = 1 - 1e-6  # share: odds beyond are as good as certain


@cache
def judge() -> Model:
    """Return the model that tells digits (its second class) from other things."""
    return load_model(Path(__file__).parent / "digit_or_not.safetensors")


def applies_to(model: Model) -> bool:
    """Tell whether a model reads handwritten digits, and nothing else."""
    return model.reads_a_pen and model.class_names == DIGITS


def confidence(shares: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return how sure it is that images (N, 28, 28) show the digits that got the largest of the shares (N, 10), (N,).

    With p the largest share and d the probability that it is a digit at all, the odds are p / (1 - p) times d / (1 -
    d).
    """
    d = judge().network.probabilities(images)[:, 1].astype(float)
    p = shares.max(axis=1).astype(float)
    p, d = np.clip(p, 1 - _LARGEST, _LARGEST), np.clip(d, 1 - _LARGEST, _LARGEST)
    odds = p / (1 - p) * d / (1 - d)
    return odds / (1 + odds)
