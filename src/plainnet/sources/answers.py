"""Answers: prepares pictures as in the training of a model, and returns its answer or the reason for giving none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from plainnet.errors import InputError
from plainnet.model import Model
from plainnet.sources.pen.likeness import applies_to, confidence
from plainnet.sources.pen.reading import (
    NO_DIGIT,
    NOT_SURE,
    NOTHING,
    SEVERAL,
    Digit,
    Reading,
    drawn_apart,
    oddity,
    read,
)
from plainnet.sources.pen.strokes import Drawing
from plainnet.sources.picture_files import as_stored, is_gray, layers, opened

UNLIKE = "unlike what it has learned"
_BACKGROUND = 40  # of 255: a picture in the model's own form has a background darker than this


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer of a model to one picture.

    `answer` is a class, a number read from several digits, or None; `reason` then says why. `shares` are the
    probabilities of the classes (for several digits, those of the least sure one); `digits` are the single digits with
    their boxes and confidences; `pixels` are the images that the network saw.
    """

    file: str
    answer: str | None
    reason: str | None
    names: tuple[str, ...]
    shares: np.ndarray | None = None
    digits: tuple[dict[str, Any], ...] = ()
    pixels: np.ndarray | None = None
    reading: Reading | None = field(default=None, repr=False)
    several: bool = False  # several labels per example, each with its own probability

    def to_table(self) -> dict[str, Any]:
        """Return the answer as plain values."""
        return {
            "file": self.file,
            "image": self.file,  # the name in the previous version
            "answer": self.answer,
            "prediction": self.answer
            if self.shares is None or len(self.digits) > 1 or self.several
            else self.names[self.shares.argmax()],
            "reason": self.reason,
            "probabilities": None if self.shares is None else dict(zip(self.names, self.shares.tolist(), strict=True)),
            "digits": list(self.digits),
            "pixels": None if self.pixels is None else self.pixels.tolist(),
        }


def answer(model: Model, path: str | Path | bytes, least: float = 0.0) -> Answer:
    """Return the answer of a model to a picture file or its content; with a probability below `least` it is not sure.

    A picture in the model's own form is used as it is, and answered whatever the confidence. For a model that does not
    read handwriting, the picture is resized. For one that does, the writing is found and made like the training images.

    Raises: `InputError` if it is not a picture, or if the model does not take pictures.
    """
    expect_pictures(model)
    name = "the picture" if isinstance(path, bytes) else str(path)
    with opened(path) as picture:
        own = in_own_form(model, picture)
        if own is not None:
            return _answered(replace(model, thresholds=()), name, own[None], Reading(), least)
        if not model.reads_a_pen:
            return _answered(model, name, _resized(model, picture)[None], Reading(), least)
        reading = read(picture)
    if not reading.digits:
        return Answer(name, None, reading.reason, model.class_names, reading=reading)
    return _answered(model, name, np.stack([digit.image for digit in reading.digits]), reading, least)


def answer_to_drawing(
    model: Model, drawing: Drawing | None, least: float = 0.0, *, shifts: int | None = None
) -> Answer:
    """Return the answer of a handwriting model to strokes; with a probability below `least` it is not sure.

    `shifts` replaces the model's own number of shifts, for an answer that is quicker and less accurate.
    """
    if drawing is None:
        return Answer("drawing", None, NOTHING, model.class_names)
    rows, columns = (np.flatnonzero(drawing.under.any(axis=axis)) for axis in (1, 0))
    tight = drawing.under[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shape = oddity(tight, drawing.image)
    reason = SEVERAL if drawn_apart(drawing.under) else NO_DIGIT if shape else None
    reading = Reading((Digit((0.0, 1.0, 0.0, 1.0), drawing.image, shape),), reason)
    return _answered(model, "drawing", drawing.image[None], reading, least, shifts)


def expect_pictures(model: Model) -> None:
    """Raise `InputError` unless the model takes pictures."""
    model.expect_known_preparation()
    if model.preparation.get("type") != "pixels" or len(model.network.in_shape) not in (1, 2, 3):
        raise InputError("the model takes the rows of a table, not pictures; give it a CSV file with the same columns")
    if _size(model) is None:
        raise InputError(
            f"the model takes rows of {model.network.in_shape[0]:,} numbers, not pictures; give it a CSV or NPZ file"
        )


def _size(model: Model) -> tuple[int, int, int] | None:
    """Return height, width and channels of the pictures that the model takes."""
    shape = model.network.in_shape
    if len(shape) == 1:
        side = round(shape[0] ** 0.5)
        return (side, side, 1) if side * side == shape[0] and side > 1 else None
    return shape[0], shape[1], shape[2] if len(shape) == 3 else 1


def in_own_form(model: Model, picture: Image.Image) -> np.ndarray | None:
    """Return a picture that already has the model's own form (size, colors and background), otherwise None."""
    size = _size(model)
    assert size is not None
    height, width, channels = size
    if (picture.height, picture.width) != (height, width):
        return None
    colors, alpha = layers(picture)
    if alpha is not None or (channels == 1 and not is_gray(colors)):
        return None
    stored = as_stored(picture, (height, width), channels)
    if model.reads_a_pen and not _as_mnist_shows_it(stored):
        return None
    return stored


def _as_mnist_shows_it(image: np.ndarray) -> bool:
    """Return whether an image shows a light shape on a dark background, of the size and position usual in MNIST."""
    drawn = image > 127
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    if not drawn.any() or np.median(border) > _BACKGROUND or (border > _BACKGROUND).mean() > 0.1:
        return False
    rows, columns = np.nonzero(image > _BACKGROUND)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    weights = image.astype(float)
    center = [float((places * weights).sum() / weights.sum()) for places in np.indices(image.shape)]
    return bool(17 <= longer <= 22 and all(abs(place - 13.5) < 1.6 for place in center))


def _resized(model: Model, picture: Image.Image) -> np.ndarray:
    size = _size(model)
    assert size is not None
    return as_stored(picture, size[:2], size[2])


def _answered(
    model: Model, file: str, images: np.ndarray, reading: Reading, surely: float, shifts: int | None = None
) -> Answer:
    if shifts is None:
        shifts = max(model.test_shifts, int(model.reads_a_pen and bool(reading.digits)))
    names = model.class_names
    if not names:
        numbers = model.network.logits(images)[0]
        return Answer(file, ", ".join(f"{n:.6g}" for n in numbers), None, (), pixels=images[0], reading=reading)
    shares = model.shares(images, shifts)
    if model.kind == "labels":
        given = ", ".join(name for name, share in zip(names, shares[0], strict=True) if share > 0.5)
        return Answer(file, given or "none", None, names, shares[0], pixels=images[0], reading=reading, several=True)
    chosen = shares.argmax(axis=1)
    drawn = bool(reading.digits) and applies_to(model)
    sureness = confidence(shares, images) if drawn else shares.max(axis=1)
    least = np.array(model.thresholds or [0.0] * len(names))[chosen]
    sure = ((sureness >= least) & (shares.max(axis=1) >= surely)).tolist()
    digits = tuple(
        {
            "box": [round(edge, 4) for edge in digit.box],
            "answer": names[k],
            "confidence": float(share),
            "sure": fine,
        }
        for digit, share, k, fine in zip(reading.digits, sureness, chosen, sure, strict=False)
    )
    told: dict[str, Any] = {"digits": digits, "reading": reading, "pixels": images[0] if len(images) == 1 else images}
    if len(images) > 1:
        fine = all(sure) and not any(digit.shape for digit in reading.digits)
        number = "".join(names[k] for k in chosen)
        least_sure = shares[sureness.argmin()]
        return Answer(file, number if fine else None, None if fine else SEVERAL, names, least_sure, **told)
    reason = reading.reason or (UNLIKE if _strange(model, images) else None if sure[0] else NOT_SURE)
    return Answer(file, None if reason else names[chosen[0]], reason, names, shares[0], **told)


def _strange(model: Model, images: np.ndarray) -> bool:
    """Return whether a picture is unfamiliar to a model that does not read handwriting."""
    if model.reads_a_pen or model.familiar is None:
        return False
    return bool(model.familiar.score(images)[0] < model.familiar.least)
