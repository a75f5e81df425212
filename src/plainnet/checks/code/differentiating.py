"""Run one operation of an automatic-differentiation engine forward and backward, and compare with central differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.calls import recorded_calls
from plainnet.checks.code.engines import Engine
from plainnet.checks.code.episode import optional, required, within
from plainnet.checks.code.looks import BACK
from plainnet.checks.code.operations import Operation

_STEP, _TOLERANCE = 1e-5, 1e-5
_HUGE = 1e8
_COARSE = (1e-2, 0.02)  # if the engine computes in float32


class Measured(NamedTuple):
    """The result for one operation: the gradients of its leaves, the true gradients, and the code that ran in backward."""

    claims: list[Any]
    truths: list[Any]
    ran: frozenset[CodeType]
    single: bool  # it computes in float32
    of_both: bool  # an operator; both its operands need a gradient
    raised: str = ""  # what backward raised in every attempt

    @property
    def right(self) -> bool:
        """Whether every leaf got its right gradient."""
        return self.wrong is None and not self.raised

    @property
    def wrong(self) -> int | None:
        """The index of the first leaf with a wrong gradient, or None."""
        tolerance = _COARSE[1] if self.single else _TOLERANCE
        wrong = [
            which
            for which, (claim, truth) in enumerate(zip(self.claims, self.truths, strict=True))
            if np.any(truth)
            and not (_same_shape(claim, truth) and np.allclose(claim, truth, rtol=tolerance, atol=1e-7))
        ]
        if not self.of_both and any(np.any(claim) for claim in self.claims):  # a target needs no gradient
            wrong = [which for which in wrong if np.any(self.claims[which])]
        return wrong[0] if wrong else None


def measured(engine: Engine, operation: Operation, module: ModuleType, span: tuple[float, float]) -> Measured | None:
    """Run an operation forward and backward, and measure the true gradients; None if it does not run or depends on no leaf."""
    rng = np.random.default_rng(6)
    shapes = operation.shapes if engine.arrays else ((), ())
    values = [rng.uniform(*span, shape) for shape in shapes]
    try:
        with within(4), np.errstate(all="ignore"):
            values += [np.asarray(getattr(node, engine.data), float) for node in operation.parameters(engine.kind)]
            nodes = [engine.node(value) for value in values]
            out = operation.run(nodes)
            kind = np.asarray(getattr(out, engine.data)).dtype
            if kind not in (np.float64, np.float32):
                return None
            single = kind == np.float32
            if operation.source is not None and any(out is node for node in nodes):
                return None  # it changes a leaf
            shape = np.shape(getattr(out, engine.data))
            if shape and not engine.arrays:
                return None
            weights = np.ones(shape) if operation.is_loss and not np.prod(shape) > 1 else rng.uniform(0.5, 1.5, shape)
            weights = weights if engine.multiplies else np.full(shape, 2.0)

            def value(changed: list[Any]) -> float:
                result = operation.run([engine.node(one) for one in changed])
                return float(np.sum(getattr(result, engine.data) * weights))

            truths = [_slopes(value, values, i, _COARSE[0] if single else _STEP) for i in range(len(values))]
    except Exception:
        return None
    if not all(np.isfinite(truth).all() for truth in truths) or not any(np.any(truth) for truth in truths):
        return None
    best, raised = None, ""
    ran: set[CodeType] = set()
    for way in _WAYS if engine.multiplies else _WAYS_WITHOUT_PRODUCTS:
        try:
            with within(4), np.errstate(all="ignore"):
                nodes = [engine.node(value) for value in values]
                out = operation.run(nodes)
                with recorded_calls(lambda frame: frame.f_code.co_filename == str(module.__file__), ran):
                    way(engine, out, weights)
                claims = [
                    _plain(getattr(node, engine.grad), engine, np.shape(v))
                    for node, v in zip(nodes, values, strict=True)
                ]
        except Exception as error:
            raised = raised if way in (_as_root, _doubled) else f"{type(error).__name__}: {error}"
            continue
        if any(np.abs(claim).max(initial=0) > _HUGE for claim in claims):
            return None  # outside its domain
        found = Measured(claims, truths, frozenset(ran), single, operation.is_operator)
        if found.wrong is None:
            return found
        best = best or found
    return best or Measured([], [], frozenset(ran), single, operation.is_operator, raised)


def _same_shape(claim: Any, truth: Any) -> bool:
    return np.shape(claim) == np.shape(truth) or np.size(claim) == np.size(truth) == 1


def _plain(claim: Any, engine: Engine, shape: tuple[int, ...]) -> Any:
    return np.zeros(shape) if claim is None else np.asarray(getattr(claim, engine.data, claim), float)


def _with_gradient(engine: Engine, out: Any, weights: Any, *, as_node: bool = False) -> None:
    """Call backward with the upstream gradient, as an array or a node."""
    back = getattr(out, engine.back)
    wanted = next((n for n in [*required(back), *optional(back)] if BACK.match(n) or n in ("init", "seed", "d")), None)
    assert wanted is not None
    back(**{wanted: engine.node(weights) if as_node else weights if engine.arrays else float(weights)})


def _weighted(engine: Engine, out: Any, weights: Any) -> None:
    getattr(out * engine.node(weights), engine.back)()


def _summed(engine: Engine, out: Any, weights: Any) -> None:
    getattr((out * engine.node(weights)).sum(), engine.back)()


def _as_root(engine: Engine, out: Any, weights: Any) -> None:
    assert np.all(weights == 1.0)
    getattr(out, engine.back)()


def _doubled(engine: Engine, out: Any, weights: Any) -> None:
    assert np.all(weights == 2.0)
    getattr(out + out, engine.back)()


_WAYS: tuple[Callable[[Engine, Any, Any], None], ...] = (
    _with_gradient,
    partial(_with_gradient, as_node=True),
    _summed,
    _weighted,
    _as_root,
)
_WAYS_WITHOUT_PRODUCTS = (*_WAYS[:2], _doubled)


def _slopes(value: Callable[[list[Any]], float], values: list[Any], i: int, step: float) -> Any:
    found = np.zeros(np.shape(values[i]))
    for place in np.ndindex(found.shape):
        sides = []
        for way in (step, -step):
            changed = [np.array(v, float) for v in values]
            changed[i][place] += way
            sides.append(value(changed))
        found[place] = (sides[0] - sides[1]) / (2 * step)
    return found
