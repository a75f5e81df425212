"""Layers of one's own: what their authors get wrong is said in a sentence, and what they get right is kept."""

import json
import re

import numpy as np
import pytest

from plainnet import (
    SGD,
    Dense,
    Flatten,
    InputError,
    Layer,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Tanh,
    assert_gradients,
    check_gradients,
    fit,
)
from plainnet.cli.app import main
from plainnet.initializers import ones
from plainnet.layers import Residual

LOSS = SoftmaxCrossEntropy()
NAMES = tuple("0123456789")
OWN_RECIPE = """
title = "a layer of my own"
input_shape = [28, 28]
batch_size = 50
epochs = 2
layers = [
    {type = "Flatten"}, {type = "Dense", units = 8},
    {type = "Residual", layers = [{type = "Scaled", slope = 0.5}]}, {type = "Dense", units = 10},
]
loss = {type = "SoftmaxCrossEntropy"}
optimizer = {type = "SGD"}
schedule = {type = "constant", learning_rate = 0.1}
"""


class Own(Layer):
    """A right layer, from which each of the others differs in one thing."""

    def build(self, in_shape):
        self.w = self.declare("w", in_shape, ones)
        return in_shape

    def forward(self, x, *, training=False):
        self.remember(x)
        return x * self.w.value

    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] = (dy * x).sum(axis=0)
        return dy * self.w.value


class NoSuper(Own):
    def __init__(self):
        self.scale = 3


class NoNeedDx(Own):
    def backward(self, dy):
        return super().backward(dy)


class NoTraining(Own):
    def forward(self, x):
        return super().forward(x)


class BuildReturnsNothing(Own):
    def build(self, in_shape):
        super().build(in_shape)


class ForwardReturnsNothing(Own):
    def forward(self, x, *, training=False):
        super().forward(x, training=training)


class BackwardReturnsNothing(Own):
    def backward(self, dy, *, need_dx=True):
        super().backward(dy)


class ReboundGradient(Own):
    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad = (dy * x).sum(axis=0)
        return dy * self.w.value


class ReboundValue(Own):
    def constrain(self):
        self.w.value = np.clip(self.w.value, -1, 1)


class NumberForInitializer(Own):
    def build(self, in_shape):
        self.declare("w", in_shape, 1.0)
        return in_shape


class DeclaresTwice(Own):
    def build(self, in_shape):
        self.declare("w", in_shape, ones)
        return super().build(in_shape)


class KeepsWhatIsOfAPass(Own):
    def forward(self, x, *, training=False):
        self.x = x
        return x * self.w.value

    def backward(self, dy, *, need_dx=True):
        self.w.grad[...] = (dy * self.x).sum(axis=0)
        return dy * self.w.value


class Absolute(Own):
    def forward(self, x, *, training=False):
        self.remember(x)
        return np.abs(x) * self.w.value

    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] = (dy * np.abs(x)).sum(axis=0)
        return dy * self.w.value * np.sign(x)


class Casts(Own):
    def forward(self, x, *, training=False):
        return super().forward(np.asarray(x.real, dtype=np.float64), training=training)


class WrongAbsolute(Absolute):
    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] = (dy * x).sum(axis=0)
        return dy * self.w.value * np.sign(x)


class RandomOnItsOwn(Own):
    def forward(self, x, *, training=False):
        return super().forward(x + np.random.default_rng().standard_normal(x.shape), training=training)


def network_of(kind, **options):
    return Network(Dense(6), kind(), Dense(10)).build((5,), rng=0, **options)


def batch(n=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 5)), rng.integers(0, 10, n)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (NoSuper, r"NoSuper.__init__ must begin with super\(\).__init__\(\)"),
        (NoNeedDx, r"NoNeedDx.backward must take need_dx: define it as backward\(self, dy, \*, need_dx=True\)"),
        (NoTraining, r"NoTraining.forward must take training: define it as forward\(self, x, \*, training=False\)"),
        (BuildReturnsNothing, "BuildReturnsNothing.build must return the shape of an output as a tuple, received None"),
        (NumberForInitializer, "NumberForInitializer declares w with the initializer 1.0; give a function such as"),
        (DeclaresTwice, "DeclaresTwice declares the parameter w twice"),
    ],
)
def test_what_is_seen_when_the_network_is_built(kind, sentence):
    with pytest.raises(InputError, match=sentence):
        network_of(kind)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (ForwardReturnsNothing, "ForwardReturnsNothing.forward returned nothing; end it with return y"),
        (BackwardReturnsNothing, "BackwardReturnsNothing.backward returned nothing; end it with return dx"),
        (ReboundGradient, r"reboundgradient_1.w.grad must be written into, not replaced.*w.grad\[...\] = "),
    ],
)
def test_what_is_seen_when_it_computes(kind, sentence, tmp_path, capsys):
    network = network_of(kind)
    x, labels = batch()
    for look in (
        lambda: check_gradients(network, LOSS, x, labels),
        lambda: assert_gradients(network, LOSS, x, labels),
    ):
        with pytest.raises(InputError, match=sentence):
            look()
    (tmp_path / "own.py").write_text(f"from test_own_layers import {kind.__name__} as Given\n"
                                     f"class {kind.__name__}(Given):\n    pass\n")  # fmt: skip
    recipe = tmp_path / "own.toml"
    recipe.write_text(OWN_RECIPE.replace("Scaled", kind.__name__).replace(", slope = 0.5", ""))
    assert main(["check", str(recipe), "--layers", str(tmp_path / "own.py")]) == 2
    said = capsys.readouterr().err
    assert re.search(sentence, said)
    assert len(said.splitlines()) == 1


def test_a_value_that_is_replaced_is_refused(digits):
    network = Network(Flatten(), ReboundValue(), Dense(10)).build((28, 28))
    with pytest.raises(InputError, match=r"reboundvalue_1.w.value must be written into, not replaced"):
        fit(network, LOSS, SGD(), digits.train[:50], batch_size=50, epochs=1, learning_rate=0.1)


@pytest.mark.parametrize("directions", [0, 3])
@pytest.mark.parametrize("kind", [Absolute, Casts])
def test_where_complex_numbers_do_not_pass_central_differences_decide(kind, directions):
    report = check_gradients(network_of(kind), LOSS, *batch(), directions=directions)
    assert report.right
    assert f"complex numbers do not pass through {kind.__name__}" in str(report)
    assert [row.checked == 0 and row.complex_step is None for row in report.rows] == [True] * 3 + [False] * 2
    assert all(row.central_checked for row in report.rows)
    assert json.dumps(report.to_table())


def test_and_find_what_is_wrong_there():
    report = check_gradients(network_of(WrongAbsolute), LOSS, *batch())
    assert re.match(
        r"WRONG: wrongabsolute_1.w\[\d\]: backpropagation gives .*, but by central differences it is", report.verdict
    )


def test_random_numbers_of_its_own_are_random_and_not_wrong(capsys, tmp_path):
    report = check_gradients(network_of(RandomOnItsOwn), LOSS, *batch())
    assert report.verdict.startswith("RANDOM: two passes over the same batch give different outputs: RandomOnItsOwn ")
    assert "self.rng" in report.verdict
    assert (report.right, report.to_table()["verdict"]) == (False, "random")
    with pytest.raises(AssertionError, match="RANDOM"):
        assert_gradients(network_of(RandomOnItsOwn), LOSS, *batch())
    inside = Network(Residual(RandomOnItsOwn()), Dense(10)).build((5,))
    assert "RandomOnItsOwn draws" in check_gradients(inside, LOSS, *batch()).verdict


def test_what_a_layer_keeps_of_a_pass_is_noted():
    report = check_gradients(network_of(KeepsWhatIsOfAPass), LOSS, *batch())
    assert report.right
    assert "KeepsWhatIsOfAPass keeps self.x from a pass" in str(report)


def test_a_network_without_parameters_has_nothing_to_check():
    for network in (Network(ReLU()), Network(Flatten(), Tanh())):
        report = check_gradients(network.build((10,)), LOSS, np.ones((2, 10)), np.array([0, 1]))
        assert report.right
        assert str(report) == report.verdict == "There are no parameters, so there are no gradients to check"
        assert json.dumps(report.to_table())
        assert_gradients(network, LOSS, np.ones((2, 10)), np.array([0, 1]))


def test_a_right_layer_is_right():
    report = check_gradients(network_of(Own), LOSS, *batch(), central=10**6)
    assert report.right
    assert report.notes == ()


class Accumulates(Own):
    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] += (dy * x).sum(axis=0)
        return dy * self.w.value


class NeverWrites(Own):
    def backward(self, dy, *, need_dx=True):
        self.recall()
        return dy * self.w.value


@pytest.mark.parametrize("directions", [0, 3])
@pytest.mark.parametrize("kind", [Accumulates, NeverWrites])
def test_a_gradient_that_is_not_overwritten_is_wrong(kind, directions):
    report = check_gradients(network_of(kind), LOSS, *batch(), directions=directions)
    assert report.verdict.startswith(f"WRONG: {kind.__name__.lower()}_1.w: its gradient depends on the previous")


class Doubled(Layer):
    """Nothing to learn, and a wrong dx: where it stands first, no gradient of a parameter shows it."""

    def forward(self, x, *, training=False):
        return 2 * x

    def backward(self, dy, *, need_dx=True):
        return dy


def test_the_gradient_of_the_inputs_is_checked_too():
    report = check_gradients(Network(Doubled(), Dense(10)).build((5,)), LOSS, *batch())
    assert report.verdict.startswith("WRONG: the gradient of the inputs: along a random direction backpropagation ")


class WritesToItsInput(Own):
    def forward(self, x, *, training=False):
        x *= -1
        return super().forward(x, training=training)


def test_a_layer_that_writes_to_its_input_is_told_so():
    with pytest.raises(InputError, match=r"WritesToItsInput.forward writes to its input"):
        check_gradients(network_of(WritesToItsInput), LOSS, *batch())


class FromItsGenerator(Own):
    def forward(self, x, *, training=False):
        mask = (self.rng.random(x.shape) > 0.5) if training else np.ones(x.shape)
        self.remember(x * mask, mask)
        return x * mask * self.w.value

    def backward(self, dy, *, need_dx=True):
        x, mask = self.recall()
        self.w.grad[...] = (dy * x).sum(axis=0)
        return dy * mask * self.w.value


def test_numbers_from_the_generator_of_the_pass_stand_still():
    assert check_gradients(network_of(FromItsGenerator), LOSS, *batch()).right


def mean_squares(outputs, targets):
    """Returns a float, as most people write it: complex numbers do not pass."""
    return float(np.mean(np.real(outputs - targets) ** 2)), 2 * (outputs - targets) / outputs.size


def absolute_errors(outputs, targets):
    return np.abs(outputs - targets).mean(), np.sign(outputs - targets) / outputs.size


def wrong_by_the_batch(outputs, targets):
    return float(np.mean(np.real(outputs - targets) ** 2)), 2 * (outputs - targets)


@pytest.mark.parametrize("directions", [0, 3])
def test_losses_of_ones_own_that_know_no_complex_numbers(directions):
    network, (x, _) = network_of(Own), batch()
    targets = np.random.default_rng(1).standard_normal((4, 10))
    for loss in (mean_squares, absolute_errors):
        report = check_gradients(network, loss, x, targets, directions=directions)
        assert report.right, str(report)
        assert "complex numbers do not pass through function" in str(report)
    assert not check_gradients(network, wrong_by_the_batch, x, targets, directions=directions).right
