"""The requests that the page can make, one function each. The page never sends the path of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.evaluation import DIGITS
from plainnet.lab import formulas
from plainnet.lab.errors_of import SORTED_BY
from plainnet.lab.state import Lab
from plainnet.lab.stories import STORIES, Start
from plainnet.lab.unit_step import step_of_unit
from plainnet.lab.watching import layer_paths, text_of
from plainnet.recipes import available, read
from plainnet.sources.answers import answer
from plainnet.sources.pen.strokes import PAPER, prepared

_MOST_POINTS, _MOST_PEN, _MOST_SAMPLES = 4000, 600, 40
_TOLD_BY = 20_000  # training images that the stories need


# Reading


def _about(lab: Lab, given: Any) -> dict[str, Any]:
    """Return what the page needs at the start."""
    digits, (opened, opened_name) = lab.data.validation, lab.opened
    found = [np.flatnonzero(np.asarray(digits.labels) == k)[:1] for k in range(len(digits.class_names))]
    rows = np.concatenate(found)[:_MOST_SAMPLES]
    recipes = {}
    for name in available():
        if name != "table":  # it takes rows of numbers, not images
            recipe = read(name)
            layers = [dict(layer) for layer in recipe.to_table()["layers"]]
            recipes[name] = {"title": recipe.title, "layers": layers}
    return {
        "given": lab.given is not None, "opened": None if opened is None else opened_name,
        "accuracy": None if opened is None else opened.about.get("metrics", {}).get("test_accuracy"),
        "classes": list(digits.class_names), "recipes": recipes,
        "images": len(lab.data.train), "stories": _stories(lab),
        "samples": [
            {"label": digits.class_names[int(digits.labels[row])], "pixels": text_of(digits.inputs[row])}
            for row in rows
        ],
        "orders": list(SORTED_BY),
    }  # fmt: skip


def _stories(lab: Lab) -> dict[str, Any]:
    """Return the stories; none if the data are not digits, or are too few for the stories."""
    if tuple(lab.data.train.class_names) != DIGITS or len(lab.data.train) < _TOLD_BY:
        return {}
    return {
        key: {"title": story.title, "tells": story.tells, "address": story.address, "trains": bool(story.starts)}
        for key, story in STORIES.items()
    }


def _mistakes(lab: Lab, given: dict[str, str]) -> Any:
    by, other = given.get("by", SORTED_BY[0]), given.get("other")
    if by not in SORTED_BY:
        raise InputError(f"mistakes can be sorted by {', '.join(SORTED_BY)}, received {by!r:.40}")
    if by == "disagreement" and other is None:
        other = next(iter(lab.others()), None)
        if other is None:
            raise InputError("there is no second network to compare with; start the lab with --beside MODEL")
    label, taken_for = (int(given["label"]), int(given["answer"])) if "label" in given else (None, None)
    (found, second), (part, _) = lab.mistakes(other), lab.unseen(other)
    trains = lab.given is None and lab.engine.trials
    steps = lab.engine.trials[0].training.steps if trains else None
    told = {"steps": steps, "part": part, "others": list(lab.others()), "views": (2 * lab.model().test_shifts + 1) ** 2}
    told |= found.matrix() | found.images(by, label, taken_for, second)
    return told if second is None else told | {"other": other, "other_right": second.matrix()["right"]}


def _formula(lab: Lab, given: dict[str, str]) -> dict[str, Any]:
    return formulas.told(given["of"])


# Changes and computations


def _draw(lab: Lab, given: dict[str, Any]) -> dict[str, Any]:
    """Return the network's answer to strokes or to an image (28, 28), which may be moved by some pixels."""
    model, quick, (right, down) = lab.model(), bool(given.get("quick")), _moved(given)
    told: dict[str, Any] = {"answer": None, "reason": "nothing drawn", "probabilities": None}
    as_it_is = "image" in given or bool(right or down)
    if "image" in given:
        image = _image(given["image"])
    else:
        strokes, pen = _strokes(given)
        drawing = prepared(strokes, pen)
        if drawing is None:
            lab.engine.drawing = None
            return told | {"classes": list(model.class_names)}
        image = drawing.image
        told |= {"pen": drawing.pen}
        if not as_it_is:
            said = lab.looking.answer(model, drawing, quick=quick)
            shares = None if said.shares is None else said.shares.tolist()
            told |= {"answer": said.answer, "reason": said.reason, "probabilities": shares}
            told |= {"confidence": said.digits[0]["confidence"] if said.digits else None, "least": model.thresholds}
    if as_it_is:
        image = np.roll(image, (down, right), (0, 1))
        shares = lab.looking.shares(model, image)
        told |= {"answer": model.class_names[int(np.argmax(shares))], "reason": None, "probabilities": shares}
    return told | _looked_at(lab, image, quick=quick)


def _looked_at(lab: Lab, image: np.ndarray, *, quick: bool = False) -> dict[str, Any]:
    """Return the outputs of every layer for an image; if not `quick`, also the evidence for the answer, and more."""
    model, looking = lab.model(), lab.looking
    lab.engine.drawing = image
    told = {"classes": list(model.class_names), "seen": text_of(image), "layers": looking.layers(model, image)}
    if quick:
        return told
    beside = [*lab.beside, *(trial.start.name for trial in lab.engine.trials[1:] if lab.given is None)]
    return told | {
        "speaks": looking.speaks(model, image), "nearest": looking.nearest(image), "temperature": model.temperature,
        "logits": model.network.logits(image[None])[0].tolist(),
        "uncalibrated": looking.shares(replace(model, temperature=1.0, test_shifts=0), image),
        "others": {name: looking.shares(lab.other(name), image) for name in dict.fromkeys(beside)},
    }  # fmt: skip


def _moved(given: dict[str, Any]) -> tuple[int, int]:
    by = given.get("moved", [0, 0])
    if not isinstance(by, list) or len(by) != 2 or not all(type(v) is int and -27 <= v <= 27 for v in by):
        raise InputError("moved must be [x, y], the pixels to the right and down, whole numbers from -27 to 27")
    return by[0], by[1]


def _strokes(given: dict[str, Any]) -> tuple[list[list[tuple[int, int]]], int]:
    """Return the strokes and the pen width of a request.

    Raises: `InputError` if they are invalid.
    """
    strokes, pen = given.get("strokes"), given.get("pen")
    points = [point for stroke in strokes for point in stroke] if isinstance(strokes, list) else None
    whole = points is not None and all(
        isinstance(point, list) and len(point) == 2 and all(type(v) is int and 0 <= v < PAPER for v in point)
        for point in points
    )
    if not whole or type(pen) is not int or not 1 <= pen <= _MOST_PEN:
        raise InputError(
            "strokes must be lists of points [x, y] and pen a width, all whole numbers: "
            f"points from 0 to {PAPER - 1}, the width from 1 to {_MOST_PEN}"
        )
    assert points is not None
    if len(points) > _MOST_POINTS:
        raise InputError(f"a drawing has at most {_MOST_POINTS:,} points, received {len(points):,}; clear the paper")
    return [[(x, y) for x, y in stroke] for stroke in strokes], pen  # type: ignore[union-attr]


def _image(values: Any) -> np.ndarray:
    if not isinstance(values, list) or len(values) != 784 or not all(type(v) is int and 0 <= v <= 255 for v in values):
        raise InputError("an image must be a list of 784 whole numbers from 0 to 255")
    return np.array(values, np.uint8).reshape(28, 28)


def _picture(lab: Lab, content: bytes) -> dict[str, Any]:
    """Return the network's answer to a picture file, and the image (28, 28) that it saw."""
    if not content:
        raise InputError("the picture file is empty; choose another one")
    said = answer(lab.model(), content)
    told = {"answer": said.answer, "reason": said.reason, "classes": list(said.names),
            "probabilities": None if said.shares is None else said.shares.tolist()}  # fmt: skip
    one = said.pixels is not None and said.pixels.size == 784
    return told | _looked_at(lab, said.pixels.reshape(28, 28)) if one else told  # type: ignore[union-attr]


def _unit(lab: Lab, given: dict[str, Any]) -> dict[str, Any]:
    return lab.looking.unit(lab.model(), str(given["layer"]), int(given["unit"]))


def _step(lab: Lab, given: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of a unit for an image; `label` is the class to train toward, by default the answer."""
    model, image = lab.model(), _image(given["image"])
    label = given.get("label")
    k = int(np.argmax(lab.looking.shares(model, image))) if label is None else int(label)
    rate = float(given.get("rate", 0.01))
    if not 0 <= rate <= 1:
        raise InputError(f"the learning rate must be from 0 to 1, received {rate:g}")
    paths = layer_paths(model.network)
    weighed = next((p for p, one in zip(paths, model.network.layers, strict=True) if hasattr(one, "W")), paths[0])
    return step_of_unit(model, image, str(given.get("layer", weighed)), int(given.get("unit", 0)), k, rate)


def _train(lab: Lab, given: dict[str, Any]) -> dict[str, Any]:
    """Start, change or stop a training run, as the page asks."""
    engine, what = lab.engine, given.get("do")
    if what == "story":
        story = STORIES.get(str(given.get("story"))) if given.get("story") in _stories(lab) else None
        if story is None:
            raise InputError(
                f"there is no such story; the stories are {', '.join(_stories(lab)) or 'none, with these data'}"
            )
        if story.starts:
            lab.train(lambda: engine.begin(story.starts, given["story"]), story.title)
    elif what == "begin":
        start = _start(lab, given)
        lab.train(lambda: engine.begin((start,)), start.recipe)
    elif what == "leave":
        lab.leave()
    elif what in ("go", "pause"):
        batches = int(given.get("batches", 0))
        if not 0 <= batches <= 10_000:
            raise InputError("batches must be from 0 to 10,000")
        engine.ask(lambda: engine.go(what == "go", batches))
    elif what in ("move", "back", "examine", "follow"):
        number = int(given.get("trial", 0))
        if not 0 <= number < len(engine.trials):
            raise InputError("there is no such training; reload the page")
        trial = engine.trials[number]
        if what == "move":
            engine.ask(lambda: trial.move(str(given["what"]), float(given["value"])))
        elif what == "back":
            engine.ask(lambda: trial.back(int(given["steps"])))
        elif what == "examine":
            engine.ask(trial.examine)
        else:
            start = trial.follow(int(given["finding"]))
            lab.train(lambda: engine.begin((start,)), start.name)
    else:
        raise InputError("'do' must be begin, go, pause, move, back, examine, follow, leave or story")
    return {"done": what}


_CAN_BE_SET = ("layers", "epochs", "batch_size", "optimizer", "schedule", "loss", "augmentation")


def _start(lab: Lab, given: dict[str, Any]) -> Start:
    recipe, limit = str(given.get("recipe")), given.get("limit")
    if recipe not in available():
        raise InputError(f"there is no recipe {recipe!r:.40}; the recipes are {', '.join(available())}")
    overrides = given.get("set", {})
    if not isinstance(overrides, dict) or not all(str(key).partition(".")[0] in _CAN_BE_SET for key in overrides):
        raise InputError(f"only these can be set here: {', '.join(_CAN_BE_SET)}")
    most = len(lab.data.train)
    if limit is not None and not (type(limit) is int and 1 <= limit <= most):
        raise InputError(f"the number of training images must be from 1 to {most:,}, received {limit!r:.40}")
    if overrides.get("layers") == []:
        raise InputError("there are no layers; write one per line, such as Dense units=10")
    return Start(recipe, recipe, dict(overrides), limit)


READS: dict[str, Callable[[Lab, Any], Any]] = {
    "/api/about": _about,
    "/api/mistakes": _mistakes,
    "/api/formula": _formula,
}
CHANGES: dict[str, Callable[[Lab, Any], Any]] = {
    "/api/draw": _draw,
    "/api/picture": _picture,
    "/api/unit": _unit,
    "/api/step": _step,
    "/api/train": _train,
}
