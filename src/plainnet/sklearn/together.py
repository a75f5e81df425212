"""Conflicting parameters: reject combinations in which one would be ignored, which would mislead a search over it."""

from __future__ import annotations

from typing import Any

_OF_RECIPES = ("layers", "dropout", "schedule", "augmentation")


def check(estimator: Any, validation: Any) -> None:
    """Raise `ValueError` if a given parameter would have no effect, or not the intended one."""
    given = {name for name in _OF_RECIPES if getattr(estimator, name) not in (None, 0.0)}
    if estimator.recipe is not None and given:
        raise ValueError(f"a recipe has its own {min(given)}; leave out {min(given)}, or the recipe")
    if estimator.recipe is not None and estimator.max_iter != 200:
        raise ValueError("with a recipe, use epochs to set the number of epochs; leave out max_iter")
    if estimator.layers is not None and estimator.dropout:
        raise ValueError("dropout is for hidden_layer_sizes; put Dropout(...) among the layers")
    if estimator.recipe is None and estimator.solver == "lbfgs" and (given := given - {"layers"}):
        raise ValueError(f"solver='lbfgs' uses all examples at once, unchanged; leave out {min(given)}")
    if estimator.augmentation is not None and estimator.image_shape is None:
        raise ValueError("augmentation is for images: give their shape, such as image_shape=(28, 28)")
    if validation is not None and not estimator.early_stopping:
        raise ValueError("X_val and y_val are for early_stopping=True")
