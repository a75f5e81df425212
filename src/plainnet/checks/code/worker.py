"""The process in which a file is run and examined: `python -m plainnet.checks.code.worker FOLDER FILE ONLY`.

It writes its findings to a report, so that whatever the file prints does not get in the way.
"""

from __future__ import annotations

import importlib.util
import json
import linecache
import sys
import traceback
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.discovery import discover
from plainnet.checks.code.subject import Subject
from plainnet.checks.code.update_rules import examine_updates
from plainnet.checks.code.verdicts import CodeFinding, examine
from plainnet.checks.gradients.central import UNDECIDABLE
from plainnet.foreign.confinement import Limits, confine
from plainnet.foreign.running import Report

_LONGEST = 900  # letters of a text


def main(folder: str, path: str, only: str) -> None:
    """Load the file, examine what it defines, and report."""
    report, place = Report(Path(folder)), Path(folder) / "work"
    place.mkdir()
    missing = confine(Path(path).parent, place, Limits())
    sys.argv[:] = [path]
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    report.write(json.dumps(_findings(path, only) | {"unconfined": missing}).encode())


def load(path: str | Path) -> ModuleType:
    """Run a file as a module; raises whatever running it raises."""
    spec = importlib.util.spec_from_file_location("examined", path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file; give one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["examined"] = module
    linecache.checkcache(str(path))
    spec.loader.exec_module(module)
    return module


def examine_path(path: str | Path, only: str = "") -> list[CodeFinding]:
    """Run a file and return the findings on what it defines."""
    module = load(path)
    findings = [
        finding
        for subject in discover(module)
        if only in ("", subject.name) or only.replace("_forward", "") == subject.name
        for finding in _examined(subject)
    ]
    return findings + [finding for finding in examine_updates(module) if only in ("", finding.name)]


def _examined(subject: Subject) -> list[CodeFinding]:
    try:
        return examine(subject)
    except BaseException as error:
        evidence = f"it could not be examined: {type(error).__name__}: {error}"
        return [CodeFinding(name=subject.name, verdict=UNDECIDABLE, evidence=evidence)]


def _findings(path: str, only: str) -> dict[str, Any]:
    sys.path.insert(0, str(Path(path).parent))
    try:
        return {"subjects": [_short(finding.to_table()) for finding in examine_path(path, only)]}
    except SystemExit as error:
        return {"error": f"it ends itself with sys.exit({error.code}) when imported; guard that with __name__"}
    except ModuleNotFoundError as error:
        return {"error": f"it imports {error.name}, which is not installed here; install it, or leave it out"}
    except BaseException as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        line = getattr(error, "lineno", None) or next(reversed(lines), None)
        said = f": {error}" if str(error) else ""
        return {"error": f"it raised {type(error).__name__}{f' in line {line}' if line else ''}{said}"[:2000]}


def _short(table: dict[str, Any]) -> dict[str, Any]:
    """Return a finding whose texts quote no more than anybody reads."""
    return {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in table.items()}


if __name__ == "__main__":
    main(*sys.argv[1:4])
