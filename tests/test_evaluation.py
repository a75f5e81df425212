"""Evaluation: the figures that follow from probabilities and labels."""

import numpy as np
import pytest

from plainnet import DataSet, Dense, Flatten, InputError, Network
from plainnet.evaluation import Evaluation, as_percent, evaluate
from plainnet.metrics import wilson_interval

NAMES = ("a", "b", "c", "d")
LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])  # no example of d
GUESSES = np.array([0, 0, 1, 1, 3, 2, 2, 2, 2, 0])


def test_the_figures():
    data = DataSet(np.zeros((10, 2, 2)), LABELS, NAMES)
    test = Evaluation(data, np.eye(4)[GUESSES])
    assert test.predicted.tolist() == GUESSES.tolist()
    assert test.mistakes.tolist() == [2, 4, 9]
    assert test.accuracy == 0.7
    assert test.interval_95 == wilson_interval(7, 10)
    assert test.confusion.tolist() == [[2, 1, 0, 0], [0, 1, 0, 1], [1, 0, 4, 0], [0, 0, 0, 0]]
    assert test.per_class == {"a": 2 / 3, "b": 0.5, "c": 0.8}
    assert test.predicted is test.predicted  # computed once
    table = test.to_table()
    assert table.pop("trust")["certain"] == {}
    assert table == {
        "test_images": 10, "test_accuracy": 0.7, "test_interval_95": list(wilson_interval(7, 10)),
        "per_class_accuracy": {"a": 2 / 3, "b": 0.5, "c": 0.8}, "best_class": "c", "worst_class": "b",
        "confusion_matrix": test.confusion.tolist(), "mistakes": [2, 4, 9],
    }  # fmt: skip


def test_a_network_is_evaluated_as_it_answers(digits):
    network = Network(Flatten(), Dense(10)).build((28, 28), rng=3)
    some = digits.test[:50]
    test = evaluate(network, some)
    np.testing.assert_allclose(test.probabilities, network.probabilities(some.images), rtol=1e-6)
    assert test.data is some
    moved = evaluate(network, some, shifts=1)
    assert np.abs(moved.probabilities - test.probabilities).max() > 0.01


@pytest.mark.parametrize(("units", "classes"), [(3, 4), (5, 4), (1, 3)])
def test_data_of_another_kind_is_refused(units, classes):
    network = Network(Flatten(), Dense(classes), Dense(units)).build((2, 2))
    data = DataSet(np.zeros((3, 2, 2)), np.array([0, 1, 1]), NAMES[:classes])
    said = rf"the network gives outputs of shape \({units},\), but the data has {classes} classes"
    with pytest.raises(InputError, match=said):
        evaluate(network, data)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, ">99.9 %"), (0.9995, ">99.9 %"), (0.99949, "99.9 %"), (0.25, "25.0 %"), (0.0005, "0.1 %"),
        (0.00049, "<0.1 %"), (0.0, "<0.1 %"),
    ],
)  # fmt: skip
def test_percentages_never_read_as_certain(share, said):
    assert as_percent(share) == said
