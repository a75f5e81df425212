"""Several workers, one batch: the same gradient as alone, whatever happens in the threads."""

import threading

import numpy as np
import pytest

from plainnet import (
    Adam,
    BatchNorm,
    Conv2D,
    DataSet,
    Dense,
    Flatten,
    InputError,
    MaxPool,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    evaluate,
    fit,
)
from plainnet.layers import Layer
from plainnet.workers import Threads

LOSS = SoftmaxCrossEntropy()


def network(dtype=np.float64, layers=()):
    stack = Conv2D(4, 3), BatchNorm(), MaxPool(), ReLU(), Flatten(), *layers, Dense(10)
    return Network(*stack).build((28, 28), rng=0, dtype=dtype)


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("rows", [64, 7, 2, 1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_workers_find_the_gradient_of_the_whole_batch(workers, rows, reduction, digits):
    """With batch normalization too: mean and variance are those of the batch, not of a member's share."""
    loss, rows = SoftmaxCrossEntropy(reduction), np.arange(100, 100 + rows)
    alone, together = network(), network()
    with Threads(alone, loss) as threads:
        expected = threads.gradient(digits.train, rows)
    with Threads(together, loss, workers) as threads:
        figures = threads.gradient(digits.train, rows)
    assert figures.loss == pytest.approx(expected.loss, rel=1e-12)
    assert figures.metrics == expected.metrics
    assert figures.counted == figures.weight == len(rows)
    np.testing.assert_allclose(together.grad, alone.grad, rtol=1e-9, atol=1e-10)
    for name, array in alone.tensors().items():
        np.testing.assert_allclose(together.tensors()[name], array, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_weights_of_examples_count_them_so_often(workers, digits):
    """An example of weight 2 counts like two of weight 1; the mean is over the sum of the weights."""
    data, twice = digits.train[:12], np.array([0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    weights = np.bincount(twice).astype(float)
    weighted = DataSet(data.images, data.labels, data.class_names, weights=weights)
    dense = [Network(Dense(10)).build((784,), dtype=np.float64) for _ in range(2)]
    with Threads(dense[0], LOSS, workers) as threads:
        by_weight = threads.gradient(weighted, np.arange(12))
        evaluated = threads.evaluate(weighted).means()
    with Threads(dense[1], LOSS) as threads:
        repeated = threads.gradient(data[twice], np.arange(14))
        expected = threads.evaluate(data[twice]).means()
    np.testing.assert_allclose(dense[0].grad, dense[1].grad, rtol=1e-12, atol=1e-16)
    assert by_weight.means()[0] == pytest.approx(repeated.means()[0], rel=1e-12)
    assert by_weight.means()[1] == pytest.approx(repeated.means()[1])
    assert evaluated[0] == pytest.approx(expected[0], rel=1e-12)
    assert evaluated[1] == pytest.approx(expected[1])


def test_learned_state_has_one_owner(digits):
    """A last batch of a single image is the work of one worker; the running averages are the layer's all the same."""
    net = network(layers=[BatchNorm()])
    norm = net.layers[1]
    with Threads(net, LOSS, 3) as threads:
        for rows in (12, 1, 2):
            before = norm.state["running_mean"].copy()
            threads.gradient(digits.train, np.arange(rows))
            assert not np.array_equal(norm.state["running_mean"], before)


class KeepsItsInput(Layer):
    def forward(self, x, *, training=False):
        self.x = x
        return x

    def backward(self, dy, *, need_dx=True):
        return dy * (self.x == self.x)


def test_a_layer_that_keeps_what_belongs_to_a_pass_is_refused_where_others_would_overwrite_it(digits):
    data = digits.train[:100]
    options = {"batch_size": 50, "epochs": 1, "learning_rate": 0.1}
    net = Network(Flatten(), KeepsItsInput(), Dense(10)).build((28, 28))
    with pytest.raises(InputError, match=r"KeepsItsInput keeps self\.x from a pass.*self\.remember"):
        fit(net, LOSS, Adam(), data, workers=2, **options)
    assert fit(net, LOSS, Adam(), data, **options)


def test_training_with_two_workers_repeats_to_the_bit_and_learns(digits):
    def train(workers):
        net = network(np.float32)
        options = {"batch_size": 50, "epochs": 1, "learning_rate": 0.01, "workers": workers}
        return net, fit(net, LOSS, Adam(), digits.train[:1010], **options)[0]

    (first, epoch), (second, again), (alone, _) = train(2), train(2), train(1)
    np.testing.assert_array_equal(first.theta, second.theta)
    assert epoch.train_loss == again.train_loss
    images = digits.validation.images[:1000]
    assert np.mean(first.predict(images) == alone.predict(images)) > 0.95  # rounding grows with every step
    assert evaluate(first, LOSS, digits.validation[:1000])[1]["accuracy"] > 0.7


def test_evaluation_is_the_same_for_any_number_of_workers(digits):
    net = network()
    one, three = (evaluate(net, LOSS, digits.validation[:2999], workers=workers) for workers in (1, 3))
    assert one[0] == pytest.approx(three[0], rel=1e-12)
    assert one[1] == three[1]


class Fails(Layer):
    """Raises in every thread but the first, where the others wait for it."""

    def forward(self, x, *, training=False):
        if training and threading.current_thread() is not threading.main_thread():
            raise ValueError("the fault of a worker")
        self.remember(x)
        return x


@pytest.mark.parametrize("workers", [2, 3])
def test_a_worker_that_fails_stops_all_with_its_own_error(workers, digits):
    layers = Fails(), Dense(8), BatchNorm()
    with (
        Threads(network(layers=layers), LOSS, workers) as threads,
        pytest.raises(ValueError, match="the fault of a worker"),
    ):
        threads.gradient(digits.train, np.arange(30))


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
def test_workers_must_be_a_whole_number(workers):
    with pytest.raises(InputError, match="workers must be a whole number"):
        Threads(network(), LOSS, workers)
