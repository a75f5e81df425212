"""Measure the main job and write records/main_job.json: python benchmarks/main_job.py.

Clones the committed state into an empty folder and times `make train` there, installation included; then
measures peak memory, what importing costs, the gradient check, and the size of the source. The two pictures of
README.md are those of the run.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from plainnet.runs.environment import hardware, threads, versions
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
ROUNDS = 21


def main() -> None:
    """Measure everything and write the record."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(project)], check=True)
        record: dict[str, Any] = {"make_train": make_train(project)}
        record["train"] = peak_memory(project)
        record["import"] = import_times(project)
        check = project / "check.json"
        subprocess.run([project / ".venv/bin/plainnet", "check", "--json", check], check=True)
        record["check"] = {key: value for key, value in json.loads(check.read_text()).items() if key != "rows"}
        for name in ("training_curves.png", "sample_predictions.png"):
            shutil.copy(project / "results" / name, ROOT / "docs" / "pictures" / name)
    record["lines"] = lines()
    record |= {"versions": versions(), "threads": threads(), "hardware": hardware()}
    write_atomically(ROOT / "records" / "main_job.json", to_json(record))


def make_train(project: Path) -> dict[str, Any]:
    """Time `make train` from a fresh clone, outside any virtual environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("VIRTUAL_ENV", "PYTHON"))}
    clean["PATH"] = os.pathsep.join(
        part for part in clean["PATH"].split(os.pathsep) if not Path(part).is_relative_to(Path(sys.prefix))
    )
    started = time.perf_counter()
    subprocess.run(["make", "train"], cwd=project, env=clean, check=True)
    seconds = time.perf_counter() - started
    metrics = json.loads((project / "results" / "metrics.json").read_text())
    return {
        "seconds": round(seconds, 1),
        "training_seconds": metrics["seconds"],
        "test_accuracy": metrics["test_accuracy"],
    }


def peak_memory(project: Path) -> dict[str, float]:
    """Return the largest resident memory of a whole `plainnet train`, which does not depend on the epochs."""
    command = [str(project / ".venv/bin/plainnet"), "train", "--epochs", "2", "--quiet", "--out", str(project / "two")]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return {"peak_memory_mb": round(usage.ru_maxrss * 1024 / 1e6, 1)}


def import_times(project: Path) -> dict[str, Any]:
    """Time `import numpy` and `import plainnet` in turn, each in a Python of its own, and compare the medians."""
    program = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    seconds: dict[str, list[float]] = {"numpy": [], "plainnet": []}
    for _ in range(ROUNDS):
        for name, values in seconds.items():
            command = [str(project / ".venv/bin/python"), "-c", program.format(name)]
            values.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    medians = {name: statistics.median(values[2:]) for name, values in seconds.items()}
    ratios = [ours / theirs for ours, theirs in zip(seconds["plainnet"], seconds["numpy"], strict=True)]
    return {
        "numpy_ms": round(1000 * medians["numpy"], 1),
        "plainnet_ms": round(1000 * medians["plainnet"], 1),
        "ratio": round(statistics.median(ratios[2:]), 3),
        "rounds": ROUNDS - 2,
    }


def lines() -> dict[str, int]:
    """Count the lines of the package: all of them, and those of code, without blanks, comments and docstrings."""
    total = code = files = 0
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        files += 1
        total += len(text.splitlines())
        code += len(ast.unparse(_without_docstrings(ast.parse(text))).splitlines())
    return {"files": files, "lines": total, "code_lines": code}


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            node.body = body[1:] or [ast.Pass()]
    return tree


if __name__ == "__main__":
    main()
