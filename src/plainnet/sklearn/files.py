"""Save estimators in plainnet's model files, without pickle; commands and `load_model` read these files as well."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.model import PIXELS, Model
from plainnet.model_file import load_model, save_model

_PLAIN = (bool, int, float, str, type(None))


def as_model(estimator: Any) -> Model:
    """Return a fitted estimator as a model.

    Parameters that are objects, such as `layers`, `schedule` and `random_state`, matter only for further training and
    are left out; the network has its layers anyway.

    Raises: `InputError` for loss="poisson", because no layer computes its exponential function.
    """
    plain = {name: _plain(value) for name, value in estimator.get_params().items()}
    if estimator.out_activation_ == "exp":
        raise InputError(
            "a network for counts (loss='poisson') outputs logarithms, which a model file cannot express; pickle it"
        )
    about: dict[str, Any] = {
        "estimator": type(estimator).__name__,
        "parameters": {name: value for name, value in plain.items() if value != ()},
        "features": int(estimator.n_features_in_),
        "left_out": [name for name, value in plain.items() if value == () and name != "random_state"],
    }
    names: tuple[str, ...] = ()
    task = "numbers"
    if hasattr(estimator, "classes_"):
        names, task = tuple(map(str, estimator.classes_)), "labels" if estimator.several_ else "classes"
        about["classes"] = estimator.classes_.tolist()
        about["labels_dtype"] = estimator.classes_.dtype.str
    return Model(
        estimator.network_, names, about, _preparation(estimator),
        tuple(map(str, getattr(estimator, "feature_names_in_", ()))), kind=task,
    )  # fmt: skip


def _preparation(estimator: Any) -> dict[str, Any]:
    return PIXELS | {"pictures": "stored", "inputs": "bytes" if estimator.takes_bytes_ else "numbers"}


def save(estimator: Any, path: str | Path) -> None:
    """Write an estimator to a model file.

    Raises: `InputError` as `as_model` and `save_model`.
    """
    save_model(path, as_model(estimator))


def load(kind: Any, path: str | Path) -> Any:
    """Return the fitted estimator of a class that `save` wrote to a file.

    Raises: `InputError` if the file holds no such estimator.
    """
    model = load_model(path)
    about = model.about
    if about.get("estimator") != kind.__name__:
        raise InputError(
            f"{path} holds {shown(about.get('estimator', 'a model'), 40)}, not a {kind.__name__}; use load_model, or "
            "the class that saved it"
        )
    try:
        estimator = kind(**_mapping(about["parameters"]))
        estimator._validate_params()
        if left_out := about.get("left_out"):
            warnings.warn(
                f"the file does not hold {', '.join(map(str, left_out))}; set them before you continue training",
                stacklevel=3,
            )
        estimator.network_, estimator.n_features_in_ = model.network, int(about["features"])
        if model.column_names:
            estimator.feature_names_in_ = np.array(model.column_names, object)
        estimator.takes_bytes_ = model.preparation.get("inputs") == "bytes"
        outputs = model.network.out_shapes[-1][0]
        if model.kind != "numbers":
            estimator.classes_ = np.array(about["classes"], np.dtype(about["labels_dtype"]))
            several = model.kind == "labels"
            estimator._binarizer = LabelBinarizer().fit(
                np.array([[0] * outputs, [1] * outputs]) if several else estimator.classes_
            )
        else:
            estimator._one = outputs == 1
        estimator.n_outputs_, estimator.out_activation_ = outputs, estimator._out_activation()
        estimator._clear()
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} does not hold a usable {kind.__name__}: {error}") from error
    return estimator


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("its parameters are not a table")
    return {str(name): tuple(v) if isinstance(v, list) else v for name, v in value.items()}


def _plain(value: Any) -> Any:
    """Return a value in JSON-compatible form, or () if it has none."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return ()
    if isinstance(value, list | tuple) and value and all(isinstance(v, _PLAIN) for v in value):
        return list(value)
    return value if isinstance(value, _PLAIN) else ()
