"""Measurements on a network: dead and saturated units, and the first steps of its training, without changing its weights."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import numpy as np

from plainnet.context import Context
from plainnet.data.dataset import DataSet
from plainnet.layers import BatchNorm, Conv2D, Dense, ReLU, Sigmoid, Tanh
from plainnet.network import Network
from plainnet.recipes import Recipe

_IMAGES = 500  # on which units are measured
_STEPS = 5


@dataclass(frozen=True)
class Inside:
    """Measurements inside a trained network.

    - `dead`: for each ReLU layer, the share of units that are 0 for every image.
    - `saturated`: for each Sigmoid or Tanh layer, the share of outputs within 1 % of a limit.
    - `zero`, `equal`: names of weights that are all zero, or the same for every unit.
    - `growth`: for each array of weights, its norm relative to its initial norm.
    - `moved`: the norm of the change of all weights, relative to the norm of the initial weights.
    - `evaluated`: with batch normalization, the accuracy on training images with its running averages, and with the
      batch's own statistics.
    """

    dead: dict[str, float]
    saturated: dict[str, float]
    zero: tuple[str, ...]
    equal: tuple[str, ...]
    growth: dict[str, float] = field(default_factory=dict)
    moved: float = math.nan
    evaluated: tuple[float, float] | None = None


@dataclass(frozen=True)
class Steps:
    """Measurements on the first steps of a training run, from fresh weights: medians over the steps.

    - `ratio`: the norm of an update relative to the norm of all weights.
    - `doubled`: how much the gradient grows if every example of the batch appears twice: 1 if the loss is a mean, 2 if a sum.
    - `clipped`: the share of the gradient's norm that clipping removes.
    - `vanishing`: the gradient of the first layer's weights relative to that of the last layer's, each relative to its weights.
    - `updates`: the number of updates of the whole training run.
    """

    ratio: float
    doubled: float
    clipped: float
    vanishing: float = 1.0
    updates: int = 0


def look_inside(network: Network, data: DataSet, fresh: Network | None = None) -> Inside:
    """Measure the layers of a trained network on training images; `fresh` is the network with its initial weights."""
    x = network.as_input(data.images[:_IMAGES])
    dead, saturated, zero, equal = {}, {}, [], []
    for index, layer in enumerate(network.layers):
        x = layer.forward(x)
        name = f"{type(layer).__name__} (layer {index})"
        if isinstance(layer, ReLU):
            dead[name] = float(np.mean(~(x > 0).reshape(-1, x.shape[-1]).any(axis=0)))
        elif isinstance(layer, Sigmoid | Tanh):
            low = 0.0 if isinstance(layer, Sigmoid) else -1.0
            margin = 0.01 * (1 - low)
            saturated[name] = float(np.mean((x < low + margin) | (x > 1 - margin)))
        elif isinstance(layer, Dense | Conv2D):
            weights = layer.W.value.reshape(-1, layer.W.shape[-1])
            largest = float(np.abs(weights).max())
            if largest == 0.0:
                zero.append(layer.W.name)
            elif weights.shape[1] > 1 and np.abs(weights - weights[:, :1]).max() <= 1e-5 * largest:
                equal.append(layer.W.name)
    growth, moved = {}, math.nan
    if fresh is not None and fresh.theta.size == network.theta.size:
        for now, then in zip(network.parameters, fresh.parameters, strict=True):
            if now.decay and (length := float(np.linalg.norm(then.value))) > 0:
                growth[now.name] = float(np.linalg.norm(now.value)) / length
        moved = float(np.linalg.norm(network.theta - fresh.theta) / max(float(np.linalg.norm(fresh.theta)), 1e-30))
    return Inside(dead, saturated, tuple(zero), tuple(equal), growth, moved, _evaluated(network, data))


def _evaluated(network: Network, data: DataSet) -> tuple[float, float] | None:
    """Return the accuracy with running averages and with batch statistics; None without batch normalization."""
    if not any(isinstance(layer, BatchNorm) for _, layer in network.walk()) or data.kind != "classes":
        return None
    some = data[np.random.default_rng(0).permutation(len(data))[:_IMAGES]]
    state = {name: array.copy() for name, array in network.tensors().items()}
    x = network.as_input(some.images)
    right = [
        float((network.forward(x, training=training).argmax(axis=1) == some.labels).mean())
        for training in (False, True)
    ]
    network.restore(state)
    return right[0], right[1]


def first_steps(recipe: Recipe, data: DataSet, seed: int) -> Steps:
    """Take a few steps of a recipe from fresh weights, at the highest learning rate of its first epoch."""
    network, loss, optimizer = recipe.network(rng=seed), recipe.loss_function(), recipe.make_optimizer()
    steps_per_epoch = -(-len(data) // recipe.batch_size)
    schedule = recipe.learning_rate()
    rate = max(schedule(step, steps_per_epoch, recipe.epochs) for step in range(steps_per_epoch))
    clip = recipe.optimizer.get("clip")
    ratios, doubled, lost, vanishing = [], [], [], []
    context = Context(leads=False)  # random draws stay the same, so that gradients can be compared
    optimizer.attach(network.parameters)

    def gradient(batch: DataSet) -> np.ndarray:
        with context:
            logits = network.forward(network.as_input(batch.images), training=True)
            network.backward(loss(logits, batch.labels)[1])
        return network.grad

    for step in range(_STEPS):
        rows = np.arange(step * recipe.batch_size, (step + 1) * recipe.batch_size) % len(data)
        twice = float(np.linalg.norm(gradient(data[np.concatenate([rows, rows])])))
        once = gradient(data[rows]).copy()
        length = float(np.linalg.norm(once))
        doubled.append(twice / length if length > 0 else 1.0)
        kept = np.clip(once, -clip, clip) if clip else once
        lost.append(1 - float(np.linalg.norm(kept)) / length if length > 0 else 0.0)
        weights = [parameter for parameter in network.parameters if parameter.decay]
        first, last = (
            float(np.linalg.norm(p.grad) / max(float(np.linalg.norm(p.value)), 1e-30))
            for p in (weights[0], weights[-1])
        )
        vanishing.append(first / last if last > 0 else 1.0)
        before = copy.copy(network.theta)
        optimizer.step(rate)
        ratios.append(float(np.linalg.norm(network.theta - before) / max(float(np.linalg.norm(before)), 1e-30)))
    ratio, twice_as_long, cut, faded = (float(np.nanmedian(values)) for values in (ratios, doubled, lost, vanishing))
    return Steps(ratio, twice_as_long, cut, faded, steps_per_epoch * recipe.epochs)
