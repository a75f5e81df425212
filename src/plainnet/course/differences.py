"""How two values differ, in a sentence: shape, sign, a constant factor, or the first number that differs."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.course.exercise import TO_DO, AtLeast
from plainnet.foreign.showing import shown

_FEW = 8  # numbers that are shown in full


def equal(expected: Any, received: Any, tolerance: float, like: Any = None) -> bool:
    """Return whether a value is as expected; `tolerance` is relative to its largest number, or that of `like`."""
    if isinstance(expected, AtLeast):
        return isinstance(received, np.ndarray) and received.ndim == 0 and bool(received >= expected.value)
    if isinstance(expected, tuple):
        return (
            isinstance(received, tuple)
            and len(received) == len(expected)
            and all(
                equal(e, r, tolerance, like[k] if isinstance(like, tuple) and len(like) == len(expected) else None)
                for k, (e, r) in enumerate(zip(expected, received, strict=True))
            )
        )
    if isinstance(expected, np.ndarray):
        if not isinstance(received, np.ndarray) or received.shape != expected.shape:
            return False
        if not _numbers(expected) or not _numbers(received):
            return expected.dtype.kind == received.dtype.kind and bool((expected == received).all())
        scale = _scale(expected)
        if isinstance(like, np.ndarray) and _numbers(like):  # either may be small compared with the other
            scale = min(_scale(like), scale if expected.any() else np.inf)
        return bool(np.allclose(received, expected, rtol=0, atol=tolerance * scale, equal_nan=True))
    if isinstance(expected, str) and isinstance(received, str):
        return expected.strip().lower() == received.strip().lower()
    if isinstance(expected, bool) and isinstance(received, np.ndarray) and received.ndim == 0:
        return bool(received == expected)  # 0 and 1 will do
    return type(expected) is type(received) and bool(expected == received)


def difference(expected: Any, received: Any, tolerance: float, *, tells: bool = True) -> str:
    """Return how a value differs from the expected one, whose numbers are shown only if `tells` is true."""
    if isinstance(expected, AtLeast):
        return f"expected at least {expected.value:g}, received {_short(received)}"
    if received is None:
        return "it is None: the function returns nothing, or it is not filled in yet" if tells else TO_DO
    if isinstance(received, str) and isinstance(expected, np.ndarray) and _numbers(expected):
        return f"received the string {shown(repr(received), 60)}; write a number, without quotes"
    if isinstance(expected, tuple) and isinstance(received, tuple) and len(expected) == len(received):
        k = next(k for k, e in enumerate(expected) if not equal(e, received[k], tolerance))
        return f"value {k + 1} of {len(expected)}: {difference(expected[k], received[k], tolerance, tells=tells)}"
    if isinstance(expected, np.ndarray) and isinstance(received, np.ndarray):
        return _arrays(expected, received, tolerance, tells)
    return f"expected {_short(expected)}, received {_short(received)}" if tells else f"received {_short(received)}"


def _arrays(expected: np.ndarray, received: np.ndarray, tolerance: float, tells: bool) -> str:
    if received.shape != expected.shape:
        if expected.ndim == 0:
            return f"expected one number, received an array of shape {received.shape}"
        said = f"expected shape {expected.shape}, received {received.shape}"
        turned = expected.ndim == 2 and equal(expected.T, received, tolerance)
        return f"{said}: it is the transpose of the right matrix" if turned else said
    if not (_numbers(expected) and _numbers(received)):
        return f"expected {_short(expected)}, received {_short(received)}" if tells else f"received {_short(received)}"
    if not np.isfinite(received).all() and np.isfinite(expected).all():
        return f"{(~np.isfinite(received)).sum()} of {received.size} numbers are nan or infinite"
    wrong = np.abs(received - expected) > tolerance * _scale(expected)
    if not tells:
        return f"{wrong.sum()} of {wrong.size} numbers are wrong" if wrong.size > 1 else f"received {_short(received)}"
    if (factor := _factor(expected, received, tolerance)) is not None:
        return (
            "every number has the opposite sign"
            if factor == -1
            else f"every number is {factor:.6g} times as large as it should be"
        )
    first = tuple(int(k) for k in np.argwhere(wrong)[0]) if expected.ndim else ()
    if expected.size <= _FEW:
        digits = 6 if _short(expected) != _short(received) else 15
        return f"expected {_short(expected, digits)}, received {_short(received, digits)}"
    return (
        f"{wrong.sum()} of {expected.size} numbers differ, the first at {list(first)}: "
        f"expected {expected[first] + 0.0:.6g}, received {received[first] + 0.0:.6g}"
    )


def _factor(expected: np.ndarray, received: np.ndarray, tolerance: float) -> float | None:
    """Return by what factor all numbers are too large, if it is the same for all of them."""
    if expected.size < 2 or expected.dtype.kind == "b" or not np.abs(expected).max():
        return None
    factor = float((expected * received).sum() / (expected * expected).sum())
    factor = float(round(factor)) if abs(factor - round(factor)) < 1e-6 else factor
    return factor if factor and factor != 1 and equal(expected * factor, received, tolerance) else None


def _numbers(array: np.ndarray) -> bool:
    return array.dtype.kind in "biuf"


def _scale(expected: np.ndarray) -> float:
    finite = np.abs(expected[np.isfinite(expected)]) if expected.dtype.kind == "f" else np.abs(expected.astype(float))
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def _short(value: Any, digits: int = 6) -> str:
    if isinstance(value, np.ndarray) and _numbers(value):
        if value.size > _FEW:
            return f"an array of shape {value.shape}"
        if value.dtype.kind != "f":
            return str(value.tolist())
        return str(np.vectorize(lambda x: float(f"{x:.{digits}g}"))(value).tolist() if value.size else value.tolist())
    if isinstance(value, np.ndarray):
        return shown(", ".join(map(str, value.ravel()[:_FEW])), 200)
    if isinstance(value, tuple):
        return f"{len(value)} values"
    return shown(repr(value), 200)
