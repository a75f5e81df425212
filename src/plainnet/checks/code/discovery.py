"""What a file defines that the doctor can examine, and the settings in which to do so.

Recognized are classes with `forward` and `backward` (ours or anybody's), pairs `name_forward` and `name_backward`
(or `name_forward_naive` and the like),
functions `name_loss(x, y) -> (loss, dx)`, and classes with `loss(x, y)`. What a constructor or function needs is
guessed from the names of its arguments, and tried: a setting counts if forward and backward run in it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.calling import (
    ClassSession,
    FunctionSession,
    LayerSession,
    LossSession,
    NetworkSession,
    parameters_of,
    short_name,
)
from plainnet.checks.code.subject import Arrays, Setting, Subject, seed_everything

N, D, M, K = 6, 5, 3, 4  # batch, features, units and classes, all different
LABELS = np.array([0, 2, 1, 3, 3, 0])
_IMAGES = (3, 2, 5, 6)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    """Return numbers from N(0, 1), the same for the same shape and seed."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def discover(module: ModuleType) -> Iterator[Subject]:
    """Yield every subject that `module` itself defines, in the order of the file."""
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    for name, value in own.items():
        if inspect.isclass(value):
            if callable(getattr(value, "forward", None)) and callable(getattr(value, "backward", None)):
                yield _layer(name, value) if hasattr(value, "build") else _class(name, value)
            elif callable(getattr(value, "loss", None)):
                yield _network(name, value)
        elif inspect.isfunction(value) and (whole := re.fullmatch(r"(.+)_forward(_\w+)?", name)):
            backward = own.get("_backward".join(part or "" for part in whole.groups()))
            if backward is not None:
                yield _pair("".join(part or "" for part in whole.groups()), value, backward)
        elif inspect.isfunction(value) and name.endswith("_loss") and len(required(value)) == 2:
            yield _loss(name, value)


def required(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that must be given."""
    parameters = inspect.signature(function).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind in positional]


def _class(name: str, kind: type) -> Subject:
    functions = {"forward": kind.forward, "backward": kind.backward}  # type: ignore[attr-defined]
    subject = Subject(name, "class", [], functions)
    takes_labels = len(required(kind.forward)) == 3  # type: ignore[attr-defined]
    shapes = [(N, K)] if takes_labels else [(N, D), (N, M), _IMAGES, (1, D)]
    for made, shape in product(_constructions(kind, square=not takes_labels), shapes):
        labels = LABELS[: shape[0]] if takes_labels else None
        _try(subject, made, shape, partial(ClassSession, labels=labels), labels)
    return _of_one_rank(subject)


def _layer(name: str, kind: type) -> Subject:
    functions = {"forward": kind.forward, "backward": kind.backward}  # type: ignore[attr-defined]
    subject = Subject(name, "layer", [], functions)
    for made, shape in product(_constructions(kind, square=True), [(N, D), (N, M), (3, 5, 6, 2), (1, D)]):
        _try(subject, made, shape, partial(LayerSession, in_shape=shape[1:]), None)
    return _of_one_rank(subject)


def _of_one_rank(subject: Subject) -> Subject:
    """Keep the settings of the least rank where parameters are learned: broadcasting may let others through."""
    if any(len(setting.inputs) > 1 for setting in subject.settings):
        rank = min(setting.inputs["x"].ndim for setting in subject.settings)
        subject.settings = [setting for setting in subject.settings if setting.inputs["x"].ndim == rank]
    return subject


def _try(
    subject: Subject,
    made: tuple[str, Callable[[], Any]],
    shape: tuple[int, ...],
    begin: Callable[[Callable[[], Any]], Any],
    labels: np.ndarray | None,
) -> None:
    label, make = made
    try:
        session = begin(make)
    except Exception as error:
        subject.trouble = subject.trouble or f"{subject.name}({label}) raised {type(error).__name__}: {error}"
        return
    inputs: Arrays = {"x": random(*shape)}
    if isinstance(session, LayerSession):
        inputs |= {short_name(p.name): p.value for p in session.network.parameters}
    else:
        inputs |= parameters_of(session.subject)
    inputs = {name: random(*value.shape, seed=1) for name, value in inputs.items()}
    setting = Setting(f"{label or 'no arguments'}, x {shape}", inputs, partial(begin, make), {}, labels)
    _keep_if_it_runs(subject, setting)


def _keep_if_it_runs(subject: Subject, setting: Setting) -> None:
    """Add the setting if forward runs in it; a backward pass that raises there is a finding, kept as trouble."""
    session = setting.start()
    try:
        y = session.forward({name: value.copy() for name, value in setting.inputs.items()})
        if not np.isfinite(np.sum(np.asarray(y, float))):
            return
    except Exception as error:
        if not subject.settings:
            subject.trouble = f"forward raised {type(error).__name__}: {error}"
        return
    if setting.labels is None and not isinstance(y, np.ndarray):
        return
    subject.settings.append(setting)
    if isinstance(session, ClassSession):
        try:
            session.backward(np.ones_like(y) if isinstance(y, np.ndarray) else 1.0)
        except Exception:
            return
        subject.gradient_names |= session.names


def _constructions(kind: type, *, square: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield ways to make an object of a class: its required arguments, guessed from their names, and some options."""
    names = required(kind)
    known = inspect.signature(kind).parameters
    for sizes in ((D, M), (D, D)) if square and names else ((D, M),):
        values = dict(zip(names, _guesses(names, sizes), strict=True))
        choices: list[dict[str, Any]] = [{}]
        stride = next((n for n in known if n in ("stride", "strides")), None)
        pad = next((n for n in known if n in ("pad", "padding")), None)
        if stride or pad:
            settings = ((1, 0), (2, 1), (1, 1))
            choices = [{k: v for k, v in ((stride, s), (pad, p)) if k is not None} for s, p in settings]
        for choice in choices:
            arguments = values | choice
            label = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
            yield label, partial(kind, **arguments)


def _guesses(names: list[str], sizes: tuple[int, int]) -> Iterator[Any]:
    counts = iter((*sizes, 3, 3, 3))
    images = any("channel" in name or "filter" in name or "kernel" in name for name in names)
    for name in names:
        lower = name.lower()
        if any(word in lower for word in ("drop", "prob", "rate", "keep")) or lower in ("p", "ratio"):
            yield 0.4
        elif any(word in lower for word in ("reg", "lambda", "decay", "l2")):
            yield 0.1
        elif "in_channel" in lower or lower in ("c_in", "channels"):
            yield 2
        elif "kernel" in lower or "filter_size" in lower or ("size" in lower and images) or lower in ("k", "ksize"):
            yield 3
        elif "pool" in lower or lower == "size":
            yield 2
        elif "stride" in lower:
            yield 1
        elif "pad" in lower:
            yield 0
        elif lower in ("sizes", "layers", "dims"):
            yield [sizes[0], 4, K]
        elif lower in ("w", "weight", "weights"):
            yield random(*sizes)
        elif lower in ("b", "bias"):
            yield random(sizes[1])
        elif lower in ("gamma", "beta"):
            yield random(sizes[0])
        elif images:
            yield M
        else:
            yield next(counts, 3)


def _pair(name: str, forward: Callable[..., Any], backward: Callable[..., Any]) -> Subject:
    subject = Subject(name, "functions", [], {"forward": forward, "backward": backward})
    names = list(inspect.signature(forward).parameters)
    for batch, images, square, option in product((N, 1), (False, True), (False, True), (0, 1, 2)):
        if images and (batch == 1 or square):
            continue
        inputs, extra, optional = _arguments(names, required(forward), batch, images, D if square else M, option)
        if inputs is None or (option and not optional) or (square and len(inputs) == 1):
            continue
        label = ", ".join(f"{key} {value.shape}" for key, value in inputs.items())
        label += "".join(f", {key}={value}" for key, value in extra.items() if not isinstance(value, dict))
        start = partial(FunctionSession, forward, backward, extra)
        _keep_if_it_runs(subject, Setting(label, inputs, start, extra))
    subject.gradient_names = {n: f"d{n}" for setting in subject.settings for n in setting.inputs}
    return _of_one_rank(subject)


def _arguments(
    names: list[str], needed: list[str], batch: int, images: bool, units: int, option: int
) -> tuple[Arrays | None, dict[str, Any], bool]:
    """Return the arrays and other arguments for a forward function, and whether `option` made a difference."""
    inputs: Arrays = {}
    extra: dict[str, Any] = {}
    stride, pad = ((1, 0), (2, 1), (1, 1))[option]
    optional = False
    for position, name in enumerate(names):
        lower = name.lower()
        if position == 0:
            inputs["x"] = random(*(_IMAGES if images else (batch, D)))
        elif lower in ("w", "weight", "weights"):
            inputs[name] = random(3, 2, 3, 3, seed=1) if images else random(D, units, seed=1)
        elif lower in ("b", "bias", "biases"):
            inputs[name] = random(3 if images else units, seed=2)
        elif lower in ("gamma", "beta"):
            inputs[name] = random(D, seed=len(lower))
        elif lower == "conv_param":
            extra[name], optional = {"stride": stride, "pad": pad}, True
        elif lower == "pool_param":
            extra[name] = {"pool_height": 2, "pool_width": 2, "stride": 2}
        elif lower in ("bn_param", "ln_param"):
            extra[name] = {"mode": "train", "eps": 1e-5, "momentum": 0.9}
        elif lower == "dropout_param":
            extra[name] = {"mode": "train", "p": 0.6, "seed": 1}
        elif lower in ("stride", "pad", "padding"):
            extra[name], optional = (stride if lower == "stride" else pad), True
        elif lower in ("p", "keep", "rate", "drop"):
            extra[name] = 0.6
        elif name in needed:
            return None, {}, False
    return inputs, extra, optional


def _loss(name: str, function: Callable[..., Any]) -> Subject:
    subject = Subject(name, "loss", [], {"forward": function, "backward": function}, {"x": "dx"})
    for batch in (N, 1):
        labels = LABELS[:batch]
        inputs = {"x": random(batch, K)}
        start = partial(LossSession, function, labels)
        _keep_if_it_runs(subject, Setting(f"x {inputs['x'].shape}", inputs, start, {}, labels))
    return subject


def _network(name: str, kind: type) -> Subject:
    loss = kind.loss  # type: ignore[attr-defined]
    gradient = next((f for n in ("gradient", "gradients", "backward") if (f := getattr(kind, n, None))), loss)
    subject = Subject(name, "network", [], {"forward": loss, "backward": gradient})
    known = inspect.signature(kind).parameters
    sizes = {"input": D, "in": D, "hidden": 4, "output": K, "out": K, "class": K}
    values: dict[str, Any] = {}
    for parameter in known.values():
        size = next((value for word, value in sizes.items() if word in parameter.name.lower()), None)
        is_list = "dims" in parameter.name or parameter.name in ("sizes", "layers")
        if any(word in parameter.name.lower() for word in ("reg", "lambda", "l2", "weight_decay")):
            values[parameter.name] = 0.1
        elif is_list:
            values[parameter.name] = [4] if "hidden" in parameter.name else [D, 4, K]
        elif size is not None:
            values[parameter.name] = size
        elif parameter.default is parameter.empty:
            values[parameter.name] = 3
    seed_everything()
    try:
        parameters = parameters_of(kind(**values))
    except Exception as error:
        subject.trouble = f"{name}({values}) raised {type(error).__name__}: {error}"
        return subject
    first = next((value for value in parameters.values() if value.ndim == 2), np.empty((D, K)))
    features = first.shape[0]
    inputs = {key: 0.5 * random(*value.shape, seed=3 + i) for i, (key, value) in enumerate(parameters.items())}
    for batch in (N, 1):
        x = random(batch, features, seed=9)
        start = partial(NetworkSession, partial(kind, **values), x, LABELS[:batch])
        setting = Setting(f"x {x.shape}", inputs, start, {"make": partial(kind, **values)}, LABELS[:batch])
        _keep_if_it_runs(subject, setting)
    return subject
