"""How long users wait: for the import, and for complete shell commands that reach a given accuracy."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from plainnet.bench.interleave import Comparison, Rival, interleave

GOALS = {  # accuracy on the validation images, and a recipe that reaches it
    0.9425: ["fast99", "--limit", "6000"],
    0.98: ["fast99", "--limit", "15000"],
    0.99: ["fast99"],
}


def imports(rounds: int) -> Comparison:
    """Compare `import plainnet` with `import numpy`, each in a new process."""
    rivals: dict[str, Rival] = {
        f"import {name}": partial(_python, "-c", f"import {name}") for name in ("plainnet", "numpy")
    }
    return interleave("import", rivals, rounds=rounds, work="a new process each")


def whole_commands(rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of `plainnet train` from the shell, including data, results and pictures, for each goal."""
    found = []
    for goal, arguments in GOALS.items():
        with tempfile.TemporaryDirectory() as folder:
            command = ["-m", "plainnet", "train", *arguments, "--out", folder, "--quiet", "--force"]
            timed = interleave(
                f"{goal:.2%}", {"plainnet": partial(_python, *command)}, rounds=rounds, work="", dropped=0
            )
            metrics = json.loads((Path(folder) / "metrics.json").read_text(encoding="utf-8"))
        found.append(
            {
                "goal": goal,
                "command": "plainnet train " + " ".join(arguments),
                "validation_accuracy": metrics["validation_accuracy"],
                "seconds": timed.median("plainnet"),
            }
        )
    return found


def peak_memory_mb() -> float:
    """Return the largest resident memory, in MB, of an epoch of the classic recipe in a separate process."""
    program = (
        "from plainnet.cli.app import run; import sys, tempfile\n"
        "from plainnet.runs.environment import peak_memory_mb\n"
        "sys.argv[1:] = ['train', '--epochs', '1', '--quiet', '--out', tempfile.mkdtemp()]\n"
        "try: run()\nexcept SystemExit: pass\nprint(peak_memory_mb())"
    )
    return float(_python("-c", program))


def _python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout  # noqa: S603
