"""How well `predict` reads pictures of handwriting: writes records/handwriting.json.

Three seeds of fast99, and the model cnn, read the rendered pictures of `tests/handwriting.py`, the part kept for
testing, which nothing was chosen by; and, where they are given, folders of real pictures, each with a labels.csv (file,
label, kind), a label being a digit, the number that several digits make, or nothing. Pictures of one digit are read
rightly, wrongly or refused; all others are fine if they are refused, or read as the number they show. The test images
of MNIST, and of Fashion-MNIST where Debian's package has put them, are also written as PNG files and answered beside
the stored ones.

    python benchmarks/handwriting.py --real pictures/ --about "826 pictures from 125 public repositories"
"""

from __future__ import annotations

import argparse
import collections
import csv
import io
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from handwriting import digit_pictures, other_pictures
from plainnet import load_model, mnist, sources
from plainnet.data.splits import Splits
from plainnet.model import Model
from plainnet.recipes import read
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.sources.answers import answer
from plainnet.writing import to_json, write_atomically

FASHION = Path("/usr/share/datasets/fashion-mnist")
DIGITS, OTHERS, SEED = 720, 560, 11
Picture = tuple[str, str, bytes]  # kind, label, content of the file


def trained(recipe: str, data: Splits, seed: int) -> Run:
    """Return a run of a recipe, done."""
    run = Run(read(recipe, {"epochs": 5} if recipe == "classic" else None), data, seed=seed)
    for _ in run.epochs():
        pass
    run.metrics()
    return run


def judged(model: Model, pictures: Iterable[Picture], folder: Path) -> dict[str, Any]:
    """Return what became of pictures of one digit, right, wrong or refused, and of others, and the same by kind."""
    counts: collections.Counter[str] = collections.Counter()
    by_kind: dict[str, list[int]] = {}
    for kind, label, content in pictures:
        path = folder / "picture"
        path.write_bytes(content)
        said = answer(model, path).answer
        single = len(label) == 1
        if single:
            counts["refused" if said is None else "right" if said == label else "wrong"] += 1
        else:
            counts["others fine" if said is None or said == label else "others wrong"] += 1
        fine = said == label or (not single and said is None)
        of_kind = by_kind.setdefault(kind, [0, 0])
        of_kind[0] += fine
        of_kind[1] += 1
    digits, others = (sum(counts[key] for key in keys) for keys in
                      (("right", "wrong", "refused"), ("others fine", "others wrong")))  # fmt: skip
    return {
        "digits": digits, "right": counts["right"] / digits, "wrong": counts["wrong"] / digits,
        "refused": counts["refused"] / digits, "others": others, "others_fine": counts["others fine"] / max(others, 1),
        "by_kind": by_kind,
    }  # fmt: skip


def real(folder: Path) -> list[Picture]:
    """Return the pictures of a folder with a labels.csv."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        (row["kind"], row["label"] if row["label"].isdigit() else "", (folder / row["file"]).read_bytes())
        for row in rows
    ]


def as_png(run: Run, folder: Path, most: int = 10_000) -> dict[str, float]:
    """Return the accuracy on stored test images, and on the same as PNG files."""
    test, model = run.data.test[: min(most, len(run.data.test))], run.model()
    right = 0
    for image, label in zip(test.images, test.targets, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        path = folder / "picture.png"
        path.write_bytes(buffer.getvalue())
        shares = answer(model, path).shares
        right += shares is not None and int(shares.argmax()) == label
    stored = float((model.probabilities(test.images).argmax(axis=1) == test.targets).mean())
    return {"images": len(test), "stored": stored, "as_png": right / len(test)}


def main() -> None:
    """Measure and keep the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--real", type=Path)
    parser.add_argument("--about", default="")
    options = parser.parse_args()
    rendered = [*digit_pictures("test", DIGITS, SEED), *other_pictures("test", OTHERS, SEED)]
    record: dict[str, Any] = {"seeds": 3, "rendered": {}, "real": {}, "as_png": {}}
    runs = [trained("fast99", mnist.load(), seed) for seed in range(3)]
    models = [(f"fast99, seed {run.seed}", run.model) for run in runs] + [("cnn", lambda: load_model("cnn"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for called, made in models:
            model = made()
            record["rendered"][called] = judged(model, rendered, folder)
            if options.real is not None:
                record["real"][called] = judged(model, real(options.real), folder)
                record["real_pictures"] = options.about
            for what in ("rendered", "real"):
                if called in record[what]:
                    shown = {key: value for key, value in record[what][called].items() if key != "by_kind"}
                    print(what, called, {k: round(v, 4) for k, v in shown.items()}, flush=True)
        record["as_png"]["MNIST, fast99"] = as_png(runs[0], folder)
        if FASHION.exists():
            record["as_png"]["Fashion-MNIST, classic, 5 epochs"] = as_png(
                trained("classic", sources.load(FASHION), 0), folder
            )
    print(record["as_png"])
    record |= {"versions": versions(), "hardware": hardware()}
    write_atomically(ROOT / "records/handwriting.json", to_json(record))


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
