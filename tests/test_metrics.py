import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainnet.metrics import accuracy, confusion_matrix, per_class_accuracy, wilson_interval


def test_confusion_rows_are_true_classes():
    labels, predicted = np.array([0, 0, 1, 2], np.uint8), np.array([0, 1, 1, 0])
    confusion = confusion_matrix(predicted, labels, 4)
    assert confusion.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert accuracy(predicted, labels) == 0.5
    np.testing.assert_array_equal(per_class_accuracy(confusion), [0.5, 1, 0, np.nan])


def test_wilson_interval_against_published_values():
    low, high = wilson_interval(81, 263)  # Newcombe 1998, table I, method 3
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


@given(st.integers(1, 10_000), st.data())
def test_wilson_interval_holds_the_share(trials, data):
    successes = data.draw(st.integers(0, trials))
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1
