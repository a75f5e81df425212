"""Images are moved as the arguments say, by numbers that repeat, and never otherwise."""

import numpy as np
import pytest

from plainnet import SGD, Dense, Flatten, InputError, Network, SoftmaxCrossEntropy, fit
from plainnet.data.augmentation import Augmentation


def rng(seed=0):
    return np.random.default_rng(seed)


def test_without_arguments_nothing_changes(digits):
    images = digits.train.images[:20]
    np.testing.assert_allclose(Augmentation()(images, rng()), images / 255, atol=2e-6)


class Fixed:
    """A generator whose uniform numbers are the largest allowed, or the smallest, and whose normal ones are 0."""

    def __init__(self, sign):
        self.sign = sign

    def uniform(self, low, high, n):
        return np.full(n, high if self.sign > 0 else low)

    def standard_normal(self, shape, dtype):
        return np.zeros(shape, dtype)


@pytest.fixture
def dot():
    """One bright pixel in row 4, column 5 of a 9 x 9 image, whose center is (4, 4)."""
    image = np.zeros((1, 9, 9), np.uint8)
    image[0, 4, 5] = 255
    return image


@pytest.mark.parametrize(
    ("options", "sign", "place"),
    [
        ({"shift": 2.0}, +1, (2, 3)),  # each pixel looks two rows down and two columns right
        ({"shift": 2.0}, -1, (6, 7)),
        ({"rotation": 90.0}, +1, (5, 4)),
        ({"rotation": 90.0}, -1, (3, 4)),
        ({"shear": 1.0}, +1, (3, 5)),
        ({"shear": 1.0}, -1, (5, 5)),
    ],
)
def test_a_dot_goes_where_it_should(options, sign, place, dot):
    moved = Augmentation(**options)(dot, Fixed(sign))[0]
    expected = np.zeros((9, 9))
    expected[place] = 1
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_half_again_as_large(dot):
    """Pixels look at two thirds of their distance from the center: the dot, at 1, is seen from 1 and from 2."""
    moved = Augmentation(scale=0.5)(dot, Fixed(+1))[0]
    np.testing.assert_allclose(moved[4, 4:8], [0, 2 / 3, 2 / 3, 0], atol=1e-5)
    np.testing.assert_allclose(moved[2:7, 5], [0, 2 / 9, 2 / 3, 2 / 9, 0], atol=1e-5)


def bilinear(image, row, column):
    """The image at a place between its pixels, dark around it."""
    total = 0.0
    for i in (int(np.floor(row)), int(np.floor(row)) + 1):
        for j in (int(np.floor(column)), int(np.floor(column)) + 1):
            if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
                total += (1 - abs(row - i)) * (1 - abs(column - j)) * image[i, j]
    return total


class Shares(Fixed):
    """A generator whose uniform numbers are these shares of the largest allowed, one after the other."""

    def __init__(self, *shares):
        self.shares = iter(shares)

    def uniform(self, low, high, n):
        return np.full(n, high * next(self.shares))


def test_all_changes_together_are_the_product_of_their_matrices():
    """Each drawn differently, on an image that is no square: turned and stretched about its center."""
    image = rng().random((14, 9))
    change = Augmentation(rotation=40, shear=0.5, scale=0.4, shift=3)
    moved = change(image[None], Shares(0.5, -0.6, 0.25, -0.5, 0.4, -0.3))[0]
    angle, shear, tall, wide, down, right = np.radians(20), -0.3, 1.1, 0.8, 1.2, -0.9
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.diag([1 / tall, 1 / wide]) @ turn @ np.array([[1, shear], [0, 1]])
    center = np.array([6.5, 4.0])
    for place in np.ndindex(14, 9):
        row, column = center + matrix @ (place - center) + (down, right)
        assert moved[place] == pytest.approx(bilinear(image, row, column), abs=1e-5)


def test_half_a_pixel_is_the_mean_of_two(dot):
    moved = Augmentation(shift=0.5)(dot, Fixed(-1))[0]
    np.testing.assert_allclose(moved[4:6, 5:7], 0.25, atol=1e-6)
    assert moved.sum() == pytest.approx(1)


def test_what_leaves_the_image_is_gone_and_nothing_comes_in(digits):
    images = np.full((3, 28, 28), 255, np.uint8)
    moved = Augmentation(shift=3.0)(images, Fixed(+1))
    np.testing.assert_allclose(moved[:, :-3, :-3], 1)
    np.testing.assert_allclose(moved[:, -3:], 0, atol=1e-6)
    for sign in (-1, +1):
        assert Augmentation(shift=1000.0)(images, Fixed(sign)).max() == 0


@pytest.mark.parametrize("smoothness", [3, 4, 8])
def test_elastic_displacements_have_the_deviation_asked_for_and_are_smooth(smoothness):
    """Seen in an image whose brightness is the column: what is read there is the displacement to the right."""
    ramp = np.broadcast_to(np.arange(28, dtype=np.uint8) * 4, (400, 28, 28))
    change = Augmentation(elastic=1.5, smoothness=smoothness)
    right = change(ramp, rng()) * 255 / 4 - np.arange(28)
    down = change(ramp.swapaxes(1, 2), rng()) * 255 / 4 - np.arange(28)[:, None]
    for moved in (right, down):
        inner = moved[:, 6:-6, 6:-6]
        assert inner.std() == pytest.approx(1.5, rel=0.15)
        assert inner.std(axis=0) == pytest.approx(1.5, rel=0.3)  # at every place, not between two bumps less
        for axis in (1, 2):  # the deviation of the slope of a random field that is smoothed by such bumps
            assert np.diff(inner, axis=axis).std() == pytest.approx(1.5 / (smoothness * np.sqrt(2)), rel=0.2)
    assert abs(np.corrcoef(right[:, 14, 14], down[:, 14, 14])[0, 1]) < 0.15


def test_the_same_numbers_give_the_same_images(digits):
    change = Augmentation(rotation=10, scale=0.1, shear=0.1, shift=2, elastic=1)
    images = digits.train.images[:8]
    first, again, other = (change(images, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() <= 1 + 1e-6


def test_bytes_and_their_shares_of_one_are_changed_alike(digits):
    images, change = digits.train.images[:4], Augmentation(rotation=10, shift=2)
    np.testing.assert_allclose(change(images / np.float32(255), rng(2)), change(images, rng(2)), atol=1e-6)
    with pytest.raises(InputError, match=r"\(N, H, W, channels\), received \(4, 784\)"):
        change(images.reshape(4, 784), rng())
    with pytest.raises(InputError, match="uint8 or floating-point, received int64"):
        change(images.astype(int), rng())


@pytest.mark.parametrize("workers", [1, 2])
def test_training_repeats_to_the_bit_and_sees_changed_images(workers, digits):
    def train(augmentation, seed=3):
        network = Network(Flatten(), Dense(10)).build((28, 28))
        options = {"batch_size": 50, "epochs": 1, "learning_rate": 0.1, "workers": workers, "rng": seed}
        fit(network, SoftmaxCrossEntropy(), SGD(), digits.train[:500], augmentation=augmentation, **options)
        return network.theta

    change = Augmentation(shift=2)
    first, again, without = train(change), train(change), train(None)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, without)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"shift": -1.0}, "shift must be at least 0"), ({"scale": 1.0}, "scale must be at least 0 and at most 0.99"),
     ({"shift": 1e308}, "shift must be at least 0 and at most 1000"), ({"elastic": "1"}, "elastic must be a number"),
     ({"elastic": float("nan")}, "elastic must be"), ({"smoothness": 2.9}, "smoothness must be from 3 to 1000"),
     ({"flip": 1.5}, "flip must be at least 0 and at most 1"), ({"cut": -1}, "cut must be at least 0"),
     ({"smoothness": float("inf")}, "smoothness must be from 3 to 1000")],
)  # fmt: skip
def test_impossible_arguments_are_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        Augmentation(**options)


def test_the_channels_of_an_image_move_together():
    images = rng().integers(0, 256, (3, 12, 16, 3)).astype(np.uint8)
    change = Augmentation(rotation=10, shift=2, elastic=1)
    changed = change(images, rng(1))
    for channel in range(3):
        np.testing.assert_array_equal(changed[..., channel], change(images[..., channel].copy(), rng(1)))


def test_around_an_image_is_dark_or_as_its_edge():
    white = np.ones((20, 8, 8), np.float32)
    assert Augmentation(shift=3)(white, rng()).min() == 0
    np.testing.assert_allclose(Augmentation(shift=3, around="edge")(white, rng()), 1, atol=1e-6)
    with pytest.raises(InputError, match="around must be one of dark, edge, received 'white'"):
        Augmentation(around="white")


def test_flip_mirrors_that_share_of_the_images():
    images = rng().random((400, 6, 5)).astype(np.float32)
    np.testing.assert_allclose(Augmentation(flip=1.0)(images, rng()), images[:, :, ::-1], atol=1e-6)
    changed = Augmentation(flip=0.25)(images, rng())
    mirrored = np.abs(changed - images[:, :, ::-1]).max(axis=(1, 2)) < 1e-5
    assert (mirrored | (np.abs(changed - images).max(axis=(1, 2)) < 1e-5)).all()
    assert mirrored.mean() == pytest.approx(0.25, abs=0.06)


def test_cut_covers_a_square_at_any_place():
    white = np.ones((3000, 9, 7, 2), np.float32)
    covered = Augmentation(cut=3.0)(white, rng()) < 0.5
    np.testing.assert_array_equal(covered[..., 0], covered[..., 1])
    rows, columns = covered[..., 0].any(axis=2).sum(axis=1), covered[..., 0].any(axis=1).sum(axis=1)
    assert set(rows) == set(columns) == {2, 3}  # fewer at the edge
    assert (covered[..., 0].sum(axis=(1, 2)) == rows * columns).all()
    assert covered[:, 4, 3, 0].mean() == pytest.approx(3 / 9 * 3 / 7, abs=0.03)  # of the middle, and
    assert covered[:, 0, 3, 0].mean() == pytest.approx(2 / 9 * 3 / 7, abs=0.03)  # of the first row
