"""Judges whether a drawing is a digit at all, with a second, small network.

A network that was trained only on digits classifies a letter as a digit, too, and is often sure of it. So a second
network, trained to tell digits from letters, signs and scribbles (`benchmarks/digit_or_not.py`), judges the drawing as
well. The confidence of an answer combines both: their odds are multiplied.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from plainnet.evaluation import DIGITS
from plainnet.model import Model
from plainnet.model_file import load_model

_LARGEST = 1 - 1e-6  # probability: anything above counts as certain


@cache
def judge() -> Model:
    """Return the model that tells digits (its second class) from other drawings."""
    return load_model(Path(__file__).parent / "digit_or_not.safetensors")


def applies_to(model: Model) -> bool:
    """Return whether a model reads handwritten digits and nothing else."""
    return model.reads_a_pen and model.class_names == DIGITS


def confidence(shares: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Return the confidence (N,) that images (N, 28, 28) show the digits with the largest of their shares (N, 10).

    With p the largest share and d the probability of being a digit at all, the odds are p / (1 - p) times d / (1 - d).
    """
    d = judge().network.probabilities(images)[:, 1].astype(float)
    p = shares.max(axis=1).astype(float)
    p, d = np.clip(p, 1 - _LARGEST, _LARGEST), np.clip(d, 1 - _LARGEST, _LARGEST)
    odds = p / (1 - p) * d / (1 - d)
    return odds / (1 + odds)
