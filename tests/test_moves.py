"""Settings moved while a training goes on, done again and resumed to the same weights."""

import numpy as np
import pytest

from plainnet import SGD, Adam, Dense, InputError, Network, ReLU, SoftmaxCrossEntropy
from plainnet.layers import Dropout, Flatten
from plainnet.moves import Move
from plainnet.training import Training

MOVES = (("learning_rate", 0.02), ("momentum", 0.5), ("dropout", 0.4), ("augmentation", 0.5))


@pytest.fixture(autouse=True)
def as_users_have_it():
    with np.errstate(under="ignore"):
        yield


def training(digits, optimizer=None, **more):
    layers = [Flatten(), Dense(16), ReLU(), Dropout(0.2), Dense(10)]
    network = Network(*layers).build((28, 28), rng=0)
    return Training(
        network, SoftmaxCrossEntropy(), optimizer or SGD(momentum=0.9), digits.train.sample(500), batch_size=100,
        epochs=3, learning_rate=0.1, **more,
    )  # fmt: skip


def moved(digits):
    made = training(digits)
    for _ in made:
        if made.steps == 4 and not made.moves:
            for what, value in MOVES:
                made.move(what, value)
        if made.steps == 11 and len(made.moves) == len(MOVES):
            made.move("augmentation", 0)
            made.state_then = made.state()
    return made


def test_moves_are_kept_and_done_again(digits):
    first = moved(digits)
    assert first.moves[0] == Move(4, "learning_rate", 0.02)
    assert first.moves[-1] == Move(11, "augmentation", 0.0)
    again = training(digits, moves=first.moves)
    for _ in again:
        pass
    np.testing.assert_array_equal(again.network.theta, first.network.theta)
    assert again.moves == first.moves
    without = training(digits)
    for _ in without:
        pass
    assert not np.array_equal(without.network.theta, first.network.theta)


def test_a_state_goes_on_with_what_was_moved(digits):
    first = moved(digits)
    for more in ({}, {"moves": first.moves}):
        resumed = training(digits, **more)
        resumed.restore(*first.state_then)
        for _ in resumed:
            pass
        np.testing.assert_array_equal(resumed.network.theta, first.network.theta)
        assert resumed.moves == first.moves


@pytest.mark.parametrize(
    ("what", "value", "says"),
    [
        ("speed", 1, "a training run can change learning_rate, momentum, dropout, augmentation"),
        ("momentum", 1.5, "momentum must be from 0 to"),
        ("learning_rate", -1, "learning_rate must be from 0 to"),
        ("learning_rate", float("nan"), "learning_rate must be"),
        ("dropout", "much", "dropout must be a"),
    ],
)
def test_what_cannot_be_moved_says_so(digits, what, value, says):
    made = training(digits)
    with pytest.raises(InputError, match=says):
        made.move(what, value)
    assert made.moves == []


def test_what_a_training_has_not_cannot_be_moved(digits):
    with pytest.raises(InputError, match="Adam has no momentum to change"):
        training(digits, Adam()).move("momentum", 0.5)
    network = Network(Dense(2)).build((3,))
    made = Training(
        network, SoftmaxCrossEntropy(), SGD(), (np.eye(3, dtype=np.float32), np.array([0, 1, 0])), batch_size=3,
        epochs=1, learning_rate=0.1,
    )  # fmt: skip
    with pytest.raises(InputError, match="no Dropout layer"):
        made.move("dropout", 0.5)
    with pytest.raises(InputError, match="are not images"):
        made.move("augmentation", 0.5)
