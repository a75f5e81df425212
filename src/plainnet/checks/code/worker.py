"""The process that runs and examines a file: `python -m plainnet.checks.code.worker FOLDER FILE OPTIONS`.

It writes its findings to a separate report, so that the output of the file does not mix with them.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.checks.code.coverage import left_out, left_unread
from plainnet.checks.code.dialects import old_names
from plainnet.checks.code.judged_elsewhere import (
    judged_by_callers,
    judged_by_common_losses,
    judged_by_misuse,
    judged_by_subclasses,
)
from plainnet.checks.code.loading import Loaded, load, program_of
from plainnet.checks.code.looks import own_classes, passes_beside
from plainnet.checks.code.loops import calls_only, loops_of
from plainnet.checks.code.programs import programs_beside, project_of
from plainnet.checks.code.recording import TAPE, has_a_program, record
from plainnet.checks.code.scripts import episodes_of_loop
from plainnet.checks.code.tasks import Task, searching, tasks_of, training_tasks
from plainnet.checks.code.texts import NotPythonError, code_of
from plainnet.checks.code.told import named_episodes
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG
from plainnet.errors import InputError
from plainnet.foreign.confinement import Limits, confine
from plainnet.foreign.running import Report

_WATCHED = 15.0  # seconds for which the file's own program runs
_LONGEST = 900  # characters of a text


def main(folder: str, path: str, options: str) -> None:
    """Load the file, examine what it defines, and report."""
    report, place = Report(Path(folder)), Path(folder) / "work"
    place.mkdir()
    asked = json.loads(options)
    more = [project_of(Path(path)), *([Path(asked["run"]).parent] if asked.get("run") else [])]
    missing = confine(Path(path).parent, place, Limits(), more)
    sys.argv[:] = [path]
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    old_names()
    report.write(json.dumps(_findings(path, asked) | {"unconfined": missing}).encode())


@dataclass
class Examined:
    """The result for a file: the findings, what was not examined, and the loaded file with the parts that did not run.

    `programs` are other files that were run, because they call what the file defines.
    """

    findings: list[CodeFinding] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    loaded: Loaded | None = None
    programs: list[str] = field(default_factory=list)


def examine_path(path: str | Path, only: str = "", seconds: float = 600.0) -> list[CodeFinding]:
    """Run a file and return the findings on what it defines."""
    return examined(path, only, seconds).findings


def examined(
    path: str | Path, only: str = "", seconds: float = 600.0, told: dict[str, Any] | None = None, run: str = ""
) -> Examined:
    """Run a file, examine what it defines, and list what was not examined.

    `told` holds forward, backward and wrt if the user names them; `run` is a program that uses the file and shows how.

    Raises: `NotPythonError` if it cannot be read, `InputError` if it lacks what the user names.
    """
    until = time.monotonic() + seconds
    with _quiet():
        loaded = load(path)
        result = Examined(loaded=loaded)
        if told:
            episodes = list(itertools.islice(named_episodes(loaded.module, **told), 400))
            back = told["backward"]
            _work([searching(back, "functions", back.rpartition(".")[2], lambda: episodes)], result, until)
            return result
        tasks = list(tasks_of(loaded, only))
        _work(tasks, result, until)
        names = {task.name for task in tasks}
        tasks += [task for task in training_tasks(loaded) if only in ("", task.name) and task.name not in names]
        _watched(tasks, loaded, result, until, run)
        result.findings = judged_by_subclasses(result.findings, loaded.module)
        result.findings = judged_by_common_losses(result.findings, loaded.module)
        judged = {
            f.function or f.name
            for f in result.findings
            if f.verdict != UNDECIDABLE and f.form in ("class", "functions")
        }
        done = {f.name for f in result.findings if f.form == "update"}
        done |= {
            f"{f.name.partition('.')[0]}.{f.function}"
            for f in result.findings
            if f.form == "class" and f.verdict != UNDECIDABLE
        }
        loops = [loop for loop in loops_of(loaded) if not ({loop.kind, loop.name} & done or calls_only(loop, judged))]
        wanted = [
            loop
            for loop in loops
            if only in ("", loop.name, loop.kind) and loop.name not in {f.name for f in result.findings}
        ]
        _work(
            [searching(loop.name, "loop", None, partial(episodes_of_loop, loop, loaded)) for loop in wanted],
            result,
            until,
        )
    if not only:
        unread = list(left_out(loaded.tree, result.findings, _examined_too(loaded, result)))
        result.findings = judged_by_callers(result.findings, unread)
        result.left_out += left_out(loaded.tree, result.findings, _examined_too(loaded, result))
        result.left_out += left_unread(code_of(Path(path)), loaded.tree)
        result.findings = judged_by_misuse(result.findings, loaded.tree)
        result.left_out += [
            {"name": f"line {f.line}", "line": f.line, "why": f"it gives {f.name} the output instead of the input"}
            for f in result.findings
            if f.form == "derivative" and f.verdict == RIGHT and f.line is not None
            if all(other.verdict != WRONG for other in result.findings)
        ]
    return result


def _examined_too(loaded: Loaded, result: Examined) -> set[str]:
    """Return the names of the loops, and of the passes that run together with those that have a verdict."""
    found = {loop.name for loop in loops_of(loaded)}
    for name, kind in own_classes(loaded.module).items():
        for back in {f.function for f in result.findings if f.form == "class" and f.name == name and f.function}:
            found |= {f"{name}.{other}" for other in passes_beside(kind, back)}
    return found


def _watched(tasks: list[Task], loaded: Loaded, result: Examined, until: float, run: str) -> None:
    """While something is undecidable, run a program for a while, and examine it again as the program calls it.

    The program is the one that the user names; otherwise the file itself, and then others of its project that import it.
    """
    path = Path(str(loaded.module.__file__))
    for program in [Path(run)] if run else [path, *programs_beside(path, project_of(path))]:
        is_open = {f.name for f in result.findings if f.verdict == UNDECIDABLE and f.form in ("class", "functions")}
        known, left = {f.name for f in result.findings}, until - time.monotonic()
        wanted = [task for task in tasks if task.called and (task.name in is_open or task.name not in known)]
        if not wanted or left < 1:
            break
        if program == path and not has_a_program(loaded.tree):
            continue
        try:
            other = None if program == path else program_of(program)
        except NotPythonError:
            continue
        if other is not None:
            result.programs.append(program.name)
        tape = record(loaded, min(_WATCHED, left / 3), {task.called for task in wanted}, other)
        again = Examined()
        _work([task for task in wanted if tape.calls(task.called)], again, until)
        decided = {f.name for f in again.findings if f.verdict != UNDECIDABLE}
        kept = [f for f in result.findings if f.name not in decided]
        result.findings = kept + [f for f in again.findings if f.name in decided]
    vars(loaded.module).pop(TAPE, None)


def _work(tasks: list[Task], result: Examined, until: float) -> None:
    """Do the tasks, each within its share of the remaining time; tasks that are not reached are listed as not examined."""
    for number, task in enumerate(tasks):
        left = until - time.monotonic()
        if left < 0.2 and task.name:
            result.left_out.append(
                {"name": task.name, "line": None, "why": "the time was up; allow more with --timeout"}
            )
            continue
        rest = len(tasks) - number
        share = max(min(left if rest == 1 else 0.6 * left, 3 * left / rest), 0.5)
        try:
            result.findings += task.run(share)
        except BaseException as error:
            evidence = f"it could not be examined: {type(error).__name__}: {error}"
            result.findings.append(CodeFinding(name=task.name, verdict=UNDECIDABLE, evidence=evidence))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Discard what the file prints."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), np.errstate(all="ignore"):
        yield


def _findings(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        result = examined(path, asked["only"], asked["seconds"], asked.get("told"), asked.get("run") or "")
    except (NotPythonError, InputError) as error:
        return {"error": str(error)}
    except BaseException as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        line = getattr(error, "lineno", None) or next(reversed(lines), None)
        said = f": {error}" if str(error) else ""
        return {"error": f"it raised {type(error).__name__}{f' in line {line}' if line else ''}{said}"[:2000]}
    assert result.loaded is not None
    return {
        "subjects": [_short(finding.to_table()) for finding in result.findings],
        "left_out": [_short(one) for one in result.left_out],
        "failed": [text[:_LONGEST] for text in result.loaded.failed][:50],
        "stand_ins": result.loaded.stand_ins[:20],
        "made_up": result.loaded.substituted[:20],
        "programs": result.programs,
    }


def _short(table: dict[str, Any]) -> dict[str, Any]:
    """Return a finding with its texts cut to a readable length."""
    return {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in table.items()}


if __name__ == "__main__":
    main(*sys.argv[1:4])
