"""The results folder: the model, the history, the figures and the pictures of a finished run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from plainnet import checkpoint
from plainnet.errors import InputError
from plainnet.model_file import save_model
from plainnet.runs.run import Run
from plainnet.writing import to_json, write_atomically

DONE = "metrics.json"  # written last: if it exists, the results are complete
_PICTURES = (
    "training_curves.png", "confusion_matrix.png", "per_digit_accuracy.png", "sample_predictions.png",
    "confusing_pairs.png", "first_layer_weights.png", "per_class_accuracy.png", "per_label_figures.png",
    "errors.png", "reliability.png",
)  # fmt: skip
REPORT = "report.html"
_NAMES = ("model_final.safetensors", "model_final.pkl", "training_history.json", *_PICTURES, REPORT)


def check_writable(folder: Path) -> None:
    """Create the folder, and check that it can be written to, before any time is spent.

    Raises: `InputError` if it cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create the folder {folder}: {error.strerror}; choose another with --out") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"cannot write to the folder {folder}: permission denied; choose another with --out")


def check_free(folder: Path) -> None:
    """Make sure that a new training run in the folder would overwrite nothing.

    Raises: `InputError` if it holds the results of a training run, or an unfinished training run.
    """
    if checkpoint.present(folder):
        raise InputError(
            f"{folder} holds an unfinished training run; resume it with: plainnet train --resume {folder}, "
            "or start over with --force"
        )
    present = [name for name in (DONE, *_NAMES) if (folder / name).exists()]
    if DONE in present:
        raise InputError(
            f"{folder} holds the results of a training run; choose another --out, or replace them with --force"
        )
    if present:
        raise InputError(
            f"{folder} holds {', '.join(present)}, which would be overwritten; choose another --out, or use --force"
        )


def write_results(run: Run, folder: Path, *, pictures: bool = True) -> list[str]:
    """Write all result files of a finished run, remove its checkpoints, and return the names of the files.

    Without `pictures`, none are drawn, and those of an earlier run are removed.
    """
    metrics = run.metrics()
    test = run.test
    assert test is not None
    drawn: dict[str, bytes | None] = dict.fromkeys(_PICTURES)
    if pictures:
        from plainnet.runs.drawing import pngs  # slow to import

        drawn |= {f"{name}.png": content for name, content in pngs(run, test).items()}
    model, pickled = run.model(), _pickled(run)
    pictures_and_figures = {
        "model_final.pkl": pickled,
        "training_history.json": to_json(run.history_table()),
        **drawn,
        DONE: to_json(metrics),
    }
    save_model(folder / "model_final.safetensors", model)  # all contents are ready: no partial results
    for name, content in pictures_and_figures.items():
        if content is None:  # an old picture of another network would mislead
            (folder / name).unlink(missing_ok=True)
        else:
            write_atomically(folder / name, content)
    checkpoint.remove(folder)
    return ["model_final.safetensors", *(name for name, content in pictures_and_figures.items() if content is not None)]


def _pickled(run: Run) -> bytes:
    """Return the model as a pickled dict of NumPy arrays and plain values, which needs only NumPy to open."""
    model = run.model()
    arrays = {name: tensor.copy() for name, tensor in model.network.tensors().items()}
    learned = {parameter.name for parameter in model.network.parameters}
    return pickle.dumps(
        {
            "parameters": {name: array for name, array in arrays.items() if name in learned},
            "state": {name: array for name, array in arrays.items() if name not in learned},
            "layers": [layer.config() for layer in model.network.layers],
            "input_shape": model.network.in_shape,
            "preprocessing": model.preparation.get("about") or dict(model.preparation),
            "class_names": list(model.class_names),
            **model.about,
        }
    )
