"""What every layer must do, written once; `test_layers.py` runs each layer through all of it."""

import copy
import pickle
from unittest import mock

import numpy as np
import pytest

from plainnet import Network
from plainnet.layers import layer_from_config

STEP = 1e-30
N = 5


class LayerHarness:
    """One layer under test, given as a factory, as a network of its own for examples of `in_shape`."""

    def __init__(self, make, in_shape):
        self.make = make
        self.in_shape = in_shape
        rng = np.random.default_rng(1)
        self.x = rng.standard_normal((N, *in_shape))
        self.dy = rng.standard_normal((N, *self.network().out_shapes[-1]))
        self.rng = rng

    def network(self, dtype=np.float64):
        network = Network(self.make()).build(self.in_shape, rng=0, dtype=dtype)
        network.theta += np.random.default_rng(2).standard_normal(network.theta.size)  # biases are not left at zero
        return network

    def forward_backward(self, network, x, dy, **options):
        y = network.layers[0].forward(x, training=True).copy()
        dx = network.layers[0].backward(dy, **options)
        return y, None if dx is None else dx.copy(), network.grad.copy()

    def check_shapes(self):
        network = self.network()
        y, dx, _ = self.forward_backward(network, self.x, self.dy)
        assert y.shape == (N, *network.out_shapes[0])
        assert dx.shape == self.x.shape

    def check_gradients_by_complex_step(self):
        """L = sum(y dy) has dL/dx = backward(dy): compare with Im L(x + ih) / h, element by element."""
        network, imaginary = self.network(), self.network(np.complex128)
        _, dx, grad = self.forward_backward(network, self.x, self.dy)

        def slope(vector, place, x):
            vector[place] += 1j * STEP
            derivative = np.sum(imaginary.layers[0].forward(x, training=True) * self.dy).imag / STEP
            vector[place] = vector[place].real
            return derivative

        x = self.x.astype(complex)
        for place in np.ndindex(x.shape):
            assert slope(x, place, x) == pytest.approx(dx[place], rel=1e-12, abs=1e-13)
        for place in range(grad.size):
            assert slope(imaginary.theta, place, x) == pytest.approx(grad[place], rel=1e-12, abs=1e-13)

    def check_adjoint(self):
        """<J v, w> = <v, J^T w>: forward along v and backward along w are transposes of each other."""
        for _ in range(5):
            v, w = self.rng.standard_normal(self.x.shape), self.rng.standard_normal(self.dy.shape)
            forward = self.network(np.complex128).layers[0].forward(self.x + 1j * STEP * v, training=True).imag / STEP
            _, backward, _ = self.forward_backward(self.network(), self.x, w)
            assert np.sum(forward * w) == pytest.approx(np.sum(v * backward), rel=1e-11, abs=1e-12)

    def check_taylor_remainder(self):
        """|f(x + t v) - f(x) - t J v| falls with t^2: with 1/4 of t to less than 1/15, or it is 0 where f is linear."""
        v = self.rng.standard_normal(self.x.shape)
        slope = self.network(np.complex128).layers[0].forward(self.x + 1j * STEP * v, training=True).imag / STEP
        layer = self.network().layers[0]
        y = layer.forward(self.x, training=True).copy()
        remainders = [np.abs(layer.forward(self.x + t * v, training=True) - y - t * slope).max() for t in (4e-4, 1e-4)]
        assert remainders[1] < 1e-13 or 15 < remainders[0] / remainders[1] < 17

    def check_any_batch_size(self):
        """A short batch after a long one, and a longer one after that, give what a fresh layer gives."""
        used = self.network()
        for rows in (slice(0, 4), slice(1, 2), slice(0, 3), slice(0, N)):
            after = self.forward_backward(used, self.x[rows], self.dy[rows])
            fresh = self.forward_backward(self.network(), self.x[rows], self.dy[rows])
            for got, expected in zip(after, fresh, strict=True):
                np.testing.assert_array_equal(got, expected)

    def check_new_memory_may_hold_anything(self):
        expected = self.forward_backward(self.network(), self.x, self.dy)
        with mock.patch.object(np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype)):
            got = self.forward_backward(self.network(), self.x, self.dy)
        for of_nan, of_anything in zip(got, expected, strict=True):
            np.testing.assert_array_equal(of_nan, of_anything)

    def check_evaluation_between_forward_and_backward(self):
        network = self.network()
        _, expected_dx, expected_grad = self.forward_backward(self.network(), self.x, self.dy)
        network.layers[0].forward(self.x, training=True)
        network.layers[0].forward(self.x[:3] * 2 + 1)
        network.layers[0].forward(np.concatenate([self.x, self.x]))
        np.testing.assert_array_equal(network.layers[0].backward(self.dy), expected_dx)
        np.testing.assert_array_equal(network.grad, expected_grad)

    def check_types_are_kept(self):
        for dtype in (np.float32, np.float64, np.complex128):
            network = self.network(dtype)
            y, dx, grad = self.forward_backward(network, self.x.astype(dtype), self.dy.astype(dtype))
            assert y.dtype == dx.dtype == grad.dtype == dtype

    def check_arguments_are_not_written_to(self):
        x, dy = self.x.copy(), self.dy.copy()
        x.flags.writeable = dy.flags.writeable = False
        network = self.network()
        self.forward_backward(network, x, dy)
        network.layers[0].forward(x)
        np.testing.assert_array_equal(x, self.x)

    def check_backward_needs_one_forward_each(self):
        layer = self.network().layers[0]
        with pytest.raises(RuntimeError, match="call forward"):
            layer.backward(self.dy)
        layer.forward(self.x)
        with pytest.raises(RuntimeError, match="call forward"):
            layer.backward(self.dy)
        layer.forward(self.x, training=True)
        layer.backward(self.dy)
        with pytest.raises(RuntimeError, match="call forward"):
            layer.backward(self.dy)

    def check_gradients_are_overwritten_and_need_no_dx(self):
        network = self.network()
        _, _, expected = self.forward_backward(self.network(), self.x, self.dy)
        network.grad[:] = 7
        for need_dx in (True, False):
            _, _, grad = self.forward_backward(network, self.x, self.dy, need_dx=need_dx)
            np.testing.assert_array_equal(grad, expected)

    def check_copies_are_whole_and_apart(self):
        network = self.network()
        network.forward(self.x, training=True)
        y = network.forward(self.x).copy()
        for twin in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
            np.testing.assert_array_equal(twin.forward(self.x), y)
            self.forward_backward(twin, self.x, self.dy)
            for parameter in twin.parameters:
                assert np.shares_memory(parameter.value, twin.theta)
                assert np.shares_memory(parameter.grad, twin.grad)
                assert not np.shares_memory(parameter.value, network.theta)

    def check_config_makes_the_same_layer(self):
        config = self.network().layers[0].config()
        again = Network(layer_from_config(config)).build(self.in_shape, rng=0, dtype=float)
        again.theta[:] = self.network().theta
        np.testing.assert_array_equal(again.forward(self.x), self.network().forward(self.x))


CHECKS = [name for name in vars(LayerHarness) if name.startswith("check_")]
