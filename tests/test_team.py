"""Several replicas of a network, one batch: the same gradient as alone, whatever happens in the threads."""

import threading

import numpy as np
import pytest

from plainnet import (
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    InputError,
    MaxPool,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    evaluate,
    fit,
)
from plainnet.layers import Layer
from plainnet.team import Team

LOSS = SoftmaxCrossEntropy()


def network(dtype=np.float64, layers=()):
    stack = Conv2D(4, 3), BatchNorm(), MaxPool(), ReLU(), Flatten(), *layers, Dense(10)
    return Network(*stack).build((28, 28), rng=0, dtype=dtype)


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("rows", [64, 7, 2, 1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_team_finds_the_gradient_of_the_whole_batch(workers, rows, reduction, digits):
    """With batch normalization too: mean and variance are those of the batch, not of a member's share."""
    loss, rows = SoftmaxCrossEntropy(reduction), np.arange(100, 100 + rows)
    alone, together = network(), network()
    with Team(alone, loss) as team:
        expected = team.gradient(digits.train, rows)
    with Team(together, loss, workers) as team:
        value, right = team.gradient(digits.train, rows)
    assert value == pytest.approx(expected[0], rel=1e-12)
    assert right == expected[1]
    np.testing.assert_allclose(together.grad, alone.grad, rtol=1e-9, atol=1e-10)
    for name, array in alone.tensors().items():
        np.testing.assert_allclose(together.tensors()[name], array, rtol=1e-6, err_msg=name)


def test_whoever_had_no_part_in_a_batch_has_the_same_running_averages(digits):
    """A last batch of a single image is the work of one member; all must evaluate with what it saw."""
    with Team(network(layers=[BatchNorm()]), LOSS, 3) as team:
        for rows in (12, 1, 2):
            team.gradient(digits.train, np.arange(rows))
            for member in team.members[1:]:
                for name, array in team.members[0].tensors().items():
                    np.testing.assert_array_equal(member.tensors()[name], array, err_msg=name)


def test_members_share_parameters_and_nothing_else():
    first = network()
    second = first.replica()
    assert not hasattr(second, "vectors")  # an update made there would be lost
    assert second.theta is first.theta
    assert not np.shares_memory(second.grad, first.grad)
    for ours, theirs in zip(first.parameters, second.parameters, strict=True):
        assert np.shares_memory(ours.value, theirs.value)
        assert np.shares_memory(theirs.grad, second.grad)


def test_training_with_two_workers_repeats_to_the_bit_and_learns(digits):
    def train(workers):
        net = network(np.float32)
        options = {"batch_size": 50, "epochs": 1, "learning_rate": 0.01, "workers": workers}
        return net, fit(net, LOSS, Adam(), digits.train[:1010], **options)[0]

    (first, epoch), (second, again), (alone, _) = train(2), train(2), train(1)
    np.testing.assert_array_equal(first.theta, second.theta)
    assert epoch.train_loss == again.train_loss
    images = digits.validation.images[:1000]
    assert np.mean(first.predict(images) == alone.predict(images)) > 0.95  # rounding grows with every step
    assert evaluate(first, LOSS, digits.validation[:1000])[1] > 0.7


def test_evaluation_is_the_same_for_any_number_of_workers(digits):
    net = network()
    one, three = (evaluate(net, LOSS, digits.validation[:2999], workers=workers) for workers in (1, 3))
    assert one[0] == pytest.approx(three[0], rel=1e-12)
    assert one[1] == three[1]


class Fails(Layer):
    """Raises in every thread but the first, where the others wait for it."""

    def forward(self, x, *, training=False):
        if training and threading.current_thread() is not threading.main_thread():
            raise ValueError("the fault of a member")
        self.remember(x)
        return x


@pytest.mark.parametrize("workers", [2, 3])
def test_a_member_that_fails_stops_all_with_its_own_error(workers, digits):
    layers = Fails(), Dense(8), BatchNorm()
    with Team(network(layers=layers), LOSS, workers) as team, pytest.raises(ValueError, match="the fault of a member"):
        team.gradient(digits.train, np.arange(30))


def test_after_the_team_the_network_is_alone_again(digits):
    net = network()
    with Team(net, LOSS, 2) as team:
        team.gradient(digits.train, np.arange(30))
    before = net.grad.copy()
    with Team(net, LOSS) as team:
        team.gradient(digits.train, np.arange(30))
    np.testing.assert_allclose(net.grad, before, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
def test_workers_must_be_a_whole_number(workers):
    with pytest.raises(InputError, match="workers must be a whole number"):
        Team(network(), LOSS, workers)
