import numpy as np
import pytest

from layer_harness import CHECKS, LayerHarness
from plainnet import Dense, Flatten, InputError, Network, ReLU, Sigmoid, Tanh
from plainnet.layers import LAYERS, Layer

CASES = {  # every kind of layer, in every way that matters to its code
    "Dense": (lambda: Dense(4), (3,)),
    "Dense to one unit": (lambda: Dense(1), (6,)),
    "Flatten": (Flatten, (3, 2)),
    "Flatten a vector": (Flatten, (3,)),
    "ReLU": (ReLU, (7,)),
    "ReLU of images": (ReLU, (3, 2, 2)),
    "Sigmoid": (Sigmoid, (7,)),
    "Tanh": (Tanh, (7,)),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_every_layer_keeps_the_contract(case, check):
    getattr(LayerHarness(*CASES[case]), check)()


def test_no_layer_is_left_out():
    assert {type(make()).__name__ for make, _ in CASES.values()} == set(LAYERS)


class DenseWithoutBiasGradient(Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.b.grad /= len(dy)
        return dx


class LeakyByOversight(ReLU):
    def backward(self, dy, *, need_dx=True):
        (y,) = self.recall()
        return dy * (y >= 0)  # of the output, which is never negative: always true


class Accumulating(Dense):
    def backward(self, dy, *, need_dx=True):
        before = self.W.grad.copy()
        dx = super().backward(dy, need_dx=need_dx)
        self.W.grad += before
        return dx


class EditsItsInput(Tanh):
    def forward(self, x, *, training=False):
        np.tanh(x, out=x)
        return super().forward(x, training=training)


class Doubles(ReLU):
    def forward(self, x, *, training=False):
        return super().forward(x, training=training) * np.float64(1)


class SharesItsBuffer(Tanh):
    def buffer(self, name, shape, dtype, *, training=True):
        return super().buffer(name, shape, dtype)


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (lambda: DenseWithoutBiasGradient(3), "check_gradients_by_complex_step"),
        (LeakyByOversight, "check_gradients_by_complex_step"),
        (LeakyByOversight, "check_adjoint"),
        (lambda: Accumulating(3), "check_gradients_are_overwritten_and_need_no_dx"),
        (EditsItsInput, "check_arguments_are_not_written_to"),
        (Doubles, "check_types_are_kept"),
        (SharesItsBuffer, "check_evaluation_between_forward_and_backward"),
    ],
)
def test_the_harness_finds_what_is_wrong(make, check):
    with pytest.raises((AssertionError, ValueError)):
        getattr(LayerHarness(make, (4,)), check)()


def test_buffers_are_kept_grown_and_apart():
    layer = Layer()
    first = layer.buffer("y", (4, 3), np.float32)
    for shape in ((4, 3), (2, 3)):
        again = layer.buffer("y", shape, np.float32)
        assert again.shape == shape
        assert np.shares_memory(first, again)
    assert not np.shares_memory(first, layer.buffer("y", (4, 3), np.float32, training=False))
    assert not np.shares_memory(first, layer.buffer("dx", (4, 3), np.float32))
    for shape, dtype in (((4, 2), np.float32), ((4, 4), np.float32), ((9, 3), np.float32), ((4, 3), np.float64)):
        other = layer.buffer("y", shape, dtype)
        assert (other.shape, other.dtype) == (shape, dtype)
        assert not np.shares_memory(first, other)
    assert layer.buffer("y", (4, 3), np.float32).dtype == np.float32


def test_dense_against_loops():
    network = Network(Dense(2)).build((3,), rng=0, dtype=float)
    network.parameters[1].value[:] = (0.5, -0.25)
    (W, b), x = (p.value for p in network.parameters), np.arange(12.0).reshape(4, 3) / 7
    expected = [[sum(x[n, d] * W[d, m] for d in range(3)) + b[m] for m in range(2)] for n in range(4)]
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-14)


def test_activations_at_known_points():
    x = np.array([[-1000.0, -1.0, 0.0, 1.0, 1000.0]])
    np.testing.assert_array_equal(ReLU().forward(x), [[0, 0, 0, 1, 1000]])
    np.testing.assert_allclose(Sigmoid().forward(x), [[0, 1 / (1 + np.e), 0.5, 1 / (1 + 1 / np.e), 1]], rtol=1e-15)
    np.testing.assert_allclose(Tanh().forward(x), np.tanh(x))


def test_relu_gradient_is_zero_at_its_kink_and_keeps_nan():
    relu = ReLU()
    relu.forward(np.array([[0.0, -0.0, 1e-300]]), training=True)
    np.testing.assert_array_equal(relu.backward(np.ones((1, 3))), [[0, 0, 1]])
    with np.errstate(invalid="ignore"):
        assert np.isnan(relu.forward(np.array([[np.nan]]))).all()


def test_relu_of_complex_numbers_looks_at_the_real_part():
    x = np.array([[1 - 2j, -1 + 2j, 0 + 2j, 0 - 2j]])
    np.testing.assert_array_equal(ReLU().forward(x), [[1 - 2j, 0, 0, 0]])


@pytest.mark.parametrize("units", [0, -1, 1.5, "10", True, 10**12])
def test_dense_refuses_impossible_units(units):
    with pytest.raises(InputError, match=f"from 1 to 1,000,000, received {units!r}"):
        Dense(units)


def test_dense_needs_at_least_one_input_dimension():
    with pytest.raises(InputError, match=r"received shape \(\)"):
        Network(Dense(3)).build(())


def test_dense_says_what_to_do_about_images():
    with pytest.raises(InputError, match=r"put Flatten\(\) before it to make that \(784,\)"):
        Network(Dense(3)).build((28, 28))


def test_a_layer_must_be_defined():
    with pytest.raises(NotImplementedError):
        Layer().forward(np.ones((1, 1)))
    with pytest.raises(NotImplementedError):
        Layer().backward(np.ones((1, 1)))
