"""Passes that are right in one setting and wrong in another: one of several activations, dropout that is off."""

import pytest

from verdicts import verdicts_in

SEVERAL = """
class Activation:
    def __init__(self, kind):
        if kind not in ("tanh", "relu"):
            raise ValueError(kind)
        self.kind = kind

    def forward(self, x):
        self.x = x
        return np.tanh(x) if self.kind == "tanh" else np.maximum(x, 0)

    def backward(self, dy):
        return dy * (self.grad_tanh() if self.kind == "tanh" else self.grad_relu())

    def grad_tanh(self):
        return 1 - np.tanh(self.x) ** 2

    def grad_relu(self):
        return 1.0 * (self.x > {at})
"""


@pytest.mark.parametrize(("at", "whole"), [("0", "right"), ("0.7", "wrong")])
def test_one_of_several_activations_may_be_wrong(tmp_path, at, whole):
    found = verdicts_in(tmp_path, SEVERAL.format(at=at))
    assert (found["Activation"], found["Activation.grad_tanh"]) == (whole, "right")
    assert found.get("Activation.grad_relu") != ("right" if whole == "wrong" else "wrong")


DROPPING = """
class Dense:
    def __init__(self, n_in, n_out, dropout_rate=0):
        self.weights = np.random.randn(n_in, n_out)
        self.dropout_rate = dropout_rate

    def forward(self, x):
        self.mask = (np.random.rand(*x.shape) >= self.dropout_rate) / (1 - self.dropout_rate)
        self.x = x * self.mask
        return self.x @ self.weights

    def backward(self, dy):
        self.dweights = self.x.T @ dy
        return dy @ self.weights.T{masked}
"""


@pytest.mark.parametrize(("masked", "verdict"), [(" * self.mask", "right"), ("", "wrong")])
def test_a_layer_is_tried_with_the_dropout_that_it_offers(tmp_path, masked, verdict):
    assert verdicts_in(tmp_path, DROPPING.format(masked=masked))["Dense"] == verdict
