"""Converts inputs to the form that networks take: pixels as bytes, channels last, the rest as floating point."""

from __future__ import annotations

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.showing import shown


def pixels_or_numbers(inputs: np.ndarray, where: str, notes: list[str]) -> np.ndarray:
    """Return inputs as networks take them: pixels as bytes, everything else as floating-point numbers."""
    if inputs.dtype.kind not in "biuf":
        raise InputError(
            f"the inputs{where} hold {shown(inputs.dtype, 40)}, not numbers; give numbers, or a table as CSV"
        )
    if inputs.ndim >= 2 and 0 in inputs.shape[1:]:
        raise InputError(f"the inputs{where} are empty: their shape is {inputs.shape}; save them again")
    if inputs.ndim < 2:
        raise InputError(f"the inputs{where} have shape {inputs.shape}; give one example per row")
    if inputs.ndim == 4 and inputs.shape[-1] == 1:
        inputs = inputs[..., 0]
    if inputs.ndim == 4 and inputs.shape[1] in (1, 3) and inputs.shape[3] not in (1, 3):
        inputs = np.ascontiguousarray(np.moveaxis(inputs, 1, -1))
        inputs = inputs[..., 0] if inputs.shape[-1] == 1 else inputs
        _note_once(
            notes, "the images are stored with channels first, as in PyTorch; the channels were moved to the end"
        )
    if inputs.dtype == np.uint8 or inputs.dtype == bool:
        return inputs if inputs.dtype == np.uint8 else inputs.astype(np.float32)
    least, largest = float(inputs.min()), float(inputs.max())
    if inputs.ndim > 2 and least >= 0 and 1 < largest <= 255 and largest >= 128 and _all_whole(inputs):
        _note_once(notes, "the pixels are whole numbers from 0 to 255; they are treated as bytes, and divided by 255")
        return inputs.astype(np.uint8)
    if inputs.dtype.kind in "iu" or inputs.dtype.itemsize > 4:
        return inputs.astype(np.float32) if np.isfinite((least, largest)).all() else inputs
    return inputs


def _all_whole(inputs: np.ndarray) -> bool:
    if inputs.dtype.kind in "iu":
        return True
    return all(bool((b == np.floor(b)).all()) for b in (inputs[s : s + 1000] for s in range(0, len(inputs), 1000)))


def _note_once(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)
