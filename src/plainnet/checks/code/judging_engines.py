"""Judge engines of automatic differentiation, operation by operation.

For each operation, an expression is built, and `backward()` is called on the sum of its result times fixed weights. The gradients of the
leaves are compared with central differences of the expression. In one expression a node is used twice, which shows whether gradients are
added or overwritten. The functions of the file that run in backward are recorded, so that the verdict goes to the function that computed
the gradient, whether it is a closure, a node or an object.
"""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.accusing import open_finding
from plainnet.checks.code.differentiating import Measured, measured
from plainnet.checks.code.engines import Engine
from plainnet.checks.code.looks import BACK
from plainnet.checks.code.operations import Operation, operations_of
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, WRONG

_SPANS = ((-1.5, 1.5), (0.1, 0.9))  # of the leaves; a logarithm needs the second


def judge_engines(engines: list[Engine], module: ModuleType) -> dict[str, CodeFinding]:
    """Return the findings on the engines of a file, by name; an error in one engine does not stop the others."""
    found: dict[str, CodeFinding] = {}
    for engine in engines:
        with contextlib.suppress(Exception):
            found |= {finding.name: finding for finding in judge_engine(engine, module)}
    return found


def judge_engine(engine: Engine, module: ModuleType) -> Iterator[CodeFinding]:
    """Yield a verdict on every operation that a file defines, and on `backward` from a node that is used twice."""
    twice = Operation(
        f"{engine.kind.__name__}.{engine.back}", lambda a, b: _shared(a, a * b), getattr(engine.kind, engine.back)
    )
    right: set[str] = set()
    wrong: dict[str, CodeFinding] = {}
    suspected: list[tuple[set[str], CodeFinding]] = []
    raised: dict[str, CodeFinding] = {}
    arrived = False
    adding = _that_adds(engine, module)
    if adding is not None and (product := measured(adding, Operation("", lambda a, b: a * b, None), module, _SPANS[1])):
        engine = engine if product.right else adding
    base = measured(engine, Operation("", lambda a, b: a, None), module, _SPANS[1])
    always = base.ran if base else frozenset()
    for operation, found in _all_measured(engine, [twice, *operations_of(engine.kind, engine.arrays, module)], module):
        arrived |= any(np.any(claim) for claim in found.claims)
        ran = {called for code in found.ran if (called := _called(code))}
        behind = {called for code in found.ran - always if (called := _called(code))}
        own = ran & {operation.name}
        if operation.name.startswith(f"{engine.kind.__name__}.") and operation.defined_in(module):
            own = {operation.name}
        if found.raised:
            evidence = f"with {operation.option} its backward pass raised {found.raised}"
            guilty = own or behind if operation.option else set()  # otherwise its arguments may be invalid
            raised |= {name: open_finding(name, evidence) for name in guilty if len(guilty) == 1}
        elif found.wrong is None:
            right |= own if operation is twice else (behind or ran) | own
            if own and operation is not twice and (other := _fails_for(engine, operation, module)):
                evidence = f"right for operands of the same shape, but not if one operand is {other}"
                raised[operation.name] = open_finding(operation.name, evidence)
            if own and operation is not twice and adding and (reused := _reused(engine, operation, module)) is not None:
                evidence = "right alone, but not if its operand is a result and is used again: it replaces gradients, or cuts the graph"
                if operation.name in ran:
                    wrong[operation.name] = replace(_accusation(engine, operation.name, reused), evidence=evidence)
                else:  # it is made of other operations
                    raised[operation.name] = open_finding(operation.name, evidence)
        elif operation is twice and adding:  # the product in it is to blame
            right |= own
        elif not operation.sure:
            continue
        elif own and (operation is twice or behind <= own or own <= ran):
            wrong.setdefault(operation.name, _accusation(engine, operation.name, found))
        else:
            suspected.append((behind, _accusation(engine, operation.name, found)))
    for behind, finding in suspected:
        left = behind if len(behind) == 1 else behind - right
        for name in left if len(left) == 1 else ():
            wrong.setdefault(name, replace(finding, name=name))
    if not arrived:  # no operation is likely to be the cause
        evidence = (
            "no gradient arrived at any operand, whatever the operation: the doctor may start backward in the wrong way"
        )
        wrong = {name: open_finding(name, evidence) for name in wrong}
    evidence = "its gradients agree with central differences"
    for name in sorted(right - set(wrong) - set(raised)):
        yield CodeFinding(form="engine", name=name, verdict=RIGHT, evidence=evidence)
    yield from (raised | wrong).values()


def _that_adds(engine: Engine, module: ModuleType) -> Engine | None:
    """Return the engine as one of which only sums are used, of arrays or else of numbers, if its sums are right."""
    often = Operation("", lambda a, b: _summed_often(a, a + b), None)
    for arrays in (engine.arrays, False):
        adding = engine._replace(arrays=arrays, multiplies=False)
        if (sums := measured(adding, often, module, _SPANS[1])) is not None and sums.right:
            return adding
    return None


def _shared(a: Any, product: Any) -> Any:
    """Return an expression in which a leaf and a node that is no leaf are used several times."""
    return a * a + product * product + a * product


def _summed_often(a: Any, total: Any) -> Any:
    """Return an expression of sums in which a leaf and a node that is no leaf are used several times."""
    return (a + total) + (total + total)


def _reused(engine: Engine, operation: Operation, module: ModuleType) -> Measured | None:
    """Return what is measured if an operand is a sum that is used again, if that is wrong."""

    def build(a: Any, b: Any) -> Any:
        operand = a + a
        out = operation.build(operand, b)
        same = np.shape(getattr(out, engine.data)) == np.shape(getattr(operand, engine.data))
        return out + operand if same else out

    found = measured(engine, replace(operation, build=build), module, _SPANS[1])
    return found if found is not None and found.wrong is not None else None


def _fails_for(engine: Engine, operation: Operation, module: ModuleType) -> str:
    """Return the other operand for which an operator is wrong or raises, if the engine means to support it; or ""."""
    if not engine.arrays or not operation.is_operator:
        return ""
    name, source = operation.name.rpartition(".")[2], inspect.getsource(engine.kind)
    others = []
    if re.search(r"broadcast|reduce_shape|sum_to", source):
        others.append(("a row that is broadcast", replace(operation, shapes=((2, 3), (3,)))))
    if operation.source is not None and re.search(r"isinstance\(", _text_of(operation.source)):
        others.append(("a number", replace(operation, build=lambda a, b: getattr(a, name)(2.0))))
    for other, changed in others:
        found = measured(engine, changed, module, _SPANS[1])
        if found is not None and not found.right:
            return other
    return ""


def _text_of(source: Any) -> str:
    try:
        return inspect.getsource(source)
    except (OSError, TypeError):
        return ""


def _all_measured(
    engine: Engine, operations: list[Operation], module: ModuleType
) -> Iterator[tuple[Operation, Measured]]:
    """Yield the result for every operation with every option; one right way to give the arguments is enough."""
    ways: dict[object, list[Operation]] = {}
    for number, operation in enumerate(operations):
        ways.setdefault((operation.name, operation.option, number if operation.is_operator else 0), []).append(
            operation
        )
    for same in ways.values():
        worst: list[tuple[Operation, Measured]] = []
        for operation in same:
            several = [f for span in _SPANS if (f := measured(engine, operation, module, span))]
            if engine.arrays and all(found.raised for found in several):  # it may be an engine of numbers
                alone = measured(engine._replace(arrays=False), operation, module, _SPANS[1])
                several = [alone] if alone is not None else several
            if several:
                worst.append((operation, next((one for one in several if one.wrong is not None), several[0])))
        if worst and not same[0].is_loss:  # vectors count only if matrices do not run
            worst = [pair for pair in worst if pair[0].shapes == worst[0][0].shapes]
        if worst:
            yield next((pair for pair in worst if pair[1].right), worst[0])


def _called(code: CodeType) -> str:
    """Return the name of the function that computes a gradient: Value.__add__ for a closure made in it."""
    outer, inside, _ = code.co_qualname.partition(".<locals>")
    return outer if (inside and not outer.endswith("__init__")) or BACK.match(code.co_name) else ""


def _accusation(engine: Engine, name: str, found: Measured) -> CodeFinding:
    which = found.wrong
    assert which is not None
    claim, truth = found.claims[which], found.truths[which]
    code = next((code for code in found.ran if _called(code) == name), None)
    said = (
        f"it has shape {np.shape(claim)}, but should have {np.shape(truth)}"
        if np.shape(claim) != np.shape(truth)
        else "it is {:.6g}, but central differences give {:.6g}".format(*_farthest(claim, truth))
    )
    return CodeFinding(
        form="engine", name=name, verdict=WRONG, array=f"{engine.grad} of operand {which + 1}",
        evidence=f"cause unknown; {said}", line=None if code is None else code.co_firstlineno,
    )  # fmt: skip


def _farthest(claim: Any, truth: Any) -> tuple[float, float]:
    at = int(np.abs(np.ravel(claim) - np.ravel(truth)).argmax())
    return float(np.ravel(claim)[at]), float(np.ravel(truth)[at])
