"""Reliability: how often answers are wrong at each confidence, and how withholding unsure answers reduces errors."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from plainnet.evaluation import Evaluation
from plainnet.evaluation.trust import Trust
from plainnet.pictures.style import BLUE, GRAY, ORANGE, spaced, without_frame

_LEAST = 1e-4  # share of errors; bins with fewer are drawn at the edge


def reliability(test: Evaluation) -> Figure:
    """Draw the error rates of 15 bins against the expected ones, and the error rate against the answers given."""
    figure = Figure(figsize=(9.6, 4.6), layout=spaced())
    left, right = figure.subplots(1, 2)
    if test.temperature != 1:
        _bins(left, Trust(test.probabilities, test.trust.labels), GRAY, "uncalibrated")
    _bins(left, test.trust, BLUE, f"with temperature {test.temperature:.3g}" if test.temperature != 1 else "answers")
    left.plot([_LEAST, 1], [_LEAST, 1], color=ORANGE, linewidth=1, label="perfectly calibrated")
    left.set(xscale="log", yscale="log", xlim=(_LEAST / 1.5, 1.1), ylim=(_LEAST / 1.5, 1.1))
    left.set(xlabel="1 - confidence (expected error rate)", ylabel="error rate")
    for axis in (left.xaxis, left.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    left.set_title(f"calibration error {test.trust.calibration_error:.2%}")
    left.legend(frameon=False, fontsize=9, loc="upper left")
    coverage, risk = test.trust.risk_against_coverage
    right.plot(coverage, risk, color=BLUE, linewidth=1.6)
    for share, least in list(test.certain.items())[-3:]:
        kept, accuracy = test.trust.kept(least)
        if accuracy is not None:
            right.plot([kept], [1 - accuracy], "o", color=ORANGE, markersize=5)
            told, at = f"{100 * float(share):g} % promised", (kept, 1 - accuracy)
            right.annotate(told, at, textcoords="offset points", xytext=(-6, 7), ha="right", fontsize=9)
    right.set(xlabel="answers given, most confident first", ylabel="error rate among them", xlim=(0, 1.01))
    right.set_ylim(0, max(float(risk[-1]) * 1.15, 1e-4))
    right.xaxis.set_major_formatter(PercentFormatter(1))
    right.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    right.set_title(f"{test.accuracy:.2%} of all answers are right")
    for axes in (left, right):
        without_frame(axes)
    return figure


def _bins(axes: Axes, trust: Trust, color: str, label: str) -> None:
    expected, wrong = (np.array([1 - bin_[place] for bin_ in trust.bins()]) for place in (0, 1))
    axes.plot(
        np.maximum(expected, _LEAST),
        np.maximum(wrong, _LEAST),
        "o-",
        color=color,
        markersize=4,
        linewidth=1,
        label=label,
    )
