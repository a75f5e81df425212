"""What larger batches cost in accuracy, by three rules for the learning rate: writes records/large_batches.json.

Two hidden layers of 512 units on MNIST, 10 epochs with half a cosine after two epochs of warm-up; three seeds. The
rates were chosen on validation images with seed 0; what is recorded is validation accuracy as well.

    python benchmarks/large_batches.py
"""

from __future__ import annotations

import statistics
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import LARS, SGD, Dense, Flatten, Network, ReLU, SoftmaxCrossEntropy, epochs, mnist
from plainnet.errors import TrainingDivergedError
from plainnet.foreign.opening import read_json
from plainnet.runs.environment import hardware, versions
from plainnet.schedules import cosine, warm_up
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "records/large_batches.json"
EPOCHS, WARM_UP, SEEDS = 10, 2, range(3)
RATES = {  # of the largest step, for each batch
    "the rate of 128": {128: 0.1, 512: 0.1, 2048: 0.1, 8192: 0.1},
    "as many times larger": {128: 0.1, 512: 0.4, 2048: 1.6, 8192: 6.4},
    "half of that": {128: 0.05, 512: 0.2, 2048: 0.8, 8192: 3.2},
    "LARS": {128: 1.0, 512: 2.0, 2048: 8.0, 8192: 8.0},
}


def trained(asked: tuple[str, int, int]) -> dict[str, Any]:
    """Return the validation accuracy of a training; None if it diverged."""
    rule, batch, seed = asked
    data, rate = mnist.load(), RATES[rule][batch]
    network = Network(Flatten(), Dense(512), ReLU(), Dense(512), ReLU(), Dense(10)).build((28, 28), rng=seed)
    kind = LARS if rule == "LARS" else SGD
    found = None
    try:
        with np.errstate(all="ignore"):
            *_, last = epochs(
                network, SoftmaxCrossEntropy(), kind(momentum=0.9, weight_decay=1e-4), data.train, data.validation,
                batch_size=batch, epochs=EPOCHS, learning_rate=warm_up(cosine(rate), epochs=WARM_UP), rng=seed,
            )  # fmt: skip
        found = last.validation_accuracy
    except TrainingDivergedError:
        pass
    return {"rule": rule, "batch": batch, "seed": seed, "rate": rate, "validation_accuracy": found}


def main() -> None:
    """Train what is not on record yet, two at a time."""
    runs = read_json(RECORD, "record")["runs"] if RECORD.exists() else []
    made = {(run["rule"], run["batch"], run["seed"]) for run in runs}
    wanted = [(rule, batch, seed) for batch in RATES["LARS"] for rule in RATES for seed in SEEDS]
    with get_context("spawn").Pool(2) as pool:
        for run in pool.imap_unordered(trained, [one for one in wanted if one not in made]):
            runs.append(run)
            print(run, flush=True)
            record = {
                "hardware": hardware(),
                "versions": versions(),
                "epochs": EPOCHS,
                "warm_up": WARM_UP,
                "runs": runs,
            }
            write_atomically(RECORD, to_json(record))
    for rule, rates in RATES.items():
        for batch in rates:
            values = [one["validation_accuracy"] or 0.1 for one in runs if (one["rule"], one["batch"]) == (rule, batch)]
            print(rule, batch, statistics.mean(values))


if __name__ == "__main__":
    main()
