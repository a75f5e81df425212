"""Adversarial training: half of the gradient is that of examples moved in the direction of a higher loss."""

import numpy as np
import pytest

from plainnet import SGD, BatchNorm, Dense, InputError, Network, ReLU, SoftmaxCrossEntropy, Training
from plainnet.recipes import read
from plainnet.workers import Processes, Threads
from plainnet.workers.adversarial import adversarial_examples

RNG = np.random.default_rng(0)
X, LABELS = RNG.standard_normal((24, 5)), RNG.integers(0, 3, 24)


def network(*layers):
    return Network(*(layers or (Dense(7), ReLU(), Dense(3)))).build(5, rng=1, dtype=float)


def gradient_at(net, x, need_dx=False):
    _, dlogits = SoftmaxCrossEntropy()(net.forward(x, training=True), LABELS)
    dx = net.backward(dlogits, need_dx=need_dx)
    return net.grad.copy(), dx


def one_step(net, **options):
    """Return the change of the weights in one step of gradient descent at learning rate 1: minus the gradient."""
    before = net.theta.copy()
    more = {"batch_size": 24, "epochs": 1, "learning_rate": 1.0} | options
    list(Training(net, SoftmaxCrossEntropy(), SGD(momentum=0.0), (X, LABELS), **more))
    return before - net.theta


def test_each_example_moves_by_the_distance_and_raises_the_loss_most():
    net, loss = network(), SoftmaxCrossEntropy()
    dx = gradient_at(net, X, need_dx=True)[1].copy()
    moved = adversarial_examples(X, dx, 0.01)
    np.testing.assert_allclose(np.linalg.norm(moved - X, axis=1), 0.01)
    elsewhere = RNG.standard_normal(X.shape)
    others = X + 0.01 * elsewhere / np.linalg.norm(elsewhere, axis=1, keepdims=True)
    before, most, less = (loss.values(net.forward(x).copy(), LABELS) for x in (X, moved, others))
    assert (most > before).all()
    assert (most > less).all()


def test_an_example_without_gradient_stays():
    np.testing.assert_array_equal(adversarial_examples(X, np.zeros_like(X), 3.0), X)


def test_the_gradient_is_the_mean_of_both():
    net = network()
    clean, dx = gradient_at(net, X, need_dx=True)
    there, _ = gradient_at(net, adversarial_examples(X, dx, 0.5))
    np.testing.assert_allclose(one_step(network(), adversarial=0.5), (clean + there) / 2, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(one_step(network()), clean, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("workers", [Threads, Processes])
def test_workers_share_it(workers):
    layers = Dense(7), BatchNorm(), ReLU(), Dense(3)
    alone = one_step(network(*layers), adversarial=0.5)
    net = network(Dense(7), BatchNorm(), ReLU(), Dense(3))
    shared = one_step(net, adversarial=0.5, workers=workers(net, SoftmaxCrossEntropy(), 2))
    np.testing.assert_allclose(shared, alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("averaging", [None, 0.9])
def test_running_averages_are_those_of_the_examples_themselves(averaging):
    clean, adversarial = network(BatchNorm(), Dense(3)), network(BatchNorm(), Dense(3))
    one_step(clean, averaging=averaging)
    one_step(adversarial, adversarial=2.0, averaging=averaging)
    for name, state in clean.layers[0].state.items():
        np.testing.assert_array_equal(adversarial.layers[0].state[name], state)


def test_a_recipe_says_so(digits):
    assert read("classic", {"adversarial": 0.5}).training_options()["adversarial"] == 0.5
    assert "adversarial" not in read("classic").to_table()
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="adversarial must be a distance above 0"):
            read("classic", {"adversarial": bad})
    with pytest.raises(InputError, match="adversarial must be a number"):
        read("classic", {"adversarial": "far"})
