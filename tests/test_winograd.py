"""Minimal filtering gives what the sliding filter gives, forward and backward, and is chosen where it pays."""

import re
from pathlib import Path

import numpy as np
import pytest

from plainnet import Conv2D, Flatten, InputError, Network, load_model, save_model
from plainnet.context import Context
from plainnet.layers import Residual, winograd
from plainnet.layers.winograd import Winograd, matrices
from plainnet.model import Model
from plainnet.recipes import Recipe, read

ROOT = Path(__file__).parent.parent
RNG = np.random.default_rng(0)
STEP = 1e-30
CASES = [(m, r) for m in (2, 3, 4, 5) for r in (2, 3, 4, 5, 6) if m + r <= 8]


@pytest.mark.parametrize(("m", "r"), CASES)
def test_outputs_of_a_sliding_filter_in_one_dimension(m, r):
    A, B, G = matrices(m, r)
    a = m + r - 1
    assert (A.shape, B.shape, G.shape) == ((a, m), (a, a), (a, r))
    d, g = RNG.standard_normal(a), RNG.standard_normal(r)
    np.testing.assert_allclose(A.T @ ((G @ g) * (B.T @ d)), np.correlate(d, g), rtol=1e-13, atol=1e-14)


def test_the_matrices_of_the_textbook():
    A, B, G = matrices(2, 3)
    np.testing.assert_array_equal(A.T, [[1, 1, 1, 0], [0, 1, -1, 1]])
    np.testing.assert_array_equal(B.T, [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]])
    np.testing.assert_array_equal(G, [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])


def test_the_page_computes_what_it_says(capsys):
    page = (ROOT / "docs" / "winograd.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    exec(code, {})
    printed = [[float(n) for n in line.strip("[]").split()] for line in capsys.readouterr().out.splitlines()]
    said = [[float(n) for n in line.split()] for line in re.findall(r"# \[(.*?)\]", code)]
    assert printed == said
    assert said[-1] == [23, 12]


def layer(shape, filters, size, *, dtype=np.float64, **options):
    """Return a convolution in a network of its own, biases and all."""
    network = Network(Conv2D(filters, size, **options)).build(shape, rng=0, dtype=dtype)
    network.parameters[1].value[:] = np.random.default_rng(1).standard_normal(filters)
    return network


LAYERS = [  # all that occur: (image, filters, size, options), by which methods
    ((9, 7, 3), 4, 3, {}),
    ((8, 8, 3), 2, 3, {"padding": "same"}),
    ((7, 5, 1), 2, 3, {"padding": "same"}),
    ((3, 3, 2), 3, 3, {}),
    ((9, 8, 2), 3, 5, {"stride": 2, "padding": "same"}),
    ((11, 9, 2), 3, 5, {}),
    ((7, 7, 1), 2, 4, {"padding": "same"}),
    ((3, 4, 2), 2, 2, {}),
    ((13, 12, 3), 2, 6, {"stride": 2}),
    ((9, 9, 2), 2, 5, {"stride": 3, "padding": "same"}),
    ((9, 13, 2), 2, 7, {"stride": 3}),
]
WAYS = [
    (*case, f"winograd{m}", at_a_time)
    for case in LAYERS
    for m in (2, 4, 5)
    if Winograd(m, case[2], case[3].get("stride", 1)).possible
    for at_a_time in (1, 1 << 17)  # one image in each block, or all in one
]


@pytest.mark.parametrize(("shape", "filters", "size", "options", "method", "elements"), WAYS)
def test_it_is_the_same_as_the_direct_way(shape, filters, size, options, method, elements, monkeypatch):
    monkeypatch.setattr(winograd, "_ELEMENTS", elements)
    x, found = RNG.standard_normal((5, *shape)), []
    for by in ("direct", method):
        network = layer(shape, filters, size, method=by, **options)
        dy = np.random.default_rng(2).standard_normal((5, *network.out_shapes[0]))
        y = network.forward(x, training=True).copy()
        dx = network.backward(dy, need_dx=True).copy()
        found.append((y, dx, network.grad.copy()))
    for expected, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


OCCURRING = {  # in recipes and benchmarks: image, filters, size, options
    "fast99": ((12, 12, 32), 64, 3, {}),
    "cnn": ((10, 10, 64), 64, 3, {}),
    "cnn, small": ((4, 4, 64), 128, 3, {}),
    "small-cnn": ((26, 26, 32), 32, 3, {}),
    "small-cnn, stride 2": ((24, 24, 32), 32, 5, {"stride": 2, "padding": "same"}),
    "small-cnn, small, stride 2": ((8, 8, 64), 64, 5, {"stride": 2, "padding": "same"}),
    "odd": ((7, 7, 64), 64, 3, {"padding": "same"}),
    "5x5": ((12, 12, 16), 32, 5, {}),
    "a first layer": ((28, 28), 32, 5, {"stride": 2}),
    "1x1": ((5, 5, 16), 16, 1, {}),
}


POSSIBLE = [
    (name, method)
    for name, (_, _, size, options) in OCCURRING.items()
    for method in ("auto", "direct", "winograd2", "winograd4", "winograd5")
    if not method.startswith("w") or Winograd(int(method[-1]), size, options.get("stride", 1)).possible
]


@pytest.mark.parametrize(("name", "method"), POSSIBLE)
def test_gradients_of_layers_that_occur_by_the_complex_step(name, method):
    """The derivative along a direction of images, filters and biases at once, to 1e-12, by each method."""
    shape, filters, size, options = OCCURRING[name]
    network = layer(shape, filters, size, method=method, **options)
    x, v = RNG.standard_normal((2, *shape)), RNG.standard_normal((2, *shape))
    dy, w = RNG.standard_normal((2, *network.out_shapes[0])), RNG.standard_normal(network.theta.size)
    network.forward(x, training=True)
    dx = network.backward(dy, need_dx=True)
    moved = network.astype(complex)
    moved.theta[:] += 1j * STEP * w
    slope = np.sum(moved.forward(x + 1j * STEP * v).imag / STEP * dy)
    terms = np.sum(np.abs(dx * v)) + np.sum(np.abs(network.grad * w))
    assert abs(np.sum(dx * v) + np.sum(network.grad * w) - slope) < 1e-14 * terms  # the sum is about a hundredth


@pytest.mark.parametrize(
    ("shape", "filters", "size", "options", "expected"),
    [
        ((12, 12, 32), 64, 3, {}, "winograd5"),  # ten outputs in a row are two tiles of 5
        ((10, 10, 64), 64, 3, {}, "winograd4"),
        ((28, 28, 32), 64, 3, {"padding": "same"}, "winograd4"),
        ((4, 4, 64), 128, 3, {}, "winograd2"),
        ((24, 24, 32), 32, 5, {"stride": 2, "padding": "same"}, "winograd4"),
        ((12, 12, 32), 64, 5, {}, "winograd2"),
        ((10, 10, 15), 64, 3, {}, "direct"),  # few channels
        ((10, 10, 64), 15, 3, {}, "direct"),
        ((10, 10, 16), 16, 3, {}, "winograd4"),
        ((28, 28), 32, 5, {"stride": 2}, "direct"),
        ((14, 14, 32), 64, 3, {"stride": 2, "padding": "same"}, "direct"),  # a filter of two places
        ((4, 4, 64), 128, 4, {}, "direct"),  # one output
        ((10, 10, 64), 64, 1, {}, "direct"),
        ((20, 20, 64), 64, 9, {}, "direct"),  # tiles would be too large
        ((10, 10, 64), 64, 3, {"method": "direct"}, "direct"),
        ((10, 10, 1), 2, 3, {"method": "winograd2"}, "winograd2"),
    ],
)
def test_the_method_is_chosen_by_shape_or_asked_for(shape, filters, size, options, expected):
    network = Network(Conv2D(filters, size, **options)).build(shape)
    assert network.layers[0].computed_by == expected
    assert network.methods() == {"conv2d_1": expected}


@pytest.mark.parametrize(
    ("size", "stride", "method"), [(1, 1, "winograd2"), (5, 1, "winograd4"), (4, 1, "winograd5"), (7, 7, "winograd2")]
)
def test_a_method_that_cannot_compute_such_filters_is_refused(size, stride, method):
    with pytest.raises(InputError, match=rf"{method} needs filters that span 2 to [346] strides, received size {size}"):
        Conv2D(3, size, stride=stride, method=method)


def test_an_unknown_method_is_refused():
    for method in ("fft", None, 2, "winograd3"):
        with pytest.raises(
            InputError, match="method must be one of auto, direct, winograd2, winograd4, winograd5, received"
        ):
            Conv2D(3, 3, method=method)


@pytest.mark.parametrize(
    ("method", "most"), [("direct", 2e-6), ("winograd2", 1e-6), ("winograd4", 6e-6), ("winograd5", 2e-5)]
)
def test_few_digits_are_lost_in_float32(method, most):
    x = RNG.standard_normal((8, 10, 10, 64))
    network = layer((10, 10, 64), 64, 3, dtype=np.float32, method=method)
    exact = layer((10, 10, 64), 64, 3, method="direct")
    exact.theta[:] = network.theta
    expected = exact.forward(x)
    assert np.abs(network.forward(x.astype(np.float32)) - expected).max() < most * np.abs(expected).max()


def test_memory_is_reused_from_pass_to_pass():
    network, x = layer((12, 12, 32), 64, 3, dtype=np.float32), np.ones((70, 12, 12, 32), np.float32)
    with Context() as context:
        kept = []
        for _ in range(2):
            y = network.forward(x, training=True)
            network.backward(y, need_dx=True)
            kept.append({key: id(array) for key, array in context._buffers.items()})
    assert kept[0] == kept[1]


def test_the_summary_tells_the_methods_where_there_is_a_choice():
    network = Network(Conv2D(16, 3), Residual(Conv2D(16, 3, padding="same")), Flatten()).build((10, 10))
    lines = network.summary().splitlines()
    assert [line.split()[-1] for line in lines[:3]] == ["by", "direct", "winograd4"]
    assert network.methods() == {"conv2d_1": "direct", "residual_1.conv2d_1": "winograd4"}
    assert "computed by" not in Network(Flatten()).build((3, 3)).summary()
    assert "winograd4" in network._repr_html_()


def test_a_method_that_was_asked_for_stays_in_the_model_file(tmp_path):
    network = Network(Conv2D(16, 3, method="direct"), Flatten()).build((4, 4, 16), rng=0)
    save_model(tmp_path / "model.safetensors", Model(network, tuple(map(str, range(64)))))
    again = load_model(tmp_path / "model.safetensors").network
    assert again.methods() == {"conv2d_1": "direct"}
    assert again.layers[0].method == "direct"


def test_recipes_may_ask_for_a_method():
    table = read("cnn", {"layers.3.method": "direct"})
    assert table.network().methods()["conv2d_2"] == "direct"
    with pytest.raises(InputError, match="method must be one of"):
        Recipe.from_table(table.to_table() | {"layers": [{"type": "Conv2D", "filters": 2, "size": 3, "method": "x"}]})


@pytest.mark.parametrize(("method", "exact"), [("direct", True), ("winograd2", True), ("winograd4", False)])
def test_where_the_image_is_black_small_tiles_give_exactly_the_bias(method, exact):
    """Larger ones give it with a rounding error: a ReLU behind biases of 0 then sees something else than 0."""
    network = layer((10, 10, 16), 16, 3, dtype=np.float32, method=method)
    x = np.zeros((2, 10, 10, 16), np.float32)
    x[:, 5, 5] = RNG.standard_normal((2, 16))
    black = np.ones((8, 8), bool)
    black[3:6, 3:6] = False
    y, bias = network.forward(x)[:, black], network.parameters[1].value
    np.testing.assert_allclose(y, np.broadcast_to(bias, y.shape), atol=1e-6)
    assert np.array_equal(y, np.broadcast_to(bias, y.shape)) is exact
