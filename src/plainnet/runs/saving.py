"""Saving during training: a checkpoint every epoch and every minute, and an orderly stop on Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from plainnet import checkpoint
from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError
from plainnet.events import Epoch
from plainnet.foreign.checking import either, listed, nothing, problem, table, text, whole
from plainnet.foreign.showing import counted
from plainnet.forking import ENDS
from plainnet.resuming import for_other_workers
from plainnet.runs.environment import versions
from plainnet.runs.metrics_file import FINGERPRINT, has_examples, path
from plainnet.runs.run import Run
from plainnet.runs.threads import ThreadChoice
from plainnet.stopping import Stop
from plainnet.training import Event

ABOUT: dict[str, Any] = {  # what a checkpoint holds besides the state of the training
    "run": {"recipe": table, "seed": whole(), "limit": either(nothing, whole(1)), "data": FINGERPRINT},
    "made_with": {"versions": table, "threads?": whole(1, 10_000), "methods?": table},
    "data_dir?": path,  # in checkpoints of earlier versions; now the recipe says where its data are
    "diverged?": text(1000),
    "threads?": either(nothing, whole(1, 10_000)),
    "thread_choices?": listed(listed(whole(0, 10**9), least=3), least=1),
}


def read_checkpoint(folder: Path) -> checkpoint.Checkpoint:
    """Return the checkpoint in a folder, after checking what it says about its training.

    Raises: `InputError` if there is none, or it is damaged.
    """
    found = checkpoint.Checkpoint(folder)
    if (what := problem(found.about, ABOUT)) is not None:
        raise InputError(f"{found.path} is not a checkpoint of a training run: {what}; start over")
    if "thread_choices" not in found.about and "threads" not in found.about["made_with"]:
        raise InputError(f"{found.path} does not say how many threads it was made with; start over")
    if found.about.get("data_dir"):
        found.about["run"]["recipe"]["data"] = {"path": found.about["data_dir"]}
    if not has_examples(found.about["run"]["data"]):
        raise InputError(f"{found.path} is not a checkpoint of a training run: it names no training data; start over")
    return found


def resume(run: Run, found: checkpoint.Checkpoint) -> str:
    """Resume the run from the checkpoint; return a description of what has changed since it was saved, or "".

    If nothing has changed, the result is bit-identical to that of an uninterrupted run.

    Raises: `InputError` if the checkpoint belongs to a run with other settings, or to one that diverged.
    """
    if found.about.get("diverged"):
        raise InputError(f"this training run cannot be resumed: {found.about['diverged']}; start over with --force")
    now, then = _about(run), found.about
    for about in (then, now):
        about["run"]["recipe"].setdefault("data", {}).pop("path", None)  # the data may have moved
    names = then["run"]["recipe"].get("name"), now["run"]["recipe"].get("name")
    if names[0] != names[1]:
        raise InputError(
            f"{found.path.parent} holds a training run of {names[0]}, not of {names[1]}; leave out the recipe's name"
        )
    if changed := differences(then["run"], now["run"]):
        raise InputError(f"the training in {found.path.parent} has other settings: {changed}; keep its settings")
    number, before_it = run.training.workers.number, found.values.get("training", {}).get("workers")
    workers_changed = ""
    if before_it not in (None, number):  # with equal recipes, this is due to another number of processes
        found.values = for_other_workers(found.values, run.training)
        workers_changed = f"workers was {before_it}, now {number}"
    found.restore(run.training)
    # Version 1 of checkpoints recorded only the threads of each worker.
    choices = then.get("thread_choices") or [[0, 0, int(then["made_with"]["threads"]) * run.recipe.workers]]
    given, before = run.threads.given, choices[-1][2]
    # A number of threads that was requested, as always in version 1, is kept to the end.
    run.threads.repeat(choices, then.get("threads") if "thread_choices" in then else before)
    versions_changed = differences(then["made_with"]["versions"], now["made_with"]["versions"], "versions")
    methods = now["made_with"]["methods"]  # earlier checkpoints do not record them: all used the direct method
    methods_changed = differences(
        then["made_with"].get("methods", dict.fromkeys(methods, "direct")), methods, "methods"
    )
    converted = "the state was converted from an earlier version" if found.converted else ""
    same = given is None or run.recipe.workers * max(1, given // run.recipe.workers) == before
    threads_changed = "" if same else f"threads was {before}, now {given}"
    return ", ".join(filter(None, [converted, versions_changed, methods_changed, workers_changed, threads_changed]))


def events(run: Run, folder: Path, *, every: float = 60.0) -> Iterator[Event | ThreadChoice]:
    """Train the run to its end, yielding its events; save a checkpoint after each epoch, and `every` this many seconds.

    On SIGINT (Ctrl-C), SIGTERM or SIGHUP, it stops after the current batch and saves a checkpoint; a second signal
    stops at once.

    Raises: `TrainingInterruptedError` after such a signal; `TrainingDivergedError`, after putting back the last finite
    weights; `InputError` if a checkpoint cannot be written, in which case the previous one remains.
    """
    training, saved = run.training, time.monotonic()
    about = _about(run)
    with _signals() as received:
        try:
            for event in run.events():
                late = time.monotonic() - saved >= every
                signal_received, due = training.workers.largest(received[0] if received else 0, late)
                if isinstance(event, Epoch | Stop) or signal_received or due:
                    checkpoint.save(folder, training, about | _threads(run))
                    saved = time.monotonic()
                if signal_received:
                    done = f"{len(training.history)} of {training.epochs} epochs and {counted(training.batch, 'batch')}"
                    raise TrainingInterruptedError(int(signal_received), f"stopped after {done}; everything is saved")
                yield event
        except TrainingDivergedError as error:
            checkpoint.save(folder, training, about | {"diverged": str(error)} | _threads(run))
            raise


def save(run: Run, folder: Path) -> None:
    """Write a checkpoint of a run in its current state; `plainnet train --resume FOLDER` resumes from it.

    Raises: as `checkpoint.save`.
    """
    checkpoint.save(folder, run.training, _about(run) | _threads(run))


def differences(before: Any, now: Any, name: str = "") -> str:
    """Return in one line where two tables of plain values differ, or ""."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*before, *(key for key in now if key not in before)]
        parts = (differences(before.get(key), now.get(key), f"{name}.{key}".lstrip(".")) for key in keys)
    elif isinstance(before, list | tuple) and isinstance(now, list | tuple) and len(before) == len(now):
        parts = (differences(b, n, f"{name}.{place}") for place, (b, n) in enumerate(zip(before, now, strict=True)))
    else:
        return "" if before == now else f"{name} was {before}, now {now}"
    return ", ".join(part for part in parts if part)


def _threads(run: Run) -> dict[str, Any]:
    """Return what a checkpoint should say about threads: how many were requested, and how many were chosen."""
    return {"threads": run.threads.given, "thread_choices": run.threads.choices}


def _about(run: Run) -> dict[str, Any]:
    """Return what a checkpoint should hold besides the state: the training's settings, and what it was made with."""
    return {"run": run.settings(), "made_with": {"versions": versions(), "methods": run.network.methods()}}


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect in a list the signals that ask the program to end; the second one ends it at once."""
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may receive signals
        yield received
        return
    heard = [number for number in ENDS if signal.getsignal(number) is not signal.SIG_IGN]  # which nohup sets
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
