"""Workers, events, stops, and what the inputs do."""

import copy
import json

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
    Epoch,
    Flatten,
    InputError,
    MaxPool,
    MeanSquaredError,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Stop,
    Stopping,
    Training,
    evaluate,
    fit,
    input_gradient,
)
from plainnet.context import Context
from plainnet.layers import Residual
from plainnet.metrics import absolute_error
from plainnet.workers import Figures, Threads
from small_networks import LOSS, OPTIONS, assert_same, small, weights


class InTurn(Threads):
    """Workers of another make: no thread, one share of the batch after the other."""

    def __init__(self, network, loss, number, rng=0):
        super().__init__(network, loss, 1, rng=rng)
        self.shares = number

    def gradient(self, data, rows, *, momentum=None):
        whole, total = np.zeros_like(self.network.grad), Figures()
        for share in np.array_split(rows, self.shares):
            figures = super().gradient(data, share)
            whole += self.network.grad * (len(share) / len(rows))
            total.add(figures)
        self.network.grad[:] = whole
        return total


def test_workers_are_given(digits):
    data, networks = digits.train[:500], [small(dtype=np.float64) for _ in range(2)]
    fit(networks[0], LOSS, SGD(), data, **OPTIONS)
    fit(networks[1], LOSS, SGD(), data, workers=InTurn(networks[1], LOSS, 3), **OPTIONS)
    np.testing.assert_allclose(networks[0].theta, networks[1].theta, rtol=1e-9, atol=1e-13)
    for workers in (0, -1, 1.5, "2", None):
        with pytest.raises(InputError, match="workers must be a whole number"):
            Training(small(), LOSS, SGD(), data, workers=workers, **OPTIONS)


def test_a_pass_tells_when_the_gradient_of_a_layer_is_complete(digits):
    network, told = small(Dense(24), Residual(Dense(24), ReLU()), Dense(10)), []

    def complete(layer):
        told.append((layer, [p.grad.copy() for _, part in layer.walk() for p in part.parameters]))

    x = network.as_input(digits.train.images[:20])
    with Context(on_gradient=complete):
        logits = network.forward(x, training=True)
        network.backward(LOSS(logits, digits.train.labels[:20])[1])
    assert [type(layer).__name__ for layer, _ in told] == ["Dense", "ReLU", "Dense", "Residual", "Dense"]
    for layer, grads in told:
        for parameter, grad in zip((p for _, part in layer.walk() for p in part.parameters), grads, strict=True):
            np.testing.assert_array_equal(parameter.grad, grad)


def test_every_batch_is_an_event(digits):
    events = list(Training(small(), LOSS, SGD(), digits.train[:120], **OPTIONS))
    assert [type(event).__name__ for event in events] == ["Batch"] * 3 + ["Epoch"] + ["Batch"] * 3 + ["Epoch"]
    first = events[0]
    assert (first.epoch, first.number, first.of, first.learning_rate) == (1, 1, 3, 0.05)
    weighted = sum(event.loss * size for event, size in zip(events[:3], (50, 50, 20), strict=True)) / 120
    assert weighted == pytest.approx(events[3].train_loss)
    assert sum(event.seconds for event in events[:3]) == pytest.approx(events[3].seconds)


def test_early_stopping_puts_the_best_weights_back(digits):
    """Few images and a high learning rate: validation gets worse at some time."""
    network, seen = small(), {}
    stop = Stopping(patience=3)
    options = OPTIONS | {"epochs": 60, "learning_rate": 0.3}
    for event in Training(network, LOSS, SGD(momentum=0.9), digits.train[:300], digits.validation[:500], stop=stop,
                          **options):  # fmt: skip
        if isinstance(event, Epoch):
            seen[event.number] = event.validation_loss, weights(network)
    assert isinstance(event, Stop)
    best = min(seen, key=lambda number: seen[number][0])
    assert event.best == best == event.epoch - 3
    assert len(seen) < 60
    assert_same(weights(network), seen[best][1])
    assert "the validation loss has not improved in 3 epochs; the weights are those after epoch" in str(event)


def test_a_stop_by_accuracy_and_by_time(digits):
    reached = list(Training(small(), LOSS, SGD(momentum=0.9), digits.train[:2000], digits.validation[:500],
                            stop=Stopping(accuracy=0.8), **OPTIONS | {"epochs": 50}))  # fmt: skip
    assert isinstance(reached[-1], Stop)
    assert "has reached 80.00%" in reached[-1].reason
    assert reached[-2].validation_accuracy >= 0.8
    assert reached[-1].epoch < 50
    training = Training(small(), LOSS, SGD(), digits.train[:2000], stop=Stopping(seconds=1e-9), **OPTIONS)
    *batches, epoch, stop = training
    assert [type(event) for event in batches] == [Batch]
    assert (epoch.number, stop.epoch, stop.best) == (1, 1, None)
    assert epoch.train_loss == batches[0].loss
    assert [type(event) for event in training] == [Stop]  # asked again, it says so again


def test_a_stop_is_resumed_to_the_same_weights(digits):
    def make():
        return Training(small(), LOSS, SGD(momentum=0.9), digits.train[:300], digits.validation[:300],
                        stop=Stopping(patience=2, metric="accuracy"),
                        **OPTIONS | {"epochs": 40, "learning_rate": 0.3})  # fmt: skip

    whole = make()
    *_, stop = whole
    for at in range(1, len(whole.history) + 1):
        first, second = make(), make()
        for event in first:
            if isinstance(event, Epoch) and event.number == at:
                break
        second.restore(*copy.deepcopy(first.state()))
        *_, again = second
        assert again == stop
        assert_same(weights(second.network), weights(whole.network))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "stop needs a patience, an accuracy or a number of seconds"),
        ({"patience": 0}, "patience must be a whole number"),
        ({"patience": 3, "metric": 5}, "metric must be a name"),
        ({"patience": 3, "min_change": -1}, "min_change must be at least 0"),
        ({"accuracy": 80}, "accuracy must be above 0 and at most 1"),
        ({"seconds": 0}, "seconds must be a positive number"),
    ],
)
def test_impossible_stops_are_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        Stopping(**options)


def test_a_stop_that_nothing_can_decide_is_refused(digits):
    data, numbers = digits.train[:100], DataSet(np.ones((90, 4), np.float32), np.ones(90))
    for stop, more in ((Stopping(patience=3), {}), (Stopping(accuracy=0.9), {"averaging": 0.9})):
        with pytest.raises(InputError, match="needs validation data and cannot be combined with averaging"):
            Training(small(), LOSS, SGD(), data, stop=stop, **more, **OPTIONS)
    f1 = Stopping(patience=1, metric="f1", larger_is_better=True)
    with pytest.raises(InputError, match="stopping needs 'f1', which is not measured; choose loss, accuracy"):
        Training(small(), LOSS, SGD(), data, data, stop=f1, **OPTIONS)
    with pytest.raises(InputError, match="stopping needs 'accuracy', which is not measured"):
        Training(Network(Dense(1)).build((4,)), MeanSquaredError(), SGD(), numbers, numbers,
                 stop=Stopping(accuracy=0.9), **OPTIONS)  # fmt: skip
    with pytest.raises(InputError, match="larger_is_better must be true or false for the metric 'rmse'"):
        Stopping(patience=2, metric="rmse")


def test_a_metric_of_ones_own_stops_in_its_own_direction():
    x = np.random.default_rng(0).standard_normal((100, 3)).astype(np.float32)
    data = DataSet(x, x[:, 0])
    stop = Stopping(patience=3, metric="mae", larger_is_better=False)
    *_, last = Training(Network(Dense(1)).build((3,)), MeanSquaredError(), SGD(), data, data, stop=stop,
                        metrics={"mae": absolute_error}, **OPTIONS | {"epochs": 12})  # fmt: skip
    assert isinstance(last, Epoch)  # it became better to the end, and nothing was put back


def test_a_stop_by_time_loses_no_epoch_and_averages(digits):
    class Now(Stopping):
        """Time is up when the test says so."""

        up = False

        def after_batch(self, seconds):
            return "time is up" if self.up else None

    def make():
        return Training(small(), LOSS, SGD(), digits.train[:150], averaging=0.9, stop=Now(seconds=1), **OPTIONS)

    first = make()
    next(iter(first))
    second = make()
    second.restore(*first.state())
    second.stopping.up = True
    *_, epoch, stop = second
    assert (type(epoch), type(stop), stop.epoch) == (Epoch, Stop, 1)
    for batches in (1, 3):  # in the middle, and at the very end of an epoch
        training = make()
        events = iter(training)
        for _ in range(batches):
            next(events)
        training.stopping.up = True
        list(events)
        np.testing.assert_array_equal(training.network.theta, training.average.values)


def test_a_metric_must_be_a_function_with_a_value_for_each_example(digits):
    for metrics, sentence in (
        ({"loss": lambda o, t: np.ones(len(t))}, "none called loss"),
        ({"accuracy": "accuracy"}, "metrics must be functions by name"),
        (
            {"acc": lambda o, t: np.mean(o)},
            r"the metric acc must return a value for each of \d+ examples, received shape",
        ),
        ({"acc": lambda o, t: None}, "the metric acc must return a value"),
    ):
        with pytest.raises(InputError, match=sentence):
            evaluate(small(), LOSS, digits.validation[:20], metrics=metrics)


def test_workers_must_be_those_of_the_network(digits):
    other = small()
    for workers, more in ((Threads(other, LOSS, 2), {}), (None, {"metrics": {}})):
        network = small()
        given = workers or Threads(network, LOSS)
        with pytest.raises(InputError, match="a Workers object must belong to this network"):
            Training(network, LOSS, SGD(), digits.train[:100], workers=given, **more, **OPTIONS)


def test_workers_follow_a_network_that_is_built_anew(digits):
    network, fresh = small(dtype=np.float64), Network(Dense(24), ReLU(), Dense(10)).build((784,), rng=5, dtype=float)
    with Threads(network, LOSS, 2) as threads, Threads(fresh, LOSS, 2) as others:
        threads.gradient(digits.train, np.arange(20))
        network.build((784,), rng=5, dtype=np.float64)
        threads.gradient(digits.train, np.arange(20))
        others.gradient(digits.train, np.arange(20))
    np.testing.assert_array_equal(network.grad, fresh.grad)


def test_a_second_iterator_takes_over(digits):
    whole, training = small(), small()
    list(Training(whole, LOSS, SGD(), digits.train[:300], workers=2, **OPTIONS))
    broken = Training(training, LOSS, SGD(), digits.train[:300], workers=2, **OPTIONS)
    old = iter(broken)
    next(old)
    new = iter(broken)
    next(new)
    del old
    list(new)
    assert_same(weights(training), weights(whole))


def test_a_copy_of_a_training_goes_on_by_itself(digits):
    network, options = small(Dense(8), Dropout(0.5), Dense(10)), OPTIONS | {"workers": 2}
    training = Training(network, LOSS, SGD(momentum=0.9), digits.train[:200], **options)
    steps = iter(training)
    for _ in range(3):
        next(steps)
    twin = copy.deepcopy(training)
    list(twin)
    before = weights(training.network)
    list(steps)
    assert_same(weights(twin.network), weights(training.network))
    assert not np.array_equal(before["dense_1.W"], training.network.tensors()["dense_1.W"])


def test_the_state_of_another_training_is_refused(digits):
    def make(**options):
        return Training(small(), LOSS, options.pop("optimizer", SGD()), digits.train[:options.pop("n", 200)],
                        **OPTIONS | options)  # fmt: skip

    state = make(averaging=0.9).state()
    for other in ({}, {"averaging": 0.5}, {"averaging": 0.9, "batch_size": 20}, {"averaging": 0.9, "workers": 2},
                  {"averaging": 0.9, "optimizer": Adam()}, {"averaging": 0.9, "n": 100}):  # fmt: skip
        with pytest.raises(ValueError, match="it is the state of a training run with"):
            make(**other).restore(*state)
    json.dumps(state[1])
    mersenne = make(rng=np.random.Generator(np.random.MT19937(3)))
    arrays, values = mersenne.state()
    again = make(rng=np.random.Generator(np.random.MT19937(4)))
    again.restore(arrays, json.loads(json.dumps(values)))
    list(again), list(mersenne)
    assert_same(weights(again.network), weights(mersenne.network))


def test_batches_of_no_weight_change_nothing_and_are_no_error(digits):
    seven = digits.train[:100]
    data = DataSet(seven.images, seven.labels, seven.class_names, weights=np.arange(100) % 2)
    for reduction in ("mean", "sum"):
        history = fit(small(), SoftmaxCrossEntropy(reduction), SGD(), data, batch_size=1, epochs=1, learning_rate=0.001)
        assert np.isfinite(history[0].train_loss)


def test_running_averages_are_written_at_once(digits):
    """Who predicts beside a training sees averages from before a batch or from after it, nothing in between."""
    network, seen = small(Dense(8), BatchNorm(momentum=0.5), Dense(10)), []

    class Watched(np.ndarray):
        def __setitem__(self, key, value):
            seen.append("written")
            super().__setitem__(key, value)

        def __imul__(self, other):
            seen.append("scaled in place")
            return super().__imul__(other)

    state = network.layers[1].state
    for name, array in state.items():
        state[name] = array.view(Watched)
    network.forward(network.as_input(digits.train.images[:50]), training=True)
    assert seen == ["written"] * 2


def test_the_gradient_of_the_input_against_complex_steps(digits):
    stack = Conv2D(3, 3), BatchNorm(), MaxPool(3), ReLU(), Dropout(0.5), Flatten(), Dense(10)
    network = Network(*stack).build((12, 12), dtype=np.float64)
    fit(network, LOSS, SGD(), DataSet(digits.train.images[:200, 8:20, 8:20], digits.train.labels[:200],
        digits.train.class_names), **OPTIONS)  # fmt: skip
    images, labels = digits.test.images[:2, 8:20, 8:20] / 255, digits.test.labels[:2]
    grad, state = network.grad.copy(), weights(network)
    dx = input_gradient(network, LOSS, images, labels)
    assert dx.shape == images.shape
    np.testing.assert_array_equal(network.grad, grad)
    assert_same(weights(network), state)
    other = network.astype(np.complex128)
    for place in np.ndindex(2, 12, 12):
        x = images.astype(complex)
        x[place] += 1e-30j
        assert LOSS(other.forward(x), labels)[0].imag / 1e-30 == pytest.approx(dx[place], rel=1e-10, abs=1e-14)
