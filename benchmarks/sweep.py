"""What `plainnet sweep --jobs 2` costs: writes records/sweep.json.

Eight trainings of `minute` on 10,000 images, one thread each: by a sweep with two jobs, and by two processes that are
started by hand and make four each. Rounds alternate. The memory is what all processes have of their own, at most.

    python benchmarks/sweep.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.runs.environment import hardware, versions
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
TRIALS, IMAGES = 8, 10_000
_BY_HAND = f"""
import sys
import numpy as np
from plainnet import mnist
from plainnet.recipes import read
from plainnet.runs.run import Run
np.seterr(all="ignore")
data = mnist.load()
for rate in sys.argv[1:]:
    overrides = {{"workers": 1, "schedule.learning_rate": float(rate)}}
    print(list(Run(read("minute", overrides), data, limit={IMAGES}, threads=1).epochs())[-1].validation_accuracy)
"""
RATES = [float(f"{rate:.3g}") for rate in np.geomspace(0.001, 0.01, TRIALS)]
_ENVIRONMENT = os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")


def own_memory_mb(pids: list[int]) -> float:
    """Return what processes and their children have in memory, shared pages divided by those who share them."""
    found, left = 0.0, list(pids)
    while left:
        pid = left.pop()
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found += int(text.split("Pss:")[1].split()[0]) / 1000
            for task in Path(f"/proc/{pid}/task").iterdir():
                left += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, IndexError):
            continue
    return found


def timed(commands: list[list[str]]) -> tuple[float, float]:
    """Run commands at once; return the seconds until all have ended, and the largest memory on the way."""
    began, most = time.perf_counter(), [0.0]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, env=_ENVIRONMENT) for command in commands]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            most[0] = max(most[0], own_memory_mb([process.pid for process in running]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for process in running:
        assert process.wait() == 0
    seconds = time.perf_counter() - began
    ended.set()
    watcher.join()
    return seconds, most[0]


def main() -> None:
    """Measure and keep the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds: list[dict[str, Any]] = []
    for _ in range(parser.parse_args().rounds):
        hand = timed([[sys.executable, "-c", _BY_HAND, *map(str, RATES[k::2])] for k in range(2)])
        with tempfile.TemporaryDirectory() as folder:
            vary = f"schedule.learning_rate={json.dumps(RATES)}"
            command = [sys.executable, "-m", "plainnet", "sweep", "minute", "--vary", vary, "--sampler", "grid"]
            more = ["--trials", str(TRIALS), "--limit", str(IMAGES), "--jobs", "2", "--out", folder]
            swept = timed([[*command, *more]])
        rounds.append({"by_hand_s": hand[0], "sweep_s": swept[0], "by_hand_mb": hand[1], "sweep_mb": swept[1]})
        print(rounds[-1], flush=True)
    record = {
        "hardware": hardware(), "versions": versions(), "trainings": TRIALS, "images": IMAGES, "rounds": rounds,
        "throughput": float(np.median([one["by_hand_s"] / one["sweep_s"] for one in rounds])),
        "memory": float(np.median([one["sweep_mb"] / one["by_hand_mb"] for one in rounds])),
    }  # fmt: skip
    write_atomically(ROOT / "records/sweep.json", to_json(record))
    print(record["throughput"], record["memory"])


if __name__ == "__main__":
    main()
