"""Time what `plainnet train` chooses by itself against `--threads 1` and `--threads 2`, with and without other work.

`make threads` runs five recipes, each for several seconds, on the machine as it is and beside two processes that never
rest; every setting has its turn in every round. The time is that of the training, the choice itself included.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from plainnet.bench.interleave import interleave
from plainnet.data import mnist
from plainnet.data.splits import Splits
from plainnet.recipes import read
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.writing import to_json, write_atomically

EPOCHS = {"softmax": 40, "classic": 10, "minute": 5, "mlp": 2, "fast99": 2}
BUSY = [sys.executable, "-c", "while True: pass"]


def main() -> None:
    """Compare, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    record = {"hardware": hardware(), "versions": versions(), "rounds": options.rounds, "rows": []}
    for busy in (0, 2):
        others = [subprocess.Popen(BUSY) for _ in range(busy)]
        try:
            for name, epochs in EPOCHS.items():
                record["rows"].append(row(name, epochs, busy, options.rounds))
                if options.record:
                    write_atomically(options.record, to_json(record))
        finally:
            for other in others:
                other.kill()


def row(name: str, epochs: int, busy: int, rounds: int) -> dict[str, object]:
    """Return the seconds of each setting, and the default's relative to the better of the two others."""
    data = mnist.load()
    data = Splits.of(data.train[:10_000], data.validation[:1000], data.test)
    chosen = []

    def train(threads: int | None) -> None:
        run = Run(read(name, {"epochs": epochs}), data, threads=threads)
        with np.errstate(all="ignore"):
            for _ in run.events():
                pass
        if threads is None:
            chosen.append(run.threads.choices)

    rivals = {"default": lambda: train(None), "1 thread": lambda: train(1), "2 threads": lambda: train(2)}
    started = time.perf_counter()
    comparison = interleave(name, rivals, rounds=rounds, work=f"{epochs} epochs of 10,000 images", dropped=1)
    better = np.minimum(comparison.seconds["1 thread"], comparison.seconds["2 threads"])
    ratio = float(np.median(comparison.seconds["default"] / better))
    medians = {key: comparison.median(key) for key in rivals}
    fixed = medians["default"] / min(medians["1 thread"], medians["2 threads"])
    print(f"{busy} busy processes, {comparison}")
    print(f"  default / the better: {fixed:.2f}; chosen {chosen}; {time.perf_counter() - started:.0f} s", flush=True)
    table = comparison.to_table()
    return {
        "recipe": name, "busy_processes": busy, "seconds": table["seconds"], "default_by_better": fixed,
        "default_by_better_in_each_round": ratio, "choices": chosen,
    }  # fmt: skip


if __name__ == "__main__":
    main()
