import copy
import pickle

import numpy as np
import pytest

from plainnet import LARS, SGD, Adam, Dense, InputError, Network, ReLU
from plainnet.initializers import zeros
from plainnet.optimizers import Muon, Optimizer
from plainnet.optimizers.muon import orthogonal
from plainnet.parameters import Parameter, Parameters


def weights(theta, decayed=0, dtype=float):
    """Parameters as a network has them, the first `decayed` numbers under weight decay."""
    parts = ("W", decayed, True), ("b", len(theta) - decayed, False)
    parameters = Parameters([Parameter(name, (size,), zeros, 1, decay=decay) for name, size, decay in parts], dtype)
    parameters.theta[:] = theta
    return parameters


def step(optimizer, parameters, grad, rate):
    if optimizer.parameters is not parameters:
        optimizer.attach(parameters)
    parameters.grad[:] = grad
    optimizer.step(rate)
    return parameters.theta


def test_three_steps_by_hand():
    """v = m v - rate (clip(g) + decay w), w += v, the decay on the first `decayed` values only."""
    sgd = SGD(momentum=0.5, weight_decay=0.1, clip=1.0)
    parameters = weights([1.0, 2.0], decayed=1)
    expected, velocity = parameters.theta.copy(), np.zeros(2)
    for grad in ([0.5, -3.0], [2.0, 0.25], [-0.5, 0.0]):
        decay = np.array([0.1 * expected[0], 0.0])
        velocity = 0.5 * velocity - 0.2 * (np.clip(grad, -1, 1) + decay)
        expected = expected + velocity
        np.testing.assert_allclose(step(sgd, parameters, grad, 0.2), expected, rtol=1e-14)


def test_nesterov_by_hand():
    """v = m v - rate (g + decay w), w += m v - rate (g + decay w)."""
    sgd = SGD(momentum=0.5, weight_decay=0.1, nesterov=True)
    parameters = weights([1.0, 2.0], decayed=1)
    expected, velocity = parameters.theta.copy(), np.zeros(2)
    for grad in ([0.5, -3.0], [2.0, 0.25], [-0.5, 0.0]):
        descent = 0.2 * (grad + np.array([0.1 * expected[0], 0.0]))
        velocity = 0.5 * velocity - descent
        expected = expected + 0.5 * velocity - descent
        np.testing.assert_allclose(step(sgd, parameters, grad, 0.2), expected, rtol=1e-14)


def test_without_options_it_is_plain_descent():
    parameters = weights([1.0, -1.0])
    np.testing.assert_allclose(step(SGD(), parameters, [10.0, -20.0], 0.1), [0.0, 1.0], atol=1e-15)
    parameters = weights([3.0, 4.0])
    np.testing.assert_array_equal(step(SGD(weight_decay=0.5), parameters, 0.0, 0.1), [3.0, 4.0])  # none is to decay


def test_only_what_exceeds_the_clip_is_clipped():
    for grad, clipped in (([10.0, -0.5], [1.0, -0.5]), ([0.9, 0.9], [0.9, 0.9]), ([0.6, 0.6], [0.6, 0.6])):
        parameters = weights([1.0, 1.0])
        step(SGD(clip=1.0), parameters, grad, 0.1)
        np.testing.assert_array_equal(parameters.grad, clipped)
    assert np.isnan(step(SGD(clip=1.0), weights([1.0, 1.0]), [np.nan, 1.0], 0.1)[0])


def test_a_clip_that_nothing_exceeds_changes_nothing():
    parameters = weights([1.0, 1.0])
    step(SGD(clip=1e200), parameters, [10.0, -0.5], 0.1)
    np.testing.assert_array_equal(parameters.grad, [10.0, -0.5])


def test_adam_by_hand():
    adam = Adam(beta1=0.7, beta2=0.9, epsilon=1e-3, weight_decay=0.1)
    parameters = weights([1.0, -2.0], decayed=1)
    expected, mean, square = parameters.theta.copy(), np.zeros(2), np.zeros(2)
    for t, grad in enumerate(np.array([[0.5, -3.0], [2.0, 0.25], [-0.5, 0.0]]), start=1):
        mean, square = 0.7 * mean + 0.3 * grad, 0.9 * square + 0.1 * grad**2
        expected[0] *= 1 - 0.2 * 0.1
        expected = expected - 0.2 * (mean / (1 - 0.7**t)) / (np.sqrt(square / (1 - 0.9**t)) + 1e-3)
        np.testing.assert_allclose(step(adam, parameters, grad, 0.2), expected, rtol=1e-14)


def test_lars_by_hand():
    """Each layer's weights move by a share of their length; what has no decay, by the learning rate."""
    lars = LARS(momentum=0.5, trust=0.1, weight_decay=0.01)
    parameters = weights([3.0, -4.0, 2.0], decayed=2)
    expected, velocity = parameters.theta.copy(), np.zeros(3)
    for grad in np.array([[0.5, -3.0, 1.0], [2.0, 0.25, -1.0], [0.0, 0.0, 0.5]]):
        length, steepness = np.linalg.norm(expected[:2]), np.linalg.norm(grad[:2])
        rate = 0.2 * 0.1 * length / (steepness + 0.01 * length) if steepness else 0.2
        decayed = grad + 0.01 * np.array([*expected[:2], 0.0])
        velocity = 0.5 * velocity - np.array([rate, rate, 0.2]) * decayed
        expected = expected + velocity
        np.testing.assert_allclose(step(lars, parameters, grad, 0.2), expected, rtol=1e-14)


def test_lars_leaves_weights_that_are_all_zero_to_the_learning_rate():
    np.testing.assert_allclose(step(LARS(momentum=0.0), weights([0.0, 0.0], decayed=2), [1.0, -2.0], 0.1), [-0.1, 0.2])


@pytest.mark.parametrize("options", [{"momentum": 1.0}, {"trust": 0.0}, {"trust": float("inf")}, {"weight_decay": -1}])
def test_values_out_of_range_are_refused_by_lars(options):
    with pytest.raises(InputError, match=f"{next(iter(options))} must be"):
        LARS(**options)


@pytest.mark.parametrize("shape", [(6, 6), (3, 8), (8, 3), (40, 25)])
def test_muon_makes_singular_values_about_equal(shape):
    """The directions are those of the matrix; the singular values follow the polynomial of the source."""
    matrix = np.random.default_rng(0).standard_normal(shape)
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    s /= np.linalg.norm(s)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    np.testing.assert_allclose(orthogonal(matrix), (u * s) @ v, atol=1e-6)
    assert 0.3 < s.min() <= s.max() < 1.2


def test_muon_by_hand():
    """A filter of 2x2 pixels and one channel, twice, is a matrix (4, 2); a bias takes the step of Adam."""
    shapes = {"W": (2, 2, 1, 2), "b": (2,)}
    parameters = Parameters(
        [Parameter(name, shape, zeros, 1, decay=name == "W") for name, shape in shapes.items()], float
    )
    parameters.theta[:] = start = np.linspace(-1, 1, 10)
    muon, adam, free = Muon(momentum=0.5, weight_decay=0.1), Adam(), weights(start[8:])
    expected, velocity = start[:8].reshape(4, 2), np.zeros((4, 2))
    for grad in np.random.default_rng(1).standard_normal((3, 10)):
        velocity = 0.5 * velocity + grad[:8].reshape(4, 2)
        direction = orthogonal(grad[:8].reshape(4, 2) + 0.5 * velocity)
        expected = expected * (1 - 0.2 * 0.1) - 0.2 * 0.2 * 2.0 * direction
        theta = step(muon, parameters, grad, 0.2)
        np.testing.assert_allclose(theta[:8].reshape(4, 2), expected, rtol=1e-12)
        np.testing.assert_allclose(theta[8:], step(adam, free, grad[8:], 0.2), rtol=1e-12)


@pytest.mark.parametrize("options", [{"momentum": 1.0}, {"beta1": -0.1}, {"beta2": 1.0}, {"weight_decay": -1}])
def test_values_out_of_range_are_refused_by_muon(options):
    with pytest.raises(InputError, match=f"{next(iter(options))} must be"):
        Muon(**options)


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
    parameters = weights([1.0, 1.0])
    step(SGD(clip=clip), parameters, [grad, 0.0], 0.1)
    np.testing.assert_array_equal(parameters.grad, [clip, 0.0])


def test_adam_by_hand_with_short_memories():
    adam, parameters, mean, square, expected = Adam(beta1=0.3, beta2=0.2, epsilon=0.1), weights([1.0]), 0.0, 0.0, 1.0
    for t, grad in enumerate((2.0, -1.0, 0.5), start=1):
        mean, square = 0.3 * mean + 0.7 * grad, 0.2 * square + 0.8 * grad**2
        expected -= 0.05 * (mean / (1 - 0.3**t)) / (np.sqrt(square / (1 - 0.2**t)) + 0.1)
        assert step(adam, parameters, grad, 0.05)[0] == pytest.approx(expected, rel=1e-12)


def test_what_is_usual():
    adam = Adam()
    assert (adam.beta1, adam.beta2, adam.epsilon, adam.weight_decay) == (0.9, 0.999, 1e-8, 0.0)
    for optimizer in (SGD(weight_decay=0.5), Adam(weight_decay=0.5)):
        assert optimizer.steps == 0
        np.testing.assert_array_equal(step(optimizer, weights([3.0, 4.0]), 0.0, 0.1), [3.0, 4.0])  # none is to decay
        assert optimizer.steps == 1


# What every optimizer must do, written once.

OPTIMIZERS = {
    "SGD": SGD,
    "SGD with momentum": lambda **options: SGD(momentum=0.9, **options),
    "SGD, Nesterov": lambda **options: SGD(momentum=0.9, nesterov=True, **options),
    "Adam": Adam,
    "LARS": LARS,
    "Muon": Muon,
    "of one's own": lambda **options: SignDescent(**options),
}


class SignDescent(Optimizer):
    """Memory made at the first step, a count of its own, and nothing said about either."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seen = 0

    decays_itself = True

    def update(self, theta, grad, learning_rate):
        if not hasattr(self, "smooth"):
            self.smooth = np.zeros_like(grad)
        self.seen += 1
        self.smooth += (grad - self.smooth) / self.seen
        theta -= learning_rate * (np.sign(self.smooth) + self.weight_decay * theta)


@pytest.fixture(params=[*OPTIMIZERS, "derived from ours"])
def make(request):
    return OPTIMIZERS[request.param]


GRADIENTS = np.random.default_rng(0).standard_normal((9, 5))


def run(optimizer, parameters, gradients):
    for grad in gradients:
        step(optimizer, parameters, grad, 0.1)
    return parameters.theta.copy()


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_its_state_takes_another_one_to_where_it_was(make, steps):
    whole = run(make(weight_decay=0.01), weights(np.ones(5), 3), GRADIENTS)
    first, parameters = make(weight_decay=0.01), weights(np.ones(5), 3)
    first.attach(parameters)
    theta = run(first, parameters, GRADIENTS[:steps]) if steps else parameters.theta.copy()
    state = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in first.state().items()}
    run(first, parameters, GRADIENTS)  # the state that was given is a copy
    second, others = make(weight_decay=0.01), weights(theta, 3)
    second.attach(others)
    second.restore(state)
    assert second.steps == steps
    np.testing.assert_array_equal(run(second, others, GRADIENTS[steps:]), whole)


def test_attached_anew_it_begins_without_memory(make):
    """To the same network or another one, and whatever it was that it remembered: NaN, too."""
    expected = run(make(), weights(np.ones(5)), GRADIENTS)
    optimizer, broken = make(), weights(np.ones(5))
    with np.errstate(invalid="ignore"):
        run(optimizer, broken, [[np.nan] * 5, [1.0] * 5])
    optimizer.attach(parameters := weights(np.ones(5)))
    np.testing.assert_array_equal(run(optimizer, parameters, GRADIENTS), expected)
    parameters.theta[:] = 1
    optimizer.attach(parameters)
    np.testing.assert_array_equal(run(optimizer, parameters, GRADIENTS), expected)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@pytest.mark.parametrize("turned", [False, True])
def test_a_copy_of_network_and_optimizer_goes_on_as_they_would(make, copied, turned):
    network, optimizer = Network(Dense(3), ReLU(), Dense(2)).build((4,), dtype=float), make()
    gradients = np.random.default_rng(1).standard_normal((6, network.theta.size))
    run(optimizer, network.parameters, gradients[:3])
    pair = (optimizer, network) if turned else (network, optimizer)
    pair = copied(pair)
    twin, other = pair[::-1] if turned else pair
    run(other, twin.parameters, gradients[3:])
    assert other.parameters is twin.parameters
    run(optimizer, network.parameters, gradients[3:])
    np.testing.assert_array_equal(twin.theta, network.theta)
    np.testing.assert_array_equal(twin.layers[0].W.value, network.layers[0].W.value)
    assert not np.shares_memory(twin.theta, network.theta)


def test_two_may_take_turns_on_one_network(make):
    """Adam, then SGD, then the same Adam: each begins anew, with finite weights."""
    parameters, first, second = weights(np.ones(5)), make(), SGD(momentum=0.9)
    run(first, parameters, GRADIENTS)
    run(second, parameters, GRADIENTS)
    with pytest.raises(InputError, match="another optimizer has since been attached to this network"):
        first.step(0.1)
    first.attach(parameters)
    theta = parameters.theta.copy()
    np.testing.assert_array_equal(run(first, parameters, GRADIENTS), run(make(), weights(theta), GRADIENTS))


def test_it_serves_a_network_or_says_so(make):
    optimizer = make()
    with pytest.raises(InputError, match="has no network; attach it first"):
        optimizer.step(0.1)
    network = Network(Dense(3)).build((4,))
    optimizer.attach(network.parameters)
    optimizer.step(0.1)
    alone = copy.deepcopy(optimizer)  # would train parameters that no network computes with
    with pytest.raises(InputError, match="has no network; attach it first"):
        alone.step(0.1)
    network.build((5,))
    with pytest.raises(InputError, match="has no network; attach it first"):
        optimizer.step(0.1)


def test_the_gradient_is_clipped_first(make):
    for options, grad in (
        ({"clip": 0.5}, np.clip(GRADIENTS[0], -0.5, 0.5)),
        ({"clip_norm": 0.5}, GRADIENTS[0] * (0.5 / np.linalg.norm(GRADIENTS[0]))),
        ({"clip_norm": 100.0}, GRADIENTS[0]),
        ({"clip": 1.0, "clip_norm": 0.1}, None),
    ):
        if grad is None:
            clipped = np.clip(GRADIENTS[0], -1, 1)
            grad = clipped * (0.1 / np.linalg.norm(clipped))
        expected = run(make(), weights(np.ones(5)), [grad])
        np.testing.assert_allclose(run(make(**options), weights(np.ones(5)), GRADIENTS[:1]), expected, rtol=1e-12)
    with pytest.raises(InputError, match="clip_norm must be above 0"):
        make(clip_norm=0.0)


def test_a_state_that_does_not_fit_changes_nothing(make):
    optimizer, parameters = make(), weights(np.ones(5))
    run(optimizer, parameters, GRADIENTS[:2])
    before = optimizer.state()
    other = make()
    run(other, weights(np.ones(6)), np.ones((2, 6)))
    for state in (other.state(), {}, {"steps": 3}):
        if set(state) == set(before) == {"steps"}:
            continue
        with pytest.raises(ValueError, match="does not fit"):
            optimizer.restore(state)
        for name, value in optimizer.state().items():
            np.testing.assert_array_equal(value, before[name])


class KeepsAList(Optimizer):
    def allocate(self, parameters):
        self.means = [np.zeros(p.shape) for p in parameters]

    def update(self, theta, grad, learning_rate):
        theta -= learning_rate * grad


class WithMemory(SGD):
    """A subclass of SGD with memory of its own."""

    def allocate(self, parameters):
        super().allocate(parameters)
        self.mean, self.count = np.zeros_like(parameters.theta), np.float32(0)

    def update(self, theta, grad, learning_rate):
        self.count = np.float32(self.count + 1)
        self.mean += (grad - self.mean) / self.count
        grad[:] = self.mean
        super().update(theta, grad, learning_rate)


OPTIMIZERS["derived from ours"] = lambda **options: WithMemory(momentum=0.9, **options)


class Annealed(Optimizer):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def update(self, theta, grad, learning_rate):
        theta -= learning_rate * self.factor * grad
        self.factor *= 0.9


class Around(Optimizer):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def update(self, theta, grad, learning_rate):
        theta -= learning_rate * grad


def test_what_a_checkpoint_would_not_know_is_refused():
    with pytest.raises(InputError, match=r"Annealed changes its argument factor .* such as self.current_factor"):
        run(Annealed(), weights(np.ones(5)), GRADIENTS)
    around = Around(Adam())
    run(around, weights(np.ones(5)), GRADIENTS)
    with pytest.raises(InputError, match=r"Around keeps self\.inner, a Adam, which no checkpoint can hold"):
        around.state()


def test_decay_serves_an_optimizer_that_does_not_see_to_it():
    class Plain(Optimizer):
        def update(self, theta, grad, learning_rate):
            theta -= learning_rate * grad

    theta = run(Plain(weight_decay=0.5), weights([2.0, 2.0], decayed=1), np.zeros((1, 2)))
    np.testing.assert_allclose(theta, [1.9, 2.0])


@pytest.mark.parametrize(
    "more",
    [{"steps": -1}, {"steps": 1.5}, {"steps": "two"}, {"beta1": 0.0}, {"clip": 1.0}, {"x y": 1.0}, {"gradients": 3.0},
     {"gradients": np.zeros(5)}, {"gradients": np.zeros(6, np.float32)}, {"extra": "text"}],
)  # fmt: skip
def test_a_state_that_is_none_of_ours_is_refused(more):
    optimizer, parameters = Adam(), weights(np.ones(5), dtype=np.float32)
    run(optimizer, parameters, GRADIENTS[:2])
    before = optimizer.state()
    with pytest.raises(ValueError, match="does not fit"):
        optimizer.restore(before | more)
    for name, value in optimizer.state().items():
        np.testing.assert_array_equal(value, before[name])


def test_attach_takes_parameters():
    with pytest.raises(InputError, match=r"attach takes network\.parameters, received Network"):
        SGD().attach(Network(Dense(3)).build((4,)))


def test_memory_that_no_checkpoint_can_hold_is_named():
    optimizer = KeepsAList()
    run(optimizer, weights(np.ones(5)), GRADIENTS)
    with pytest.raises(InputError, match=r"KeepsAList keeps self.means, a list, which no checkpoint can hold"):
        optimizer.state()


def test_it_is_told_names_places_shapes_and_groups():
    network = Network(Dense(3), ReLU(), Dense(2)).build((4,))
    optimizer = SGD()
    optimizer.attach(network.parameters)
    parameters = optimizer.parameters
    assert [(p.name, p.shape) for p in parameters][1] == ("dense_1.b", (3,))
    assert parameters.groups == {"decayed": slice(0, 18), "free": slice(18, 23)}
    assert parameters[1].place == slice(18, 21)
    np.testing.assert_array_equal(parameters.theta[parameters[0].place].reshape(4, 3), network.layers[0].W.value)


@pytest.mark.parametrize("epsilon", [0.0, 1e-46, -1.0, float("inf"), float("nan")])
def test_epsilon_is_a_positive_number(epsilon):
    with pytest.raises(InputError, match="epsilon must be a small number of at least 1e-30"):
        Adam(epsilon=epsilon)
