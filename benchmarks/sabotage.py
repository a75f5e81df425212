"""Spoil trainings in every known way, and see whether `plainnet diagnose` names the cause first.

`python benchmarks/sabotage.py [--seeds N] [--healthy N] [--only NAME] [--record FILE]`. Each cause is put into small
trainings with several seeds; healthy trainings of our recipes must give no finding of severity "error".
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import DataSet, TrainingDivergedError, mnist
from plainnet.data.splits import Splits
from plainnet.diagnosis import findings, read_case, verify
from plainnet.recipes import read
from plainnet.runs import results, saving
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.writing import to_json, write_atomically

SMALL = {"layers.1.units": 64, "epochs": 6}


@dataclass(frozen=True)
class Sabotage:
    """A way to spoil a training: by its recipe, its data, or the run itself; `cause` is what should be found first."""

    cause: str
    overrides: dict[str, Any]
    data: Callable[[Splits, np.random.Generator], Splits] = lambda data, rng: data
    run: Callable[[Run], None] = lambda run: None
    limit: int = 4000


def relabeled(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Splits, np.random.Generator], Splits]:
    """Return what changes the labels to train and to validate with."""

    def data(splits: Splits, rng: np.random.Generator) -> Splits:
        parts = (
            DataSet(part.images, change(part.labels), part.class_names) for part in (splits.train, splits.validation)
        )
        return Splits.of(*parts, splits.test)

    return data


def shuffled(splits: Splits, rng: np.random.Generator) -> Splits:
    """Shuffle the labels and forget the images."""
    return relabeled(lambda labels: rng.permutation(labels))(splits, rng)


def as_numbers(splits: Splits, rng: np.random.Generator) -> Splits:
    """Make the pixels floating-point numbers from 0 to 255."""
    return Splits.of(*(DataSet(part.images.astype(np.float32), part.labels, part.class_names) for part in splits))


def only_ones(splits: Splits, rng: np.random.Generator) -> Splits:
    """Keep the training images of one class."""
    train = splits.train
    return Splits.of(train[np.flatnonzero(train.labels == 1)], splits.validation, splits.test)


def in_order(run: Run) -> None:
    """Visit the images class by class."""
    order = np.argsort(run.train.labels, kind="stable")
    run.training._order = lambda: order


def weights(value: float) -> Callable[[Run], None]:
    """Return what makes all weights the same."""

    def run(run: Run) -> None:
        for parameter in run.network.parameters:
            if parameter.decay:
                parameter.value[:] = value

    return run


def dead(run: Run) -> None:
    """Begin with biases at which no hidden unit is ever active."""
    run.network.parameters[1].value[:] = -20


def large(run: Run) -> None:
    """Begin with weights a hundred times too large."""
    run.network.parameters[0].value[:] *= 100


DROPOUT = [
    {"type": "Flatten"}, {"type": "Dense", "units": 128}, {"type": "ReLU"}, {"type": "Dropout", "rate": 0.5},
    {"type": "Dense", "units": 10},
]  # fmt: skip
RATE = "schedule.learning_rate"
SABOTAGES = {
    "learning rate too high, diverges": Sabotage("learning-rate-too-high", SMALL | {RATE: 1e20}),
    "learning rate too high, oscillates": Sabotage("learning-rate-too-high", SMALL | {RATE: 1.0}),
    "learning rate too high, stuck": Sabotage("learning-rate-too-high", SMALL | {RATE: 10.0}),
    "learning rate too low": Sabotage("learning-rate-too-low", SMALL | {RATE: 1e-5}),
    "dead units": Sabotage("dead-units", SMALL, run=dead),
    "all weights zero": Sabotage("all-zero-initialization", SMALL, run=weights(0.0)),
    "all weights equal": Sabotage("constant-initialization", SMALL, run=weights(0.01)),
    "saturated units": Sabotage("saturated-activations", SMALL | {"layers.2.type": "Tanh"}, run=large),
    "inputs from 0 to 255": Sabotage("inputs-not-scaled", SMALL, data=as_numbers),
    "labels shuffled": Sabotage("labels-shuffled", SMALL, data=shuffled),
    "labels off by one": Sabotage("labels-off-by-one", SMALL, data=relabeled(lambda y: (y + 1) % 10)),
    "images not shuffled": Sabotage("not-shuffled", SMALL, run=in_order),
    "one class only": Sabotage("one-class", SMALL, data=only_ones),
    "gradient summed": Sabotage("summed-gradient", SMALL | {"loss.reduction": "sum"}),
    "clipped most of the time": Sabotage("clipping-active", SMALL | {"optimizer.clip": 1e-3}),
    "overfitting": Sabotage("overfitting", {"layers.1.units": 256, "epochs": 60, RATE: 0.05}, limit=500),
    "underfitting": Sabotage("underfitting", {"layers.1.units": 3, "epochs": 15, RATE: 0.1}),
    "plateau before the decay": Sabotage(
        "plateau-before-decay",
        {"layers.1.units": 32, "epochs": 45, RATE: 0.1, "schedule.at": [40], "optimizer.weight_decay": 0.02},
    ),
    "validation better, by dropout": Sabotage(
        "validation-better", {"layers": DROPOUT, "epochs": 4, RATE: 0.05}, limit=20_000
    ),
}
HEALTHY = {
    "classic": Sabotage("", {"epochs": 3}, limit=20_000),
    "fast99": Sabotage("", {}, limit=15_000),
}


def train(recipe: str, sabotage: Sabotage, seed: int, folder: Path) -> None:
    """Train with the sabotage and leave the results, or what a training that diverged leaves, in the folder."""
    data = sabotage.data(mnist.load(), np.random.default_rng(seed))
    chosen = replace(read(recipe, sabotage.overrides), workers=1)
    run = Run(chosen, Splits.of(data.train[: sabotage.limit], data.validation, data.test), seed=seed)
    sabotage.run(run)
    try:
        with np.errstate(all="ignore"):
            for _ in saving.events(run, folder):
                pass
            results.write_results(run, folder)
    except TrainingDivergedError:
        pass


def row(name: str, recipe: str, sabotage: Sabotage, seed: int, *, verified: bool) -> dict[str, Any]:
    """Train, diagnose, and return what was found."""
    with tempfile.TemporaryDirectory() as place:
        train(recipe, sabotage, seed, Path(place))
        case = read_case(Path(place))
        found = findings(case)
        helped = None
        if verified and found and (tried := verify(case, found[0])):
            helped = tried["helped"]
    return {
        "sabotage": name,
        "seed": seed,
        "expected": sabotage.cause,
        "found": [finding.name for finding in found],
        "errors": sum(finding.severity == "error" for finding in found),
        "helped": helped,
    }


def main() -> None:
    """Make the matrix, print it, and fail if too few causes are named or a healthy training is accused."""
    parser = argparse.ArgumentParser(description="Spoil trainings and see whether the cause is named.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--healthy", type=int, default=20)
    parser.add_argument("--only")
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    rows, healthy = [], []
    for name, sabotage in SABOTAGES.items():
        if arguments.only in (None, name):
            rows += [row(name, "classic", sabotage, seed, verified=seed == 0) for seed in range(arguments.seeds)]
            found = rows[-arguments.seeds :]
            print(f"{name:<36}{sabotage.cause:<26}{[r['found'] for r in found]}  {found[0]['helped']}", flush=True)
    for seed in range(arguments.healthy):
        recipe = list(HEALTHY)[seed % len(HEALTHY)]
        healthy.append(row(recipe, recipe, HEALTHY[recipe], seed, verified=False))
        print(f"{recipe} {seed}: {healthy[-1]['found']}", flush=True)
    named = sum(r["found"][:1] == [r["expected"]] for r in rows)
    accused = sum(bool(r["errors"]) for r in healthy)
    print(f"named first: {named} of {len(rows)}; healthy trainings accused: {accused} of {len(healthy)}")
    if arguments.record:
        table = {"runs": len(rows), "named_first": named, "healthy": len(healthy), "accused": accused}
        table |= {"rows": rows, "healthy_rows": healthy, "hardware": hardware(), "versions": versions()}
        write_atomically(arguments.record, to_json(table))
    sys.exit(named < 0.9 * len(rows) or accused > 0)


if __name__ == "__main__":
    main()
