"""Every cause, at three strengths, and what makes trainings with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spoiling import histories, images, runs
from spoiling.change import Change
from spoiling.subjects import DATA, KINDS, Layers

Three = tuple[Change, Change, Change]


@dataclass(frozen=True)
class Cause:
    """A cause: how it is put into a training, weak, middling and strong, and which networks and images have it."""

    changes: Three
    kinds: Sequence[str] = tuple(KINDS)
    data: Sequence[str] = DATA


def each(values: Sequence[Any], change: Callable[[Any], Change]) -> Three:
    """Return a change for each of three values."""
    weak, middling, strong = map(change, values)
    return weak, middling, strong


def _hidden(layers: Layers) -> list[int]:
    """Return the places of the layers with weights, but for the last."""
    return [place for place, layer in enumerate(layers[:-1]) if layer["type"] in ("Dense", "Conv2D")]


def _after_hidden(extra: dict[str, Any]) -> Callable[[Layers], Layers]:
    """Return what puts a layer before the last one."""
    return lambda layers: [*layers[:-1], extra, layers[-1]]


def _narrow(units: int) -> Callable[[Layers], Layers]:
    """Return what makes all hidden layers as narrow as that."""

    def change(layers: Layers) -> Layers:
        for place in _hidden(layers):
            if layers[place]["type"] == "Dense":
                layers[place]["units"] = units
            else:
                layers[place]["filters"] = 1  # two images of 1 and 4 times less pixels tell enough
        return layers

    return change


def _bottleneck(units: int) -> Callable[[Layers], Layers]:
    neck = [{"type": "Dense", "units": units}, {"type": "Tanh"}]
    return lambda layers: [*layers[:-1], *neck, {"type": "Dense", "units": 32}, {"type": "Tanh"}, layers[-1]]


def _sigmoids(depth: int) -> Callable[[Layers], Layers]:
    deep = [{"type": "Dense", "units": 32}, {"type": "Sigmoid"}] * depth
    return lambda layers: [*layers[:-1], *(dict(layer) for layer in deep), layers[-1]]


def _with_batch_norm(momentum: float) -> Callable[[Layers], Layers]:
    """Return what normalizes each hidden layer by batches, with running averages of this momentum."""

    def change(layers: Layers) -> Layers:
        norm = {"type": "BatchNorm", "momentum": momentum}
        kept = [layer for layer in layers if layer["type"] != "BatchNorm"]
        hidden = _hidden(kept)
        return [
            new for place, layer in enumerate(kept) for new in ([layer, dict(norm)] if place in hidden else [layer])
        ]

    return change


_STEP = {"schedule.type": "step_decay", "schedule.factor": 0.01}
HARD = ("mnist", "digits")  # sets of which a few hundred images do not tell all
PLAIN = ("dense", "deep", "convolutional")
CAUSES: dict[str, Cause] = {
    # the optimizer
    "learning-rate-too-high": Cause(each((30.0, 300.0, 1e6), lambda rate: Change(rate=rate))),
    "learning-rate-too-low": Cause(each((3e-3, 1e-3, 1e-4), lambda rate: Change(rate=rate))),
    "rate-falls-too-early": Cause(
        each((0.15, 0.08, 0.02), lambda factor: Change(rate=0.2, run=runs.falling_rate(factor)))
    ),
    "momentum-too-high": Cause(each((0.995, 0.998, 0.9995), lambda m: Change(settings={"optimizer.momentum": m}))),
    "weight-decay-too-strong": Cause(
        each((0.1, 0.3, 1.0), lambda decay: Change(settings={"optimizer.weight_decay": decay}))
    ),
    "clipping-active": Cause(each((1e-3, 3e-4, 1e-4), lambda clip: Change(settings={"optimizer.clip": clip}))),
    "summed-gradient": Cause(
        each(
            (1.0, 3.0, 10.0),
            lambda rate: Change(rate, settings={"loss": {"type": "SoftmaxCrossEntropy", "reduction": "sum"}}),
        )
    ),
    "too-few-updates": Cause(each((500, 1000, 1500), lambda size: Change(0.3, settings={"batch_size": size}))),
    "gradient-sign": Cause(each((1e-3, 1e-2, 1e-1), lambda rate: Change(rate, run=runs.uphill))),
    "nothing-updated": Cause(each((0, 1, 2), lambda _: Change(run=runs.without_updates))),
    # the first weights
    "dead-units": Cause(
        each((-10.0, -20.0, -100.0), lambda bias: Change(run=runs.bias(bias))), ("dense", "convolutional")
    ),
    "all-zero-initialization": Cause(each((0, 1, 2), lambda _: Change(run=runs.weights(0.0)))),
    "constant-initialization": Cause(each((0.01, 0.03, 0.1), lambda value: Change(run=runs.weights(value)))),
    "weights-begin-too-small": Cause(
        each((1e-2, 1e-3, 1e-5), lambda scale: Change(run=runs.scaled_weights(scale))), ("deep",)
    ),
    "saturated-activations": Cause(
        each((10.0, 30.0, 100.0), lambda scale: Change(run=runs.scaled_weights(scale))), ("deep",)
    ),
    "weights-begin-too-large": Cause(
        each((10.0, 20.0, 50.0), lambda scale: Change(run=runs.scaled_weights(scale))), ("dense", "convolutional")
    ),
    # the network
    "vanishing-gradients": Cause(each((6, 8, 10), lambda depth: Change(layers=_sigmoids(depth))), PLAIN),
    "bottleneck": Cause(each((1, 1, 1), lambda units: Change(layers=_bottleneck(units)))),
    "underfitting": Cause(each((3, 2, 1), lambda units: Change(layers=_narrow(units), settings={"epochs": 20}))),
    "too-much-dropout": Cause(
        each((0.9, 0.95, 0.98), lambda rate: Change(layers=_after_hidden({"type": "Dropout", "rate": rate})))
    ),
    "too-much-noise": Cause(
        each(
            (2.0, 4.0, 8.0),
            lambda d: Change(layers=lambda layers: [{"type": "GaussianNoise", "deviation": d}, *layers]),
        ),
        PLAIN,
    ),
    "relu-before-loss": Cause(
        each((0.3, 1.0, 2.0), lambda rate: Change(rate, layers=lambda layers: [*layers, {"type": "ReLU"}]))
    ),
    "softmax-twice": Cause(
        each((1.0, 2.0, 3.0), lambda rate: Change(rate, run=runs.softmax_twice, settings={"epochs": 25}))
    ),
    "batch-statistics": Cause(
        each(
            (0.9999999, 0.1, 0.0),
            lambda m: Change(
                layers=_with_batch_norm(m), rate=1.0 if m > 0.5 else 0.1, settings={"batch_size": 32 if m > 0.5 else 2}
            ),
        ),
        ("dense", "deep", "normalized"),
    ),
    # the data
    "inputs-not-scaled": Cause(each((255.0, 255.0, 1000.0), lambda scale: Change(data=images.numbers(scale)))),
    "inputs-far-from-zero": Cause(
        each((10.0, 30.0, 100.0), lambda mean: Change(data=images.numbers(1.0, mean))), PLAIN
    ),
    "inputs-alike": Cause(each((0.0, 0.0, 0.0), lambda scale: Change(data=images.numbers(scale, 0.5)))),
    "labels-shuffled": Cause(
        (
            Change(data=images.relabeled(images.permuted)),
            Change(data=images.relabeled(images.one_further)),
            Change(data=images.relabeled(images.permuted, settled=False)),
        )
    ),
    "labels-off-by-one": Cause(
        (
            Change(data=images.relabeled(images.plus(1), validation=False)),
            Change(data=images.relabeled(images.plus(1))),
            Change(data=images.relabeled(images.plus(-1))),
        )
    ),
    "labels-noisy": Cause(each((0.3, 0.45, 0.6), lambda share: Change(data=images.relabeled(images.noisy(share))))),
    "one-class": Cause(each((0.95, 0.98, 1.0), lambda share: Change(data=images.mostly_one(share)))),
    "class-missing": Cause(each((1, 2, 3), lambda count: Change(data=images.without_classes(count)))),
    "not-shuffled": Cause(
        (Change(0.1, run=runs.in_order(1)), Change(0.3, run=runs.in_order(-1)), Change(run=runs.in_order(1)))
    ),
    "overfitting": Cause(
        each((200, 120, 60), lambda count: Change(count=count, settings={"epochs": 60, "batch_size": 16})), data=HARD
    ),
    # the evaluation
    "validation-labels-wrong": Cause(
        (
            Change(data=images.relabeled(images.permuted, train=False)),
            Change(data=images.relabeled(images.one_further, train=False)),
            Change(data=images.relabeled(images.plus(1), train=False)),
        )
    ),
    "validation-prepared-differently": Cause(
        (
            Change(data=images.validation(images.inverted)),
            Change(data=images.validation(images.times(255.0))),
            Change(data=images.validation(images.times(1 / 255.0))),
        )
    ),
    "validation-too-small": Cause(
        each((20, 12, 8), lambda count: Change(data=images.validation(lambda part, rng: part[:count])))
    ),
    "evaluation-broken": Cause(each((0, 1, 2), lambda way: Change(history=histories.stale_validation(way)))),
    # what is written down
    "accuracy-measured-wrongly": Cause(each((0, 1, 2), lambda way: Change(history=histories.wrong_accuracy(way)))),
    "log-of-zero": Cause(each((3, 5, 8), lambda epoch: Change(history=histories.not_a_number(epoch)))),
    "collapse": Cause(each((4, 6, 8), lambda epoch: Change(run=runs.collapse(epoch))), PLAIN),
    "curves-exchanged": Cause(
        each(
            (100, 200, 300),
            lambda count: Change(count=count, settings={"epochs": 30, "batch_size": 16}, history=histories.exchanged),
        ),
        data=HARD,
    ),
    "runs-appended": Cause(each((1, 2, 3), lambda runs: Change(history=histories.appended(runs)))),
    # remarks
    "plateau-before-decay": Cause(
        each(
            (0.1, 0.2, 0.3),
            lambda share: Change(
                count=700,
                settings=_STEP
                | {
                    "schedule.learning_rate": 0.05,
                    "schedule.at": [36],
                    "epochs": 40,
                    "loss": {"type": "SoftmaxCrossEntropy", "label_smoothing": share},
                },
            ),
        ),
        data=("digits", "gratings"),
    ),
    "training-harder": Cause(
        each((0.6, 0.65, 0.7), lambda rate: Change(layers=_after_hidden({"type": "Dropout", "rate": rate})))
    ),
    "stopped-too-early": Cause(each((0.02, 0.025, 0.03), lambda rate: Change(rate, settings={"epochs": 6}))),
}
