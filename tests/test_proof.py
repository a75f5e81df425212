import re

import numpy as np
import pytest

from plainnet import (
    Dense,
    Flatten,
    Network,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    assert_gradients,
    check_gradients,
)
from plainnet.proof.check import relative_error
from plainnet.proof.miniature import miniature

loss = SoftmaxCrossEntropy()


def batch(shape, n=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, *shape)), rng.integers(0, 10, n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kinds", [(ReLU,), (Sigmoid, Tanh), (Tanh, ReLU, Sigmoid)])
def test_every_gradient_of_small_networks_is_right(kinds, seed):
    hidden = [layer for kind in kinds for layer in (Dense(9), kind())]
    network = Network(Flatten(), *hidden, Dense(10)).build((5, 5), rng=seed)
    report = check_gradients(network, loss, *batch((5, 5), seed=seed))
    assert report.right
    assert report.checked == report.parameters == network.theta.size
    table = report.to_table()
    assert table["max_relative_error_complex"] < 1e-12
    assert table["max_relative_error_central"] < 1e-7
    assert str(report).endswith("\nAll relative errors < 1e-7")
    assert_gradients(network, loss, *batch((5, 5)))


def test_the_classic_network_on_real_digits(digits):
    network = Network(Dense(1024), ReLU(), Dense(10)).build((784,))
    before = network.theta.copy()
    report = check_gradients(network, loss, digits.train.images[:32], digits.train.labels[:32])
    assert report.right
    assert report.to_table()["max_relative_error_complex"] < 1e-12
    np.testing.assert_array_equal(network.theta, before)


class OneWrongElement(Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        if self.W.grad.shape[0] > 10:
            self.W.grad[7, 3] *= 1.001
        return dx


@pytest.mark.parametrize("max_elements", [0, 10**6])
def test_one_wrong_element_is_found_and_named(max_elements):
    network = Network(OneWrongElement(64), Tanh(), Dense(10)).build((40,))
    report = check_gradients(network, loss, *batch((40,)), max_elements=max_elements)
    assert not report.right
    assert re.match(
        r"WRONG: onewrongelement_1\.W\[7, 3\]: backpropagation says .*, the complex step says", report.verdict
    )
    assert report.to_table()["verdict"] == "wrong"
    assert [row.right for row in report.rows] == [False, True, True, True]
    with pytest.raises(AssertionError, match=r"onewrongelement_1\.W\[7, 3\]"):
        assert_gradients(network, loss, *batch((40,)), max_elements=max_elements)


class SummedLoss:
    """The gradient is of the sum, the value of the mean: what the original's text describes."""

    def __call__(self, logits, labels):
        value, dlogits = loss(logits, labels)
        return value, dlogits * len(labels)


def test_a_gradient_of_another_loss_is_wrong_everywhere():
    network = Network(Dense(10)).build((5,))
    report = check_gradients(network, SummedLoss(), *batch((5,)))
    assert not any(row.right for row in report.rows)
    assert report.rows[0].complex_step == pytest.approx(7 / 9)  # |8 a - a| / (8 a + a)
    assert report.rows[0].central == pytest.approx(7 / 9)


def test_central_differences_judge_for_themselves(monkeypatch):
    network = Network(Dense(10)).build((5,))
    from plainnet.proof.derivatives import Objective

    monkeypatch.setattr(Objective, "central_difference", lambda self, index: 1.0)
    report = check_gradients(network, loss, *batch((5,)))
    assert "central differences says 1" in report.verdict.replace("say ", "says ")
    monkeypatch.undo()
    monkeypatch.setattr(Objective, "complex_step", lambda self, index: float("nan"))
    assert not check_gradients(network, loss, *batch((5,))).right


def test_relative_error():
    a, n = np.array([1.0, 0.0, 2.0, 1e-9]), np.array([3.0, 0.0, 2.0, 2e-9])
    np.testing.assert_allclose(relative_error(a, n, 0.0), [0.5, 0, 0, 1 / 3])
    np.testing.assert_allclose(relative_error(a, n, 1e-6), [0.5, 0, 0, 1e-3])


def test_a_miniature_has_the_same_kinds_of_layers():
    network = Network(Flatten(), Dense(1024), Tanh(), Dense(300), ReLU(), Dense(10)).build((28, 28))
    small = miniature(network)
    assert [type(layer) for layer in small.layers] == [type(layer) for layer in network.layers]
    assert small.in_shape == (7, 7)
    assert small.out_shapes[-1] == (10,)
    assert small.theta.size < 2000
