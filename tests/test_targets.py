"""Targets, losses and metrics: nothing but the loss knows what a target means."""

import numpy as np
import pytest

from plainnet import (
    SGD,
    Adam,
    BinaryCrossEntropy,
    DataSet,
    Dense,
    Epoch,
    Huber,
    InputError,
    MeanSquaredError,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Training,
    evaluate,
    fit,
)
from small_networks import LOSS, OPTIONS, small


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
    with pytest.raises(InputError, match=r'whether it averages or sums: f.reduction = "mean" or "sum"'):
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
        (MeanSquaredError(), data, "MeanSquaredError takes targets that are numbers, but the data has classes"),
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
