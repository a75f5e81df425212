import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainnet.metrics import accuracy, confusion_matrix, mcnemar, per_class_accuracy, precision, wilson_interval


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


def test_precision_looks_down_the_columns():
    confusion = np.array([[8, 2, 0], [1, 9, 0], [3, 0, 0]])
    np.testing.assert_allclose(precision(confusion), [8 / 12, 9 / 11, np.nan])


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [(0, 0, 1.0), (3, 3, 1.0), (0, 5, 2 / 32), (1, 7, 2 * 9 / 256), (7, 1, 18 / 256)],
)
def test_mcnemar_by_hand(only_first, only_second, p):
    assert mcnemar(only_first, only_second) == pytest.approx(p)
    assert 0 <= mcnemar(4000, 3000) < 1e-30
    assert mcnemar(200, 170) == pytest.approx(2 * sum(math.comb(370, k) for k in range(171)) / 2**370, rel=1e-11)
    assert 0.9 < mcnemar(400_000, 400_000) <= 1  # at once
