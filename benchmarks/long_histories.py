"""How long `plainnet diagnose` takes for a history of a million steps: writes records/long_histories.json.

`python benchmarks/long_histories.py [--rounds 3]`. Each form is written once and read by a new process in each round;
rounds of all forms alternate. The memory is the most that the process had at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from plainnet.runs.environment import hardware, versions
from plainnet.writing import to_json, write_atomically

RECORD = Path(__file__).parents[1] / "records/long_histories.json"
STEPS = 1_000_000
Curves = tuple[list[float], list[float]]
FORMS: dict[str, Callable[[Curves], str]] = {
    "log": lambda curves: "".join(
        f"step {step} loss {loss:.4f} acc {right:.4f}\n" for step, (loss, right) in enumerate(zip(*curves, strict=True))
    ),
    "log with time stamps": lambda curves: "".join(
        f"2026-05-01 12:00:00,{step % 1000:03d} - INFO - Epoch: {step // 10_000} | Step: {step} | loss: {loss:.4f}\n"
        for step, loss in enumerate(curves[0])
    ),
    "CSV": lambda curves: (
        "step,loss,acc\n"
        + "".join(f"{step},{loss:.6f},{right:.4f}\n" for step, (loss, right) in enumerate(zip(*curves, strict=True)))
    ),
    "one JSON object per line": lambda curves: "".join(
        f'{{"step": {step}, "loss": {loss:.6f}, "acc": {right:.4f}}}\n'
        for step, (loss, right) in enumerate(zip(*curves, strict=True))
    ),
    "JSON, lists": lambda curves: json.dumps(dict(zip(("loss", "acc"), curves, strict=True))),
}


def write(folder: Path) -> None:
    """Write a history of a million steps in every form."""
    rng = np.random.default_rng(0)
    losses = 2.3 * np.exp(-np.arange(STEPS) / 2e5) + 0.05 * rng.random(STEPS)
    curves = losses.round(6).tolist(), (1 - losses / 3).round(4).tolist()
    for name, form in FORMS.items():
        (folder / f"{name}.txt").write_text(form(curves))


def read(path: Path) -> tuple[float, float]:
    """Return the seconds and the megabytes that a process takes to diagnose a file."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "plainnet", "diagnose", str(path)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return time.perf_counter() - began, used.ru_maxrss / 1000


def main() -> None:
    """Measure every form, and keep the record."""
    parser = argparse.ArgumentParser(description="Time the reading of histories of a million steps.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help="write the files to this folder, and do no more")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write)
        return
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in FORMS}
    with tempfile.TemporaryDirectory() as folder:
        # by another process: the memory of this one would count as that of its children
        subprocess.run([sys.executable, __file__, "--write", folder], check=True)
        for _ in range(arguments.rounds):
            for name in FORMS:
                found[name].append(read(Path(folder) / f"{name}.txt"))
    rows = {
        name: {
            "seconds": statistics.median(seconds for seconds, _ in one),
            "sd": statistics.stdev(seconds for seconds, _ in one),
            "mb": max(mb for _, mb in one),
        }
        for name, one in found.items()
    }
    print(json.dumps(rows, indent=1))
    record = {
        "hardware": hardware(),
        "versions": versions(),
        "steps": STEPS,
        "rounds": len(next(iter(found.values()))),
        "forms": rows,
    }
    write_atomically(RECORD, to_json(record))


if __name__ == "__main__":
    main()
