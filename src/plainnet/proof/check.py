"""The gradient check: every gradient that backpropagation computes, against derivatives found without it.

A small network is checked element by element, by the complex step and by central differences. In a large one
the complex step looks along random directions, each of which moves all elements of a parameter at once: one
wrong element among a million changes the derivative along every one of them, and halving finds it.

The relative error is |a - n| / (|a| + |n|) for the gradient a and the numerical derivative n. A derivative too
small for the method to resolve is judged against what the method can resolve: the denominator is at least
`resolution / tolerance`. Rounding limits central differences to about 4 u |L| / epsilon and the complex step to
about 4 u max|a|, u = 2^-52 being the spacing of float64 at 1.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from plainnet.layers import Parameter
from plainnet.losses import Loss
from plainnet.network import Network
from plainnet.proof.derivatives import EPSILON, Objective
from plainnet.randomness import stream

TOLERANCE = 1e-7  # on every relative error
_COMPLEX_TOLERANCE = 1e-12  # what the complex step resolves derivatives to
_UNIT = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Row:
    """The verdict on one parameter; where every element was checked, the index of the worst one is known."""

    parameter: str
    shape: tuple[int, ...]
    checked: str
    complex_step: float
    complex_index: tuple[int, ...] | None
    central: float | None
    central_index: tuple[int, ...] | None

    @property
    def right(self) -> bool:
        """Whether all relative errors are below the tolerance; NaN is not."""
        return self.complex_step < TOLERANCE and (self.central is None or self.central < TOLERANCE)

    def __str__(self) -> str:
        central = "-" if self.central is None else f"{self.central:.1e}"
        return (
            f"{self.parameter:<14}{'x'.join(map(str, self.shape)):>10}  {self.checked:<22}"
            f"{self.complex_step:>12.1e}{central:>12}"
        )


@dataclass(frozen=True)
class Report:
    """The result of a gradient check: a row a parameter, and where something is wrong, what."""

    rows: tuple[Row, ...]
    parameters: int
    checked: int
    fault: str | None
    seconds: float

    @property
    def right(self) -> bool:
        """Whether every gradient is right."""
        return self.fault is None

    def to_table(self) -> dict[str, Any]:
        """Return the report as plain values."""
        central = [row.central for row in self.rows if row.central is not None]
        return {
            "verdict": "right" if self.right else "wrong",
            "parameters": self.parameters,
            "checked": self.checked,
            "max_relative_error_complex": max(row.complex_step for row in self.rows),
            "max_relative_error_central": max(central, default=None),
            "fault": self.fault,
            "seconds": round(self.seconds, 3),
            "rows": [asdict(row) for row in self.rows],
        }

    @property
    def table(self) -> str:
        """The rows as text, under a heading."""
        head = f"{'parameter':<14}{'shape':>10}  {'checked':<22}{'complex step':>12}{'central':>12}"
        return "\n".join([head, *map(str, self.rows)])

    @property
    def verdict(self) -> str:
        """One line: that all is right, or which element of which parameter is wrong."""
        return "All relative errors < 1e-7" if self.right else f"WRONG: {self.fault}"

    def __str__(self) -> str:
        return f"{self.table}\n{self.verdict}"


def check_gradients(
    network: Network,
    loss: Loss,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    directions: int = 20,
    max_elements: int = 5000,
    rng: int | np.random.Generator = 0,
) -> Report:
    """Compare the gradient of `loss` on this batch with derivatives found numerically, in float64.

    Up to `max_elements` parameters are checked one by one; more are checked along `directions` random ones.
    The network itself is left as it is. `print(report)` shows a table.

    Shapes: images (N, ...), labels (N,). A batch of 8 to 32 is plenty.
    """
    started = time.perf_counter()
    objective = Objective(network, loss, images, labels)
    gradient = objective.backpropagation()
    generator = stream(rng, "check")
    rows: list[Row] = []
    fault = None
    for parameter in network.parameters:
        if network.theta.size <= max_elements:
            row, found = _every_element(objective, gradient, parameter)
        else:
            row, found = _along_directions(objective, gradient, parameter, directions, generator)
        rows.append(row)
        fault = fault or found
    checked = network.theta.size if network.theta.size <= max_elements else 0
    return Report(tuple(rows), network.theta.size, checked, fault, time.perf_counter() - started)


def assert_gradients(network: Network, loss: Loss, images: np.ndarray, labels: np.ndarray, **options: Any) -> None:
    """Raise `AssertionError` with the report unless every gradient is right; takes what `check_gradients` takes."""
    report = check_gradients(network, loss, images, labels, **options)
    if not report.right:
        raise AssertionError(str(report))


def _every_element(objective: Objective, gradient: np.ndarray, parameter: Parameter) -> tuple[Row, str | None]:
    place = parameter.place
    analytic = gradient[place]
    exact = np.array([objective.complex_step(i) for i in range(place.start, place.stop)])
    central = np.array([objective.central_difference(i) for i in range(place.start, place.stop)])
    exact_errors = relative_error(analytic, exact, 4 * _UNIT * float(np.abs(analytic).max()) / _COMPLEX_TOLERANCE)
    resolution = 4 * _UNIT * max(1.0, abs(objective.value(objective.real))) / EPSILON
    central_errors = relative_error(analytic, central, resolution / TOLERANCE)
    i, j = int(np.argmax(exact_errors)), int(np.argmax(central_errors))
    row = Row(
        parameter.name, parameter.shape, f"all {analytic.size:,}",
        float(exact_errors[i]), _index(i, parameter), float(central_errors[j]), _index(j, parameter),
    )  # fmt: skip
    if not row.complex_step < TOLERANCE:
        return row, _fault(parameter, i, analytic[i], exact[i], "the complex step")
    if not central_errors[j] < TOLERANCE:
        return row, _fault(parameter, j, analytic[j], central[j], "central differences")
    return row, None


def _along_directions(
    objective: Objective, gradient: np.ndarray, parameter: Parameter, directions: int, generator: np.random.Generator
) -> tuple[Row, str | None]:
    def error(start: int, stop: int) -> float:
        direction = np.zeros_like(gradient)
        direction[start:stop] = generator.standard_normal(stop - start)
        analytic = gradient[start:stop] @ direction[start:stop]
        rounding = 4 * _UNIT * float(np.linalg.norm(gradient[start:stop]))
        return float(relative_error(analytic, objective.along(direction), rounding / _COMPLEX_TOLERANCE))

    start, stop = parameter.place.start, parameter.place.stop
    worst = float(np.max([error(start, stop) for _ in range(directions)]))
    row = Row(parameter.name, parameter.shape, f"along {directions} directions", worst, None, None, None)
    if worst < TOLERANCE:
        return row, None
    while stop - start > 1:  # a wrong element is in the first half, or else in the second
        middle = (start + stop) // 2
        start, stop = (start, middle) if not error(start, middle) < TOLERANCE else (middle, stop)
    i = start - parameter.place.start
    row = replace(row, complex_index=_index(i, parameter))
    return row, _fault(parameter, i, gradient[start], objective.complex_step(start), "the complex step")


def relative_error(analytic: np.ndarray, numeric: np.ndarray | float, least: float) -> np.ndarray:
    """Return |a - n| / max(|a| + |n|, least), and 0 where both are 0."""
    difference = np.abs(analytic - numeric)
    scale = np.maximum(np.abs(analytic) + np.abs(numeric), least)
    errors = np.zeros_like(difference)
    np.divide(difference, scale, out=errors, where=scale != 0)
    return errors


def _index(place: int, parameter: Parameter) -> tuple[int, ...]:
    return tuple(map(int, np.unravel_index(place, parameter.shape)))


def _fault(parameter: Parameter, place: int, analytic: float, numeric: float, method: str) -> str:
    where = ", ".join(map(str, _index(place, parameter)))
    return f"{parameter.name}[{where}]: backpropagation says {analytic:.9g}, {method} says {numeric:.9g}"
