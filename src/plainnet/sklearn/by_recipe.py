"""Train an estimator by a recipe, which defines the network, loss, optimizer, schedule and all other settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plainnet.data.dataset import DataSet
from plainnet.events import Epoch
from plainnet.layers import layers_from_config
from plainnet.network import Network
from plainnet.recipes import read
from plainnet.recipes.form import expects_images
from plainnet.sklearn.callbacks import Tasks
from plainnet.training import Training


def train(estimator: Any, data: DataSet, held_out: Any, tasks: Tasks) -> None:
    """Train by the estimator's recipe; `epochs` replaces its number of epochs. Early stopping needs validation data.

    Raises: `InputError` for a recipe that cannot be read, or does not fit the data.
    """
    recipe = read(estimator.recipe)
    if data.inputs.ndim == 2 and expects_images(recipe.layers):
        raise ValueError(f"recipe {estimator.recipe} is for images: give their shape, such as image_shape=(28, 28)")
    recipe = recipe.fitted(data)
    if estimator.epochs is not None:
        recipe = replace(recipe, epochs=int(estimator.epochs))
    validation = None if held_out is None else estimator._data_set(*held_out)
    if recipe.stop is not None and validation is None:
        recipe = replace(recipe, stop=None)
    assert recipe.input_shape is not None
    seed = int(estimator._random_state.randint(2**31 - 1))
    estimator._clear()
    estimator.network_ = Network(*layers_from_config(recipe.layers)).build(recipe.input_shape, rng=seed)
    training = Training(
        estimator.network_, recipe.loss_function(), recipe.make_optimizer(), data, validation,
        rng=seed, **recipe.training_options(),
    )  # fmt: skip
    tasks.begin_epoch(1)
    for event in training:
        if isinstance(event, Epoch):
            estimator.n_iter_, estimator.loss_ = event.number, event.train_loss
            estimator.loss_curve_.append(event.train_loss)
            estimator.t_ += len(data)
            if validation is not None:
                estimator.validation_scores_.append(estimator._score_on(*held_out))
                estimator.best_validation_score_ = max(estimator.validation_scores_)
            if estimator.verbose:
                print(f"Iteration {event.number}, {event}")
            if tasks.end_epoch():
                break
            if event.number < recipe.epochs:
                tasks.begin_epoch(event.number + 1)
