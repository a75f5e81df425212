import copy
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from layer_harness import CHECKS, LayerHarness, N
from plainnet import (
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    InputError,
    MaxPool,
    MeanSquaredError,
    Network,
    ReLU,
    Sigmoid,
    Tanh,
    fit,
)
from plainnet.context import Context
from plainnet.layers import (
    GELU,
    LAYERS,
    AveragePool,
    Deskew,
    Ensemble,
    GaussianNoise,
    GlobalAveragePool,
    Layer,
    LayerNorm,
    LeakyReLU,
    NormalizeSize,
    Residual,
    Sequential,
    SiLU,
    Standardize,
    patches,
)

CASES = {  # every kind of layer, in every way that matters to its code
    "AveragePool": (AveragePool, (4, 4, 2)),
    "AveragePool with pixels left over": (lambda: AveragePool(3), (7, 5, 2)),
    "AveragePool of 1": (lambda: AveragePool(1), (2, 3, 1)),
    "BatchNorm": (BatchNorm, (3,)),
    "BatchNorm of images": (lambda: BatchNorm(momentum=0.5, epsilon=0.1), (3, 2, 2)),
    "BatchNorm frozen": (lambda: BatchNorm(frozen=True), (2, 2, 3)),
    "Conv2D": (lambda: Conv2D(2, 3), (5, 4, 2)),
    "Conv2D of one channel": (lambda: Conv2D(2, 2), (4, 3)),
    "Conv2D as large as the image": (lambda: Conv2D(3, 3), (3, 3, 2)),
    "Conv2D, tiles of 2": (lambda: Conv2D(2, 3, method="winograd2"), (5, 6, 2)),
    "Conv2D, tiles of 4, same": (lambda: Conv2D(2, 3, method="winograd4", padding="same"), (5, 4, 2)),
    "Conv2D, tiles of 4, stride 2": (lambda: Conv2D(1, 5, stride=2, method="winograd4", padding="same"), (7, 6, 1)),
    "Conv2D, tiles of 2, 5x5": (lambda: Conv2D(1, 5, method="winograd2"), (7, 6)),
    "Conv2D of many channels": (lambda: Conv2D(1, 2), (3, 3, 17)),
    "Conv2D same": (lambda: Conv2D(2, 3, padding="same"), (4, 3, 2)),
    "Conv2D same, even size": (lambda: Conv2D(2, 2, padding="same"), (3, 4, 2)),
    "Conv2D stride 2": (lambda: Conv2D(2, 3, stride=2), (6, 5, 2)),
    "Conv2D stride 2, same": (lambda: Conv2D(2, 5, stride=2, padding="same"), (6, 7, 1)),
    "Conv2D stride larger than size": (lambda: Conv2D(2, 2, stride=3), (7, 6, 2)),
    "Conv2D stride larger than size, same": (lambda: Conv2D(1, 2, stride=3, padding="same"), (6, 7, 1)),
    "Conv2D stride 3": (lambda: Conv2D(1, 5, stride=3), (9, 8, 1)),
    "Conv2D stride 3, same": (lambda: Conv2D(1, 5, stride=3, padding="same"), (7, 9, 1)),
    "Conv2D stride 4, same": (lambda: Conv2D(1, 6, stride=4, padding="same"), (10, 7, 1)),
    "Conv2D of images smaller than the stride, same": (lambda: Conv2D(2, 3, stride=4, padding="same"), (3, 2, 2)),
    "MaxPool": (MaxPool, (4, 4, 2)),
    "MaxPool with pixels left over": (MaxPool, (5, 3, 2)),
    "MaxPool of 3": (lambda: MaxPool(3), (6, 7, 2)),
    "MaxPool of 1": (lambda: MaxPool(1), (2, 2, 2)),
    "Dense": (lambda: Dense(4), (3,)),
    "Dense to one unit": (lambda: Dense(1), (6,)),
    "Deskew": (Deskew, (5, 4)),
    "Deskew of one row": (Deskew, (1, 6)),
    "Deskew of several channels": (Deskew, (4, 5, 3)),
    "NormalizeSize": (NormalizeSize, (5, 4)),
    "NormalizeSize of one row": (NormalizeSize, (1, 6)),
    "NormalizeSize of several channels": (lambda: NormalizeSize(strength=1.0), (4, 5, 3)),
    "NormalizeSize at its limit": (lambda: NormalizeSize(spread=0.9), (5, 4)),
    "NormalizeSize with one bright row": (lambda: NormalizeSize(strength=0.02), (1, 4)),
    "NormalizeSize, only centered": (lambda: NormalizeSize(strength=0.0), (4, 3)),
    "Dropout": (lambda: Dropout(0.4), (9,)),
    "Dropout of images": (lambda: Dropout(0.5), (3, 2, 2)),
    "Dropout of nothing": (lambda: Dropout(0.0), (4,)),
    "Ensemble of one": (lambda: Ensemble([[Dense(3)]]), (4,)),
    "Ensemble": (
        lambda: Ensemble([[Flatten(), Dense(3)], [Conv2D(2, 2), BatchNorm(), ReLU(), Flatten(), Dense(3)]]),
        (3, 3, 1),
    ),
    "Flatten": (Flatten, (3, 2)),
    "Flatten a vector": (Flatten, (3,)),
    "GaussianNoise": (lambda: GaussianNoise(0.3), (6,)),
    "GaussianNoise of images": (lambda: GaussianNoise(1.0), (3, 2, 2)),
    "GaussianNoise of nothing": (lambda: GaussianNoise(0.0), (4,)),
    "GlobalAveragePool": (GlobalAveragePool, (3, 4, 2)),
    "GELU": (GELU, (7,)),
    "LayerNorm": (LayerNorm, (5,)),
    "Standardize": (Standardize, (5,)),
    "Standardize of images": (Standardize, (3, 2, 4)),
    "Standardize of images without channels": (Standardize, (3, 2)),
    "Standardize, inverse": (lambda: Standardize(inverse=True), (3,)),
    "LayerNorm of images": (lambda: LayerNorm(epsilon=0.1), (3, 2, 4)),
    "LeakyReLU": (LeakyReLU, (7,)),
    "LeakyReLU, steep": (lambda: LeakyReLU(0.3), (3, 2, 2)),
    "Residual": (lambda: Residual(Dense(3), Tanh(), Dense(4)), (4,)),
    "Residual of nothing to learn": (lambda: Residual(Sigmoid()), (4,)),
    "Residual of images": (
        lambda: Residual(Conv2D(2, 3, padding="same"), BatchNorm(), ReLU(), Dropout(0.3), GaussianNoise(0.1)),
        (4, 3, 2),
    ),
    "Sequential": (lambda: Sequential(Dense(3), Residual(Dense(3), Tanh())), (4,)),
    "SiLU": (SiLU, (7,)),
    "ReLU": (ReLU, (7,)),
    "ReLU of images": (ReLU, (3, 2, 2)),
    "Sigmoid": (Sigmoid, (7,)),
    "Tanh": (Tanh, (7,)),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_every_layer_keeps_the_contract(case, check):
    getattr(LayerHarness(*CASES[case]), check)()


def test_no_layer_is_left_out():
    assert {type(make()).__name__ for make, _ in CASES.values()} == set(LAYERS)


class DenseWithoutBiasGradient(Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.b.grad /= len(dy)
        return dx


class LeakyByOversight(ReLU):
    def backward(self, dy, *, need_dx=True):
        (y,) = self.recall()
        return dy * (y >= 0)  # of the output, which is never negative: always true


class Accumulating(Dense):
    def backward(self, dy, *, need_dx=True):
        before = self.W.grad.copy()
        dx = super().backward(dy, need_dx=need_dx)
        self.W.grad += before
        return dx


class EditsItsInput(Tanh):
    def forward(self, x, *, training=False):
        np.tanh(x, out=x)
        return super().forward(x, training=training)


class Doubles(ReLU):
    def forward(self, x, *, training=False):
        return super().forward(x, training=training) * np.float64(1)


class LeavesTheLast(ReLU):
    def backward(self, dy, *, need_dx=True):
        dx = self.buffer("part", dy.shape, dy.dtype)
        dx[:, :-1] = super().backward(dy)[:, :-1]
        return dx


class KeepsItsInput(Tanh):
    def forward(self, x, *, training=False):
        self.x = x
        return super().forward(x, training=training)


class SharesItsMemory(Tanh):
    memory: ClassVar = np.empty((N, 4))

    def forward(self, x, *, training=False):
        y = np.tanh(x, out=self.memory[: len(x)])
        self.remember(y)
        return y


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (lambda: DenseWithoutBiasGradient(3), "check_gradients_by_complex_step"),
        (LeakyByOversight, "check_gradients_by_complex_step"),
        (LeakyByOversight, "check_adjoint"),
        (lambda: Accumulating(3), "check_gradients_are_overwritten_and_need_no_dx"),
        (EditsItsInput, "check_arguments_are_not_written_to"),
        (Doubles, "check_types_are_kept"),
        (LeavesTheLast, "check_new_memory_may_hold_anything"),
        (KeepsItsInput, "check_a_pass_leaves_nothing_on_the_layer"),
        (SharesItsMemory, "check_passes_at_the_same_time_do_not_meet"),
    ],
)
def test_the_harness_finds_what_is_wrong(make, check):
    with pytest.raises((AssertionError, ValueError)):
        getattr(LayerHarness(make, (4,)), check)()


def test_buffers_are_kept_grown_and_apart():
    layer, context = Layer(), Context()
    with context:
        first = layer.buffer("y", (4, 3), np.float32)
        for shape in ((4, 3), (2, 3)):
            again = layer.buffer("y", shape, np.float32)
            assert again.shape == shape
            assert np.shares_memory(first, again)
        assert not np.shares_memory(first, layer.buffer("dx", (4, 3), np.float32))
        assert not np.shares_memory(first, Layer().buffer("y", (4, 3), np.float32))
        for shape, dtype in (((4, 2), np.float32), ((4, 4), np.float32), ((9, 3), np.float32), ((4, 3), np.float64)):
            other = layer.buffer("y", shape, dtype)
            assert (other.shape, other.dtype) == (shape, dtype)
            assert not np.shares_memory(first, other)
        assert layer.buffer("y", (4, 3), np.float32).dtype == np.float32
        with Context():
            assert not np.shares_memory(layer.buffer("y", (4, 3), np.float32), first)
    outside = layer.buffer("y", (4, 3), np.float32)
    assert not np.shares_memory(outside, layer.buffer("y", (4, 3), np.float32))


def test_dense_against_loops():
    network = Network(Dense(2)).build((3,), rng=0, dtype=float)
    network.parameters[1].value[:] = (0.5, -0.25)
    (W, b), x = (p.value for p in network.parameters), np.arange(12.0).reshape(4, 3) / 7
    expected = [[sum(x[n, d] * W[d, m] for d in range(3)) + b[m] for m in range(2)] for n in range(4)]
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-14)


@pytest.mark.parametrize(("stride", "padding"), [(1, "valid"), (2, "valid"), (1, "same"), (2, "same"), (3, "same")])
def test_convolution_against_loops(stride, padding):
    """The definition, place by place; "same" puts the odd zero below and right."""
    network = Network(Conv2D(2, 4, stride=stride, padding=padding)).build((7, 6, 3), rng=0, dtype=float)
    network.parameters[1].value[:] = (0.5, -0.25)
    (W, b), x = (p.value for p in network.parameters), np.random.default_rng(0).standard_normal((2, 7, 6, 3))
    height, width, _ = network.out_shapes[0]
    if padding == "same":
        assert (height, width) == (-(-7 // stride), -(-6 // stride))
        missing = [max((out - 1) * stride + 4 - size, 0) for out, size in ((height, 7), (width, 6))]
        x = np.pad(x, [(0, 0), *((total // 2, total - total // 2) for total in missing), (0, 0)])
    else:
        assert (height, width) == ((7 - 4) // stride + 1, (6 - 4) // stride + 1)
    expected = np.zeros((2, height, width, 2))
    for n, i, j, f in np.ndindex(expected.shape):
        patch = x[n, stride * i : stride * i + 4, stride * j : stride * j + 4]
        expected[n, i, j, f] = (patch * W[..., f]).sum() + b[f]
    got = network.forward(x[:, (x.shape[1] - 7) // 2 :, (x.shape[2] - 6) // 2 :][:, :7, :6])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_the_parameters_of_a_convolution():
    layer = Network(Conv2D(5, 3)).build((8, 8, 7)).layers[0]
    assert (layer.stride, layer.out_shape) == (1, (6, 6, 5))
    assert [(p.name, p.shape, p.decay) for p in layer.parameters] == [
        ("conv2d_1.W", (3, 3, 7, 5), True),
        ("conv2d_1.b", (5,), False),
    ]
    assert layer.W.fan_in == 3 * 3 * 7
    for size in (1, 3):
        assert Network(Conv2D(1, size, padding="same")).build((2, 2)).out_shapes == [(2, 2, 1)]


def test_pooling_against_loops():
    x = np.random.default_rng(0).standard_normal((2, 7, 8, 3))
    y = Network(MaxPool(3)).build((7, 8, 3)).layers[0].forward(x)
    assert y.shape == (2, 2, 2, 3)
    for n, i, j, c in np.ndindex(y.shape):
        assert y[n, i, j, c] == x[n, 3 * i : 3 * i + 3, 3 * j : 3 * j + 3, c].max()


def test_of_equal_pixels_one_takes_the_gradient():
    x = np.array([[[0.0, 1.0], [0.0, 1.0]], [[2.0, 2.0], [2.0, 2.0]]])[..., None]
    pool = Network(MaxPool()).build((2, 2, 1)).layers[0]
    for dtype in (float, complex):
        pool.forward(x.astype(dtype), training=True)
        dx = pool.backward(np.full((2, 1, 1, 1), 5.0, dtype))
        np.testing.assert_array_equal(dx[..., 0], [[[0, 5], [0, 0]], [[5, 0], [0, 0]]])
    with np.errstate(invalid="ignore"):
        assert np.isnan(pool.forward(np.array([[[1, 2], [np.nan, 0]]])[..., None])).all()


def test_batch_norm_normalizes_and_keeps_running_averages():
    x = np.random.default_rng(0).standard_normal((6, 4, 5, 3)) * (1, 10, 0.1) + (0, 5, -100)
    network = Network(BatchNorm(momentum=0.75, epsilon=1e-12)).build((4, 5, 3), dtype=float)
    y = network.forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), 1, rtol=1e-9)
    state = network.tensors()
    np.testing.assert_allclose(state["batchnorm_1.running_mean"], 0.25 * x.mean(axis=(0, 1, 2)), rtol=1e-6)
    unbiased = x.var(axis=(0, 1, 2), ddof=1)
    np.testing.assert_allclose(state["batchnorm_1.running_variance"], 0.75 + 0.25 * unbiased, rtol=1e-6)
    before = {name: array.copy() for name, array in state.items()}
    y = network.forward(x)
    deviation = np.sqrt(before["batchnorm_1.running_variance"] + 1e-12)
    np.testing.assert_allclose(y, (x - before["batchnorm_1.running_mean"]) / deviation, rtol=1e-6, atol=1e-6)
    frozen = Network(BatchNorm(epsilon=1e-12, frozen=True)).build((4, 5, 3), dtype=float, values=before)
    np.testing.assert_array_equal(frozen.forward(x, training=True), y)
    for unchanged in (network, frozen):
        for name, array in unchanged.tensors().items():
            np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_batch_norm_averages_the_unbiased_variance_of_small_batches(rows):
    x = np.random.default_rng(0).standard_normal((rows, 4))
    layer = Network(BatchNorm(momentum=0.0)).build((4,), dtype=float).layers[0]
    layer.forward(x, training=True)
    mean, variance = (x.mean(axis=0), x.var(axis=0, ddof=1)) if rows > 1 else (np.zeros(4), np.ones(4))  # as they were
    np.testing.assert_allclose(layer.state["running_variance"], variance, rtol=1e-6)
    np.testing.assert_allclose(layer.state["running_mean"], mean, rtol=1e-6)


def test_batch_norm_is_accurate_far_from_zero():
    x = (np.random.default_rng(0).standard_normal((64, 3)) + 10000).astype(np.float32)
    y = Network(BatchNorm()).build((3,)).forward(x, training=True)
    np.testing.assert_allclose(y, (x - x.mean(axis=0, dtype=float)) / x.std(axis=0, dtype=float), atol=5e-3)
    z = np.random.default_rng(1).standard_normal((64, 3))
    y = Network(BatchNorm(epsilon=1e-12)).build((3,), dtype=float).forward(1e5 + 1e-3 * z, training=True)
    np.testing.assert_allclose(y, (z - z.mean(axis=0)) / z.std(axis=0), atol=1e-5)
    for rows in range(3, 60):  # nothing but rounding
        y = Network(BatchNorm()).build((1,), dtype=float).forward(np.full((rows, 1), 3e5 * 1.2345678), training=True)
        np.testing.assert_allclose(y, 0, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "in_shape", "sentence"),
    [
        (lambda: Conv2D(0, 3), None, "filters must be a whole number from 1"),
        (lambda: Conv2D(1, 2.5), None, "size must be a whole number from 1"),
        (lambda: Conv2D(1, 3, stride=True), None, "stride must be a whole number from 1"),
        (lambda: Conv2D(1, 3, padding="full"), None, 'padding must be "valid" or "same"'),
        (lambda: Conv2D(1, 3, initializer="he"), None, "initializer must be a function"),
        (lambda: BatchNorm(frozen="no"), None, "frozen must be true or false, received 'no'"),
        (lambda: Conv2D(1, 5), (4, 9), "a filter of 5x5 does not fit into images of 4x9"),
        (lambda: Conv2D(1, 5), (784,), r"Conv2D expects images \(H, W\) or \(H, W, C\)"),
        (lambda: MaxPool(0), None, "size must be a whole number from 1"),
        (MaxPool, (1, 5, 2), "MaxPool expects images .* of at least 2x2"),
        (MaxPool, (28, 28), "MaxPool expects images"),
        (MaxPool, (4, 4, 1, 1), "MaxPool expects images"),
        (MaxPool, (5, 1, 2), "MaxPool expects images .* of at least 2x2"),
        (AveragePool, (1, 5, 2), "AveragePool expects images .* of at least 2x2"),
        (AveragePool, (5, 1, 2), "AveragePool expects images .* of at least 2x2"),
        (AveragePool, (28, 28), "AveragePool expects images"),
        (AveragePool, (4, 4, 1, 1), "AveragePool expects images"),
        (GlobalAveragePool, (28, 28), "GlobalAveragePool expects images"),
        (GlobalAveragePool, (4, 4, 1, 1), "GlobalAveragePool expects images"),
        *((partial(BatchNorm, momentum=m), None, "momentum must be at least 0 and below 1") for m in (1.0, 1.5, -0.5)),
        (lambda: BatchNorm(epsilon=float("inf")), None, "epsilon must be a small positive number"),
        (lambda: BatchNorm(epsilon=0.0), None, "epsilon must be a small positive number"),
        (BatchNorm, (4, 4), "BatchNorm expects examples"),
    ],
)
def test_impossible_layers_are_refused(make, in_shape, sentence):
    with pytest.raises(InputError, match=sentence):
        Network(make()).build(in_shape)


def test_activations_at_known_points():
    x = np.array([[-1000.0, -1.0, 0.0, 1.0, 1000.0]])
    np.testing.assert_array_equal(ReLU().forward(x), [[0, 0, 0, 1, 1000]])
    np.testing.assert_allclose(Sigmoid().forward(x), [[0, 1 / (1 + np.e), 0.5, 1 / (1 + 1 / np.e), 1]], rtol=1e-15)
    np.testing.assert_allclose(Tanh().forward(x), np.tanh(x))


def test_relu_gradient_is_zero_at_its_kink_and_keeps_nan():
    relu = ReLU()
    relu.forward(np.array([[0.0, -0.0, 1e-300]]), training=True)
    np.testing.assert_array_equal(relu.backward(np.ones((1, 3))), [[0, 0, 1]])
    with np.errstate(invalid="ignore"):
        assert np.isnan(relu.forward(np.array([[np.nan]]))).all()


def test_relu_of_complex_numbers_looks_at_the_real_part():
    x = np.array([[1 - 2j, -1 + 2j, 0 + 2j, 0 - 2j]])
    np.testing.assert_array_equal(ReLU().forward(x), [[1 - 2j, 0, 0, 0]])


@pytest.mark.parametrize("units", [0, -1, 1.5, "10", True, 10**12])
def test_dense_refuses_impossible_units(units):
    with pytest.raises(InputError, match=f"from 1 to 1,000,000, received {units!r}"):
        Dense(units)


def test_dense_needs_at_least_one_input_dimension():
    with pytest.raises(InputError, match=r"received shape \(\)"):
        Network(Dense(3)).build(())


def test_dense_says_what_to_do_about_images():
    with pytest.raises(InputError, match=r"put Flatten\(\) before it to make that \(784,\)"):
        Network(Dense(3)).build((28, 28))


def test_a_layer_must_be_defined():
    with pytest.raises(NotImplementedError):
        Layer().forward(np.ones((1, 1)))
    with pytest.raises(NotImplementedError):
        Layer().backward(np.ones((1, 1)))


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    layer, x = Dropout(0.3), np.ones((400, 500), np.float32)
    with Context(rng=np.random.default_rng(1)):
        y = layer.forward(x, training=True).copy()
        dx = layer.backward(x).copy()
        again = layer.forward(x, training=True).copy()
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.005)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    np.testing.assert_array_equal(dx, y)  # the mask of the forward pass
    assert (again != y).mean() > 0.4  # and another one the next time
    assert layer.forward(x) is x


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_rates_of_dropout_out_of_range_are_refused(rate):
    with pytest.raises(InputError, match="rate must be at least 0 and below 1"):
        Dropout(rate)


@pytest.mark.parametrize(("channels", "stride"), [(1, 1), (1, 2), (3, 1), (8, 1), (8, 2)])
@pytest.mark.parametrize("at_a_time", [1, 3, 4, 5, 6, 100])
def test_patches_against_loops_however_many_at_a_time(channels, stride, at_a_time, monkeypatch):
    x = np.random.default_rng(0).standard_normal((6, 6, 8, channels))
    expected = np.array([
        [*x[n, i * stride :, j * stride :][:2, :3].ravel(), 1]
        for n, i, j in np.ndindex(6, 4 // stride + 1, 5 // stride + 1)
    ]).reshape(6, -1, 6 * channels + 1)  # fmt: skip
    monkeypatch.setattr(patches, "_ELEMENTS", at_a_time * expected[0, :, 1:].size + 1)
    seen = []
    for images, matrix in patches.patches(x, (2, 3), stride, Layer().buffer, bias=True):
        np.testing.assert_array_equal(matrix, expected[images].reshape(len(matrix), -1))
        seen.append(images.stop - images.start)
    assert seen == [at_a_time] * (6 // at_a_time) + [6 % at_a_time] * (6 % at_a_time > 0)


def test_an_image_too_large_for_the_cache_is_taken_alone(monkeypatch):
    monkeypatch.setattr(patches, "_ELEMENTS", 1)
    assert len(list(patches.patches(np.ones((3, 4, 4, 1)), (2, 2), 1, Layer().buffer))) == 3


def test_windows_are_a_view_that_cannot_be_written_to():
    x = np.ones((2, 4, 4, 1))
    assert np.shares_memory(x, patches.windows(x, (2, 2), 1))
    assert not patches.windows(x, (2, 2), 1).flags.writeable


@pytest.mark.parametrize("pool", [MaxPool, AveragePool])
def test_pooling_by_two_unless_told_otherwise_and_down_to_one_pixel(pool):
    assert Network(pool()).build((7, 5, 1)).out_shapes == [(3, 2, 1)]
    assert Network(pool(5)).build((7, 5, 1)).out_shapes == [(1, 1, 1)]


def test_average_pooling_against_loops():
    x = np.random.default_rng(0).standard_normal((2, 7, 8, 3))
    y = Network(AveragePool(3)).build((7, 8, 3)).layers[0].forward(x)
    for n, i, j, c in np.ndindex(2, 2, 2, 3):
        assert y[n, i, j, c] == pytest.approx(x[n, 3 * i : 3 * i + 3, 3 * j : 3 * j + 3, c].mean())
    everywhere = Network(GlobalAveragePool()).build((7, 8, 3)).forward(x)
    np.testing.assert_allclose(everywhere, x.mean(axis=(1, 2)))


def test_noise_has_its_deviation_and_is_drawn_anew():
    layer = GaussianNoise(0.3)
    x = np.full((1000, 50), 2.0, np.float32)
    with Context(rng=np.random.default_rng(0)):
        first, second = (layer.forward(x, training=True).copy() for _ in range(2))
    assert (first - 2).std() == pytest.approx(0.3, rel=0.02)
    assert (first - 2).mean() == pytest.approx(0, abs=0.01)
    assert not np.allclose(first, second)
    assert layer.forward(x) is x


def test_max_norm_shortens_what_is_too_long_and_nothing_else():
    network = Network(Dense(2, max_norm=3.0), ReLU(), Dense(2)).build((2,))
    W = network.parameters[0].value
    W[:] = [[3.0, 0.6], [4.0, 0.8]]
    others = network.parameters[2].value.copy()
    network.constrain()
    np.testing.assert_allclose(W, [[1.8, 0.6], [2.4, 0.8]], rtol=1e-6)
    np.testing.assert_array_equal(network.parameters[2].value, others)
    config = {"type": "Dense", "units": 2, "initializer": "he_normal"}
    assert Dense(2, max_norm=3.0).config() == config | {"max_norm": 3.0}
    assert Dense(2).config() == config
    assert Dense(2, max_norm=0.5).max_norm == 0.5


def test_an_ensemble_is_the_geometric_mean_of_its_members():
    members = [Network(Flatten(), Dense(3)).build((2, 2), rng=seed) for seed in (0, 1, 2)]
    together = Network(Ensemble([copy.deepcopy(member.layers) for member in members])).build((2, 2))
    for k, member in enumerate(members):
        for name, tensor in member.tensors().items():
            together.tensors()[f"ensemble_1.{k}.{name}"][...] = tensor
    x = np.random.default_rng(0).random((5, 2, 2), np.float32)
    product = np.prod([member.probabilities(x) for member in members], axis=0) ** (1 / 3)
    np.testing.assert_allclose(together.probabilities(x), product / product.sum(axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Ensemble([]), "members must be a list"),
        (lambda: Ensemble([[]]), "members must be a list"),
        (lambda: Ensemble(3), "members must be a list"),
        (lambda: Ensemble([["Dense"]]), r"made of layers such as Dense\(10\), received 'Dense'"),
        (lambda: Network(Residual(Dense(3))).build((4,)), r"must keep the shape \(4,\) to which they are added"),
        (lambda: Residual(), "a residual needs at least one layer"),
        (lambda: LeakyReLU(1.0), "slope must be at least 0 and below 1"),
        (lambda: LayerNorm(epsilon=0), "epsilon must be a small positive number"),
        (lambda: Network(Ensemble([[Dense(3)], [Dense(4)]])).build((2,)), "logits .K,. of the same size"),
        (lambda: Network(Ensemble([[ReLU()]])).build((2, 2)), "logits .K,. of the same size"),
        (lambda: GaussianNoise(-1), "deviation must be at least 0"),
        (lambda: GaussianNoise(float("inf")), "deviation must be at least 0"),
        (lambda: Dropout(1.5), "rate must be at least 0 and below 1"),
        (lambda: Dense(3, max_norm=0), "max_norm must be a positive number"),
        (lambda: Dense(3, max_norm=-1), "max_norm must be a positive number"),
        (lambda: Dense(3, max_norm=float("inf")), "max_norm must be a positive number"),
        (lambda: Network(AveragePool(3)).build((2, 4, 1)), "at least 3x3"),
        (lambda: Network(GlobalAveragePool()).build((4, 4)), "expects images"),
    ],
)
def test_new_layers_refuse_what_they_cannot_take(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_standardize_learns_mean_and_deviation_of_the_training_inputs_once():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2500, 4)) * [1, 10, 1e-3, 0] + [0, 5, 1e3, 7]
    network = Network(Standardize(), Dense(1)).build((4,), dtype=np.float64)
    layer = network.layers[0]
    layer.learn(x[start : start + 900] for start in range(0, 2500, 900))
    np.testing.assert_allclose(layer.state["mean"], x.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(layer.state["deviation"][:3], x.std(axis=0)[:3], rtol=1e-6)
    assert layer.state["deviation"][3] == 1  # a constant stays what it is, less its mean
    layer.learn([np.zeros((5, 4))])
    np.testing.assert_allclose(layer.state["mean"], x.mean(axis=0), rtol=1e-9)


def test_a_regression_begins_in_the_range_of_its_targets():
    """Numbers of 200,000 are learned as quickly as numbers of 1, since the last layer scales."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((400, 3)).astype(np.float32) * 100
    y = 200_000 + 30_000 * np.tanh(x[:, 0] / 100) - 10_000 * x[:, 1] / 100
    network = Network(Standardize(), Dense(16), ReLU(), Dense(1), Standardize(inverse=True)).build((3,), rng=0)
    history = fit(network, MeanSquaredError(), Adam(), (x, y), batch_size=32, epochs=30, learning_rate=0.01)
    assert history[-1].train["absolute_error"] < 3000
