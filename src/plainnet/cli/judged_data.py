"""Chooses the test data for a saved model: the data it was trained on, or other data of the same kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plainnet.cli.own_data import OwnData
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.model import Model
from plainnet.recipes import override
from plainnet.sources import load_described, load_for


def described(model: Model, own_data: OwnData | None) -> tuple[Mapping[str, Any] | None, bool]:
    """Return where the data are, in the form of a recipe's `data`, and whether the model was trained on them."""
    recipe = model.about.get("recipe")
    trained_on = recipe.get("data") if isinstance(recipe, Mapping) else None
    given = override({"data": trained_on}, (own_data or OwnData()).overrides(path_known=True)).get("data")
    if given is None or "path" not in given:
        return None, trained_on is None
    return given, isinstance(trained_on, Mapping) and given.get("path") == trained_on.get("path")


def test_part(model: Model, own_data: OwnData | None) -> DataSet:
    """Return the examples to test a model on: the test part, or all examples of other data without one.

    Raises: `InputError` if the model cannot take them, or if they have other classes.
    """
    where, same = described(model, own_data)
    if where is None:
        data = load_described(None).test
        if model.network.in_shape not in ((28, 28), (784,), (28, 28, 1)):
            raise InputError(
                "the model was not trained on MNIST, and its file does not name its data; give them with --data"
            )
        return data
    return load_for(model, where, only_test=same)
