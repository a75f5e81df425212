"""What every layer must do, written once; `test_layers.py` runs each layer through all of it."""

import copy
import json
import pickle
import weakref
from unittest import mock

import numpy as np
import pytest

from plainnet import Network
from plainnet.context import Context, current
from plainnet.layers import layer_from_config

STEP = 1e-30
N = 5


class LayerHarness:
    """One layer under test, given as a factory, as a network of its own for examples of `in_shape`.

    It computes in contexts without a generator, so that what it draws at random stays the same.
    """

    def __init__(self, make, in_shape):
        self.make = make
        self.in_shape = in_shape
        self.contexts = weakref.WeakKeyDictionary()
        rng = np.random.default_rng(1)
        self.x = rng.standard_normal((N, *in_shape))
        self.dy = rng.standard_normal((N, *self.network().out_shapes[-1]))
        self.rng = rng

    def network(self, dtype=np.float64):
        network = Network(self.make()).build(self.in_shape, rng=0, dtype=dtype)
        network.theta[:] += np.random.default_rng(2).standard_normal(network.theta.size)  # biases are not left at zero
        self.contexts[network] = {True: Context(), False: Context(remembers=False)}
        return network

    def forward(self, network, x, *, training=True):
        with self.contexts[network][training]:
            return network.layers[0].forward(x, training=training)

    def backward(self, network, dy, **options):
        with self.contexts[network][True]:
            return network.layers[0].backward(dy, **options)

    def forward_backward(self, network, x, dy, **options):
        y = self.forward(network, x).copy()
        dx = self.backward(network, dy, **options)
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
            derivative = np.sum(self.forward(imaginary, x) * self.dy).imag / STEP
            vector[place] = vector[place].real
            return derivative

        x = self.x.astype(complex)
        for place in np.ndindex(x.shape):
            assert slope(x, place, x) == pytest.approx(dx[place], rel=1e-12, abs=1e-13)
        for place in range(grad.size):
            assert slope(imaginary.theta, place, x) == pytest.approx(grad[place], rel=1e-12, abs=1e-13)

    def check_gradient_of_evaluation(self):
        """The same in evaluation, which a gradient with respect to the input needs, if forward remembers there too."""
        network, imaginary = self.network(), self.network(np.complex128)
        with self.contexts[network][True]:
            network.layers[0].forward(self.x, training=False)
        dx, v = self.backward(network, self.dy).copy(), self.rng.standard_normal(self.x.shape)
        forward = self.forward(imaginary, self.x + 1j * STEP * v, training=False).imag / STEP
        assert np.sum(forward * self.dy) == pytest.approx(np.sum(v * dx), rel=1e-11, abs=1e-12)

    def check_adjoint(self):
        """<J v, w> = <v, J^T w>: forward along v and backward along w are transposes of each other."""
        for _ in range(5):
            v, w = self.rng.standard_normal(self.x.shape), self.rng.standard_normal(self.dy.shape)
            forward = self.forward(self.network(np.complex128), self.x + 1j * STEP * v).imag / STEP
            _, backward, _ = self.forward_backward(self.network(), self.x, w)
            assert np.sum(forward * w) == pytest.approx(np.sum(v * backward), rel=1e-11, abs=1e-12)

    def check_taylor_remainder(self):
        """|f(x + t v) - f(x) - t J v| falls with t^2: with 1/4 of t to less than 1/15, or it is 0 where f is linear."""
        v = self.rng.standard_normal(self.x.shape)
        slope = self.forward(self.network(np.complex128), self.x + 1j * STEP * v).imag / STEP
        network = self.network()
        y = self.forward(network, self.x).copy()
        remainders = [np.abs(self.forward(network, self.x + t * v) - y - t * slope).max() for t in (4e-4, 1e-4)]
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
        self.forward(network, self.x)
        self.forward(network, self.x[:3] * 2 + 1, training=False)
        self.forward(network, np.concatenate([self.x, self.x]), training=False)
        np.testing.assert_array_equal(self.backward(network, self.dy), expected_dx)
        np.testing.assert_array_equal(network.grad, expected_grad)

    def check_alone_it_does_the_same(self):
        """A layer that is called by itself, in no pass, as a reader would to see what it does."""
        expected = self.forward_backward(self.network(), self.x, self.dy)
        network = self.network()
        with mock.patch.object(current(), "rng", None):  # the same draws as in the harness
            y = network.layers[0].forward(self.x, training=True)
            dx = network.layers[0].backward(self.dy)
        for got, of_harness in zip((y, dx, network.grad), expected, strict=True):
            np.testing.assert_array_equal(got, of_harness)

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
        self.forward(network, x, training=False)
        np.testing.assert_array_equal(x, self.x)

    def check_backward_needs_one_forward_each(self):
        network = self.network()
        with pytest.raises(RuntimeError, match="call forward"):
            self.backward(network, self.dy)
        self.forward(network, self.x, training=False)
        with pytest.raises(RuntimeError, match="call forward"):
            self.backward(network, self.dy)
        self.forward(network, self.x)
        self.backward(network, self.dy)
        with pytest.raises(RuntimeError, match="call forward"):
            self.backward(network, self.dy)

    def check_gradients_are_overwritten_and_need_no_dx(self):
        network = self.network()
        _, _, expected = self.forward_backward(self.network(), self.x, self.dy)
        network.grad[:] = 7
        for need_dx in (True, False):
            _, _, grad = self.forward_backward(network, self.x, self.dy, need_dx=need_dx)
            np.testing.assert_array_equal(grad, expected)

    def check_a_pass_leaves_nothing_on_the_layer(self):
        """Every attribute is the object it was; only the arrays of parameters and state may have other content."""
        network = self.network()
        before = [(layer, dict(vars(layer))) for _, layer in network.walk()]
        self.forward_backward(network, self.x, self.dy)
        for layer, attributes in before:
            assert list(vars(layer)) == list(attributes)
            assert all(vars(layer)[name] is value for name, value in attributes.items())

    def check_passes_at_the_same_time_do_not_meet(self):
        """Two passes, each in a context of its own, step by step in turns: each gets what it would get alone."""
        network, other, dy = self.network(), self.x[:3] * 2 + 1, self.dy[:3] + 1
        expected = self.forward_backward(self.network(), self.x, self.dy)
        of_other = self.forward_backward(self.network(), other, dy)
        first, second = Context(), Context()
        with first:
            y = network.layers[0].forward(self.x, training=True)
        with second:
            other_y = network.layers[0].forward(other, training=True)
        with first:
            np.testing.assert_array_equal(y, expected[0])
            dx = network.layers[0].backward(self.dy)
            np.testing.assert_array_equal(network.grad, expected[2])
        with second:
            np.testing.assert_array_equal(other_y, of_other[0])
            other_dx = network.layers[0].backward(dy)
            np.testing.assert_array_equal(network.grad, of_other[2])
        np.testing.assert_array_equal(dx, expected[1])
        np.testing.assert_array_equal(other_dx, of_other[1])

    def check_copies_are_whole_and_apart(self):
        network = self.network()
        network.forward(self.x, training=True)
        y = network.forward(self.x).copy()
        for twin in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
            np.testing.assert_array_equal(twin.forward(self.x), y)
            twin.forward(self.x, training=True)
            twin.backward(self.dy)
            for parameter in twin.parameters:
                assert np.shares_memory(parameter.value, twin.theta)
                assert np.shares_memory(parameter.grad, twin.grad)
                assert not np.shares_memory(parameter.value, network.theta)

    def check_config_makes_the_same_layer(self):
        config = json.loads(json.dumps(self.network().layers[0].config()))
        again = Network(layer_from_config(config)).build(self.in_shape, rng=0, dtype=float)
        again.theta[:] = self.network().theta
        np.testing.assert_array_equal(again.forward(self.x), self.network().forward(self.x))
        assert again.layers[0].config() == config


CHECKS = [name for name in vars(LayerHarness) if name.startswith("check_")]
