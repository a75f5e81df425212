"""Who owns state: layers, optimizers, passes and trainings each have their own, and nobody else's."""

import copy
import pickle
import re
import threading

import numpy as np
import pytest

from plainnet import (
    SGD,
    Adam,
    Batch,
    BatchNorm,
    Conv2D,
    DataSet,
    Dense,
    Dropout,
    Flatten,
    InputError,
    MaxPool,
    Network,
    ReLU,
    Training,
    TrainingDivergedError,
    check_gradients,
    epochs,
    evaluate,
    fit,
)
from plainnet.context import Context
from plainnet.layers import Ensemble, Layer, Residual
from plainnet.optimizers import Optimizer
from plainnet.weight_average import WeightAverage
from plainnet.workers import Threads
from small_networks import LOSS, OPTIONS, assert_same, small, weights

# 1. The optimizer


def test_adam_then_sgd_then_the_same_adam(digits):
    network, adam = small(), Adam()
    for optimizer, rate in ((adam, 0.001), (SGD(momentum=0.9), 0.05), (adam, 0.001)):
        before = weights(network)
        history = fit(network, LOSS, optimizer, digits.train[:600], **OPTIONS | {"learning_rate": rate})
        assert np.isfinite(network.theta).all()
        assert history[-1].train_loss < 2.5
        fresh = small()
        fresh.restore(before)
        fit(fresh, LOSS, type(optimizer)(**({"momentum": 0.9} if optimizer is not adam else {})), digits.train[:600],
            **OPTIONS | {"learning_rate": rate})  # fmt: skip
        assert_same(weights(network), weights(fresh))


def test_after_a_divergence_the_same_optimizer_begins_anew(digits):
    network, optimizer = small(), SGD(momentum=0.9)
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match="try a tenth of the learning rate"):
        fit(network, LOSS, optimizer, digits.train[:500], **OPTIONS | {"learning_rate": 1e30})
    assert fit(network, LOSS, optimizer, digits.train[:500], **OPTIONS)[-1].train_loss < 2.3


def test_one_optimizer_cannot_serve_two_trainings(digits):
    """TensorFlow's 9522: an optimizer taken over in the middle of a training."""
    optimizer = Adam()
    first = iter(Training(small(), LOSS, optimizer, digits.train[:500], **OPTIONS))
    next(first)
    next(iter(Training(small(), LOSS, optimizer, digits.train[:500], **OPTIONS)))
    with pytest.raises(InputError, match="another run has taken over this optimizer; give each run"):
        next(first)


class OwnMemory(Optimizer):
    """An optimizer of somebody's own, who has not thought of checkpoints."""

    def __init__(self):
        super().__init__()
        self.velocity = None

    def update(self, theta, grad, learning_rate):
        self.velocity = grad.copy() if self.velocity is None else 0.9 * self.velocity + grad
        theta -= learning_rate * self.velocity


def test_an_optimizer_of_ones_own_is_resumed_to_the_same_weights(digits):
    def make():
        return Training(small(), LOSS, OwnMemory(), digits.train[:500], **OPTIONS)

    whole, first, second = make(), make(), make()
    list(whole)
    for event in first:
        if isinstance(event, Batch) and event.number == 4:
            break
    second.restore(*first.state())
    list(second)
    assert_same(weights(second.network), weights(whole.network))


def test_an_optimizer_must_be_one(digits):
    for impostor in (SGD, "Adam", 0.1):
        with pytest.raises(InputError, match="the optimizer must be an object such as SGD"):
            fit(small(), LOSS, impostor, digits.train[:100], **OPTIONS)


# 2. Layers


def test_a_layer_belongs_to_one_network(digits):
    layers = Dense(24), ReLU(), Dense(10)
    first = Network(*layers)
    for steal in (lambda: Network(*layers), lambda: Ensemble([[layers[0]]]), lambda: Residual(layers[2])):
        with pytest.raises(InputError, match=r"belongs to another network already.*copy\.deepcopy"):
            steal()
    second = Network(*copy.deepcopy(layers)).build((784,), rng=1)
    first.build((784,), rng=0)
    before = weights(first)
    fit(second, LOSS, SGD(), digits.train[:200], **OPTIONS)
    assert_same(weights(first), before)
    with pytest.raises(InputError, match="is in the network twice"):
        Network(Dense(3), *[ReLU()] * 2)


def test_what_was_refused_leaves_its_layers_free():
    layers = Dense(3), ReLU()
    taken = Dense(3)
    owner = Network(taken)
    with pytest.raises(InputError, match="belongs to another network"):
        Network(*layers, taken)
    assert Network(*layers).layers == layers
    assert owner.layers == (taken,)


def test_a_network_that_is_gone_owns_nothing():
    layer = Dense(3)
    Network(layer)
    assert Network(layer).layers == (layer,)


def test_blocks_are_walked_by_path(digits):
    network = small(Dense(24), Residual(Dense(24, max_norm=0.5), BatchNorm(), ReLU(), Dropout(0.5)), Dense(10))
    assert [path for path, _ in network.walk()] == [
        "dense_1", "residual_1", "residual_1.dense_1", "residual_1.batchnorm_1", "residual_1.relu_1",
        "residual_1.dropout_1", "dense_2",
    ]  # fmt: skip
    assert [p.name for p in network.parameters][2] == "residual_1.dense_1.W"
    assert "residual_1.batchnorm_1.running_mean" in network.tensors()
    assert "Residual" in network.summary()
    fit(network, LOSS, SGD(), digits.train[:500], averaging=0.9, workers=2, **OPTIONS)
    inner = dict(network.walk())["residual_1.dense_1"]
    assert np.linalg.norm(inner.W.value, axis=0).max() < 0.6  # the average of weights that kept to 0.5
    assert dict(network.walk())["residual_1.batchnorm_1"].state["running_mean"].any()
    assert check_gradients(network, LOSS, digits.train.images[:3], digits.train.labels[:3]).right


@pytest.mark.parametrize("workers", [1, 2])
def test_dropout_inside_a_block_draws_anew_for_every_batch(workers, digits):
    seen = []

    class Watched(Dropout):
        def forward(self, x, *, training=False):
            y = super().forward(x, training=training)
            if training:
                seen.append((y == 0).tobytes())
            return y

    network = small(Dense(24), Residual(Dense(24), Residual(Watched(0.5))), Dense(10))
    fit(network, LOSS, SGD(), digits.train[:300], workers=workers, **OPTIONS)
    assert len(seen) == len(set(seen)) == 12 * workers


def test_max_norm_inside_an_ensemble_is_kept(digits):
    network = Network(Ensemble([[Flatten(), Dense(10, max_norm=0.1)], [Flatten(), Dense(10)]])).build((28, 28))
    fit(network, LOSS, SGD(momentum=0.9), digits.train[:500], **OPTIONS)
    limited = dict(network.walk())["ensemble_1.0.dense_1"]
    assert np.linalg.norm(limited.W.value, axis=0).max() <= 0.1 * (1 + 1e-5)


# 3. Passes


def images_of(data, n):
    return data.images[:n], [data.images[k : k + 7] for k in range(0, 70, 7)]


@pytest.mark.parametrize("layers", ["dense", "convolution"])
def test_threads_predict_beside_a_training_and_nobody_notices(layers, digits):
    """Ten thousand answers by eight threads; with a learning rate too small to change one, all must be right."""

    def make():
        if layers == "dense":
            return small(Dense(24), BatchNorm(frozen=True), ReLU(), Dropout(0.3), Dense(10))
        stack = Conv2D(4, 3), BatchNorm(frozen=True), MaxPool(4), ReLU(), Flatten(), Dense(10)
        return Network(*stack).build((28, 28), rng=0)

    network, undisturbed = make(), make()
    options = OPTIONS | {"learning_rate": 1e-12, "epochs": 100}
    images = digits.test.images[:70]
    expected = network.logits(images)
    wrong, answers, over = [], [], threading.Event()

    def look(place):
        while not over.is_set():
            rows = slice(place % 60, place % 60 + 1 + place % 9)
            got = network.logits(images[rows])
            answers.append(len(got))
            if not np.allclose(got, expected[rows], rtol=1e-4, atol=1e-5):
                wrong.append(rows)
            place += 7

    threads = [threading.Thread(target=look, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    try:
        for epoch in epochs(network, LOSS, SGD(momentum=0.9), digits.train[:500], **options):
            if sum(answers) > 10_000 and epoch.number >= 3:
                made = epoch.number
                break
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert sum(answers) > 10_000
    assert not wrong
    next(e for e in epochs(undisturbed, LOSS, SGD(momentum=0.9), digits.train[:500], **options) if e.number == made)
    assert_same(weights(network), weights(undisturbed))


def test_a_network_has_one_set_of_running_averages(digits):
    """Whoever trains with it, in whatever context, moves the averages that everybody answers with."""
    network = small(Dense(24), BatchNorm(), ReLU(), Dense(10))
    fit(network, LOSS, SGD(momentum=0.9), digits.train[:3000], workers=3, **OPTIONS)
    assert evaluate(network, LOSS, digits.validation[:1000])[1]["accuracy"] > 0.8
    running = dict(network.walk())["batchnorm_1"].state["running_mean"]
    before = running.copy()
    with Context(leads=False):
        network.forward(network.as_input(digits.train.images[:50]), training=True)
    np.testing.assert_array_equal(running, before)  # it was only looked at
    with Context():
        network.forward(network.as_input(digits.train.images[:50]), training=True)
    assert not np.array_equal(running, before)


def test_dropout_in_a_hand_written_loop_draws_anew(digits):
    network = small(Dense(24), Dropout(0.5), Dense(10))
    x = network.as_input(digits.train.images[:20])
    outputs = [network.forward(x, training=True).copy() for _ in range(3)]
    assert not np.array_equal(outputs[0], outputs[1])
    assert not np.array_equal(outputs[1], outputs[2])
    again = small(Dense(24), Dropout(0.5), Dense(10))
    for output in outputs:  # and the same ones for the same seed
        np.testing.assert_array_equal(again.forward(x, training=True), output)


@pytest.mark.parametrize("workers", [1, 2])
def test_after_an_exception_within_a_batch_it_goes_on_to_the_same_weights(workers, digits):
    class Stumbles(ReLU):
        left = 10**9

        def backward(self, dy, *, need_dx=True):
            Stumbles.left -= 1
            if Stumbles.left == 0:
                raise KeyboardInterrupt
            return super().backward(dy, need_dx=need_dx)

    def make():
        network = small(Dense(24), BatchNorm(), Dropout(0.3), Stumbles(), Dense(10))
        return Training(network, LOSS, Adam(), digits.train[:500], digits.validation[:100], workers=workers,
                        averaging=0.9, **OPTIONS)  # fmt: skip

    whole, broken = make(), make()
    list(whole)
    Stumbles.left = 7 * workers
    with pytest.raises(KeyboardInterrupt):
        list(broken)
    assert not broken.history
    list(broken)
    assert_same(weights(broken.network), weights(whole.network))
    assert [e._replace(seconds=0) for e in broken.history] == [e._replace(seconds=0) for e in whole.history]


# 6. State is complete, and one's own


def test_state_is_a_copy_and_restore_is_all_or_nothing(digits):
    training = Training(small(Dense(8), BatchNorm(), Dense(10)), LOSS, SGD(momentum=0.9), digits.train[:500],
                        digits.validation[:50], averaging=0.9, **OPTIONS)  # fmt: skip
    steps = iter(training)
    for _ in range(3):
        next(steps)
    arrays, values = training.state()
    frozen = copy.deepcopy((arrays, values))
    next(steps)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, frozen[0][name], err_msg=name)
    assert values == frozen[1]
    values["figures"]["loss"] = 1e9
    values["history"].append(None)
    assert training.state()[1]["figures"]["loss"] < 1e9

    def state():
        arrays, values = training.state()
        return {name: array.tobytes() for name, array in arrays.items()}, values

    before = state()
    good_arrays, good = frozen
    for change_arrays, change in (
        ({"dense_1.W": np.ones((3, 3), np.float32)}, {}),
        ({"dense_1.W": good_arrays["dense_1.W"].astype(float)}, {}),
        ({"average": np.ones(3)}, {}),
        ({"optimizer.velocity": np.ones(3)}, {}),
        ({}, {"batch": 1.5}),
        ({}, {"batch": 10**6}),
        ({}, {"history": [{}]}),
        ({}, {"shuffle": {"state": 3}}),
        ({}, {"generators": []}),
        ({}, {"figures": {"loss": 1}}),
        ({}, {"optimizer": {}}),
    ):
        with pytest.raises((KeyError, TypeError, ValueError)):
            training.restore({**good_arrays, **change_arrays}, {**good, **change})
        assert state() == before
    training.restore(*frozen)
    assert training.state()[1] == frozen[1]


def test_training_data_and_validation_data_must_be_of_one_kind(digits):
    train = digits.train[:100]
    for validation, sentence in (
        (DataSet(digits.test.images[:50, :20], digits.test.labels[:50], train.class_names), "examples of shape"),
        (DataSet(digits.test.images[:50], digits.test.labels[:50], tuple("abcdefghij")), "classes"),
        (DataSet(digits.test.images[:50], np.full((50, 10), 0.1), train.class_names), "targets that are"),
    ):
        with pytest.raises(InputError, match=f"expected the validation data to have {sentence}"):
            Training(small(), LOSS, SGD(), train, validation, **OPTIONS)
        with pytest.raises(InputError, match="the data set to join"):
            train.joined(validation)


def test_a_failed_build_leaves_nothing_built(digits):
    network = Network(Flatten(), Dense(5), Conv2D(3, 3))
    for _ in range(2):
        with pytest.raises(InputError, match="Conv2D expects images"):
            network.build((28, 28))
        with pytest.raises(InputError, match="has no weights yet"):
            network.predict(digits.test.images[:1])
    good = Network(Dense(5)).build((3,))
    with pytest.raises(InputError, match="Dense expects examples with one dimension"):
        good.build((3, 3))
    with pytest.raises(InputError, match="has no weights yet"):
        good.predict(np.ones((1, 3)))


@pytest.mark.parametrize("dtype", [int, np.float16, bool, np.complex64, "uint8"])
def test_weights_are_of_a_type_that_can_learn(dtype):
    with pytest.raises(InputError, match="dtype must be float32, float64 or complex128"):
        Network(Dense(3)).build((4,), dtype=dtype)
    for good in ("float32", np.float64, np.dtype("complex128")):
        assert Network(Dense(3)).build((4,), dtype=good).theta.dtype == good


def test_vectors_are_written_into_and_not_replaced():
    network = Network(Dense(3)).build((4,))
    network.theta -= 0.1 * network.grad
    network.grad[:] = 1
    for name in ("theta", "grad"):
        with pytest.raises(InputError, match=re.escape(f"network.{name} must be written into")):
            setattr(network, name, np.zeros(15))
    with pytest.raises(InputError, match=re.escape("dense_1.W.value must be written into")):
        network.layers[0].W.value = np.zeros((4, 3))


def test_a_copy_of_a_network_draws_on_its_own(digits):
    network = small(Dense(24), Dropout(0.5), Dense(10))
    x = network.as_input(digits.train.images[:5])
    network.forward(x, training=True)
    twins = copy.deepcopy(network), pickle.loads(pickle.dumps(network))
    expected = network.forward(x, training=True).copy()
    for twin in twins:
        np.testing.assert_array_equal(twin.forward(x, training=True), expected)


def test_an_average_in_place_needs_no_change_of_a_layer(digits):
    class Watched(BatchNorm):
        changes: list = []  # noqa: RUF012

        def __setattr__(self, name, value):
            if getattr(self, "ready", False):
                self.changes.append(name)
            object.__setattr__(self, name, value)

    network = small(Dense(24), Watched(), ReLU(), Dense(10))
    network.layers[1].ready = True
    Watched.changes.clear()
    fit(network, LOSS, SGD(), digits.train[:300], averaging=0.9, workers=2, **OPTIONS)
    with Threads(network, LOSS, 2) as threads:
        WeightAverage(network, 0.9).put_in_place(threads, digits.train[:300], np.arange(300), 50)
    assert Watched.changes == []


def test_old_layers_are_told_what_to_do():
    class Block(Layer):
        def __init__(self):
            super().__init__()
            self.inner = [Dense(3)]

    with pytest.raises(InputError, match=r"Block keeps a Dense in self.inner .*self\.adopt\(Dense\(\.\.\.\)\)"):
        Network(Block()).build((3,))
