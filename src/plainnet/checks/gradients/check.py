"""The gradient check: compare every gradient from backpropagation with a numerical derivative.

The relative error is |a - n| / (|a| + |n|) for the gradient a and the numerical derivative n. A derivative too small
for a method to resolve is compared with the method's resolution (see `central.relative_error`). A gradient passes if
its relative error is below 1e-7, or if its error is below the rounding error of the complex step.

This rounding error is less than 64 u max|a|, u = 2^-52, with the maximum over the whole network. It is larger where
large numbers cancel, as below a batch normalization layer. There the limit is 64 times the change in the gradients of
that parameter when every weight changes by one unit in the last place, but never more than 1e-10 max|a|. The worst
error is reported relative to at least a thousandth of the largest gradient, so that tiny gradients do not inflate it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from plainnet.checks.gradients.central import (
    RANDOM,
    RIGHT,
    TOLERANCE,
    UNDECIDABLE,
    UNIT,
    WRONG,
    Central,
    judge,
    relative_error,
)
from plainnet.checks.gradients.derivatives import Objective, position_of
from plainnet.checks.gradients.fitness import impassable, not_overwritten, random_layer, wrong_inputs
from plainnet.errors import InputError
from plainnet.generators import generator_for
from plainnet.layers import Parameter
from plainnet.layers.layer import kept_since
from plainnet.network import Network

_LEAST = 1e-3  # of the largest gradient: errors are reported relative to at least this
_ROUNDING = 64  # allowed rounding error, in units of the rounding described above
_MOST = 1e-10  # of the largest gradient: the largest error that counts as rounding


@dataclass(frozen=True)
class Row:
    """The verdict on one parameter: how many of its elements were checked, and the worst relative errors.

    `checked` is the number of elements checked by the complex step, 0 if it used random directions. `central_checked`
    is the number checked by central differences; `undecidable` of these are at a kink.
    """

    parameter: str
    shape: tuple[int, ...]
    verdict: str
    checked: int
    complex_step: float | None
    complex_index: tuple[int, ...] | None
    central_checked: int
    central: float | None
    central_index: tuple[int, ...] | None
    undecidable: int

    def line(self, width: int) -> str:
        """Return the row as a line of the table; its first column has this width."""
        checked = f"{self.checked:,}" if self.checked else "directions" if self.complex_step is not None else "-"
        error = "-" if self.complex_step is None else f"{self.complex_step:.1e}"
        where = "" if self.complex_index is None else f"[{', '.join(map(str, self.complex_index))}]"
        central = "-" if self.central is None else f"{self.central:.1e}"
        kinks = f", {self.undecidable} at a kink" if self.undecidable else ""
        return (
            f"{self.parameter:<{width}}{'x'.join(map(str, self.shape)):>9}{checked:>11}{error:>9} "
            f"{where:<12}{self.central_checked:>7,}{central:>9}  {self.verdict}{kinks}"
        )


@dataclass(frozen=True)
class Report:
    """The result of a gradient check: one row per parameter, and the first fault if there is one.

    `random` says why nothing can be checked: two passes of the network differ. `notes` holds further remarks.

    Example:
        >>> from plainnet import Report
        >>> Report(rows=(), parameters=3, fault="dense_1.b[0]", seconds=0.1).verdict
        'WRONG: dense_1.b[0]'
    """

    rows: tuple[Row, ...]
    parameters: int
    fault: str | None
    seconds: float
    random: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether every gradient is right."""
        return self.fault is None and self.random is None

    @property
    def verdict(self) -> str:
        """One line: all gradients are right, or which element of which parameter is wrong."""
        if self.random is not None:
            return f"RANDOM: {self.random}"
        if self.fault is not None:
            return f"WRONG: {self.fault}"
        return (
            "All relative errors < 1e-7" if self.rows else "There are no parameters, so there are no gradients to check"
        )

    def to_table(self) -> dict[str, Any]:
        """Return the report as plain values."""
        central = [row.central for row in self.rows if row.central is not None]
        by_complex_step = [row.complex_step for row in self.rows if row.complex_step is not None]
        return {
            "verdict": RIGHT if self.right else WRONG if self.random is None else RANDOM,
            "parameters": self.parameters,
            "checked": sum(row.checked for row in self.rows),
            "max_relative_error_complex": max(by_complex_step, default=None),
            "max_relative_error_central": max(central, default=None),
            "fault": self.fault or self.random,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
            "rows": [asdict(row) for row in self.rows],
        }

    def __str__(self) -> str:
        if not self.rows:
            return self.verdict
        width = max(10, *(len(row.parameter) for row in self.rows)) + 2
        head = (
            f"{'parameter':<{width}}{'shape':>9}{'checked':>11}{'complex step, at':>22}"
            f"{'sample':>7}{'central':>9}  verdict"
        )
        notes = [f"note: {note}" for note in self.notes]
        return "\n".join([head, *(row.line(width) for row in self.rows), "", *notes, self.verdict])


def check_gradients(
    network: Network,
    loss: Callable[..., tuple[float, np.ndarray]],
    images: np.ndarray,
    labels: np.ndarray,
    *,
    directions: int = 0,
    central: int = 200,
    rng: int | np.random.Generator = 0,
) -> Report:
    """Compare the gradient of `loss` on this batch with numerical derivatives, in float64.

    The complex step checks every element of every parameter. Central differences check up to `central` random elements
    of each. With `directions`, the complex step checks derivatives along this many random directions instead. Each
    direction moves all elements at once: this is much faster, and one wrong element changes every direction.
    If complex numbers do not pass through a layer, such as one of your own, central differences decide. The network is
    not changed. `print(report)` shows a table.

    Shapes: images (N, ...), labels (N,) or whatever else the loss takes. A batch of 3 to 8 is enough.
    Raises: `InputError` for a negative number of directions or elements, or a layer that does not keep the contract.

    Example:
        >>> from plainnet import Dense, MeanSquaredError, Network, check_gradients
        >>> check_gradients(Network(Dense(1)).build(2), MeanSquaredError(), [[1.0, 2.0]], [[0.0]]).verdict
        'All relative errors < 1e-7'
    """
    if directions < 0 or central < 0:
        raise InputError(f"directions and central must be at least 0, received {directions} and {central}")
    started, objective = time.perf_counter(), Objective(network, loss, images, labels)
    before = objective.real.attributes()
    gradient = objective.backpropagation()
    if (kind := random_layer(objective)) is not None:
        said = (
            f"two passes over the same batch give different outputs: {kind} draws its own random numbers; draw them "
            "from self.rng, which gives the same numbers in each pass of a check"
        )
        return Report((), network.theta.size, None, time.perf_counter() - started, random=said)
    notes = [said for said in [kept_since(before)] if said]
    blocked = impassable(objective)
    objective.passes_from = 1 + max(blocked, default=-1)
    rounding = objective.rounding(gradient)
    generator = generator_for(rng, "check")
    rows, faults = [], not_overwritten(objective, gradient)
    for parameter in objective.real.parameters:
        analytic = gradient[parameter.place].reshape(parameter.shape)
        passes = position_of(objective.real, parameter) >= objective.passes_from
        worst, index, numeric, fits = (
            (None, None, 0.0, True)
            if not passes
            else _along(objective, gradient, parameter, directions, generator)
            if directions
            else _each(objective, gradient, rounding, parameter)
        )
        if not fits:
            faults.append(_fault(parameter, index, analytic, numeric, "the complex step"))
        size = analytic.size
        sample = np.sort(generator.choice(size, min(size, central), replace=False, shuffle=False))
        judged = [_central(objective, parameter, int(place), analytic) for place in sample]
        wrong = [i for i, result in enumerate(judged) if result.verdict == WRONG]
        decided = [i for i, result in enumerate(judged) if result.verdict != UNDECIDABLE]
        at = max(decided, key=lambda i: judged[i].error, default=None)
        central_index = None if at is None else _index(parameter, int(sample[at]))
        if wrong and fits:
            place = _index(parameter, int(sample[wrong[0]]))
            faults.append(_fault(parameter, place, analytic, judged[wrong[0]].numeric, "central differences"))
        rows.append(
            Row(
                parameter=parameter.name,
                shape=parameter.shape,
                verdict=RIGHT if fits and not wrong else WRONG,
                checked=size if passes and not directions else 0,
                complex_step=worst,
                complex_index=index,
                central_checked=len(sample),
                central=None if at is None else judged[at].error,
                central_index=central_index,
                undecidable=len(judged) - len(decided),
            )
        )
    if blocked:
        kinds = ", ".join(dict.fromkeys(type([*network.layers, loss][place]).__name__ for place in blocked))
        notes.append(
            f"complex numbers do not pass through {kinds} (because of |x|, a cast, or a comparison of more than the "
            f"real part); up to this layer, central differences on {central} elements per parameter decide"
        )
    elif not faults:
        faults = wrong_inputs(objective, generator)
    seconds = time.perf_counter() - started
    return Report(tuple(rows), network.theta.size, next(iter(faults), None), seconds, notes=tuple(notes))


def assert_gradients(
    network: Network,
    loss: Callable[..., tuple[float, np.ndarray]],
    images: np.ndarray,
    labels: np.ndarray,
    **options: Any,
) -> None:
    """Raise `AssertionError` with the report unless every gradient is right; arguments as for `check_gradients`.

    Example:
        >>> from plainnet import Dense, MeanSquaredError, Network, assert_gradients
        >>> assert_gradients(Network(Dense(1)).build(2), MeanSquaredError(), [[1.0, 2.0]], [[0.0]])  # all are right
    """
    report = check_gradients(network, loss, images, labels, **options)
    if not report.right:
        raise AssertionError(str(report))


# The worst relative error, its index, the numerical derivative there, and whether all gradients are right.
Found = tuple["float | None", "tuple[int, ...] | None", float, bool]


def _each(objective: Objective, gradient: np.ndarray, rounding: np.ndarray, parameter: Parameter) -> Found:
    analytic, numeric = gradient[parameter.place].reshape(parameter.shape), objective.every_derivative(parameter)
    largest = float(np.abs(gradient).max())
    errors = relative_error(analytic, numeric, _LEAST * largest)
    lost = max(UNIT * largest, float(rounding[parameter.place].max()))
    strict = relative_error(analytic, numeric, min(_ROUNDING * lost, _MOST * largest) / TOLERANCE)
    fits = bool((strict < TOLERANCE).all())
    index = _index(parameter, int(np.argmax(errors if fits else strict)))
    return float(errors.max()), index, float(numeric[index]), fits


def _along(
    objective: Objective, gradient: np.ndarray, parameter: Parameter, directions: int, generator: np.random.Generator
) -> Found:
    least = _LEAST * float(np.linalg.norm(gradient))

    def error(start: int, stop: int) -> tuple[float, float]:
        direction = np.zeros_like(gradient)
        direction[start:stop] = generator.standard_normal(stop - start)
        analytic, numeric = float(gradient[start:stop] @ direction[start:stop]), objective.along(direction)
        return float(relative_error(analytic, numeric, least)), numeric / direction[start]

    start, stop = parameter.place.start, parameter.place.stop
    worst = float(np.max([error(start, stop)[0] for _ in range(directions)]))
    if worst < TOLERANCE:
        return worst, None, 0.0, True
    while stop - start > 1:  # a wrong element is in the first half or in the second
        middle = (start + stop) // 2
        start, stop = (start, middle) if not error(start, middle)[0] < TOLERANCE else (middle, stop)
    return worst, _index(parameter, start - parameter.place.start), error(start, stop)[1], False


def _central(objective: Objective, parameter: Parameter, place: int, analytic: np.ndarray) -> Central:
    return judge(lambda distance: objective.moved(parameter.place.start + place, distance), analytic.flat[place])


def _index(parameter: Parameter, place: int) -> tuple[int, ...]:
    return tuple(map(int, np.unravel_index(place, parameter.shape)))


def _fault(
    parameter: Parameter, index: tuple[int, ...] | None, analytic: np.ndarray, numeric: float, method: str
) -> str:
    where = ", ".join(map(str, index or ()))
    return (
        f"{parameter.name}[{where}]: backpropagation gives {analytic[index]:.9g}, but by {method} it is {numeric:.9g}"
    )
