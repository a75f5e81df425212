"""Ablations: what each choice of a recipe earns on the validation images; the test set stays closed.

`python benchmarks/ablation.py RECIPE` trains the recipe, shortened where it is long, and again for each change, two
trainings at a time. It writes records/RECIPE/ablation.json, a row as each training ends, and goes on where it stopped.
`make figures` writes the table into the comments of the recipe. `fashion` needs a second argument: the folder with the
images of Fashion-MNIST. For `cnn whole` the trainings are not shortened.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import mnist
from plainnet.data.dataset import DataSet
from plainnet.metrics import accuracy
from plainnet.recipes import read
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.shifted_views import probabilities
from plainnet.sources import load
from plainnet.writing import to_json, write_atomically

RECORDS = Path(__file__).parent.parent / "records"
Changes = dict[str, Any]
AFFINE = {"rotation": 10, "scale": 0.1, "shear": 0.1, "shift": 1.0}


def without(*names: str) -> Changes:
    """Return the change that takes these out of the augmentation."""
    return {f"augmentation.{name}": 0.0 for name in names}


def without_layer(recipe: str, kind: str) -> list[Changes]:
    """Return a recipe's layers without those of one type."""
    return [dict(layer) for layer in read(recipe).layers if layer["type"] != kind]


def with_dropout(recipe: str, rate: float, *, after: str = "ReLU") -> Changes:
    """Return the change that puts dropout after each layer of a type."""
    layers: list[Changes] = []
    for layer in read(recipe).layers:
        layers += [dict(layer), {"type": "Dropout", "rate": rate}] if layer["type"] == after else [dict(layer)]
    return {"layers": layers}


def convolving(recipe: str, method: str) -> Changes:
    """Return the change that makes all convolutions compute in one way."""
    return {
        f"layers.{place}.method": method
        for place, layer in enumerate(read(recipe).layers)
        if layer["type"] == "Conv2D" and layer["size"] == 3
    }


ABLATIONS: dict[str, tuple[Changes, int, dict[str, Changes]]] = {  # recipe: shortened how, seeds, changes
    "softmax": (
        {},
        3,
        {
            "no weight decay": {"optimizer.weight_decay": 0.0},
            "ten times the weight decay": {"optimizer.weight_decay": 0.001},
            "learning rate 0.03": {"schedule.learning_rate": 0.03},
            "learning rate 0.3": {"schedule.learning_rate": 0.3},
            "60 epochs": {"epochs": 60},
        },
    ),
    "classic": (
        {"epochs": 20, "schedule.at": [8, 13, 17]},
        1,
        {
            "no momentum": {"optimizer.momentum": 0.0},
            "no weight decay": {"optimizer.weight_decay": 0.0},
            "five times the weight decay": {"optimizer.weight_decay": 0.0005},
            "no clipping": {"optimizer.clip": None},
            "learning rate 0.003": {"schedule.learning_rate": 0.003},
            "learning rate 0.1": {"schedule.learning_rate": 0.1},
            "the same learning rate throughout": {"schedule.factor": 1.0},
            "256 units": {"layers.1.units": 256},
            "batches of 32": {"batch_size": 32},
        },
    ),
    "minute": (
        {},
        1,
        {
            "no deskewing": {"layers": without_layer("minute", "Deskew")},
            "no size normalization": {"layers": without_layer("minute", "NormalizeSize")},
            "size normalization, full strength": {"layers.1.strength": 1.0},
            "digits only centered": {"layers.1.strength": 0.0},
            "a usual deviation of 15 %": {"layers.1.spread": 0.15},
            "a usual deviation of 19 %": {"layers.1.spread": 0.19},
            "no dropout of pixels": {"layers.3.rate": 0.0},
            "no label smoothing": {"loss.label_smoothing": 0.0},
            "no averaging": {"averaging": None},
        },
    ),
    "fast99": (
        {},
        10,
        {
            "no label smoothing": {"loss.label_smoothing": 0.0},
            "label smoothing of 0.05": {"loss.label_smoothing": 0.05},
            "beta1 0.9, beta2 0.999, as usual": {"optimizer.beta1": 0.9, "optimizer.beta2": 0.999},
            "twice the filters and units": {"layers.0.filters": 32, "layers.2.filters": 64, "layers.6.units": 256},
            "64 units": {"layers.6.units": 64},
            "24 filters in the second layer": {"layers.2.filters": 24},
            "batches of 192": {"batch_size": 192},
            "learning rate 0.008": {"schedule.learning_rate": 0.008},
            "learning rate 0.018": {"schedule.learning_rate": 0.018},
            "warm-up of 0.3": {"schedule.warm_up": 0.3},
            "two epochs": {"epochs": 2},
        },
    ),
    "mlp": (
        {"epochs": 12},
        1,
        {
            "no adversarial examples": {"adversarial": None},
            "no deskewing": {"layers": without_layer("mlp", "Deskew")},
            "no size normalization": {"layers": without_layer("mlp", "NormalizeSize")},
            "no noise": {f"layers.{place}.deviation": 0.0 for place in (5, 9, 13)},
        },
    ),
    "mlp-augmented": (
        {"epochs": 8},
        1,
        {
            "no adversarial examples": {"adversarial": None},
            "no deskewing": {"layers": without_layer("mlp-augmented", "Deskew")},
            "no size normalization": {"layers": without_layer("mlp-augmented", "NormalizeSize")},
            "no elastic changes": without("elastic"),
            "elastic changes of 0.7": {"augmentation.elastic": 0.7},
            "affine changes as well": {f"augmentation.{name}": size for name, size in AFFINE.items()},
            "no averaging": {"averaging": None},
            "no label smoothing": {"loss.label_smoothing": 0.0},
        },
    ),
    "cnn": (
        {"epochs": 6},
        1,
        {
            "no elastic changes": without("elastic"),
            "no affine changes": without(*AFFINE),
            "dropout of 0.4": with_dropout("cnn", 0.4, after="Flatten"),
            "no averaging": {"averaging": None},
            "label smoothing": {"loss.label_smoothing": 0.05},
            "batches of 64": {"batch_size": 64},
            "learning rate 0.002": {"schedule.learning_rate": 0.002},
            "learning rate 0.008": {"schedule.learning_rate": 0.008},
        },
    ),
    "fashion": (
        {"epochs": 3},
        1,
        {
            "Adam instead of Muon": {"optimizer": {"type": "Adam"}},
            "no mirrored images": without("flip"),
            "squares of 8 pixels covered": {"augmentation.cut": 8.0},
            "no label smoothing": {"loss.label_smoothing": 0.0},
        },
    ),
    "fast99 convolutions": (
        {},
        10,
        {"direct": convolving("fast99", "direct"), "winograd2": convolving("fast99", "winograd2")},
    ),
    "cnn convolutions": (
        {"epochs": 6},
        5,
        {"direct": convolving("cnn", "direct"), "winograd2": convolving("cnn", "winograd2")},
    ),
    "cnn whole": (
        {},
        1,
        {
            "as it is": with_dropout("cnn", 0.0, after="Flatten"),
            "dropout of 0.4": with_dropout("cnn", 0.4, after="Flatten"),
        },
    ),
}


def measure(recipe: str, changes: Changes, seed: int, folder: str | None) -> dict[str, Any]:
    """Train with the changes and return the validation accuracy, by the images as they are and moved by some pixels."""
    with np.errstate(all="ignore"):
        data = load(folder) if folder else mnist.load()
        run = Run(read(recipe, {**changes, "workers": 1}), data, seed=seed)
        history = list(run.epochs())
        validation = run.validation
        assert validation is not None
        views = range(1, run.recipe.test_shifts + 1)
        moved = {f"with_shifts_of_{shifts}": _accuracy(run, validation, shifts) for shifts in views}
        seconds = round(sum(epoch.seconds for epoch in history), 1)
        return {"seed": seed, "validation_accuracy": _accuracy(run, validation, 0), **moved, "seconds": seconds}


def _accuracy(run: Run, data: DataSet, shifts: int) -> float:
    return accuracy(probabilities(run.network.logits, data.images, shifts).argmax(axis=1), data.labels)


def main(*words: str) -> None:
    """Run what is missing from the record of a recipe; the last word may be a folder with other images than MNIST."""
    folder = words[-1] if len(words) > 1 and Path(words[-1]).is_dir() else None
    name = " ".join(words[:-1] if folder else words)
    recipe, *whole = name.split()
    path = RECORDS / recipe / f"{'_'.join(['ablation', *whole])}.json"
    shortened, seeds, changes = ABLATIONS[name]
    record: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"rows": [], "shortened": shortened}
    if record["shortened"] != shortened:
        sys.exit(f"{path} was made with {record['shortened']}, not with {shortened}; remove it first")
    done = {(row["change"], row["seed"]) for row in record["rows"]}
    wanted = [(change, seed) for change in {"as it is": {}, **changes} for seed in range(seeds)]
    with ProcessPoolExecutor(max_workers=2) as pool:
        trainings = {
            pool.submit(measure, recipe, shortened | changes.get(change, {}), seed, folder): change
            for change, seed in wanted
            if (change, seed) not in done
        }
        for training in as_completed(trainings):
            record["rows"].append({"change": trainings[training]} | training.result())
            record["rows"].sort(key=lambda row: wanted.index((row["change"], row["seed"])))
            record |= {"versions": versions(), "hardware": hardware()}
            write_atomically(path, to_json(record))
            print(name, trainings[training], training.result(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
