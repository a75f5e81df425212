"""Whether exported models answer as plainnet does, on MNIST's test images: writes records/agreement.json.

The model that comes along is taken as it is; of every other recipe one is trained for two epochs, and two of `fast99`
make an ensemble. onnxruntime answers 10,000 images with one view, and 500 with all views; ONNX's reference, which is
slow, 100; the PyTorch module and the NumPy program 500; JavaScript, in Node, as many as onnxruntime.

    python benchmarks/agreement.py [--work results/agreement]
"""

from __future__ import annotations

import argparse
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx.reference import ReferenceEvaluator

from plainnet import load_model, mnist
from plainnet.export import js_program, numpy_program, torch_module
from plainnet.export.onnx_file import as_onnx
from plainnet.model import Model
from plainnet.records.combine_models import combine_models
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
TRAINED = {"softmax": 0, "classic": 0, "fast99": 0, "fast99-1": 1, "minute": 0, "mlp": 0, "mlp-augmented": 0}
Answers = Callable[[np.ndarray], np.ndarray]


def models(work: Path) -> dict[str, Model]:
    """Return the models to compare by, those that are not there trained now."""
    found = {"cnn": load_model("cnn")}
    for name, seed in TRAINED.items():
        out = work / name
        if not (out / "model_final.safetensors").exists():
            command = [sys.executable, "-m", "plainnet", "train", name.removesuffix("-1"), "--epochs", "2"]
            subprocess.run(
                [*command, "--seed", str(seed), "--no-pictures", "--quiet", "--force", "--out", str(out)], check=True
            )
        found[name] = load_model(out / "model_final.safetensors")
    found["two of fast99"] = combine_models([found["fast99"], found.pop("fast99-1")])
    return found


def by_onnxruntime(model: Model) -> Answers:
    """Return what onnxruntime answers with."""
    session = onnxruntime.InferenceSession(as_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"input": images})[0]


def by_reference(model: Model) -> Answers:
    """Return what ONNX's own reference answers with."""
    evaluator = ReferenceEvaluator(as_onnx(model))
    return lambda images: evaluator.run(None, {"input": images})[0]


def by_torch(model: Model, folder: Path) -> Answers:
    """Return what the exported PyTorch module answers with."""
    path, weights = torch_module.write(folder / "t.py", model)
    made = runpy.run_path(str(path))
    network = made["load"](weights)
    return lambda images: made["answers"](network, images).numpy()


def by_numpy(model: Model, folder: Path) -> Answers:
    """Return what the exported program answers with."""
    path, _ = numpy_program.write(folder / "n.py", model)
    answers: Answers = runpy.run_path(str(path))["answers"]
    return answers


def by_node(model: Model, folder: Path) -> Answers:
    """Return what the exported JavaScript answers with, in Node."""
    folder.joinpath("j.mjs").unlink(missing_ok=True)
    (path,) = js_program.write(folder / "j.mjs", model)
    program = f"import {{ answersOf }} from {json.dumps(str(path.absolute()))}; import fs from 'node:fs';"
    program += "const all = JSON.parse(fs.readFileSync(0)); console.log(JSON.stringify(all.map((x) => answersOf(x))));"

    def answers(images: np.ndarray) -> np.ndarray:
        given = json.dumps(images.reshape(len(images), -1).tolist())
        command = ["node", "--input-type=module", "--eval", program]
        return np.array(
            json.loads(subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout)
        )

    return answers


def compared(model: Model, answers: Answers, images: np.ndarray) -> dict[str, Any]:
    """Return how many answers differ, and by how much probabilities at most."""
    images = images.reshape(-1, *model.network.in_shape)
    given = np.concatenate([answers(images[start : start + 250]) for start in range(0, len(images), 250)])
    expected = np.concatenate(
        [model.shares(images[start : start + 250], model.test_shifts) for start in range(0, len(images), 250)]
    )
    return {
        "images": len(images), "different": int((given.argmax(axis=1) != expected.argmax(axis=1)).sum()),
        "largest_difference": float(np.abs(given - expected).max()),
    }  # fmt: skip


def main() -> None:
    """Compare all, print a line each, keep the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, default=ROOT / "results/agreement")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    test = mnist.load().test.inputs
    versions = {module.__name__: module.__version__ for module in (onnx, onnxruntime, torch, np)}
    record: dict[str, Any] = {"versions": versions, "models": {}}
    for name, model in models(options.work).items():
        one = replace(model, test_shifts=0)
        found = {
            "onnxruntime, one view": compared(one, by_onnxruntime(one), test),
            "onnxruntime, all views": compared(model, by_onnxruntime(model), test[:500]),
            "reference": compared(one, by_reference(one), test[:100]),
            "torch": compared(one, by_torch(one, options.work), test[:500]),
            "js, one view": compared(one, by_node(one, options.work), test),
            "js, all views": compared(model, by_node(model, options.work), test[:500]),
            "numpy": compared(one, by_numpy(one, options.work), test[:500]),
        }
        record["models"][name] = found
        write_atomically(ROOT / "records/agreement.json", to_json(record))
        worst = max(found.values(), key=lambda one: one["largest_difference"])["largest_difference"]
        print(
            f"{name:<16}{sum(one['different'] for one in found.values())} different answers, at most {worst:.1e} apart"
        )


if __name__ == "__main__":
    main()
