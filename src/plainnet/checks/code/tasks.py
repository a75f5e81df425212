"""Tasks: everything in a file that is to be examined, except its training loops."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from plainnet.checks.code.built import episodes_of_layer, is_ours
from plainnet.checks.code.choosing import Search, search
from plainnet.checks.code.coverage import is_empty
from plainnet.checks.code.examining import verdict_of
from plainnet.checks.code.executed import executed
from plainnet.checks.code.functions import episodes_of_function, passes_of_module
from plainnet.checks.code.judging_at_once import judged_at_once
from plainnet.checks.code.loading import Loaded
from plainnet.checks.code.looks import own_classes, passes_beside, passes_of
from plainnet.checks.code.loops import loops_of
from plainnet.checks.code.neurons import episodes_of_neurons, functions_of_neurons
from plainnet.checks.code.objects import episodes_of_class
from plainnet.checks.code.pairs import trained_by_pairs
from plainnet.checks.code.trained import episodes_trained
from plainnet.checks.code.update_rules import examine_updates
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import UNDECIDABLE

_TO_TRAIN = 12.0  # seconds for a function that trains, whose steps may be slow
_SHARE = 0.8  # of the time of a task is for the search; the rest is for the verdict


@dataclass(frozen=True)
class Task:
    """One class or function to examine: its name, a function that returns its findings within some seconds, and the name of its calls."""

    name: str
    run: Callable[[float], list[CodeFinding]]
    called: str = ""


def tasks_of(loaded: Loaded, only: str) -> Iterator[Task]:
    """Yield everything to examine except the training loops, in the order of the file."""
    module = loaded.module
    derivatives, of_engines, engines = judged_at_once(module)
    examined = {name.partition(".")[0] for name in of_engines}
    empty = {
        f"{node.name}.{inner.name}"
        for node in ast.walk(loaded.tree)
        if isinstance(node, ast.ClassDef)
        for inner in node.body
        if isinstance(inner, ast.FunctionDef) and is_empty(inner)
    }
    empty |= {node.name for node in loaded.tree.body if isinstance(node, ast.FunctionDef) and is_empty(node)}
    for name, kind in own_classes(module).items():
        if name in examined or issubclass(kind, tuple(engine.kind for engine in engines)):
            continue
        if is_ours(kind):
            if only in ("", name) and not inspect.isabstract(kind):
                yield searching(name, "layer", "backward", partial(episodes_of_layer, kind, module))
            continue
        passes = [
            back for back in passes_of(kind) if f"{name}.{back}" not in derivatives and f"{name}.{back}" not in empty
        ]
        shared = {
            other
            for number, back in enumerate(passes)
            for other in passes_beside(kind, back)
            if other in passes[number:]
        }
        passes = [back for back in passes if back not in shared]  # these run together with the first
        of_pairs = [back for back in trained_by_pairs(kind) if back not in passes]
        for back in [*of_pairs, *passes]:
            called = name if [back] == passes else f"{name}.{back}"
            if only in ("", name, called):
                yield searching(called, "class", back, partial(episodes_of_class, kind, module, back))
    of_neurons = [function.__name__ for function in functions_of_neurons(module)[2:]]
    for back in of_neurons:
        yield searching(back, "functions", back, partial(episodes_of_neurons, module, back))
    for back in passes_of_module(module):
        if back not in of_neurons and (
            (not only or back.replace("_backward", "") == only.replace("_forward", "").replace("_backward", ""))
            and back not in derivatives
            and back not in of_engines
            and back not in empty
        ):
            yield searching(back, "functions", back, partial(episodes_of_function, module, back))
    for name, finding in (derivatives | of_engines).items():
        if only in ("", name, name.partition(".")[0]):
            yield Task(name, partial(_known, finding))
    yield Task("", lambda seconds: [finding for finding in examine_updates(module) if only in ("", finding.name)])


def training_tasks(loaded: Loaded) -> Iterator[Task]:
    """Yield the functions and methods with a training loop, as tasks that can be done after a program has called them."""
    for loop in loops_of(loaded):
        if loop.function is not None:
            name, kind = loop.function.name, own_classes(loaded.module).get(loop.kind or "")
            form = "functions" if loop.kind is None else "class"
            episodes = partial(episodes_trained, loaded.module, loop.name, name, kind)
            yield searching(loop.name, form, name, episodes, most=_TO_TRAIN)


def _known(finding: CodeFinding, seconds: float) -> list[CodeFinding]:
    return [finding]


def searching(name: str, form: str, function: str | None, episodes: Callable[[], Any], most: float = np.inf) -> Task:
    """Return the task to search among episodes, for `most` seconds at most, and to give a verdict."""

    def run(seconds: float) -> list[CodeFinding]:
        found: Search = search(episodes(), _SHARE * min(seconds, most))
        findings = [replace(finding, function=function) for finding in verdict_of(name, found, form)]
        if UNDECIDABLE not in {finding.verdict for finding in findings}:
            findings[0] = replace(findings[0], ran=executed(found.best))
        return findings

    return Task(name, run, f"{name.partition('.')[0]}.{function}" if form == "class" else name)
