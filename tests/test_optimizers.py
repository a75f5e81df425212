import numpy as np
import pytest

from plainnet import SGD, InputError


def test_three_steps_by_hand():
    """v = m v - rate (clip(g) + decay w), w += v, the decay on the first `decayed` values only."""
    sgd = SGD(momentum=0.5, weight_decay=0.1, clip=1.0)
    theta = np.array([1.0, 2.0])
    expected, velocity = theta.copy(), np.zeros(2)
    for grad in ([0.5, -3.0], [2.0, 0.25], [-0.5, 0.0]):
        decay = np.array([0.1 * expected[0], 0.0])
        velocity = 0.5 * velocity - 0.2 * (np.clip(grad, -1, 1) + decay)
        expected = expected + velocity
        sgd.step(theta, np.array(grad), 0.2, decayed=1)
        np.testing.assert_allclose(theta, expected, rtol=1e-15)


def test_without_options_it_is_plain_descent():
    theta = np.array([1.0, -1.0])
    SGD().step(theta, np.array([10.0, -20.0]), 0.1, decayed=2)
    np.testing.assert_allclose(theta, [0.0, 1.0])
    theta = np.array([3.0, 4.0])
    SGD(weight_decay=0.5).step(theta, np.zeros(2), 0.1)  # of which nothing is named as decayed
    np.testing.assert_array_equal(theta, [3.0, 4.0])


def test_the_gradient_is_left_as_it_is():
    grad = np.array([10.0, -20.0])
    SGD(momentum=0.9, weight_decay=0.1, clip=1.0).step(np.ones(2), grad, 0.1, decayed=2)
    np.testing.assert_array_equal(grad, [10.0, -20.0])


def test_float32_stays_float32():
    theta = np.ones(3, np.float32)
    sgd = SGD(momentum=0.9, weight_decay=0.1, clip=1.0)
    sgd.step(theta, theta.copy(), 0.1, decayed=2)
    assert theta.dtype == sgd.velocity.dtype == np.float32


def test_another_network_begins_without_velocity():
    sgd, first, second = SGD(momentum=0.9), np.zeros(1), np.zeros(1)
    sgd.step(first, np.ones(1), 1.0)
    sgd.step(second, np.ones(1), 1.0)
    assert second == pytest.approx(-1.0)


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 1.0},
        {"momentum": 1.5},
        {"momentum": -0.1},
        {"momentum": float("nan")},
        {"weight_decay": -1e-4},
        {"weight_decay": float("inf")},
        {"clip": 0.0},
        {"clip": -1.0},
        {"clip": float("nan")},
    ],
)
def test_values_out_of_range_are_refused(options):
    with pytest.raises(InputError, match=f"{next(iter(options))} must be"):
        SGD(**options)
