"""How far answers are to be trusted: writes records/trust.json.

Ten runs of `fast99`, one of `classic` for 20 epochs and the `cnn` that comes along are judged on MNIST's test images:
calibration error before and after the temperature, what is promised and what is kept. Then by what score digits are
told from other things: letters in fonts that nothing here has learned from, Fashion-MNIST, noise, and two digits in one
image. How `cnn` fares under stress, and how many known label errors are found. With `--validation` the weight of
familiarity is chosen, on validation images and other fonts and halves: writes records/trust_validation.json.

    python benchmarks/trust.py --letters FOLDER_OF_FONTS [--validation] [--work results/trust]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.metrics import roc_auc_score

from plainnet import Model, load_model, mnist, read_idx
from plainnet.evaluation import Evaluation, evaluate
from plainnet.evaluation.trust import Trust
from plainnet.familiarity import WEIGHT, Familiarity
from plainnet.sources.pen.likeness import confidence
from plainnet.sources.pen.placing import placed
from plainnet.sources.suspects import suspects
from plainnet.stress import stress
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
FASHION = Path("/usr/share/datasets/fashion-mnist")
LETTERS = "ABCDEFGHJKMNPQRTUVWXYacdefhjkmnprtuvwxy"  # but those that look like digits
COUNT = 2000
WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0)


def trained(work: Path) -> dict[str, Model]:
    """Return the models to judge, those that are not there trained now."""
    found = {"cnn": load_model("cnn")}
    runs = {f"fast99-{seed}": ["fast99", "--seed", str(seed)] for seed in range(10)}
    for name, options in (runs | {"classic": ["classic", "--epochs", "20"]}).items():
        out = work / name
        if not (out / "metrics.json").exists():
            command = [sys.executable, "-m", "plainnet", "train", *options]
            subprocess.run([*command, "--no-pictures", "--quiet", "--force", "--out", str(out)], check=True)
        found[name] = load_model(out / "model_final.safetensors")
    return found


def calibrated(model: Model) -> dict[str, Any]:
    """Return the figures of a model on the test images."""
    test = mnist.load().test
    told = {"temperature": model.temperature, "certain": model.certain}
    result = evaluate(model.network, test, shifts=model.test_shifts, **told)
    assert isinstance(result, Evaluation)
    before, after = Trust(result.probabilities, result.trust.labels), result.trust
    of_truth = after.probabilities[np.arange(len(after.labels)), after.labels]
    likeliest = after.probabilities.max(axis=1)
    sets = {}
    for share, least in model.sets.items():
        inside = (of_truth >= least) | (of_truth == likeliest)
        sizes = np.maximum((after.probabilities >= least).sum(axis=1), 1)
        sets[share] = {"holds_the_truth": float(inside.mean()), "mean_size": float(sizes.mean())}
    return {
        "accuracy": result.accuracy, "temperature": model.temperature,
        "before": {"log_loss": before.log_loss, "calibration_error": before.calibration_error},
        **after.to_table(model.certain), "sets": sets,
    }  # fmt: skip


def strangers(fonts: list[Path], validation: bool) -> dict[str, np.ndarray]:
    """Return images (N, 28, 28) of what is no digit, by kind; other ones for `validation`."""
    rng = np.random.default_rng(1 if validation else 2)
    half = fonts[::2] if validation else fonts[1::2]
    letters: list[np.ndarray] = []
    while len(letters) < COUNT:
        page = Image.new("L", (200, 200))
        font = ImageFont.truetype(str(half[rng.integers(len(half))]), 96)
        ImageDraw.Draw(page).text((50, 40), LETTERS[rng.integers(len(LETTERS))], font=font, fill=255)
        if np.asarray(page).max() > 200:
            letters.append(placed(np.asarray(page) / 255))
    part = "train" if validation else "t10k"
    fashion = read_idx(FASHION / f"{part}-images-idx3-ubyte.gz", dimensions=3)[:COUNT]
    data = mnist.load()
    digits = (data.validation if validation else data.test).inputs
    pairs = []
    for left, right in digits[rng.integers(len(digits), size=(COUNT, 2))]:
        page = np.zeros((28, 48))
        page[:, :28] = left
        page[:, 20:] = np.maximum(page[:, 20:], right)
        pairs.append(placed(page / 255))
    noise = rng.integers(0, 256, (COUNT, 28, 28)).astype(np.uint8)
    return {"letters": np.stack(letters), "fashion": fashion, "noise": noise, "two digits": np.stack(pairs)}


def told_apart(model: Model, others: dict[str, np.ndarray], validation: bool) -> dict[str, Any]:
    """Return, for each score, the area under the curve, and the share let in where 95 % of the digits are."""
    data = mnist.load()
    digits = (data.validation if validation else data.test).inputs[:5000]
    familiar = model.familiar or Familiarity.learned(data.train.inputs, data.validation.inputs)
    assert familiar is not None

    def scores(images: np.ndarray) -> dict[str, np.ndarray]:
        logits = model.network.logits(images) / model.temperature
        shares = model.shares(images)
        sure = np.clip(confidence(shares, images), 1e-6, 1 - 1e-6)
        odds, known = np.log(sure / (1 - sure)), np.maximum(familiar.score(images), -1000)
        combined = {f"both, familiarity {weight:g}": odds + weight * known for weight in WEIGHTS}
        highest = logits.max(axis=1)
        energy = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
        return {"probability": shares.max(axis=1), "log-sum-exp": energy, **combined}

    own, found = scores(digits), {}
    for kind, images in others.items():
        for name, theirs in scores(images).items():
            truth = np.concatenate([np.ones(len(digits)), np.zeros(len(images))])
            area = roc_auc_score(truth, np.concatenate([own[name], theirs]))
            let_in = (theirs >= np.quantile(own[name], 0.05)).mean()
            found.setdefault(name, {})[kind] = {"auroc": float(area), "let_in_at_95": float(let_in)}
    return found


def label_errors() -> dict[str, int]:
    """Return how many of MNIST's known label errors are among the first suspects.

    Known are those that at least three of five people judged to be wrong: Northcutt, Athalye, Mueller 2021, "Pervasive
    label errors in test sets destabilize machine learning benchmarks".
    """
    known = {947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729}
    data = mnist.load()
    found = {suspect.row for suspect in suspects(data.test, 30, data.train)}
    return {"known": len(known), "suspects": 30, "found": len(found & known)}


def main() -> None:
    """Judge, print, keep the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--letters", type=Path, required=True)
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--work", type=Path, default=ROOT / "results/trust")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    fonts = sorted(p for p in options.letters.rglob("*") if p.suffix.lower() in (".ttf", ".otf"))
    others = strangers(fonts, options.validation)
    record: dict[str, Any] = {"fonts": len(fonts) // 2, "weight": WEIGHT, "models": {}}
    for name, model in trained(options.work).items():
        figures = {} if options.validation else calibrated(model)
        if name in ("cnn", "classic", "fast99-0"):
            figures["strangers"] = told_apart(model, others, options.validation)
        record["models"][name] = figures
        if options.validation:
            write_atomically(ROOT / "records/trust_validation.json", to_json(record))
            for score, kinds in figures.get("strangers", {}).items():
                print(f"{name:<10}{score:<24}" + "  ".join(f"{kind} {one['auroc']:.4f}" for kind, one in kinds.items()))
            continue
        write_atomically(ROOT / "records/trust.json", to_json(record))
        promise = figures["certain"].get("0.999")
        after, before = figures["calibration_error"], figures["before"]["calibration_error"]
        print(f"{name:<10}calibration error {after:.2%}, before {before:.2%}; 99.9 %: {promise}", flush=True)
    if not options.validation:
        record["stress"] = stress(load_model("cnn"), mnist.load().test, most=1000, attacked=250).to_table()
        record["label_errors"] = label_errors()
        write_atomically(ROOT / "records/trust.json", to_json(record))


if __name__ == "__main__":
    main()
