"""Find the loss of a backward pass: given, returned, computed by another function, or inferred."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.binding import FURTHER, GIVEN, OUTPUT, REPLAYED
from plainnet.checks.code.differences import Functional, Results
from plainnet.checks.code.episode import MODULE, Episode, Names, required
from plainnet.checks.code.held_data import held_target
from plainnet.checks.code.roles import role_of, tree_of
from plainnet.checks.code.values import Path, name_of, numbers_in, spelled

_TINY = 1e-300
_MOST_GUESSES, _MOST_GUESSED = 40, 100_000  # pairs of output and target, numbers in one of them
_FEWEST_GUESSED = 3  # the gradient of one output fits every loss up to a factor


class Loss(NamedTuple):
    """A loss as a function of the results of a forward pass, and the upstream gradient if there is one."""

    label: str
    value: Functional
    upstream: Any = None
    output: Path | None = None
    inferred: bool = False
    guessed: bool = False  # it counts only if all gradients fit it


def losses_of(episode: Episode, names: Names, results: list[Path], here: Results) -> Iterator[Loss]:
    """Yield the losses that the gradients of an episode may belong to, likeliest first."""
    if episode.upstream:
        for output in outputs(episode, here):
            shape = here[output].shape
            dy = np.random.default_rng([5, *shape]).standard_normal(shape)
            label = "the sum of the output times the upstream gradient"
            if _wants_one_element(episode.functions.get("backward")):
                dy[np.arange(dy.size).reshape(shape) != dy.size // 2] = 0
                label = "one element of the output times the upstream gradient"
            yield Loss(label, _sum_of(output, dy, names, here), dy, output)
            yield from _of_logits(output, here[output], dy)
        return
    scalars = [path for path in results if here[path].size == 1 and path[0][1] == "<loss>"]
    for path in scalars:
        yield Loss("the loss that it returns", _at(path), None, path)
    if scalars:
        return
    if "script" in episode.options:
        known = list(_of_a_loop(episode, names, results, here))
        yield from known
        if all(loss.inferred for loss in known):
            yield from _guessed(episode, names, results, here)
        return
    target = names.get("t", held_target(names.get("self")))
    if _takes_a_target(episode):
        for output in outputs(episode, here)[:1]:
            if here[output].size == names["t"].shape[0]:
                yield Loss("the mean of the losses that it returns", _mean(output), None, output, True)
                yield Loss("the sum of the losses that it returns", _sum(output), None, output, True)
    for output in outputs(episode, here):
        for t in _targets(target, here[output].shape):
            yield from _usual(output, here[output], t)
    if target is None and episode.way[:1] == (REPLAYED,):
        for path in outputs(episode, here)[:1]:
            for value in _inside(names):
                yield from (loss for t in _targets(value, here[path].shape) for loss in _usual(path, here[path], t))
            above = [key for key in episode.given if key.endswith(GIVEN) and isinstance(names.get(key), np.ndarray)]
            if here[path].size >= _FEWEST_GUESSED and not above:  # the derivative of an activation
                yield Loss("the sum of the output", _sum(path), None, path, True)


def _inside(names: Names) -> Iterator[Any]:
    """Yield the arrays inside lists and tables, such as a pair of an input and a target."""
    for key, value in names.items():
        if isinstance(value, list | tuple | dict) and not key.startswith("<"):
            yield from (array for _, array in numbers_in(value, scalars=False))


def _wants_one_element(backward: Callable[..., Any] | None) -> bool:
    """Return whether code skips the elements of the upstream gradient that are 0, because cross-entropy gives only one other."""
    tree = tree_of(backward) if backward is not None else None
    return tree is not None and re.search(r"if \w+ == 0(\.0)?:\n\s+continue", ast.unparse(tree)) is not None


def _takes_a_target(episode: Episode) -> bool:
    forward = episode.functions.get("forward")
    known = isinstance(episode.names.get("t"), np.ndarray) and np.ndim(episode.names["t"]) > 0
    return known and forward is not None and any(role_of(p) == "target" for p in required(forward))


def _mean(path: Path) -> Functional:
    return lambda results: float(np.mean(results[path]))


def _sum(path: Path) -> Functional:
    return lambda results: float(np.sum(results[path]))


def _at(path: Path) -> Functional:
    return lambda results: float(results[path].reshape(()))


def _of_a_loop(episode: Episode, names: Names, results: list[Path], here: Results) -> Iterator[Loss]:
    """Yield the numbers that a loop calls its loss, then losses whose derivative contains differences in the loop."""
    for path in results:
        if here[path].size == 1 and episode.options["loss"].search(name_of(path)):
            yield Loss(f"the loss that it reports, {name_of(path)}", _at(path), None, path)
    for path in [path for path in results if str(path[0][1]).startswith(OUTPUT)]:
        for value in [names[key] for key in sorted(episode.given) if isinstance(names.get(key), np.ndarray | list)]:
            for t in _targets(value, here[path].shape):
                yield from _usual(path, here[path], t)
    module = {} if episode.module is None else vars(episode.module)
    table = {
        **module,
        **names.get(MODULE, {}),
        **{key: value for key, value in names.items() if not key.startswith("<")},
    }
    seen = []
    for sides in dict.fromkeys(episode.options["differences"]):
        for one, other in (sides, sides[::-1]):
            paths = [p for p in results if spelled(p) == one or name_of(p) == one.removeprefix("self.")]
            if not paths or other in ("1", "1.0"):
                continue
            path = paths[0]
            try:
                target = np.asarray(eval(other, dict(table)))  # noqa: S307  (an expression from the author's code)
            except Exception:
                continue
            if target.dtype.kind in "iufb" and target.size and (path, other) not in seen:
                seen.append((path, other))
                for t in _targets(target, here[path].shape):
                    yield from _usual(path, here[path], t)
    classes = [
        value
        for value in table.values()
        if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.ndim == 1
    ]
    for output in [path for path in results if here[path].ndim == 2 and np.allclose(here[path].sum(axis=1), 1)]:
        for labels in classes:
            if len(labels) == len(here[output]) and labels.max() < here[output].shape[1]:
                yield from _usual(output, here[output], np.eye(here[output].shape[1])[labels])
    targets = [value for key, value in table.items() if isinstance(value, np.ndarray) and role_of(key) == "target"]
    for output in [path for path in results if here[path].ndim and role_of(name_of(path)) == "output"][-3:]:
        for target in targets[:2]:
            if target.shape == here[output].shape and not any(path == output for path, _ in seen):
                yield from _usual(output, here[output], target.astype(float))


def _guessed(episode: Episode, names: Names, results: list[Path], here: Results) -> Iterator[Loss]:
    """Yield the usual losses of every result of a loop, with every array of its shape that the loop does not change."""
    module = {} if episode.module is None else vars(episode.module)
    changed = {name_of(path) for path in results}
    table = {key: v for key, v in {**module, **names.get(MODULE, {}), **names}.items() if key not in changed}
    arrays = [v for v in table.values() if isinstance(v, np.ndarray) and v.dtype.kind in "iufb" and v.ndim]
    classes = {int(value) for value in table.values() if isinstance(value, int | np.integer)}

    def pairs() -> Iterator[tuple[Path, np.ndarray]]:
        for path in results[::-1]:
            y = here[path]
            if not _FEWEST_GUESSED <= y.size <= _MOST_GUESSED:
                continue
            if (y > 0).all() and np.isclose(y.sum(), 1):  # probabilities of one example
                yield from ((path, np.eye(y.size)[k].reshape(y.shape)) for k in classes if 0 <= k < y.size)
            for value in arrays:
                if value.size <= _MOST_GUESSED:
                    yield from ((path, target) for target in _targets(value, y.shape) if target.any())

    for path, target in itertools.islice(pairs(), _MOST_GUESSES):
        yield from (loss._replace(guessed=True) for loss in _usual(path, here[path], target))


def outputs(episode: Episode, here: Results) -> list[Path]:
    """Return the results that may be the output: first what forward returned, then what it stored as output."""
    arrays = [path for path, value in here.items() if value.size > 1 or value.ndim]
    returned = [path for path in arrays if path[0][1] == "<out>"]
    named = [path for path in arrays if path[0][0] == "item" and path[0][1] not in ("self", "<out>", "<module>")]
    stored = sorted(
        (path for path in arrays if path[0][1] in ("self", "<module>")),
        key=lambda path: role_of(name_of(path)) != "output",
    )
    if episode.upstream:
        return [*returned, *named][:3] or stored[:4]
    return [*returned, *named[::-1], *stored][:8]


def _of_logits(output: Path, y: np.ndarray, dy: np.ndarray) -> Iterator[Loss]:
    """Yield the sum of logits times the upstream gradient, if the output is their softmax or sigmoid.

    In many networks, the loss computes the gradient with respect to the logits, p - onehot, and passes it to the last layer.
    """
    if not ((y > 0).all() and (y < 1).all()) or y.ndim == 0:
        return
    for axis in range(y.ndim):
        if y.shape[axis] > 1 and np.allclose(y.sum(axis=axis), 1):
            even = dy - dy.mean(axis=axis, keepdims=True)  # the normalization does not change such a gradient
            yield Loss(
                "the sum of the logits of its softmax times the upstream gradient",
                _log_weighted(output, even),
                even,
                output,
            )
            return
    yield Loss(
        "the sum of the logits of its sigmoid times the upstream gradient", _logit_weighted(output, dy), dy, output
    )


def _log_weighted(output: Path, weights: np.ndarray) -> Functional:
    return lambda results: float(np.sum(np.log(np.maximum(results[output], _TINY)) * weights))


def _logit_weighted(output: Path, weights: np.ndarray) -> Functional:
    def value(results: Results) -> float:
        p = results[output]
        return float(np.sum((np.log(np.maximum(p, _TINY)) - np.log(np.maximum(1 - p, _TINY))) * weights))

    return value


def _sum_of(output: Path, dy: np.ndarray, names: Names, here: Results) -> Functional:
    """Return the sum of the output times dy, plus every further output times its own upstream gradient."""
    terms = [_weighted(output, dy)]
    for key, value in names.items():
        if key.startswith(FURTHER):
            path = next(
                (p for p in here if name_of(p) == key[len(FURTHER) : -1] and here[p].shape == value.shape), None
            )
            terms += [_weighted(path, value)] if path is not None and path != output else []
    return lambda results: sum(term(results) for term in terms)


def _weighted(output: Path, weights: np.ndarray) -> Functional:
    return lambda results: float(np.sum(results[output] * weights))


def _targets(target: Any, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield a target in the shape of the output: unchanged, or its classes as one-hot rows or columns."""
    if target is None:
        return
    t = np.asarray(target)
    if len(shape) == 2 and t.shape == shape[::-1] and t.shape != shape:
        yield t.T.astype(float)
    elif t.shape == shape or (t.size == int(np.prod(shape)) and t.ndim <= 2):
        yield t.reshape(shape).astype(float)
    elif t.size == 1 or (t.ndim == len(shape) and _broadcast(t.shape, shape)):
        yield np.broadcast_to(t, shape).astype(float)
    if t.dtype.kind in "iu" and len(shape) == 2 and t.ndim <= 2 and t.size in shape:
        flat = t.reshape(-1)
        for axis in (1, 0):
            if shape[1 - axis] == t.size and flat.max() < shape[axis]:
                rows = np.eye(shape[axis])[flat]
                yield rows if axis == 1 else rows.T


def _broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(n in (1, m) for n, m in zip(one, other, strict=True))


def _usual(output: Path, y: np.ndarray, t: np.ndarray) -> Iterator[Loss]:
    """Yield half the squared error, and cross-entropies that fit the output."""

    def squared(results: Results) -> float:
        return 0.5 * float(np.sum((results[output] - t) ** 2))

    def of_classes(results: Results) -> float:
        return -float(np.sum(t * np.log(np.maximum(results[output], _TINY))))

    def of_yes_and_no(results: Results) -> float:
        p = results[output]
        return -float(np.sum(t * np.log(np.maximum(p, _TINY)) + (1 - t) * np.log(np.maximum(1 - p, _TINY))))

    def of_logits(axis: int) -> Functional:
        def loss(results: Results) -> float:
            z = results[output]
            z = z - z.max(axis=axis, keepdims=True)
            return -float(np.sum(t * (z - np.log(np.exp(z).sum(axis=axis, keepdims=True)))))

        return loss

    def of_one_logit(results: Results) -> float:
        z = results[output]
        return float(np.sum(np.logaddexp(0, z) - t * z))

    probabilities = bool((y > 0).all() and (y < 1).all())
    if probabilities:
        yield Loss("cross-entropy", of_classes, None, output, True)
        yield Loss("binary cross-entropy", of_yes_and_no, None, output, True)
    yield Loss("half the squared error", squared, None, output, True)
    if not probabilities:
        if y.ndim == 2:
            yield Loss("cross-entropy of softmax", of_logits(1), None, output, True)
            yield Loss("cross-entropy of softmax", of_logits(0), None, output, True)
        yield Loss("cross-entropy of the sigmoid", of_one_logit, None, output, True)
