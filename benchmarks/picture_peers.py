"""Recipe `pictures` beside scikit-learn on small sets of pictures, 3 seeds each: writes records/picture_peers.json.

The sets are read from a folder, one a file or a folder, in any form that plainnet reads; their names are those of the
record. Where ours came from is written in docs/data.md. Every seed splits anew: 70 % train, 15 % validate, 15 % test,
classes in proportion; the peers, which need no validation part, learn from both. `--validation` judges by a part of
the training examples instead, to choose by.

    python benchmarks/picture_peers.py FOLDER [--validation] [--only NAME,NAME] [--set dropout=0.5 ...]
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from plainnet.recipes import parse_override, read
from plainnet.runs.environment import hardware, versions
from plainnet.sources.found import Wanted
from plainnet.sources.parts import everything
from plainnet.sources.recognizing import find
from plainnet.writing import to_json, write_atomically
from table_peers import inner_parts, ours, parts

RECORD = Path(__file__).parents[1] / "records/picture_peers.json"
SEEDS = range(3)
PEERS = {
    "MLP, scaled to [0, 1]": lambda seed: MLPClassifier(random_state=seed),
    "linear": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
}


def main() -> None:
    """Measure, print a table, and keep the record as each set ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--only", default="")
    parser.add_argument("--recipe", default="pictures")
    options = parser.parse_args()
    recipe = read(options.recipe, dict(map(parse_override, options.set)))
    record: dict[str, Any] = {"seeds": options.seeds, "versions": versions(), "hardware": hardware(), "sets": {}}
    warnings.simplefilter("ignore")
    means = []
    for path in sorted(options.folder.iterdir()):
        if options.only and path.stem not in options.only.split(","):
            continue
        data = everything(find(path, Wanted()), Wanted(), None)
        scores: dict[str, list[float]] = {"pictures": []} | ({} if options.validation else {peer: [] for peer in PEERS})
        for seed in range(options.seeds):
            train, validate, test = parts(data, seed)
            if options.validation:  # the test rows are not looked at
                train, test = inner_parts(train, len(test), seed)
            scores["pictures"].append(ours(data, train, validate, test, seed, recipe))
            both = np.concatenate([train, validate])
            pixels = data.inputs.reshape(len(data), -1) / np.float32(255)
            for peer in list(scores)[1:]:
                model = PEERS[peer](seed).fit(pixels[both], data.targets[both])
                scores[peer].append(float(model.score(pixels[test], data.targets[test])))
        told = "  ".join(f"{peer} {statistics.mean(s):.4f}" for peer, s in scores.items())
        means.append(statistics.mean(scores["pictures"]))
        shape = "x".join(map(str, data.inputs.shape[1:]))
        print(f"{path.stem:<10}{len(data):>6} of {shape:<9}{told}", flush=True)
        record["sets"][path.stem] = {
            "examples": len(data), "shape": data.inputs.shape[1:], "classes": len(data.class_names), "scores": scores,
        }  # fmt: skip
        if not (options.validation or options.only or options.set):
            write_atomically(RECORD, to_json(record))
    print(f"mean of all: {statistics.mean(means):.4f}")


if __name__ == "__main__":
    main()
