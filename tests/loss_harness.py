"""What every loss must do, written once; `test_losses.py` runs each loss through all of it."""

import pickle

import numpy as np
import pytest

from plainnet import InputError
from plainnet.config import construct
from plainnet.losses import LOSSES

STEP = 1e-30
N, K = 7, 4
RNG = np.random.default_rng(0)
TARGETS = {
    "classes": RNG.integers(0, K, N),
    "probabilities": RNG.dirichlet(np.ones(K), N),
    "labels": RNG.integers(0, 2, (N, K)),
    "numbers": RNG.standard_normal((N, K)),
}


class LossHarness:
    """One loss under test, given as a factory that takes `reduction`, with one kind of targets."""

    def __init__(self, make, kind, outputs=K):
        self.make = make
        self.outputs = 2 * RNG.standard_normal((N, outputs))
        self.targets = TARGETS[kind] if outputs == K or kind == "classes" else TARGETS[kind][:, 0]
        if kind == "classes" and outputs == 1:
            self.targets = TARGETS["labels"][:, 0]
        self.weights = RNG.random(N) + 0.1

    def check_gradient_by_complex_step(self):
        for reduction in ("mean", "sum"):
            loss = self.make(reduction=reduction)
            for weights in (None, self.weights):
                _, gradient = loss(self.outputs, self.targets, weights)
                for place in np.ndindex(self.outputs.shape):
                    moved = self.outputs.astype(complex)
                    moved[place] += 1j * STEP
                    slope = loss(moved, self.targets, weights)[0].imag / STEP
                    assert slope == pytest.approx(gradient[place], rel=1e-11, abs=1e-15)

    def check_the_mean_is_the_sum_by_the_weights(self):
        for weights in (None, self.weights):
            mean, dmean = self.make(reduction="mean")(self.outputs, self.targets, weights)
            total, dtotal = self.make(reduction="sum")(self.outputs, self.targets, weights)
            counted = self.make().total(self.targets, weights)
            assert total == pytest.approx(counted * mean)
            np.testing.assert_allclose(dtotal, counted * dmean, rtol=1e-12, atol=1e-18)

    def check_parts_of_a_batch_add_up(self):
        for reduction in ("mean", "sum"):
            loss = self.make(reduction=reduction)
            for weights in (None, self.weights):
                whole, gradient = loss(self.outputs, self.targets, weights)
                total = loss.total(self.targets, weights)
                parts = [
                    loss(
                        self.outputs[rows], self.targets[rows], None if weights is None else weights[rows], total=total
                    )
                    for rows in (slice(0, 1), slice(1, 5), slice(5, None))
                ]
                assert sum(value for value, _ in parts) == pytest.approx(whole)
                np.testing.assert_allclose(np.concatenate([g for _, g in parts]), gradient, rtol=1e-12, atol=1e-18)

    def check_a_weight_of_two_is_the_example_twice(self):
        rows = np.array([0, 0, *range(1, N)])
        expected, gradient = self.make()(self.outputs[rows], self.targets[rows])
        value, weighted = self.make()(self.outputs, self.targets, np.bincount(rows).astype(float))
        assert value == pytest.approx(expected)
        np.testing.assert_allclose(weighted[1:], gradient[2:], rtol=1e-12, atol=1e-18)
        nothing, gradient = self.make()(self.outputs, self.targets, np.zeros(N))
        assert nothing == 0
        assert not gradient.any()

    def check_types_are_kept_and_arguments_left_alone(self):
        for dtype in (np.float32, np.float64):
            outputs, targets = self.outputs.astype(dtype), self.targets.copy()
            outputs.flags.writeable = targets.flags.writeable = False
            for weights in (None, self.weights):
                value, gradient = self.make()(outputs, targets, weights)
                assert isinstance(value, float)
                assert gradient.dtype == dtype
            np.testing.assert_array_equal(targets, self.targets)

    def check_large_outputs_stay_finite(self):
        for dtype in (np.float32, np.float64):
            value, gradient = self.make()((self.outputs * 1e4).astype(dtype), self.targets)
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()

    def check_targets_that_do_not_fit_are_refused(self):
        for targets in (self.targets[:-1], np.zeros((N, K + 1)), np.zeros((N, K, 2))):
            with pytest.raises(InputError, match=r"expected|must"):
                self.make()(self.outputs, targets)

    def check_it_says_what_it_takes_and_measures(self):
        loss = self.make()
        assert set(loss.takes) <= set(TARGETS)
        assert loss.reduction == "mean"
        for metric in loss.metrics.values():
            assert metric(self.outputs, self.targets).shape == (N,)
        with pytest.raises(InputError, match='reduction must be "mean" or "sum"'):
            self.make(reduction="max")

    def check_it_is_made_of_a_table_and_copied(self):
        made = construct(LOSSES, {"type": type(self.make()).__name__}, "loss")
        assert type(made) is type(self.make())
        expected = self.make()(self.outputs, self.targets)[0]
        assert pickle.loads(pickle.dumps(self.make()))(self.outputs, self.targets)[0] == expected


CHECKS = [name for name in vars(LossHarness) if name.startswith("check_")]
