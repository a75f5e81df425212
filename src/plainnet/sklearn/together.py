"""Parameters that do not go together: one of them would be ignored, and a search over it would compare the same."""

from __future__ import annotations

from typing import Any

_OF_RECIPES = ("layers", "dropout", "schedule", "augmentation")


def check(estimator: Any, validation: Any) -> None:
    """Raise `ValueError` if a parameter that is given would have no effect, or none that is meant."""
    given = {name for name in _OF_RECIPES if getattr(estimator, name) not in (None, 0.0)}
    if estimator.recipe is not None and given:
        raise ValueError(f"a recipe has its own {min(given)}; leave out {min(given)}, or the recipe")
    if estimator.recipe is not None and estimator.max_iter != 200:
        raise ValueError("with a recipe, epochs says how many there are; leave out max_iter")
    if estimator.layers is not None and estimator.dropout:
        raise ValueError("dropout is for hidden_layer_sizes; put Dropout(...) among the layers")
    if estimator.recipe is None and estimator.solver == "lbfgs" and (given := given - {"layers"}):
        raise ValueError(f"solver='lbfgs' takes all examples at once, as they are; leave out {min(given)}")
    if estimator.augmentation is not None and estimator.image_shape is None:
        raise ValueError("augmentation is for images: image_shape=(28, 28) says what a row of X holds")
    if validation is not None and not estimator.early_stopping:
        raise ValueError("X_val and y_val are for early_stopping=True")
