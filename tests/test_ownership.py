"""Who owns state: layers, optimizers, passes and trainings each have their own, and nobody else's."""

import copy
import json
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
    BinaryCrossEntropy,
    Conv2D,
    DataSet,
    Dense,
    Dropout,
    Epoch,
    Flatten,
    Huber,
    InputError,
    MaxPool,
    MeanSquaredError,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Stop,
    Stopping,
    Training,
    TrainingDivergedError,
    check_gradients,
    epochs,
    evaluate,
    fit,
    input_gradient,
)
from plainnet.context import Context
from plainnet.layers import Ensemble, Layer, Residual
from plainnet.metrics import absolute_error
from plainnet.optimizers import Optimizer
from plainnet.weight_average import WeightAverage
from plainnet.workers import Figures, Threads

LOSS = SoftmaxCrossEntropy()
OPTIONS = {"batch_size": 50, "epochs": 2, "learning_rate": 0.05}


def small(*layers, **options):
    return Network(*(layers or (Dense(24), ReLU(), Dense(10)))).build((784,), rng=0, **options)


def weights(network):
    return {name: tensor.copy() for name, tensor in network.tensors().items()}


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, second[name], err_msg=name)


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
    with pytest.raises(InputError, match="another training has taken this optimizer; give each training"):
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
        with pytest.raises(InputError, match="the optimizer must be one such as SGD"):
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
    with pytest.raises(InputError, match="stands twice"):
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


# 4. Targets, loss, metrics


def two_digits(digits, *pair):
    rows = np.isin(digits.train.labels, pair)
    chosen = digits.train[np.flatnonzero(rows)[:2000]]
    return DataSet(chosen.images, (chosen.labels == pair[1]).astype(np.uint8), ("zero", "one"))


def test_a_model_with_one_logit_is_measured_as_it_answers(digits):
    data = two_digits(digits, 0, 1)
    network = Network(Dense(1)).build((784,))
    history = fit(network, BinaryCrossEntropy(), SGD(momentum=0.9), data, data, **OPTIONS)
    assert history[-1].validation_accuracy > 0.98
    assert evaluate(network, BinaryCrossEntropy(), data)[1]["accuracy"] == history[-1].validation_accuracy
    assert np.mean(network.predict(data.images) == data.labels) == history[-1].validation_accuracy
    shares = network.probabilities(data.images[:5])
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)


def test_several_labels_of_one_example(digits):
    images, labels = digits.train.images[:2000], digits.train.labels[:2000]
    kinds = np.stack([labels % 2, labels > 4], axis=1).astype(np.uint8)
    data = DataSet(images, kinds, ("odd", "large"))
    assert data.kind == "labels"
    history = fit(small(Dense(24), ReLU(), Dense(2)), BinaryCrossEntropy(), Adam(), data,
                  **OPTIONS | {"learning_rate": 0.003, "epochs": 4})  # fmt: skip
    assert history[-1].train_accuracy > 0.85


@pytest.mark.parametrize("loss", [MeanSquaredError(), Huber(0.5), MeanSquaredError("sum")])
def test_numbers_are_learned_and_measured_by_their_distance(loss):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 5)).astype(np.float32)
    data = DataSet(x, x @ np.arange(5) + 1)
    assert data.kind == "numbers"
    rate = 0.05 if loss.reduction == "mean" else 0.05 / 50
    history = fit(Network(Dense(1)).build((5,)), loss, SGD(momentum=0.5), data, data[:100],
                  **OPTIONS | {"epochs": 30, "learning_rate": rate})  # fmt: skip
    assert history[-1].train["absolute_error"] < 0.05
    assert history[-1].validation["absolute_error"] < 0.05
    assert history[-1].train_accuracy is history[-1].validation_accuracy is None
    assert "absolute error" in str(history[-1])
    assert Epoch.from_table(history[-1].to_table()) == history[-1]


def test_soft_targets_and_class_weights(digits):
    data = digits.train[:1000]
    one_hot = DataSet(data.images, np.eye(10)[data.labels], data.class_names)
    assert one_hot.kind == "probabilities"
    hard, soft = small(dtype=np.float64), small(dtype=np.float64)
    fit(hard, LOSS, SGD(), data, **OPTIONS)
    history = fit(soft, LOSS, SGD(), one_hot, **OPTIONS)
    np.testing.assert_allclose(hard.theta, soft.theta, rtol=1e-9, atol=1e-12)
    assert 0.3 < history[-1].train_accuracy <= 1
    towards_7 = np.where(np.arange(10) == 7, 20.0, 1.0)
    seven = data.labels == 7
    plain, weighted = (fit_and_predict(loss, data) for loss in (LOSS, SoftmaxCrossEntropy(class_weights=towards_7)))
    assert np.mean(weighted[seven] == 7) > np.mean(plain[seven] == 7)
    assert np.mean(weighted == 7) > np.mean(plain == 7)


def fit_and_predict(loss, data):
    network = small()
    fit(network, loss, SGD(momentum=0.9), data, **OPTIONS | {"epochs": 1})
    return network.predict(data.images)


def summed(outputs, targets):
    return SoftmaxCrossEntropy("sum")(outputs, targets)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_loss_of_ones_own_says_whether_it_adds_up(workers, digits):
    data, rate = digits.train[:500], OPTIONS | {"learning_rate": 0.001, "workers": workers}
    with pytest.raises(InputError, match=r'whether it averages or adds up: f.reduction = "mean" or "sum"'):
        fit(small(), summed, SGD(), data, **rate)
    try:
        summed.reduction = "sum"
        own = fit(network := small(dtype=np.float64), summed, SGD(), data, **rate)
        ours = fit(other := small(dtype=np.float64), SoftmaxCrossEntropy("sum"), SGD(), data, **rate)
    finally:
        del summed.reduction
    np.testing.assert_allclose(network.theta, other.theta, rtol=1e-9, atol=1e-12)
    assert own[0].train_loss == pytest.approx(ours[0].train_loss)

    class Mean:
        reduction, metrics = "mean", LOSS.metrics

        def __call__(self, outputs, targets):
            return LOSS(outputs, targets)

    mean = fit(network := small(dtype=np.float64), Mean(), SGD(), data, **rate)
    fit(other := small(dtype=np.float64), LOSS, SGD(), data, **rate)
    np.testing.assert_allclose(network.theta, other.theta, rtol=1e-9, atol=1e-12)
    assert mean[0].train_accuracy > 0


def test_targets_that_the_loss_does_not_take_are_refused_at_once(digits):
    data, numbers = digits.train[:100], DataSet(np.ones((9, 784), np.float32), np.ones(9))
    for loss, given, sentence in (
        (MeanSquaredError(), data, "MeanSquaredError takes targets that are numbers, the data has classes"),
        (LOSS, numbers, "SoftmaxCrossEntropy takes targets that are classes or probabilities, .* has numbers"),
        (BinaryCrossEntropy(), data, "expected logits|has 10 classes"),
        (SoftmaxCrossEntropy, data, r"the loss must be an object, received the class; write SoftmaxCrossEntropy\(\)"),
        (None, data, "the loss must be a Loss such as"),
    ):
        with pytest.raises(InputError, match=sentence):
            Training(small(), loss, SGD(), given, **OPTIONS)


def test_metrics_are_functions_by_name(digits):
    def top_three(outputs, targets):
        return (np.argsort(-outputs, axis=1)[:, :3] == targets[:, None]).any(axis=1)

    metrics = {"top_three": top_three} | LOSS.metrics
    history = fit(small(), LOSS, SGD(), digits.train[:500], digits.validation[:200], metrics=metrics, **OPTIONS)
    assert history[-1].validation["top_three"] > history[-1].validation["accuracy"]
    assert "train_top_three" in history[0].to_table()
    measured = evaluate(small(), LOSS, digits.validation[:200], metrics={"top_three": top_three})[1]
    assert list(measured) == ["top_three"]


# 5. Workers, events, stops, and what the inputs do


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
    assert "the validation loss has not improved in 3 epochs; the weights are again those after epoch" in str(event)


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
        with pytest.raises(InputError, match="needs validation data, and no averaging"):
            Training(small(), LOSS, SGD(), data, stop=stop, **more, **OPTIONS)
    f1 = Stopping(patience=1, metric="f1", larger_is_better=True)
    with pytest.raises(InputError, match="stopping needs 'f1', which is not measured; there is loss, accuracy"):
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
        with pytest.raises(InputError, match="workers that are given must be those of this network"):
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
        with pytest.raises(ValueError, match="it is the state of a training with"):
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
