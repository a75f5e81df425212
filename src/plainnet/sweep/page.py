"""Writes the HTML page of a sweep: which settings matter, what each trial tried, and its curves."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plainnet import __version__
from plainnet.foreign.showing import shown
from plainnet.page import FOLDER
from plainnet.page.document import document
from plainnet.sweep.space import Dimension
from plainnet.writing import to_json

if TYPE_CHECKING:
    import optuna

    from plainnet.sweep.sweeping import Sweep

_HERE = Path(__file__).parent
_MOST_CURVES = 300  # trials with curves in the page; the records hold the curves of all


def page(found: Sweep, recipe: str, space: Mapping[str, Dimension], study: optuna.Study, trials: int) -> str:
    """Return the page of a sweep as one HTML text."""
    name = Path(recipe).stem
    best = {one["number"] for one in found.ranked[:_MOST_CURVES]}
    told = {
        "name": name, "direction": found.direction, "of": trials, "version": __version__,
        "written": datetime.now(UTC).isoformat(timespec="minutes"),
        "space": [_shown(one) for one in space.values()],
        "importance": importance(study), "ranked": [one["number"] for one in found.ranked],
        "trials": [_trial(one, with_curve=one["number"] in best) for one in found.records],
    }  # fmt: skip
    modules: list[str | Path] = ["dom", "chart", _HERE / "parallel.js", _HERE / "sweep.js"]
    styles = [FOLDER / "report.css", _HERE / "sweep.css"]
    return document(f"{shown(name, 60)}: a sweep by plainnet", to_json(told).decode(), modules, styles)


def importance(study: optuna.Study) -> dict[str, float]:
    """Return the importance of each setting for the result, as fractions; {} for fewer than four trials.

    Source: Watanabe, Bansal, Hutter 2023, "PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary
    subspaces".
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    if len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) < 4:
        return {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # such as: its interface may change
        warnings.simplefilter("ignore")
        try:
            return dict(get_param_importances(study, evaluator=PedAnovaImportanceEvaluator()))
        except (ValueError, RuntimeError):  # all trials are alike
            return {}


def _shown(one: Dimension) -> dict[str, Any]:
    """Return what the page needs from a dimension."""
    return {"key": one.key, "kind": one.kind, "low": one.low, "high": one.high, "choices": list(one.choices)}


def _trial(one: Mapping[str, Any], *, with_curve: bool) -> dict[str, Any]:
    """Return what the page needs from a record."""
    history = one["history"] if with_curve else []
    figure = one.get("figure", "")
    return {
        "number": one["number"], "state": one["state"], "value": one.get("value"), "overrides": one["overrides"],
        "epoch": one.get("epoch"), "error": one["error"], "figure": figure, "seconds": one["made"]["seconds"],
        "curve": [epoch.get(figure) for epoch in history],
        "loss": [epoch.get("validation_loss") for epoch in history],
    }  # fmt: skip
