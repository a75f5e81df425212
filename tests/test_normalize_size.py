"""NormalizeSize puts writing of any size and place in the middle, in about the same size."""

import numpy as np
import pytest

from plainnet import InputError, Network
from plainnet.layers import NormalizeSize


def square(side, top, left, size=28):
    image = np.zeros((size, size))
    image[top : top + side, left : left + side] = 1.0
    return image


def spread(image, axis):
    weight = image.sum(axis=axis) / image.sum()
    each = np.arange(len(weight))
    middle = weight @ each
    return middle, np.sqrt(weight @ (each - middle) ** 2)


@pytest.mark.parametrize(("side", "top", "left"), [(12, 8, 8), (12, 2, 15), (20, 4, 6), (24, 2, 2)])
def test_every_square_comes_to_the_middle_in_the_usual_size(side, top, left):
    image = NormalizeSize(strength=1.0).forward(square(side, top, left)[None])[0]
    for axis in (0, 1):
        middle, deviation = spread(image, axis)
        assert middle == pytest.approx(13.5, abs=1e-9)
        assert deviation == pytest.approx(0.17 * 28, rel=0.02)  # interpolation widens it a little


def test_half_the_strength_takes_the_square_root_of_the_factor():
    before, after = square(9, 3, 3), NormalizeSize().forward(square(9, 3, 3)[None])[0]
    ratio = spread(after, 0)[1] / spread(before, 0)[1]
    assert ratio == pytest.approx((0.17 * 28 / spread(before, 0)[1]) ** 0.5, rel=0.03)


def test_height_and_width_change_separately():
    tall = np.zeros((28, 28))
    tall[2:26, 12:16] = 1.0
    image = NormalizeSize(strength=1.0).forward(tall[None])[0]
    assert spread(image, 1)[1] < spread(tall, 1)[1]
    assert spread(image, 0)[1] > 1.9 * spread(tall, 0)[1]  # the factor is at its limit, 2


def test_without_strength_an_image_only_moves():
    image = NormalizeSize(strength=0.0).forward(square(4, 1, 20)[None])[0]
    np.testing.assert_allclose(image, square(4, 12, 12), atol=1e-12)


@pytest.mark.parametrize("image", [np.zeros((6, 5)), -np.ones((6, 5))])
def test_an_image_without_bright_pixels_gives_numbers(image):
    y = NormalizeSize().forward(image[None])
    assert y.shape == (1, 6, 5)
    assert np.isfinite(y).all()


def test_the_gradient_of_a_single_bright_pixel_knows_that_its_variance_is_constant():
    rng = np.random.default_rng(0)
    image, step = np.zeros((1, 6, 5), complex), 1e-30
    image[0, 2, 3] = 0.8
    dy = rng.standard_normal((1, 6, 5))
    layer = NormalizeSize(strength=0.02)
    layer.forward(image.real)
    dx = layer.backward(dy)
    image[0, 2, 3] += 1j * step
    assert dx[0, 2, 3] == pytest.approx((layer.forward(image) * dy).sum().imag / step, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spread": 0.0}, "spread must be a share"),
        ({"spread": 1.5}, "received 1.5"),
        ({"strength": -0.1}, "strength must be from 0 to 1"),
        ({"strength": "much"}, "strength"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        NormalizeSize(**settings)


def test_rows_of_numbers_are_refused():
    with pytest.raises(InputError, match="expects images"):
        Network(NormalizeSize()).build(784)
