import re

import numpy as np
import pytest

from plainnet import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    InputError,
    MaxPool,
    Network,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    assert_gradients,
    check_gradients,
)
from plainnet.checks.gradients import Report
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG, Central, judge, relative_error
from plainnet.checks.gradients.check import Row
from plainnet.checks.gradients.derivatives import Objective
from plainnet.layers import GaussianNoise, GlobalAveragePool, Layer

loss = SoftmaxCrossEntropy()


def batch(shape, n=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, *shape)), rng.integers(0, 10, n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kinds", [(ReLU,), (Sigmoid, Tanh), (Tanh, ReLU, Sigmoid)])
def test_every_gradient_of_small_networks_is_right(kinds, seed):
    hidden = [layer for kind in kinds for layer in (Dense(9), kind())]
    network = Network(Flatten(), *hidden, Dense(10)).build((5, 5), rng=seed)
    report = check_gradients(network, loss, *batch((5, 5), seed=seed), central=10**6)
    assert report.right
    table = report.to_table()
    assert table["checked"] == table["parameters"] == network.theta.size
    assert table["max_relative_error_complex"] < 1e-12
    assert table["max_relative_error_central"] < 1e-7
    assert sum(row.central_checked for row in report.rows) == network.theta.size
    assert str(report).endswith("\nAll relative errors < 1e-7")
    assert_gradients(network, loss, *batch((5, 5)))


def test_every_one_of_the_814090_gradients_of_the_classic_network(digits):
    network = Network(Dense(1024), ReLU(), Dense(10)).build((784,))
    before = network.theta.copy()
    report = check_gradients(network, loss, digits.train.images[:2], digits.train.labels[:2], central=20)
    assert report.right
    assert report.to_table()["checked"] == 814_090
    assert report.to_table()["max_relative_error_complex"] < 1e-12
    np.testing.assert_array_equal(network.theta, before)


def test_every_derivative_is_what_single_complex_steps_say():
    """The batched form, with its perturbed channels, against moving one element of theta at a time."""
    network = Network(Flatten(), Dense(6), Tanh(), Dense(10)).build((3, 2))
    objective = Objective(network, loss, *batch((3, 2)))
    for parameter in objective.real.parameters:
        places = np.arange(parameter.place.start, parameter.place.stop)
        single = objective.complex_steps(places).reshape(parameter.shape)
        np.testing.assert_allclose(objective.every_derivative(parameter), single, rtol=1e-12, atol=1e-17)


class Neighbours(Layer):
    """Every weight moves the channel of its own index, and one more: `partner` tells which."""

    def __init__(self, partner):
        super().__init__()
        self.partner = np.array(partner)

    def build(self, in_shape):
        self.w = self.declare("w", in_shape, lambda rng, shape, fan_in: rng.standard_normal(shape))
        return in_shape

    def forward(self, x, *, training=False):
        y = x * self.w.value
        np.add.at(y, (slice(None), self.partner), 0.5 * x**2 * self.w.value)
        return y


@pytest.mark.parametrize(
    "partner",
    [[(m + k) % 6 for m in range(6)] for k in range(6)] + [[5 - m for m in range(6)], [0] * 6, [5] * 6],
)
def test_channels_that_a_weight_reaches_are_looked_up_and_not_assumed(partner):
    network = Network(Neighbours(partner), Dense(10)).build((6,))
    objective = Objective(network, loss, *batch((6,)))
    parameter = objective.real.parameters[0]
    places = np.arange(parameter.place.start, parameter.place.stop)
    single = objective.complex_steps(places)
    np.testing.assert_allclose(objective.every_derivative(parameter), single, rtol=1e-12, atol=1e-17)
    np.testing.assert_allclose(objective.central_differences(places, 1e-5), single, rtol=1e-6, atol=1e-9)


class Mixing(Layer):
    """A layer nobody has told the check about: a gate over all channels, and rows that see each other."""

    right = True

    def build(self, in_shape):
        self.g = self.declare("g", in_shape, lambda rng, shape, fan_in: rng.standard_normal(shape))
        return in_shape

    def forward(self, x, *, training=False):
        centered = x - x.mean(axis=0)
        if training:
            self.remember(centered)
        return centered * self.g.value.sum() + self.g.value

    def backward(self, dy, *, need_dx=True):
        (centered,) = self.recall()
        self.g.grad[...] = dy.sum(axis=0) + (dy * centered).sum()
        dcentered = dy * self.g.value.sum()
        return dcentered - dcentered.mean(axis=0) * self.right


@pytest.mark.parametrize("right", [True, False])
def test_a_fresh_layer_needs_no_code_of_its_own(monkeypatch, right):
    monkeypatch.setattr(Mixing, "right", right)
    network = Network(Dense(4), Mixing(), Dense(10)).build((3,))
    report = check_gradients(network, loss, *batch((3,)))
    assert report.right == right
    assert [row.verdict for row in report.rows][2:] == [RIGHT] * 3


class OneWrongElement(Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        if self.W.grad.shape[0] > 10:
            self.W.grad[7, 3] *= 1.001
        return dx


@pytest.mark.parametrize("directions", [0, 5])
def test_one_wrong_element_is_found_and_named(directions):
    network = Network(OneWrongElement(64), Tanh(), Dense(10)).build((40,))
    report = check_gradients(network, loss, *batch((40,)), directions=directions, central=0)
    assert not report.right
    expected = r"WRONG: onewrongelement_1\.W\[7, 3\]: backpropagation gives (.*), but by the complex step it is (.*)"
    says, is_ = map(float, re.match(expected, report.verdict).groups())
    assert says == pytest.approx(1.001 * is_, rel=1e-7)
    assert report.to_table()["verdict"] == "wrong"
    assert [row.verdict for row in report.rows] == [WRONG, RIGHT, RIGHT, RIGHT]
    assert report.rows[0].complex_index == (7, 3)
    with pytest.raises(AssertionError, match=r"onewrongelement_1\.W\[7, 3\]"):
        assert_gradients(network, loss, *batch((40,)), directions=directions)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_below_a_batch_normalization_is_no_fault(seed, digits):
    """The gradient of a bias there is 0, the sum of large numbers that cancel; of an image each, hardly apart."""
    layers = Conv2D(4, 3), BatchNorm(), MaxPool(4), Tanh(), GlobalAveragePool(), Dense(20), BatchNorm(), Dense(10)
    network = Network(*layers).build((28, 28), rng=seed)
    assert_gradients(network, loss, digits.train.images[:3], digits.train.labels[:3], central=20, rng=seed)


class SlightlyBiased(Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.b.grad += 1e-9  # where the right gradient is 0
        return dx


def test_a_gradient_beyond_rounding_that_should_be_nothing_is_wrong():
    network = Network(SlightlyBiased(5), BatchNorm(), Dense(10)).build((5,))
    report = check_gradients(network, loss, *batch((5,)), central=0)
    assert [row.parameter for row in report.rows if row.verdict == WRONG] == ["slightlybiased_1.b"]


class SummedLoss:
    """The gradient is of the sum, the value of the mean: what the original's text describes."""

    def __call__(self, logits, labels):
        value, dlogits = loss(logits, labels)
        return value, dlogits * len(labels)


def test_a_gradient_of_another_loss_is_wrong_everywhere():
    network = Network(Dense(10)).build((5,))
    report = check_gradients(network, SummedLoss(), *batch((5,)))
    for row in report.rows:
        assert row.verdict == WRONG
        assert row.complex_step == pytest.approx(4 / 6)  # |5 a - a| / (5 a + a)
        assert row.central == pytest.approx(4 / 6)


@pytest.mark.parametrize("seed", [155, 423])
def test_a_kink_just_aside_is_no_fault(seed):
    """Networks in which a kink lies so near that only its rounding shows."""
    rng = np.random.default_rng(seed + 10**6)
    x, labels = rng.random((4, 6)), rng.integers(0, 3, 4)
    network = Network(Dense(8), ReLU(), Dense(6), ReLU(), Dense(3)).build((6,), rng=seed)
    assert check_gradients(network, loss, x, labels, rng=seed).right


class ForgetsItsFirstInput(Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.W.grad[0] = 0
        return dx


def test_a_tiny_gradient_that_is_wrong_altogether_is_found():
    x, labels = batch((5,))
    x[:, 0] *= 3e-11
    network = Network(ForgetsItsFirstInput(6), Tanh(), Dense(10)).build((5,))
    report = check_gradients(network, loss, x, labels)
    assert re.match(r"WRONG: forgetsitsfirstinput_1\.W\[0, ", report.verdict)


def test_each_method_judges_for_itself(monkeypatch):
    network = Network(Dense(10)).build((5,))
    with monkeypatch.context() as patch:
        patch.setattr(Objective, "moved", lambda self, place, distance: distance)
        report = check_gradients(network, loss, *batch((5,)))
        assert "by central differences it is 1" in report.verdict
    monkeypatch.setattr(Objective, "every_derivative", lambda self, parameter: np.full(parameter.shape, np.nan))
    assert "by the complex step it is nan" in check_gradients(network, loss, *batch((5,))).verdict


def test_a_report_as_it_is_printed_and_kept():
    """Every character of two rows: one checked element by element, one along directions with nothing else to say."""
    first = Row("dense_1.W", (3, 4), RIGHT, 12, 2.5e-15, (1, 2), 5, 3e-9, (0, 1), 2)
    second = Row("dense_1.b", (4,), WRONG, 0, 0.25, None, 0, None, None, 0)
    report = Report((first, second), 16, "dense_1.b[]: wrong", 1.23456)
    assert str(report).splitlines() == [
        "parameter       shape    checked      complex step, at sample  central  verdict",
        "dense_1.W         3x4         12  2.5e-15 [1, 2]            5  3.0e-09  right, 2 at a kink",
        "dense_1.b           4 directions  2.5e-01                   0        -  wrong",
        "",
        "WRONG: dense_1.b[]: wrong",
    ]
    table = report.to_table()
    assert (table["seconds"], table["checked"], table["parameters"]) == (1.235, 12, 16)
    assert not report.right


@pytest.mark.parametrize("element", [0, 5, 17, 39])
def test_directions_find_the_element_wherever_it_is(element):
    """In a parameter that does not stand first, with the derivative that the complex step has for it."""

    class OneWrongWeight(Dense):
        def backward(self, dy, *, need_dx=True):
            dx = super().backward(dy, need_dx=need_dx)
            self.W.grad.flat[element] += 1.0
            return dx

    network = Network(Dense(4), Tanh(), OneWrongWeight(10)).build((5,))
    images, labels = batch((5,))
    report = check_gradients(network, loss, images, labels, directions=2, central=0)
    row, column = divmod(element, 10)
    expected = rf"WRONG: onewrongweight_1\.W\[{row}, {column}\]: backpropagation gives (.*), but by the .* it is (.*)"
    says, is_ = map(float, re.match(expected, report.verdict).groups())
    assert says == pytest.approx(is_ + 1.0)
    assert 0 < report.seconds < 60


def test_negative_numbers_are_refused():
    with pytest.raises(InputError, match="at least 0, received -1"):
        check_gradients(Network(Dense(10)).build((5,)), loss, *batch((5,)), directions=-1)
    with pytest.raises(InputError, match="and -1"):
        check_gradients(Network(Dense(10)).build((5,)), loss, *batch((5,)), central=-1)


def test_relative_error():
    a, n = np.array([1.0, 0.0, 2.0, 1e-9]), np.array([3.0, 0.0, 2.0, 2e-9])
    np.testing.assert_allclose(relative_error(a, n, 0.0), [0.5, 0, 0, 1 / 3])
    np.testing.assert_allclose(relative_error(a, n, 1e-6), [0.5, 0, 0, 1e-3])


@pytest.mark.parametrize(
    ("function", "analytic", "verdict"),
    [
        (np.sin, 1.0, RIGHT),
        (np.sin, 1.0 + 1e-6, WRONG),
        (lambda d: 3 * d + 50 * d * d, 3.0, RIGHT),
        (lambda d: 3 * d + 50 * d * d, 3.001, WRONG),
        (lambda d: max(d, 0.0), 0.0, UNDECIDABLE),  # the kink of a ReLU at its very point: 0, 1 and all between
        (lambda d: max(d, 0.0), 0.3, UNDECIDABLE),
        (lambda d: max(d, 0.0), 1.5, WRONG),  # but no slope of either side
        (lambda d: max(d - 3e-6, 0.0), 0.0, RIGHT),  # the kink lies aside: a smaller epsilon decides
        (lambda d: max(d - 3e-6, 0.0), 1.0, WRONG),
        (lambda d: max(d + 3e-7, 0.0), 1.0, RIGHT),
        (lambda d: 2 * d + max(d - 1e-5, 0.0), 2.0, RIGHT),
        (lambda d: float("nan"), 1.0, WRONG),
        (lambda d: 0.2 * d if d < 0 else 0.7 * d, 0.2, UNDECIDABLE),  # either side of a kink, and just beyond them
        (lambda d: 0.2 * d if d < 0 else 0.7 * d, 0.7, UNDECIDABLE),
        (lambda d: 0.7 * d if d < 0 else 0.2 * d, 0.2, UNDECIDABLE),
        (lambda d: 0.2 * d if d < 0 else 0.7 * d, 0.1999, WRONG),
        (lambda d: 0.2 * d if d < 0 else 0.7 * d, 0.7001, WRONG),
        (lambda d: -0.7 * d if d < 0 else -0.2 * d, -0.7001, WRONG),
        (lambda d: 1e4 + d, 1.0, RIGHT),  # a large loss leaves little resolution: 4e-12 / epsilon = 2e-7
        (lambda d: 1e4 + d, 1.0 + 3e-7, RIGHT),
        (lambda d: 1e4 + d, 1.0 + 1e-4, WRONG),
        (lambda d: 1e7 + d, 1.0 + 1e-4, RIGHT),
        (lambda d: 1e7 + d, 1.0 + 3e-1, WRONG),
    ],
)
def test_verdicts_of_central_differences(function, analytic, verdict):
    assert judge(lambda distance: float(function(distance)), analytic).verdict == verdict


def test_a_kink_under_the_weights_is_undecidable_and_no_fault():
    """A unit whose pre-activation is exactly 0: its slope is 0 on one side and not on the other."""
    network = Network(Dense(4), ReLU(), Dense(10)).build((3,), dtype=np.float64)
    network.parameters[0].value[:, 1] = 0
    x, labels = batch((3,))
    report = check_gradients(network, loss, x, labels)
    assert report.right
    assert [row.undecidable > 0 for row in report.rows] == [True, True, False, False]
    assert "at a kink" in str(report)


def test_layers_that_train_differently_are_judged_as_they_train():
    """Batch normalization, dropout and noise do something else in evaluation; convolution has more dimensions."""
    network = Network(
        Conv2D(3, 2), BatchNorm(), ReLU(), Flatten(), GaussianNoise(0.5), Dense(7), BatchNorm(), Tanh(), Dropout(0.3),
        Dense(10),
    ).build((4, 3, 2), rng=1)  # fmt: skip
    x, labels = batch((4, 3, 2), n=4)
    assert check_gradients(network, loss, x, labels, central=10**6).right
    report = check_gradients(network, loss, x, labels, directions=3, central=0)
    assert report.right
    assert [row.checked for row in report.rows] == [0] * len(report.rows)


def test_weights_into_more_channels_than_are_moved_at_a_time(monkeypatch):
    """What was moved in one go must be at rest in the next."""
    network = Network(Dense(9), Tanh(), Dense(10)).build((4,), rng=2)
    x, labels = batch((4,), n=3)
    objective = Objective(network, loss, x, labels)
    expected = objective.every_derivative(objective.real.parameters[0])
    monkeypatch.setattr("plainnet.checks.gradients.derivatives._ROWS", 60)  # two of the nine channels
    np.testing.assert_allclose(objective.every_derivative(objective.real.parameters[0]), expected, rtol=1e-12)


def test_a_difference_of_the_size_of_rounding_cannot_be_judged():
    def line(distance):
        return 1 + 1e-3 * distance

    assert judge(line, 1e-3 + 1e-9).verdict == UNDECIDABLE
    assert judge(line, 1e-3 + 1e-8).verdict == WRONG


def test_a_strong_curve_is_no_kink():
    """Its two sides differ by far more than rounding, but ever less as epsilon shrinks."""
    assert judge(lambda distance: 1 + 1e-3 * distance + 50 * distance**2, 1e-3 + 5e-8).verdict == WRONG


def test_only_what_is_undecidable_is_counted_so(monkeypatch):
    verdicts = iter([RIGHT, UNDECIDABLE, RIGHT, UNDECIDABLE, UNDECIDABLE])
    monkeypatch.setattr("plainnet.checks.gradients.check.judge", lambda *_, **__: Central(0.0, 0.0, next(verdicts)))
    report = check_gradients(Network(Dense(1)).build((4,)), loss, *one_class(), central=10)
    assert [row.undecidable for row in report.rows] == [2, 1]


def one_class():
    return np.random.default_rng(0).random((3, 4)), np.zeros(3, int)
