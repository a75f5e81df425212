"""Averaged weights, and the batch-norm statistics they need."""

import numpy as np
import pytest

from plainnet import SGD, BatchNorm, Dense, InputError, Network, ReLU, SoftmaxCrossEntropy, epochs, evaluate, fit
from plainnet.data.augmentation import Augmentation
from plainnet.weight_average import WeightAverage
from plainnet.workers import Threads


def test_the_average_follows_the_weights():
    network = Network(Dense(1)).build((1,))
    average = WeightAverage(network, 0.9)
    expected = network.theta.astype(float)
    for step in range(1, 200):
        network.theta[:] = step
        average.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
        np.testing.assert_allclose(average.values, expected, rtol=1e-5)
    assert 185 < average.values[0] < 199


def train(digits, **options):
    network = Network(Dense(32), BatchNorm(momentum=0.9999), ReLU(), Dense(10)).build((784,), rng=0)
    arguments = {"batch_size": 100, "epochs": 3, "learning_rate": 0.1} | options
    history = fit(network, SoftmaxCrossEntropy(), SGD(), digits.train[:2000], digits.validation[:1000], **arguments)
    return network, history


def test_an_interrupted_average_leaves_batch_norm_its_momentum(digits, monkeypatch):
    """The layer's own is never touched, and the next batch is averaged with it again."""
    network = Network(Dense(8), BatchNorm(momentum=0.8), Dense(10)).build((784,))
    state = network.layers[1].state
    with Threads(network, SoftmaxCrossEntropy()) as threads:
        real = threads.gradient
        monkeypatch.setattr(threads, "gradient", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            WeightAverage(network, 0.9).put_in_place(threads, digits.train, np.arange(100), 10)
        real(digits.train, np.arange(100))
        first = state["running_mean"].copy()
        real(digits.train, np.arange(100))
    assert network.layers[1].momentum == 0.8
    np.testing.assert_allclose(state["running_mean"], 1.8 * first, rtol=1e-5)


@pytest.mark.parametrize("workers", [1, 2])
def test_averaged_weights_have_statistics_of_their_own(workers, digits):
    """A momentum of 0.9999 leaves the running averages near their first values: useless, until remade."""
    _, raw = train(digits, workers=workers)
    network, history = train(digits, averaging=0.9, workers=workers)
    assert history[1].validation_accuracy == raw[1].validation_accuracy
    assert history[-1].validation_accuracy > raw[-1].validation_accuracy + 0.05
    layer = network.layers[1]
    assert layer.momentum == 0.9999
    hidden = network.layers[0].forward(network.as_input(digits.train.images[:2000]))
    np.testing.assert_allclose(layer.state["running_mean"], hidden.mean(axis=0), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(layer.state["running_variance"], hidden.var(axis=0), rtol=0.02)


@pytest.mark.parametrize(("batch_size", "most", "images"), [(300, 200, 1800), (100, 7, 700), (3000, 200, 2000)])
def test_the_statistics_are_means_over_full_batches_of_the_last_epoch(batch_size, most, images, digits, monkeypatch):
    """The short one at the end is left out, unless it is the only one; and more than enough are not looked at."""
    seen = []

    class Watching(Threads):
        def gradient(self, data, rows, **options):
            seen.append(rows)
            return super().gradient(data, rows, **options)

    monkeypatch.setattr("plainnet.weight_average._BATCHES", most)
    monkeypatch.setattr("plainnet.training.Threads", Watching)
    network, _ = train(digits, averaging=0.9, batch_size=batch_size)
    steps = -(-2000 // batch_size)
    last_epoch, measured = seen[2 * steps : 3 * steps], seen[3 * steps :]
    assert sum(map(len, measured)) == images
    for learned_from, again in zip(last_epoch, measured, strict=False):
        np.testing.assert_array_equal(learned_from, again)
    hidden = [network.layers[0].forward(network.as_input(digits.train.images[rows])).copy() for rows in measured]
    state = network.layers[1].state
    np.testing.assert_allclose(state["running_mean"], np.mean([h.mean(axis=0) for h in hidden], axis=0), atol=1e-4)
    np.testing.assert_allclose(
        state["running_variance"], np.mean([h.var(axis=0, ddof=1) for h in hidden], axis=0), rtol=1e-4
    )


def test_the_last_epochs_are_clean(digits):
    """With all epochs clean, an augmentation makes no difference."""
    shift = Augmentation(shift=3)
    plain, _ = train(digits)
    clean, _ = train(digits, augmentation=shift, clean_epochs=3)
    partly, history = train(digits, augmentation=shift, clean_epochs=1)
    np.testing.assert_array_equal(plain.theta, clean.theta)
    assert history[-1].train_loss < history[-2].train_loss
    assert not np.allclose(plain.theta, partly.theta)
    assert evaluate(partly, SoftmaxCrossEntropy(), digits.validation)[1]["accuracy"] > 0.5


def test_only_the_last_epochs_are_clean(digits):
    changed = []

    class Watching(Augmentation):
        def __call__(self, images, rng):
            changed.append(len(images))
            return super().__call__(images, rng)

    network = Network(Dense(10)).build((784,), rng=0)
    options = {"batch_size": 128, "epochs": 4, "learning_rate": 0.1, "augmentation": Watching(), "clean_epochs": 2}
    so_far = [sum(changed) for _ in epochs(network, SoftmaxCrossEntropy(), SGD(), digits.train[:300], **options)]
    assert so_far == [300, 600, 600, 600]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"averaging": 1.0}, "averaging must be at least 0 and below 1"), ({"clean_epochs": -1}, "clean_epochs")],
)
def test_bad_values_are_refused(digits, options, sentence):
    with pytest.raises(InputError, match=sentence):
        train(digits, **options)
