"""What several ranks cost and bring on this machine: writes records/mpi.json, part by part.

    python benchmarks/mpi.py [--rounds 3] [--again PART]

By memory, ranks exchange through shared memory; by TCP, over the loopback device. With more ranks than cores, they
take turns, which is said.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plainnet.foreign.opening import read_json
from plainnet.runs.environment import hardware, versions
from plainnet.runs.threads import available_cores
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "records/mpi.json"
MPIRUN = Path(sys.executable).parent / "mpiexec.hydra"
BY_TCP = {"MPIR_CVAR_CH4_NETMOD": "ofi", "FI_PROVIDER": "tcp", "MPIR_CVAR_NOLOCAL": "1"}
ENVIRONMENT = os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
BATCHES = {"classic": (128, 64, 32, 16), "cnn": (128, 64, 32, 16), "wide": (128, 64, 32)}
STEPS = {"classic": 150, "cnn": 25, "wide": 4}
SEEDS = range(5)


def ranks(count: int, *asked: object, environment: dict[str, str] | None = None) -> Any:
    """Return what a task of mpi_ranks.py prints."""
    command = [str(MPIRUN), "-n", str(count), sys.executable, str(Path(__file__).with_name("mpi_ranks.py"))]
    done = subprocess.run(
        [*command, *map(str, asked)], env=ENVIRONMENT | (environment or {}), stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def _middle(tables: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(table[key] for table in tables) for key in tables[0]}


def reductions(rounds: int) -> Any:
    """Time reductions of the gradient of `classic`, in milliseconds, the median of the rounds."""
    found: dict[str, list[Any]] = {}
    for _ in range(rounds):
        for count in (2, 4, 8):
            found.setdefault(f"{count} memory", []).append(ranks(count, "reductions"))
            found.setdefault(f"{count} tcp", []).append(ranks(count, "reductions", environment=BY_TCP))
    return {name: _middle(tables) for name, tables in found.items()}


def one_rank(rounds: int) -> Any:
    """Time steps of `classic` by the MPI path on one rank, over those of one thread without it."""
    found = [ranks(1, "steps", "classic", 128, 300, "threads", "ordered")["ms"] for _ in range(rounds)]
    ratios = [one["ordered"]["median"] / one["threads"]["median"] for one in found]
    return {"ratio": statistics.median(ratios), "rounds": ratios}


def compute(rounds: int) -> Any:
    """Time steps of smaller and smaller batches, without exchange, by as many processes as there are cores."""
    return {
        name: [
            _joined([ranks(available_cores(), "steps", name, b, STEPS[name], "threads") for _ in range(rounds)])
            for b in batches
        ]
        for name, batches in BATCHES.items()
    }


def _joined(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one table with the medians of several."""
    ms = {how: _middle([table["ms"][how] for table in tables]) for how in tables[0]["ms"]}
    return tables[0] | {"ms": ms}


def steps(rounds: int) -> Any:
    """Time steps with a batch of 128, by 1 to 8 ranks, by memory and by TCP; and by two threads."""
    found: dict[str, list[Any]] = {}
    for _ in range(rounds):
        for name in BATCHES:
            both = ("ordered", "allreduce")
            if name != "wide":
                found.setdefault(f"{name} threads", []).append(ranks(1, "steps", name, 128, STEPS[name], "threads:2"))
            for count in (1, 2, 4, 8) if name != "wide" else (1, 2):
                how = both if count > 1 else ("threads",)
                found.setdefault(f"{name} {count} memory", []).append(
                    ranks(count, "steps", name, 128, STEPS[name], *how)
                )
                if count > 1:
                    found.setdefault(f"{name} {count} tcp", []).append(
                        ranks(count, "steps", name, 128, STEPS[name], *how, environment=BY_TCP)
                    )
    return {name: _joined(tables) for name, tables in found.items()}


def gradients(rounds: int) -> Any:
    """Measure distances of the gradient of n ranks from that of one process."""
    return {str(count): ranks(count, "gradients") for count in (2, 4)}


def accuracy(rounds: int) -> Any:
    """Train for the validation accuracy of `fast99` on 1, 2 and 4 ranks, with one thread each."""
    runs = [ranks(count, "accuracy", "fast99", seed) for seed in SEEDS for count in (1, 2, 4)]
    found = {}
    for count in (1, 2, 4):
        values = [run["validation_accuracy"] for run in runs if run["ranks"] == count]
        found[str(count)] = {"mean": statistics.mean(values), "sd": statistics.stdev(values), "runs": values}
    return found


def overlap(rounds: int) -> Any:
    """Time gradients of 3 x 2,048 units by 2 ranks, reduced after the pass and, layer by layer, during it."""
    found: dict[str, Any] = {}
    for by, environment in (("memory", {}), ("tcp", BY_TCP)):
        for batch in (32, 128, 512):
            tables = [ranks(2, "overlap", batch, 2048, 12, environment=environment) for _ in range(rounds)]
            found[f"{batch} {by}"] = _middle(tables)
            found[f"{batch} {by}"]["ratio"] = statistics.median(one["during"] / one["after"] for one in tables)
    return found


PARTS: dict[str, Callable[[int], Any]] = {
    "gradients": gradients, "reductions": reductions, "one_rank": one_rank, "compute": compute, "steps": steps,
    "accuracy": accuracy,
    "overlap": overlap,
}  # fmt: skip


def main() -> None:
    """Measure what is not on record yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--again", choices=PARTS)
    asked = parser.parse_args()
    record = read_json(RECORD, "record") if RECORD.exists() else {}
    for name, part in PARTS.items():
        if name not in record or name == asked.again:
            found = part(asked.rounds)
            record |= {"hardware": hardware(), "versions": versions(), "cores": available_cores(), name: found}
            write_atomically(RECORD, to_json(record))
            print(name, json.dumps(found)[:2000], flush=True)


if __name__ == "__main__":
    main()
