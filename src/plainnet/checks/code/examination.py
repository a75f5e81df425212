"""Running an examination in a process of its own, within a limit of time, so that no file can hang or crash us."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from plainnet.checks.code.faults import CATALOGUE, lesson
from plainnet.errors import InputError


def examine_file(path: str | Path, *, only: str | None = None, timeout: float = 60.0) -> list[dict[str, Any]]:
    """Return the findings on the backpropagation in a Python file, a table each.

    A table has name, verdict (right, wrong or undecidable), array, diagnosis (a slug of the catalogue or None),
    evidence and line. `only` names the one class or function to examine; `timeout` is in seconds.

    Raises: `InputError` if the file cannot be run to its end, or holds nothing that can be examined.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}; give the Python file to examine")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "plainnet.checks.code.worker", str(path.resolve()), only or "", str(report)]
        try:
            done = subprocess.run(  # noqa: S603  (running the user's own file is what was asked for)
                command, capture_output=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL, cwd=folder
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"{path} did not end within {timeout:g} s; look for an endless loop, or give more with --timeout"
            ) from error
        if not report.exists():
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or f"exit code {done.returncode}"
            raise InputError(f"{path} ended its process before it could be examined: {last}")
        result = json.loads(report.read_text())
    if "error" in result:
        raise InputError(f"{path} cannot be examined: {result['error']}")
    subjects: list[dict[str, Any]] = result["subjects"]
    if not subjects:
        what = f"nothing called {only}" if only else "nothing"
        raise InputError(
            f"{path} defines {what} to examine; looked for classes with forward and backward, pairs name_forward and "
            "name_backward, functions name_loss(x, y), classes with loss(x, y), and update rules"
        )
    return subjects


def describe(finding: dict[str, Any], path: str | Path) -> str:
    """Return a finding as lines to read."""
    head = f"{finding['name']}: {finding['verdict']}"
    if finding["verdict"] != "wrong":
        return f"{head}\n    {finding['evidence']}"
    where = f"{path}:{finding['line']}" if finding["line"] else str(path)
    head += f", {finding['array'] or 'backward'} ({where})"
    if finding["diagnosis"] is None:
        return f"{head}\n    {finding['evidence']}"
    fault = CATALOGUE[finding["diagnosis"]]
    return (
        f"{head}\n    {fault.title} [{finding['diagnosis']}]\n    evidence: {finding['evidence']}\n"
        f"    should be: {fault.formula}\n    lesson: {lesson(finding['diagnosis'])}"
    )
