import numpy as np
import pytest

from plainnet import SGD, Adam, InputError


def rows(theta, dtype=float):
    """The four vectors that a network would hold: theta is row 1, its gradient row 2."""
    vectors = np.full((4, len(theta)), np.nan, dtype)
    vectors[1] = theta
    return vectors


def step(optimizer, vectors, grad, rate, **options):
    vectors[2] = grad
    optimizer.step(vectors, rate, **options)
    return vectors[1]


def test_three_steps_by_hand():
    """v = m v - rate (clip(g) + decay w), w += v, the decay on the first `decayed` values only."""
    sgd = SGD(momentum=0.5, weight_decay=0.1, clip=1.0)
    vectors = rows([1.0, 2.0])
    expected, velocity = vectors[1].copy(), np.zeros(2)
    for grad in ([0.5, -3.0], [2.0, 0.25], [-0.5, 0.0]):
        decay = np.array([0.1 * expected[0], 0.0])
        velocity = 0.5 * velocity - 0.2 * (np.clip(grad, -1, 1) + decay)
        expected = expected + velocity
        np.testing.assert_allclose(step(sgd, vectors, grad, 0.2, decayed=1), expected, rtol=1e-14)


def test_nesterov_by_hand():
    """v = m v - rate (g + decay w), w += m v - rate (g + decay w)."""
    sgd = SGD(momentum=0.5, weight_decay=0.1, nesterov=True)
    vectors = rows([1.0, 2.0])
    expected, velocity = vectors[1].copy(), np.zeros(2)
    for grad in ([0.5, -3.0], [2.0, 0.25], [-0.5, 0.0]):
        descent = 0.2 * (grad + np.array([0.1 * expected[0], 0.0]))
        velocity = 0.5 * velocity - descent
        expected = expected + 0.5 * velocity - descent
        np.testing.assert_allclose(step(sgd, vectors, grad, 0.2, decayed=1), expected, rtol=1e-14)


def test_without_options_it_is_plain_descent():
    vectors = rows([1.0, -1.0])
    np.testing.assert_allclose(step(SGD(), vectors, [10.0, -20.0], 0.1, decayed=2), [0.0, 1.0], atol=1e-15)
    vectors = rows([3.0, 4.0])
    np.testing.assert_array_equal(step(SGD(weight_decay=0.5), vectors, 0.0, 0.1), [3.0, 4.0])  # none is to decay


def test_the_gradient_is_clipped_only_where_it_must_be():
    for grad, clipped in (([10.0, -0.5], [1.0, -0.5]), ([0.9, 0.9], [0.9, 0.9]), ([0.6, 0.6], [0.6, 0.6])):
        vectors = rows([1.0, 1.0])
        step(SGD(clip=1.0), vectors, grad, 0.1)
        np.testing.assert_array_equal(vectors[2], clipped)
    assert np.isnan(step(SGD(clip=1.0), rows([1.0, 1.0]), [np.nan, 1.0], 0.1)[0])


def test_float32_stays_float32():
    for optimizer in (SGD(momentum=0.9, weight_decay=0.1, clip=1.0), Adam(weight_decay=0.1)):
        assert step(optimizer, rows(np.ones(3), np.float32), 1.0, 0.1, decayed=2).dtype == np.float32


def test_another_network_begins_without_memory():
    for optimizer in (SGD(momentum=0.9), Adam()):
        first, second = rows([0.0]), rows([0.0])
        step(optimizer, first, 1.0, 1.0)
        step(optimizer, first, 1.0, 1.0)
        assert step(optimizer, second, 1.0, 1.0) == pytest.approx(-1.0)


def test_adam_by_hand():
    adam = Adam(beta1=0.7, beta2=0.9, epsilon=1e-3, weight_decay=0.1)
    vectors = rows([1.0, -2.0])
    expected, mean, square = vectors[1].copy(), np.zeros(2), np.zeros(2)
    for t, grad in enumerate(np.array([[0.5, -3.0], [2.0, 0.25], [-0.5, 0.0]]), start=1):
        mean, square = 0.7 * mean + 0.3 * grad, 0.9 * square + 0.1 * grad**2
        expected[0] *= 1 - 0.2 * 0.1
        expected = expected - 0.2 * (mean / (1 - 0.7**t)) / (np.sqrt(square / (1 - 0.9**t)) + 1e-3)
        np.testing.assert_allclose(step(adam, vectors, grad, 0.2, decayed=1), expected, rtol=1e-14)


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


@pytest.mark.parametrize("options", [{"beta1": 1.0}, {"beta2": -0.1}, {"epsilon": 0.0}, {"weight_decay": float("nan")}])
def test_values_out_of_range_are_refused_by_adam(options):
    with pytest.raises(InputError, match=f"{next(iter(options))} must be"):
        Adam(**options)
