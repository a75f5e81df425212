"""Time `PlainnetClassifier` beside scikit-learn's `MLPClassifier`, in turns: writes records/estimator.json.

Both make the same steps from the same weights: 784-100-10, Adam, batches of 200, 20 epochs on 10,000 images.
"""

from __future__ import annotations

import statistics
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from plainnet import mnist
from plainnet.runs.environment import hardware, versions
from plainnet.sklearn import PlainnetClassifier
from plainnet.writing import to_json, write_atomically

EXAMPLES, EPOCHS, ROUNDS = 10_000, 20, 9


def seconds(kind: Any, X: np.ndarray, y: np.ndarray, seed: int) -> float:
    """Return how long a fit takes."""
    started = time.perf_counter()
    kind((100,), max_iter=EPOCHS, random_state=seed).fit(X, y)
    return time.perf_counter() - started


def main() -> None:
    """Time both in turns, print the ratios, keep the record."""
    warnings.simplefilter("ignore")
    data = mnist.load().train
    record: dict[str, Any] = {
        "examples": EXAMPLES, "epochs": EPOCHS, "rounds": ROUNDS, "hardware": hardware(),
        "versions": versions() | {"scikit-learn": sklearn.__version__}, "types": {},
    }  # fmt: skip
    for kind in (np.float32, np.float64):
        X, y = (data.inputs[:EXAMPLES].reshape(EXAMPLES, -1) / 255).astype(kind), data.targets[:EXAMPLES]
        times = [(seconds(PlainnetClassifier, X, y, k), seconds(MLPClassifier, X, y, k)) for k in range(ROUNDS)]
        ratios = sorted(ours / theirs for ours, theirs in times)
        quartiles = statistics.quantiles(ratios, n=4)
        record["types"][np.dtype(kind).name] = {
            "seconds": times, "ratio": {"median": statistics.median(ratios), "quartiles": [quartiles[0], quartiles[2]]},
        }  # fmt: skip
        print(f"{np.dtype(kind).name}: {statistics.median(ratios):.3f} of the time of MLPClassifier")
    write_atomically(Path(__file__).parents[1] / "records/estimator.json", to_json(record))


if __name__ == "__main__":
    main()
