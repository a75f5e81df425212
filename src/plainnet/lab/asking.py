"""Asking: what a page may read and wish for, a function each. No path of a file ever comes from the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.lab.engine import Engine
from plainnet.lab.errors_of import SORTED_BY, Mistakes
from plainnet.lab.looking import Looking
from plainnet.lab.stories import STORIES, Start
from plainnet.lab.watching import text_of
from plainnet.model import Model
from plainnet.recipes import available, read
from plainnet.sources.answers import answer
from plainnet.sources.pen.strokes import PAPER, prepared

_MOST_POINTS, _MOST_PEN = 4000, 600


class Lab:
    """What the pages share: the data, a model to answer with, the engine."""

    def __init__(self, data: Splits, model: Model | None, name: str, folder: Path | None) -> None:
        self.data, self.given, self.name = data, model, name
        self.engine, self.looking = Engine(data, folder), Looking(data.train)
        self._mistakes: tuple[Any, Mistakes] | None = None

    def model(self) -> Model:
        """Return the model that answers: the one that was given, else the first that is being trained."""
        if self.given is not None:
            return self.given
        if not self.engine.trials:
            raise InputError("there is no network yet; choose one under Train")
        return self.engine.trials[0].model()

    def mistakes(self) -> Mistakes:
        """Return the mistakes on the validation images, made anew when the network has learned."""
        steps = self.engine.trials[0].training.steps if self.engine.trials else 0
        key = (
            ("given",) if self.given is not None else (id(self.engine.trials[0]), steps) if self.engine.trials else None
        )
        if self._mistakes is None or self._mistakes[0] != key:
            self._mistakes = key, Mistakes(self.model(), self.data.validation)
        return self._mistakes[1]


# What is read


def _about(lab: Lab, given: Any) -> dict[str, Any]:
    """Return what the page needs to begin."""
    digits = lab.data.validation
    rows = [int(np.flatnonzero(np.asarray(digits.labels) == k)[0]) for k in range(len(digits.class_names))][:10]
    recipes = {}
    for name in available():
        recipe = read(name)
        if recipe.input_shape is None or int(np.prod(recipe.input_shape)) == 784:
            recipes[name] = {
                "title": recipe.title,
                "epochs": recipe.epochs,
                "layers": [dict(layer) for layer in recipe.to_table()["layers"]],
            }
    return {
        "model": lab.name, "given": lab.given is not None, "classes": list(digits.class_names), "recipes": recipes,
        "stories": {key: {"title": story.title, "tells": story.tells} for key, story in STORIES.items()},
        "samples": [
            {"label": digits.class_names[int(digits.labels[row])], "pixels": text_of(digits.inputs[row])}
            for row in rows
        ],
        "orders": list(SORTED_BY),
    }  # fmt: skip


def _mistakes(lab: Lab, given: dict[str, str]) -> Any:
    by = given.get("by", SORTED_BY[0])
    if by not in SORTED_BY:
        raise InputError(f"mistakes are sorted by {', '.join(SORTED_BY)}, received {by!r:.40}")
    cell = (int(given["label"]), int(given["answer"])) if "label" in given else (None, None)
    found = lab.mistakes()
    return found.matrix() | {"images": found.images(by, *cell)}


# What is asked of it


def _draw(lab: Lab, given: dict[str, Any]) -> dict[str, Any]:
    """Return what the network makes of strokes, or of an image (28, 28) as it is."""
    model = lab.model()
    if "image" in given:
        image = _image(given["image"])
        shares = model.shares(image.reshape(1, *model.network.in_shape), model.test_shifts)
        k = int(shares[0].argmax())
        told: dict[str, Any] = {"answer": model.class_names[k], "reason": None, "probabilities": shares[0].tolist()}
    else:
        strokes, pen = _strokes(given)
        drawing = prepared(strokes, pen)
        said = lab.looking.answer(model, drawing, quick=bool(given.get("quick")))
        shares_of = None if said.shares is None else said.shares.tolist()
        told = {"answer": said.answer, "reason": said.reason, "probabilities": shares_of}
        if drawing is None:
            lab.engine.drawing = None
            return told | {"classes": list(model.class_names)}
        image = drawing.image
        told |= {"seen": text_of(image), "pen": drawing.pen}
    lab.engine.drawing = image
    told |= {"classes": list(model.class_names), "layers": lab.looking.layers(model, image)}
    if not given.get("quick"):
        told |= {"speaks": lab.looking.speaks(model, image), "nearest": lab.looking.nearest(image)}
    return told


def _strokes(given: dict[str, Any]) -> tuple[list[list[tuple[int, int]]], int]:
    """Return strokes and pen of a request.

    Raises: `InputError` if they are not such.
    """
    strokes, pen = given.get("strokes"), given.get("pen")
    points = [point for stroke in strokes for point in stroke] if isinstance(strokes, list) else None
    whole = points is not None and all(
        isinstance(point, list) and len(point) == 2 and all(type(v) is int and 0 <= v < PAPER for v in point)
        for point in points
    )
    if not whole or type(pen) is not int or not 1 <= pen <= _MOST_PEN:
        raise InputError(
            f"strokes are lists of points [x, y], whole numbers from 0 to {PAPER - 1}, and pen is one to {_MOST_PEN}"
        )
    assert points is not None
    if len(points) > _MOST_POINTS:
        raise InputError(f"at most {_MOST_POINTS:,} points, received {len(points):,}; clear the paper and draw again")
    return [[(x, y) for x, y in stroke] for stroke in strokes], pen  # type: ignore[union-attr]


def _image(values: Any) -> np.ndarray:
    if not isinstance(values, list) or len(values) != 784 or not all(type(v) is int and 0 <= v <= 255 for v in values):
        raise InputError("an image is a list of 784 whole numbers from 0 to 255")
    return np.array(values, np.uint8).reshape(28, 28)


def _picture(lab: Lab, content: bytes) -> dict[str, Any]:
    """Return what the network makes of a picture file, and the image (28, 28) that it saw."""
    if not content:
        raise InputError("the picture is empty; drop another one")
    said = answer(lab.model(), content)
    told = {"answer": said.answer, "reason": said.reason, "classes": list(said.names),
            "probabilities": None if said.shares is None else said.shares.tolist()}  # fmt: skip
    if said.pixels is not None and said.pixels.size == 784:
        image = said.pixels.reshape(28, 28)
        lab.engine.drawing = image
        told |= {"seen": text_of(image), "layers": lab.looking.layers(lab.model(), image),
                 "speaks": lab.looking.speaks(lab.model(), image), "nearest": lab.looking.nearest(image)}  # fmt: skip
    return told


def _unit(lab: Lab, given: dict[str, Any]) -> dict[str, Any]:
    return lab.looking.unit(lab.model(), str(given["layer"]), int(given["unit"]))


def _train(lab: Lab, given: dict[str, Any]) -> dict[str, Any]:
    """Do what a page wants of the training."""
    engine, what = lab.engine, given.get("do")
    if what == "story":
        story = STORIES.get(str(given.get("story")))
        if story is None:
            raise InputError(f"there is no such story; there are {', '.join(STORIES)}")
        engine.ask(lambda: engine.begin(story.starts))
        lab.given, lab.name = None, story.title
    elif what == "begin":
        start = _start(given)
        engine.ask(lambda: engine.begin((start,)))
        lab.given, lab.name = None, start.recipe
    elif what in ("go", "pause"):
        batches = int(given.get("batches", 0))
        if not 0 <= batches <= 10_000:
            raise InputError("at most 10,000 batches at a time")
        engine.ask(lambda: engine.go(what == "go", batches))
    elif what in ("move", "back", "examine"):
        number = int(given.get("trial", 0))
        if not 0 <= number < len(engine.trials):
            raise InputError("there is no such training")
        trial = engine.trials[number]
        if what == "move":
            engine.ask(lambda: trial.move(str(given["what"]), float(given["value"])))
        elif what == "back":
            engine.ask(lambda: trial.back(int(given["steps"])))
        else:
            engine.ask(trial.examine)
    else:
        raise InputError("a training can begin, go, pause, move, back, examine, or tell a story")
    return {"done": what}


_CAN_BE_SET = ("layers", "epochs", "batch_size", "optimizer", "schedule", "loss", "augmentation")


def _start(given: dict[str, Any]) -> Start:
    recipe, limit = str(given.get("recipe")), given.get("limit")
    if recipe not in available():
        raise InputError(f"there is no recipe {recipe!r:.40}; there are {', '.join(available())}")
    overrides = given.get("set", {})
    if not isinstance(overrides, dict) or not all(str(key).partition(".")[0] in _CAN_BE_SET for key in overrides):
        raise InputError(f"what can be set here is {', '.join(_CAN_BE_SET)}")
    if limit is not None and type(limit) is not int:
        raise InputError("limit is a whole number of images")
    return Start(recipe, recipe, dict(overrides), limit)


READS: dict[str, Callable[[Lab, Any], Any]] = {
    "/api/about": _about,
    "/api/mistakes": _mistakes,
}
CHANGES: dict[str, Callable[[Lab, Any], Any]] = {
    "/api/draw": _draw,
    "/api/picture": _picture,
    "/api/unit": _unit,
    "/api/train": _train,
}
