"""Update rules: judge hand-written gradient descent with momentum, weight decay and clipping.

It recognizes functions `sgd...(w, dw, config) -> (next_w, config)`, and classes with `step` or `update(params, grads)`,
if their names or settings mention momentum, decay or clipping. Three steps with known gradients are compared with the
correct rule in its usual forms. If none fits, they are compared with the rule after each fault has been put into it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.episode import required
from plainnet.checks.code.locate import locate, marked
from plainnet.checks.code.roles import random
from plainnet.checks.code.subject import Subject
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG

_STEPS = 3
_RATE, _MOMENTUM, _DECAY, _CLIP = 0.1, 0.8, 0.05, 0.5
_FAULTS = ("sign-flipped", "momentum-sign", "clip-after-update", "l2-applied-to-biases", "l2-factor-wrong")


def examine_updates(module: ModuleType) -> Iterator[CodeFinding]:
    """Yield a finding for every update rule that `module` defines."""
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) and required(value)[:2] in (["w", "dw"], ["w", "grad"], ["theta", "grad"]):
            yield _judge(name, value, partial(_function_steps, value))
        elif inspect.isclass(value) and not hasattr(value, "forward") and not hasattr(value, "loss"):
            method = next((m for n in ("step", "update") if callable(m := getattr(value, n, None))), None)
            if method is not None and len(required(method)) == 3:
                yield _judge(name, method, partial(_class_steps, value), value)


def _judge(
    name: str, function: Callable[..., Any], run: Callable[[dict[str, float]], Any], kind: type | None = None
) -> CodeFinding:
    source = inspect.getsource(kind or function).lower()
    if not any(word in source for word in ("momentum", "velocity", "sgd")) or "beta2" in source or "sqrt" in source:
        return CodeFinding(
            form="update",
            name=name,
            verdict=UNDECIDABLE,
            evidence="this update rule is not gradient descent with momentum, so it is not judged",
        )
    settings = {
        "rate": _RATE,
        "momentum": _MOMENTUM if "momentum" in source or "velocity" in source else 0.0,
        "decay": _DECAY if "decay" in source or "reg" in source else 0.0,
        "clip": _CLIP if "clip" in source else 0.0,
    }
    try:
        given = run(settings)
    except Exception as error:
        return CodeFinding(
            form="update",
            name=name,
            verdict=UNDECIDABLE,
            evidence=f"it could not be run: {type(error).__name__}: {error}",
        )
    forms = ("ours", "pytorch", "nesterov")
    if any(_close(given, _reference(settings, form, None)) for form in forms):
        return CodeFinding(
            form="update", name=name, verdict=RIGHT, evidence=f"{_STEPS} steps agree with the rule, to 10 digits"
        )
    for slug, form in product(_FAULTS, forms):
        if _close(given, _reference(settings, form, slug)):
            subject = Subject(name, "update", [], {"forward": function, "backward": function})
            line = _line(subject, slug)
            return CodeFinding(
                form="update",
                name=name,
                verdict=WRONG,
                array="w",
                diagnosis=slug,
                evidence=f"the correct rule with this one fault gives your {_STEPS} steps",
                line=line,
            )
    w = _reference(settings, "ours", None)["W"].flat[0]
    evidence = f"cause unknown; after {_STEPS} steps W[0, 0] is {given['W'].flat[0]:.6g}, but the rule gives {w:.6g}"
    return CodeFinding(
        form="update",
        name=name,
        verdict=WRONG,
        array="w",
        diagnosis=None,
        evidence=evidence,
        line=_line(Subject(name, "update", [], {"backward": function}), None),
    )


def _line(subject: Subject, slug: str | None) -> int | None:
    marks = {"momentum-sign": r"momentum|\bmu\b|v\w* *=", "clip-after-update": r"clip", "sign-flipped": r"[-+]="}
    marks |= {"l2-applied-to-biases": r"decay|reg", "l2-factor-wrong": r"decay|reg"}
    found = marked(subject.functions["backward"], marks.get(slug or "", r"[-+]?="))
    return found or locate(subject, None, None)


def _start() -> dict[str, np.ndarray]:
    return {"W": random(2, 3, seed=1), "b": random(3, seed=2)}


def _gradients(step: int) -> dict[str, np.ndarray]:
    return {"W": random(2, 3, seed=10 + step), "b": random(3, seed=20 + step)}


def _reference(settings: dict[str, float], form: str, fault: str | None) -> dict[str, np.ndarray]:
    """Return the parameters after three steps of v = m v - rate g, w += v, or an equivalent form, with one fault if given."""
    rate, momentum, decay, clip = settings["rate"], settings["momentum"], settings["decay"], settings["clip"]
    result = {}
    for name, w in _start().items():
        v = np.zeros_like(w)
        for step in range(_STEPS):
            g = _gradients(step)[name]
            if clip and fault != "clip-after-update":
                g = np.clip(g, -clip, clip)
            if decay and (name == "W" or fault == "l2-applied-to-biases"):
                g = g + decay * w * (2 if fault == "l2-factor-wrong" else 1)
            sign = -1 if fault == "momentum-sign" else 1
            if form == "pytorch":
                v = sign * momentum * v + g
                move = -rate * v
            else:
                v = sign * momentum * v - rate * g
                move = momentum * v - rate * g if form == "nesterov" else v
            w = w - move if fault == "sign-flipped" else w + move
            if clip and fault == "clip-after-update":
                w = np.clip(w, -clip, clip)
        result[name] = w
    return result


def _close(given: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return all(np.allclose(given[name], right[name], rtol=1e-10, atol=1e-12) for name in given)


def _function_steps(function: Callable[..., Any], settings: dict[str, float]) -> dict[str, np.ndarray]:
    """Run `function(w, dw, config)`; it cannot distinguish biases, so decay is compared on the weights alone."""
    w, config = (
        _start()["W"],
        {"learning_rate": settings["rate"], "lr": settings["rate"], "momentum": settings["momentum"]},
    )
    config |= {"weight_decay": settings["decay"], "reg": settings["decay"], "clip": settings["clip"]}
    for step in range(_STEPS):
        returned = function(w, _gradients(step)["W"].copy(), config)
        w, config = returned if isinstance(returned, tuple) else (returned, config)
    return {"W": np.asarray(w)}


def _class_steps(kind: type, settings: dict[str, float]) -> dict[str, np.ndarray]:
    words = {"rate": ("lr", "rate", "eta", "alpha"), "momentum": ("momentum", "mu", "beta")}
    words |= {"decay": ("decay", "reg", "l2", "lambda"), "clip": ("clip",)}
    arguments = {
        name: settings[key]
        for name in inspect.signature(kind).parameters
        for key, spellings in words.items()
        if any(word in name.lower() for word in spellings)
    }
    optimizer: Any = kind(**arguments)
    params = _start()
    method = getattr(optimizer, "step", None) or optimizer.update
    for step in range(_STEPS):
        returned = method(params, _gradients(step))
        params = returned if isinstance(returned, dict) else params
    return params
