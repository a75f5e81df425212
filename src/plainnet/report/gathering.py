"""Collects the contents of a report from a results folder, as plain values."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import checkpoint
from plainnet.data.splits import Splits
from plainnet.diagnosis import findings, read_case
from plainnet.errors import InputError
from plainnet.evaluation import DIGITS
from plainnet.export.js_program import as_table
from plainnet.foreign.opening import read_json
from plainnet.foreign.showing import shown
from plainnet.layers import Layer
from plainnet.metrics import wilson_interval
from plainnet.model import Model
from plainnet.model_file import load_model
from plainnet.runs.results import DONE
from plainnet.sources import load_described
from plainnet.sources.pen import likeness

_MOST_MISTAKES, _MOST_CLASSES = 48, 30
_MODEL = "model_final.safetensors"


def gathered(
    folder: Path, *, model: bool = True, own_layers: tuple[type[Layer], ...] = (), data: Splits | None = None
) -> dict[str, Any]:
    """Return the contents of a report on the finished run in a folder, with its network if it reads handwriting.

    `data` are the data of the run, if already loaded.

    Raises: `InputError` if the folder holds no finished run.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give the folder of a finished training")
    if checkpoint.present(folder):
        raise InputError(
            f"the training in {folder} is not finished; resume it with plainnet train --resume {folder}, or see what "
            f"went wrong with plainnet diagnose {folder}"
        )
    if not (folder / DONE).exists():
        raise InputError(f"{folder} holds no results: {DONE} is missing; give the folder of a finished training")
    case = read_case(folder, own_layers=own_layers)
    if data is not None:
        vars(case)["data"] = data  # so that they are not read again
    metrics = read_json(folder / DONE, "record")
    history = read_json(folder / "training_history.json", "record")
    loaded = load_model(folder / _MODEL, layers=own_layers)
    matrix = metrics.get("confusion_matrix")
    return {
        "name": folder.absolute().name,
        "title": metrics["settings"]["title"],
        "metrics": {key: metrics[key] for key in metrics if key not in _LEFT_OUT},
        "settings": metrics["settings"],
        "summary": loaded.network.summary(),
        "history": history,
        "classes": list(loaded.class_names),
        "confusion": matrix if matrix and len(matrix) <= _MOST_CLASSES else None,
        "by_class": [] if matrix is None else by_class(matrix, loaded.class_names),
        "mistakes": mistakes(loaded, metrics, data),
        "findings": [finding.to_table() for finding in findings(case)],
        "stress": _stress(folder),
        "provenance": _provenance(folder, metrics),
    } | (_network(loaded) if model else {"no_model": "It was left out, as requested"})


_LEFT_OUT = {"confusion_matrix", "mistakes", "settings", "data", "versions", "methods"}


def by_class(matrix: list[list[int]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the share of each class that is classified right, with its Wilson interval."""
    found = []
    for k, (name, row) in enumerate(zip(names, matrix, strict=True)):
        if (total := sum(row)) > 0:
            low, high = wilson_interval(row[k], total)
            found.append({"name": name, "share": row[k] / total, "low": low, "high": high, "count": total})
    return found


def mistakes(model: Model, metrics: dict[str, Any], data: Splits | None = None) -> dict[str, Any]:
    """Return the misclassified test images, beginning with those that the model was surest of."""
    rows = metrics.get("mistakes")
    if rows is None or model.kind != "classes":
        return {"images": [], "why": "the model does not predict classes"}
    try:
        test = (data or load_described(metrics["settings"].get("data"))).test
    except InputError as error:
        return {"images": [], "why": f"the data cannot be read any more: {shown(error, 200)}"}
    inputs = test.inputs
    rows = [row for row in rows if row < len(inputs)][:2000]
    if inputs.ndim not in (3, 4) or inputs.dtype != np.uint8:
        return {"images": [], "why": "the examples are not images"}
    if not rows:
        return {"images": [], "why": "there are none"}
    shares = model.shares(inputs[rows], model.test_shifts)
    labels = np.asarray(test.targets)[rows]
    wrong = shares.argmax(axis=1) != labels
    order = [k for k in np.argsort(-shares.max(axis=1), kind="stable") if wrong[k]][:_MOST_MISTAKES]
    return {
        "size": list(inputs.shape[1:]),
        "images": [
            {
                "row": rows[k],
                "label": model.class_names[labels[k]],
                "answer": model.class_names[int(shares[k].argmax())],
                "share": round(float(shares[k].max()), 4),
                "pixels": base64.b64encode(inputs[rows[k]].tobytes()).decode(),
            }
            for k in order
        ],
    }


def _network(model: Model) -> dict[str, Any]:
    """Return the network for JavaScript, and the network that judges whether a drawing is a digit; or why not."""
    if not model.reads_a_pen or not model.class_names:
        return {"no_model": "Its inputs are not drawings of digits"}
    try:
        table = as_table(model)
    except InputError as error:
        return {"no_model": shown(error, 300)}
    judge = as_table(likeness.judge()) if model.class_names == DIGITS else None
    return {"model": table, "judge": judge}


def _stress(folder: Path) -> dict[str, Any] | None:
    """Return the results of `plainnet stress --json FOLDER/stress.json`, if there are any."""
    path = folder / "stress.json"
    table = read_json(path, "record") if path.exists() else None
    return table if isinstance(table, dict) and "corruptions" in table else None


def _provenance(folder: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return where the figures come from: versions, seed, threads, checksums, uses of the test set."""
    import zlib

    versions = metrics.get("versions", {})
    weights = (folder / _MODEL).read_bytes()
    return {
        "recipe": metrics["recipe"],
        "seed": metrics["seed"],
        **{name: value for name, value in versions.items() if isinstance(value, str)},
        "threads": metrics.get("threads"),
        "training data, CRC-32": metrics.get("data", {}).get("crc32"),
        "model file, CRC-32": zlib.crc32(weights),
        "test set opened": f"once for this run, {metrics['test_set_opened']}",
    }
