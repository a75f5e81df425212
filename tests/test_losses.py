from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loss_harness import CHECKS, LossHarness
from plainnet import BinaryCrossEntropy, Huber, InputError, MeanSquaredError, SoftmaxCrossEntropy
from plainnet.losses import LOSSES
from plainnet.metrics import absolute_error, correct_class, correct_labels
from plainnet.softmax import log_softmax, softmax

loss = SoftmaxCrossEntropy()

CASES = {  # every loss, with every kind of targets and in every way that matters to its code
    "SoftmaxCrossEntropy": (SoftmaxCrossEntropy, "classes"),
    "SoftmaxCrossEntropy, smoothed": (partial(SoftmaxCrossEntropy, label_smoothing=0.2), "classes"),
    "SoftmaxCrossEntropy, weighted": (partial(SoftmaxCrossEntropy, class_weights=[1, 2, 0.5, 3]), "classes"),
    "SoftmaxCrossEntropy of soft targets": (SoftmaxCrossEntropy, "probabilities"),
    "SoftmaxCrossEntropy of soft targets, smoothed and weighted": (
        partial(SoftmaxCrossEntropy, label_smoothing=0.1, class_weights=[1, 2, 0.5, 3]), "probabilities"
    ),
    "BinaryCrossEntropy": (BinaryCrossEntropy, "labels"),
    "BinaryCrossEntropy of one logit": (BinaryCrossEntropy, "labels", 1),
    "BinaryCrossEntropy of two classes": (BinaryCrossEntropy, "classes", 1),
    "MeanSquaredError": (MeanSquaredError, "numbers"),
    "MeanSquaredError of one number": (MeanSquaredError, "numbers", 1),
    "Huber": (Huber, "numbers"),
    "Huber, narrow": (partial(Huber, 0.3), "numbers"),
}  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_every_loss_keeps_the_contract(case, check):
    getattr(LossHarness(*CASES[case]), check)()


def test_no_loss_is_left_out():
    assert {type(make()).__name__ for make, *_ in CASES.values()} == set(LOSSES)


def test_by_hand():
    z, t = np.array([[0.5, -2.0]]), np.array([[1, 0]])
    p = 1 / (1 + np.exp(-z))
    assert BinaryCrossEntropy()(z, t)[0] == pytest.approx(-(np.log(p[0, 0]) + np.log(1 - p[0, 1])) / 2)
    assert MeanSquaredError()(z, np.array([[1.5, 1.0]]))[0] == pytest.approx((1 + 9) / 2)
    value, gradient = Huber(2.0)(z, np.array([[1.5, 1.0]]))
    assert value == pytest.approx((0.5 + 2 * (3 - 1)) / 2)
    np.testing.assert_allclose(gradient, [[-0.5, -1.0]])
    weighted = SoftmaxCrossEntropy(class_weights=[1.0, 3.0])(np.zeros((2, 2)), np.array([0, 1]))
    assert weighted[0] == pytest.approx(np.log(2))
    np.testing.assert_allclose(weighted[1], np.array([[-1, 1], [3, -3]]) / 8)


def test_metrics_by_hand():
    outputs = np.array([[1.0, 2.0, 0.0], [5.0, 1.0, 1.0]])
    np.testing.assert_array_equal(correct_class(outputs, np.array([1, 2])), [True, False])
    np.testing.assert_array_equal(correct_class(outputs, np.array([[0.2, 0.5, 0.3], [0.9, 0.1, 0]])), [True, True])
    np.testing.assert_allclose(
        correct_labels(np.array([[1.0, -1.0], [2.0, 3.0]]), np.array([[1, 0], [0, 1]])), [1, 0.5]
    )
    np.testing.assert_array_equal(correct_labels(np.array([[0.1], [-0.1]]), np.array([1, 1])), [1, 0])
    np.testing.assert_allclose(absolute_error(outputs, np.zeros((2, 3))), [1, 7 / 3])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SoftmaxCrossEntropy(class_weights=[1, -1]), "class_weights must be positive numbers"),
        (lambda: SoftmaxCrossEntropy(class_weights=[1, float("inf")]), "class_weights must be positive numbers"),
        (lambda: SoftmaxCrossEntropy(class_weights=["a"]), "a class weight must be a number"),
        (lambda: SoftmaxCrossEntropy(class_weights=[1, 2])(np.zeros((1, 3)), np.array([0])), "must hold 3 numbers"),
        (lambda: Huber(0.0), "delta must be a positive number"),
        (lambda: BinaryCrossEntropy()(np.zeros((2, 1)), np.array([0, 2])), "targets must be numbers from 0 to 1"),
        (
            lambda: BinaryCrossEntropy()(np.zeros((2, 1)), np.array([0.0, np.nan])),
            "targets must be numbers from 0 to 1",
        ),
    ],
)
def test_what_a_loss_cannot_use_is_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_uniform_logits_cost_the_logarithm_of_the_classes():
    value, dlogits = loss(np.zeros((4, 10)), np.array([0, 3, 9, 9]))
    assert value == pytest.approx(np.log(10))
    assert dlogits[0, 0] == pytest.approx((0.1 - 1) / 4)
    assert dlogits[0, 1] == pytest.approx(0.1 / 4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(2, 12), st.floats(0.01, 300))
def test_gradient_by_complex_step(seed, n, k, scale):
    rng = np.random.default_rng(seed)
    logits, labels = rng.standard_normal((n, k)) * scale, rng.integers(0, k, n)
    value, dlogits = loss(logits, labels)
    assert value >= 0
    np.testing.assert_allclose(dlogits.sum(axis=1), 0, atol=1e-15)
    with np.errstate(under="ignore"):
        for place in np.ndindex(n, k):
            moved = logits.astype(complex)
            moved[place] += 1e-30j
            assert loss(moved, labels)[0].imag / 1e-30 == pytest.approx(dlogits[place], rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_label_smoothing_is_a_softer_target(reduction):
    rng = np.random.default_rng(0)
    logits, labels, target = rng.standard_normal((6, 4)), rng.integers(0, 4, 6), np.full((6, 4), 0.05)
    target[range(6), labels] += 0.8
    value, dlogits = SoftmaxCrossEntropy(reduction, label_smoothing=0.2)(logits, labels)
    count = 6 if reduction == "mean" else 1
    assert value == pytest.approx(-(target * log_softmax(logits)).sum() / count)
    np.testing.assert_allclose(dlogits, (softmax(logits) - target) / count)
    with pytest.raises(InputError, match="label_smoothing must be at least 0 and below 1"):
        SoftmaxCrossEntropy(label_smoothing=1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_stay_finite(dtype):
    logits = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4]], dtype)
    value, dlogits = loss(logits, np.array([1, 2]))
    assert value == pytest.approx((2e4 + np.log(3)) / 2)
    assert np.isfinite(dlogits).all()
    assert dlogits.dtype == dtype


def test_adding_a_constant_changes_nothing():
    logits = np.random.default_rng(0).standard_normal((5, 4))
    np.testing.assert_allclose(softmax(logits + 500), softmax(logits), rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_softmax(logits)).sum(axis=1), 1)


def test_each_row_is_normalized_by_itself():
    rows = np.array([[0.0, 1.0], [5.0, 5.0]])
    np.testing.assert_allclose(softmax(rows)[1], 0.5)


def test_logits_are_not_written_to():
    logits = np.ones((2, 3))
    logits.flags.writeable = False
    loss(logits, np.array([0, 1]))


@pytest.mark.parametrize(
    ("logits", "labels"),
    [((2, 3), (3,)), ((2, 3), (1,)), ((2, 3), (2, 1)), ((3,), (3,)), ((2, 3, 1), (2,))],
)
def test_labels_must_fit(logits, labels):
    with pytest.raises(InputError, match=r"expected logits \(N, K\) and labels \(N,\)"):
        loss(np.zeros(logits), np.zeros(labels, int))


def test_the_sum_is_the_mean_times_the_batch():
    logits, labels = np.random.default_rng(0).standard_normal((5, 4)), np.array([0, 1, 2, 3, 0])
    (mean, dmean), (total, dtotal) = loss(logits, labels), SoftmaxCrossEntropy(reduction="sum")(logits, labels)
    assert total == pytest.approx(5 * mean)
    np.testing.assert_allclose(dtotal, 5 * dmean)
    with pytest.raises(InputError, match='"mean" or "sum", received'):
        SoftmaxCrossEntropy(reduction="none")


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3], [0.0, 1.0]])
def test_labels_must_name_classes(labels):
    with pytest.raises(InputError, match="labels must be whole numbers from 0 to 2"):
        loss(np.zeros((2, 3)), np.array(labels))
    with pytest.raises(InputError, match="labels must be whole numbers"):
        loss(np.zeros((0, 3)), np.zeros(0, int))


@pytest.mark.parametrize("smoothing", [-0.5, 1.0, 1.5, float("nan")])
def test_label_smoothing_is_a_share(smoothing):
    with pytest.raises(InputError, match="label_smoothing must be at least 0 and below 1"):
        SoftmaxCrossEntropy(label_smoothing=smoothing)


@pytest.mark.parametrize("label", [10, 11, 200, -1])
def test_labels_beyond_the_classes_are_refused(label):
    with pytest.raises(InputError, match="whole numbers from 0 to 9, received"):
        loss(np.zeros((1, 10)), np.array([label]))
