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


def test_only_what_exceeds_the_clip_is_clipped():
    for grad, clipped in (([10.0, -0.5], [1.0, -0.5]), ([0.9, 0.9], [0.9, 0.9]), ([0.6, 0.6], [0.6, 0.6])):
        vectors = rows([1.0, 1.0])
        step(SGD(clip=1.0), vectors, grad, 0.1)
        np.testing.assert_array_equal(vectors[2], clipped)
    assert np.isnan(step(SGD(clip=1.0), rows([1.0, 1.0]), [np.nan, 1.0], 0.1)[0])


def test_a_clip_that_nothing_exceeds_changes_nothing():
    vectors = rows([1.0, 1.0])
    step(SGD(clip=1e200), vectors, [10.0, -0.5], 0.1)
    np.testing.assert_array_equal(vectors[2], [10.0, -0.5])


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


@pytest.mark.parametrize(("clip", "grad"), [(0.5, 0.6), (0.5, 0.9), (2.0, 2.5), (3.0, 4.0)])
def test_one_large_element_is_clipped_whatever_the_clip(clip, grad):
    vectors = rows([1.0, 1.0])
    step(SGD(clip=clip), vectors, [grad, 0.0], 0.1)
    np.testing.assert_array_equal(vectors[2], [clip, 0.0])


def test_adam_by_hand_with_short_memories():
    adam, vectors, mean, square, expected = Adam(beta1=0.3, beta2=0.2, epsilon=0.1), rows([1.0]), 0.0, 0.0, 1.0
    for t, grad in enumerate((2.0, -1.0, 0.5), start=1):
        mean, square = 0.3 * mean + 0.7 * grad, 0.2 * square + 0.8 * grad**2
        expected -= 0.05 * (mean / (1 - 0.3**t)) / (np.sqrt(square / (1 - 0.2**t)) + 0.1)
        assert step(adam, vectors, grad, 0.05)[0] == pytest.approx(expected, rel=1e-12)


def test_what_is_usual():
    adam = Adam()
    assert (adam.beta1, adam.beta2, adam.epsilon, adam.weight_decay) == (0.9, 0.999, 1e-8, 0.0)
    for optimizer in (SGD(weight_decay=0.5), Adam(weight_decay=0.5)):
        assert optimizer.steps == 0
        np.testing.assert_array_equal(step(optimizer, rows([3.0, 4.0]), 0.0, 0.1), [3.0, 4.0])  # none is to decay
        assert optimizer.steps == 1


def test_an_optimizer_begins_where_another_one_stopped():
    """Rows 0 and 3 are then its memory; before the first step they are cleared."""
    for make in (lambda: SGD(momentum=0.9), Adam):
        first, vectors = make(), rows([1.0])
        for _ in range(3):
            step(first, vectors, 1.0, 0.1)
        other = vectors.copy()
        second = make()
        second.begin(other, 3)
        np.testing.assert_array_equal(step(second, other, 0.5, 0.1), step(first, vectors, 0.5, 0.1))
        second.begin(other)
        assert not other[[0, 3]].any()


@pytest.mark.parametrize("epsilon", [0.0, 1e-46, -1.0, float("inf"), float("nan")])
def test_epsilon_is_a_positive_number(epsilon):
    with pytest.raises(InputError, match="epsilon must be a small number of at least 1e-30"):
        Adam(epsilon=epsilon)
