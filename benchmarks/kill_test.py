"""Kill trainings at random moments, go on with them, and see whether the weights come out the same, to the last bit.

`python benchmarks/kill_test.py [KILLS] [--record FILE]`; the kills are shared among the trainings below. Each is run
once without interruption, then again and again with SIGKILL at a random moment of every attempt, until all kills are
spent; whenever it ends, its weights are compared. The same folder is used throughout, whatever a kill left in it.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from plainnet import checkpoint, load_model, safetensors
from plainnet.runs.environment import hardware, threads, versions
from plainnet.runs.results import DONE
from plainnet.writing import to_json, write_atomically

EVERYTHING = """
title = "a little of everything"
input_shape = [28, 28, 1]
batch_size = 64
epochs = 3
workers = 2
augmentation = {rotation = 10, shift = 2, elastic = 1}
layers = [
    {type = "Conv2D", filters = 4, size = 5, stride = 2}, {type = "BatchNorm"}, {type = "MaxPool"}, {type = "ReLU"},
    {type = "Flatten"}, {type = "Dropout", rate = 0.2}, {type = "Dense", units = 10},
]
loss = {type = "SoftmaxCrossEntropy"}
optimizer = {type = "Adam"}
schedule = {type = "one_cycle", learning_rate = 0.01}
"""
TRAININGS = {
    "classic": ["classic", "--epochs", "4", "--limit", "4000", "--set", "layers.1.units=64"],
    "everything": ["everything.toml", "--limit", "3000"],
}


def train(folder: Path, arguments: list[str], kill_after: float | None = None) -> tuple[bool, float]:
    """Start or go on with the training; return whether it was killed, and the seconds it ran."""
    resumable = checkpoint.present(folder / "out")
    command = ["--resume", "out"] if resumable else [*arguments, "--out", "out", "--threads", "2"]
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "plainnet", "train", *command, "--quiet", "--checkpoint-every", "0.02"],
        cwd=folder, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        _, said = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True, time.monotonic() - started
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed: {said}")
    return False, time.monotonic() - started


def weights(folder: Path) -> str:
    """Return the SHA-256 of the weights of a finished training, after loading its model."""
    path = folder / "out" / "model_final.safetensors"
    load_model(path)
    return safetensors.read(path)[1]["sha256"]


def kill_one(name: str, kills: int, rng: np.random.Generator) -> dict[str, object]:
    """Kill one training so many times, and return what came of it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "everything.toml").write_text(EVERYTHING)
        _, seconds = train(folder, TRAININGS[name])
        expected = weights(folder)
        shutil.rmtree(folder / "out")
        killed = resumed = finished = same = 0
        while killed < kills or not finished:
            resumed += checkpoint.present(folder / "out")
            was_killed, _ = train(folder, TRAININGS[name], rng.uniform(0, seconds) if killed < kills else None)
            killed += was_killed
            complete = (folder / "out" / DONE).exists() and not checkpoint.present(folder / "out")
            if complete:  # even if it was killed, between the last of its files and its end
                finished += 1
                same += weights(folder) == expected
                shutil.rmtree(folder / "out")
    return {"killed": killed, "resumed": resumed, "finished": finished, "same_weights": same, "sha256": expected}


def main() -> None:
    """Kill as many times as asked, print what came of it, and fail if any weights differ."""
    parser = argparse.ArgumentParser(description="Kill trainings at random moments and go on with them.")
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    share = -(-arguments.kills // len(TRAININGS))
    table = {name: kill_one(name, share, rng) for name in TRAININGS}
    for name, row in table.items():
        print(f"{name}: killed {row['killed']} times, finished {row['finished']} times, "
              f"{row['same_weights']} times with the weights of an uninterrupted training")  # fmt: skip
    if arguments.record:
        about = {"seed": arguments.seed, "hardware": hardware(), "threads": threads(), "versions": versions()}
        write_atomically(arguments.record, to_json({"trainings": table} | about))
    sys.exit(any(row["same_weights"] != row["finished"] for row in table.values()))


if __name__ == "__main__":
    main()
