"""Training speed compared with other libraries, for dense and convolutional networks of the recipes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from plainnet.bench.interleave import Comparison, Rival, interleave
from plainnet.data import mnist
from plainnet.data.augmentation import Augmentation
from plainnet.data.dataset import DataSet
from plainnet.data.preparation import scaled
from plainnet.events import Epoch
from plainnet.network import Network
from plainnet.recipes import Recipe, read
from plainnet.runs.run import Run
from plainnet.training import Training
from plainnet.workers import quickest

STEPS = 100  # of each rival in each round, and before the losses are compared
SAME = 1e-4  # largest relative difference between the mean losses of these steps

SMALL_CNN: list[dict[str, Any]] = [
    {"type": "Conv2D", "filters": 32, "size": 3},
    {"type": "Conv2D", "filters": 32, "size": 3},
    {"type": "Conv2D", "filters": 32, "size": 5, "stride": 2, "padding": "same"},
    {"type": "Conv2D", "filters": 64, "size": 3},
    {"type": "Conv2D", "filters": 64, "size": 3},
    {"type": "Conv2D", "filters": 64, "size": 5, "stride": 2, "padding": "same"},
    {"type": "Conv2D", "filters": 128, "size": 4},
]
SMALL_CNN = [part for conv in SMALL_CNN for part in (conv, {"type": "ReLU"}, {"type": "BatchNorm"})]
SMALL_CNN += [{"type": "Flatten"}, {"type": "Dense", "units": 10}]


@dataclass(frozen=True)
class Work:
    """The work of all rivals: this recipe, on as many images as `steps` batches hold."""

    recipe: Recipe
    steps: int

    @property
    def data(self) -> DataSet:
        """The images of each epoch."""
        return mnist.load().train[: self.steps * self.recipe.batch_size]

    def network(self, dtype: np.typing.DTypeLike) -> Network:
        """Return the network that all rivals start with.

        Its biases are not 0. Otherwise the inputs of a ReLU would be exactly 0, at its kink, where an image is black,
        and rounding, which differs between libraries, would decide whether a bias has a gradient there.
        """
        network, rng = self.recipe.network(rng=0), np.random.default_rng(0)
        for parameter in network.parameters:
            if parameter.name.endswith(".b"):
                parameter.value[...] = rng.normal(0, 0.05, parameter.shape)
        return network.astype(dtype)

    def ours(self, dtype: np.typing.DTypeLike = np.float32) -> Callable[[], float]:
        """Return a function that trains one epoch with plainnet and returns the mean loss; it can be called repeatedly.

        Workers and threads are those that `plainnet train` would use.
        """
        recipe, data = self.recipe, self.data
        network, optimizer, loss = self.network(dtype), recipe.make_optimizer(), recipe.loss_function()
        options: dict[str, Any] = {"batch_size": recipe.batch_size, "epochs": 1}
        first = {name: tensor.copy() for name, tensor in network.tensors().items()}
        workers, augmentation = quickest(network, loss, recipe.workers), recipe.make_augmentation()
        run = Run(recipe, mnist.load(), limit=len(data))
        with run.threads.in_force():
            run.threads.begin(run.throw_away_step())
            workers.__enter__()  # once, as in a long training, which forks processes only once

        def epoch() -> float:
            network.restore(first)  # gradients of a trained network become so small that computing with them is slow
            with run.threads.in_force():
                training = Training(
                    network, loss, optimizer, data, learning_rate=recipe.learning_rate(), workers=workers,
                    augmentation=augmentation, **options,
                )  # fmt: skip
                return next(event for event in training if isinstance(event, Epoch)).train_loss

        return epoch

    def torch(self, dtype: np.typing.DTypeLike = np.float32, **options: bool) -> Callable[[], float]:
        """Return a function that trains the same epoch in PyTorch."""
        from plainnet.bench.torch_peer import TorchTraining

        recipe = self.recipe
        return TorchTraining(
            self.network(dtype), recipe.make_optimizer(), recipe.learning_rate(), self.data, recipe.batch_size,
            label_smoothing=(recipe.loss or {}).get("label_smoothing", 0.0), **options,
        ).epoch  # fmt: skip

    def products(self) -> Rival:
        """Return a function that computes only the five matrix products of each step of the classic network."""
        rng = np.random.default_rng(0)
        N, D, M, K = self.recipe.batch_size, 784, 1024, 10
        x, W1, h, W2, dy = (
            rng.random(s, np.float32) for s in ((N, D), (D, M), (N, M), (M, K), (N, K))
        )  # fmt: skip
        y, dh, dW1, dW2 = np.empty_like(dy), np.empty_like(h), np.empty_like(W1), np.empty_like(W2)

        def epoch() -> None:
            for _ in range(self.steps):
                np.matmul(x, W1, out=h)
                np.matmul(h, W2, out=y)
                np.matmul(h.T, dy, out=dW2)
                np.matmul(dy, W2.T, out=dh)
                np.matmul(x.T, dh, out=dW1)

        return epoch

    def scikit_learn(self) -> Rival:
        """Return a function that trains an epoch with scikit-learn's MLPClassifier, on bytes scaled beforehand."""
        from sklearn.neural_network import MLPClassifier

        images = scaled(self.data.images).reshape(-1, 784)
        classifier = MLPClassifier(
            (1024,), solver="sgd", alpha=1e-4, batch_size=self.recipe.batch_size, learning_rate_init=0.01,
            momentum=0.9, nesterovs_momentum=False, max_iter=1, warm_start=True,
        )  # fmt: skip

        def epoch() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about one epoch not being enough
                classifier.fit(images, self.data.labels)

        return epoch


def classic(rounds: int, steps: int = STEPS) -> Comparison:
    """Compare an epoch of the classic network: plainnet, its matrix products alone, PyTorch, scikit-learn."""
    work = Work(read("classic"), steps)
    rivals: dict[str, Rival] = {"plainnet": work.ours(), "its matrix products alone": work.products()}
    if find_spec("torch"):
        rivals |= {"PyTorch": work.torch(), "PyTorch, fused update": work.torch(fused=True)}
    if find_spec("sklearn"):
        rivals["scikit-learn MLPClassifier"] = work.scikit_learn()
    return _timed("classic", work, rivals, rounds)


def fast99(rounds: int, steps: int = STEPS) -> Comparison:
    """Compare steps of the 99 % recipe with PyTorch's, in its default layout and in its fastest one."""
    return _against_torch("fast99", Work(read("fast99"), steps), rounds)


def fast99_wide(rounds: int, steps: int = STEPS) -> Comparison:
    """Compare steps of the same recipe with twice the filters and units."""
    wide = {"layers.0.filters": 32, "layers.2.filters": 64, "layers.6.units": 256}
    return _against_torch("fast99-wide", Work(read("fast99", wide), steps), rounds)


def small_cnn(rounds: int, steps: int = 10) -> Comparison:
    """Compare steps of a network of seven convolutions with batch normalization, at batch size 128."""
    table = read("fast99").to_table() | {"name": "small-cnn", "layers": SMALL_CNN, "batch_size": 128}
    table["schedule"] = {"type": "constant", "learning_rate": 0.001}
    return _against_torch("small-cnn", Work(Recipe.from_table(table), steps), rounds)


def cnn(rounds: int, steps: int = 20) -> Comparison:
    """Compare steps of the best convolutional network; augmentation is left out, because PyTorch has none."""
    return _against_torch("cnn", Work(plain("cnn"), steps), rounds)


def mlp_augmented(rounds: int, steps: int = 20) -> Comparison:
    """Compare steps of the dense layers of `mlp-augmented` with and without affine and elastic changes."""
    layers = [layer for layer in read("mlp-augmented").layers if layer["type"] not in ("Deskew", "NormalizeSize")]
    changes = {"layers": layers, "adversarial": None}
    augmentation = {"rotation": 10, "scale": 0.1, "shear": 0.1, "shift": 1.0, "elastic": 1.0}
    work = Work(read("mlp-augmented", changes | {"augmentation": augmentation}), steps)
    without = Work(read("mlp-augmented", changes | {"augmentation": None}), steps)
    rivals: dict[str, Rival] = {"plainnet": work.ours(), "without augmentation": without.ours()}
    if find_spec("torch"):
        rivals["PyTorch, without augmentation"] = without.torch()
    return _timed("mlp-augmented", without, rivals, rounds)


def plain(name: str) -> Recipe:
    """Return a recipe without augmentation."""
    return read(name, {"augmentation": None})


def augmentation(rounds: int, steps: int = 20) -> Comparison:
    """Compare the augmentation of images with training a 1024-1024-1024 network on the same number of images."""
    layers = [{"type": "Dense", "units": 1024}, {"type": "ReLU"}] * 3
    table = read("classic").to_table()
    table |= {"layers": [{"type": "Flatten"}, *layers, {"type": "Dense", "units": 10}]}
    work = Work(Recipe.from_table(table), steps)
    change = Augmentation(rotation=10, scale=0.1, shear=0.1, shift=2, elastic=1)
    rng, batch = np.random.default_rng(0), work.recipe.batch_size

    images = work.data.images

    def augment() -> None:
        for start in range(0, len(images), batch):
            change(images[start : start + batch], rng)

    rivals: dict[str, Rival] = {"affine and elastic augmentation": augment, "an epoch of 1024-1024-1024": work.ours()}
    return interleave("augmentation", rivals, rounds=rounds, work=f"{steps} batches of {batch} images")


def _against_torch(name: str, work: Work, rounds: int) -> Comparison:
    rivals: dict[str, Rival] = {"plainnet": work.ours()}
    if find_spec("torch"):
        rivals |= {"PyTorch": work.torch(), "PyTorch, channels last": work.torch(channels_last=True)}
    return _timed(name, work, rivals, rounds)


def _timed(name: str, work: Work, rivals: dict[str, Rival], rounds: int) -> Comparison:
    """Time the rivals, after checking that PyTorch learns the same as plainnet.

    The check uses float64; in float32, differences by rounding grow with every step of Adam.
    """
    said = f"{work.steps} steps of {work.recipe.batch_size} images"
    if find_spec("torch"):
        ours, theirs = work.ours(np.float64)(), work.torch(np.float64)()
        apart = abs(theirs / ours - 1)
        if apart > SAME:
            raise AssertionError(f"{name}: PyTorch does not do the same work, the losses are {ours} and {theirs}")
        said += f", in float64 PyTorch's mean loss is within {apart:.0e} of ours"
    return interleave(name, rivals, rounds=rounds, work=said)
