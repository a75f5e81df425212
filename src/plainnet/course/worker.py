"""The process in which an answer is run: `python -m plainnet.course.worker FOLDER FILE CHECK OPTIONS`.

FILE is where the answer comes from, CHECK the checks of the exercise. The report holds what was observed; what is right
is judged elsewhere.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.course.exercise import module_of
from plainnet.course.observing import line_of, observed, packed, said_of
from plainnet.foreign.confinement import Limits, confine
from plainnet.foreign.running import Report


def main(folder: str, path: str, check: str, options: str) -> None:
    """Run the answer, observe it, and report."""
    report, place = Report(Path(folder)), Path(folder) / "work"
    place.mkdir()
    asked = json.loads(options)
    checks = module_of(Path(check).read_text(encoding="utf-8"), "checks")
    text = Path(asked["text"]).read_text(encoding="utf-8")
    missing = confine(Path(path).parent, place, Limits(memory=asked["memory"]))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    report.write(json.dumps(_seen(path, text, checks, asked["seed"]) | {"unconfined": missing}).encode())


def _seen(path: str, text: str, checks: ModuleType, seed: int) -> dict[str, Any]:
    answer = ModuleType("answer")
    answer.__file__ = path
    sys.modules["answer"] = answer
    sys.path.insert(0, str(Path(path).parent))
    try:
        exec(compile(text, path, "exec"), vars(answer))  # noqa: S102  (what a sandbox is for)
    except (Exception, SystemExit) as error:
        return {"error": said_of(error), "line": line_of(error, path)}
    lacking = [name for name in checks.EXERCISE.needs if not hasattr(answer, name)]
    if lacking:
        return {"lacking": lacking}
    found = observed(checks.observe, answer, seed, path)
    return {"observations": [[one.what, packed(one.value), one.error, one.line] for one in found]}


if __name__ == "__main__":
    main(*sys.argv[1:5])
