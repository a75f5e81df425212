import copy
import pickle

import numpy as np
import pytest

from plainnet import (
    Conv2D,
    Dense,
    Flatten,
    InputError,
    Network,
    ReLU,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
)
from plainnet.layers import GlobalAveragePool


def classic(**options):
    return Network(Dense(1024), ReLU(), Dense(10)).build((784,), **options)


def test_the_classic_network_has_814090_parameters():
    network = classic()
    assert network.theta.size == network.grad.size == 814_090
    assert [p.name for p in network.parameters] == ["dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b"]
    assert network.parameters.groups["decayed"] == slice(0, 784 * 1024 + 1024 * 10)
    assert network.theta.dtype == np.float32
    assert "814,090" in network.summary()


def test_he_initialization():
    network = classic(rng=3)
    for parameter, fan_in in zip(network.parameters[::2], (784, 1024), strict=True):
        assert parameter.value.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.02)
        assert abs(parameter.value.mean()) < 5 * np.sqrt(2 / fan_in / parameter.value.size)
    assert not network.parameters[1].value.any()
    assert not network.parameters[3].value.any()


def test_the_seed_decides_the_weights():
    np.testing.assert_array_equal(classic(rng=1).theta, classic(rng=1).theta)
    assert not np.array_equal(classic(rng=1).theta, classic(rng=2).theta)
    generator = np.random.default_rng(1)
    assert not np.array_equal(classic(rng=generator).theta, classic(rng=generator).theta)


def test_parameters_are_views_and_do_not_overlap():
    network = classic()
    network.theta[:] = np.arange(network.theta.size)
    network.grad[:] = network.theta
    seen = np.concatenate([p.value.ravel() for p in network.parameters])
    np.testing.assert_array_equal(np.sort(seen), network.theta)
    for parameter in network.parameters:
        np.testing.assert_array_equal(parameter.value, parameter.grad)
        np.testing.assert_array_equal(network.theta[parameter.place], parameter.value.ravel())


def test_forward_is_the_composition_of_the_layers():
    network = Network(Flatten(), Dense(5), Tanh(), Dense(4), Sigmoid(), Dense(3)).build((2, 2), dtype=float)
    W1, b1, W2, b2, W3, b3 = (p.value for p in network.parameters)
    x = np.random.default_rng(0).random((6, 2, 2))
    hidden = np.tanh(x.reshape(6, 4) @ W1 + b1)
    expected = 1 / (1 + np.exp(-(hidden @ W2 + b2))) @ W3 + b3
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-13)


def test_the_first_layer_never_computes_dx(monkeypatch):
    asked = []

    class Watched(Dense):
        def backward(self, dy, *, need_dx=True):
            asked.append(need_dx)
            return super().backward(dy, need_dx=need_dx)

    network = Network(Flatten(), Watched(4), ReLU(), Watched(3)).build((2, 2))
    network.forward(np.ones((2, 2, 2), np.float32), training=True)
    network.backward(np.ones((2, 3), np.float32))
    assert asked == [True, False]


def test_bytes_are_scaled_and_both_shapes_are_taken():
    network = Network(Flatten(), Dense(3)).build((28, 28))
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    expected = network.logits(images)
    np.testing.assert_allclose(network.logits(images.reshape(5, 784)), expected)
    np.testing.assert_allclose(network.logits(images / 255), expected, rtol=1e-5)
    assert network.as_input(images).max() <= 1
    assert expected.dtype == np.float32


def test_predict_copies_and_takes_any_number(digits):
    network = classic()
    first = network.logits(digits.test.images[:3])
    kept = first.copy()
    network.logits(digits.test.images[3:2500])
    np.testing.assert_array_equal(first, kept)
    assert network.predict(digits.test.images[:2500]).shape == (2500,)
    assert network.predict(digits.test.images[:0]).shape == (0,)
    shares = network.probabilities(digits.test.images[:7])
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(shares.argmax(axis=1), network.predict(digits.test.images[:7]))


@pytest.mark.parametrize("shape", [(32, 28, 27), (784,), (3, 785), (2, 14, 56), (1, 28, 28, 3)])
def test_images_of_the_wrong_size_are_refused(shape):
    network = Network(Flatten(), Dense(3)).build((28, 28))
    with pytest.raises(InputError, match=r"expected images with 784 features, received shape .* flattened to 784"):
        network.predict(np.zeros(shape))


def test_the_message_the_design_asks_for():
    with pytest.raises(InputError) as caught:
        classic().predict(np.zeros((32, 28, 27)))
    assert str(caught.value) == (
        "expected images with 784 features, received shape (32, 28, 27); each image must be 28x28 or flattened to 784"
    )
    with pytest.raises(InputError, match="each row must hold 3 numbers"):
        Network(Dense(2)).build((3,)).predict(np.zeros((1, 4)))


def test_types_for_training_checking_and_the_complex_step():
    network = classic()
    for dtype in (np.float64, np.complex128):
        twin = network.astype(dtype)
        assert twin.theta.dtype == twin.forward(np.ones((1, 784), dtype)).dtype == dtype
        assert not np.shares_memory(twin.theta, network.theta)
        np.testing.assert_array_equal(twin.theta.real, network.theta)
    assert network.theta.dtype == np.float32


def test_copies_train_on_their_own(digits):
    network, loss = Network(Dense(8), ReLU(), Dense(10)).build((784,)), SoftmaxCrossEntropy()
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        before = network.theta.copy()
        x = twin.as_input(digits.train.images[:16])
        twin.backward(loss(twin.forward(x, training=True), digits.train.labels[:16])[1])
        assert twin.grad.any()
        twin.theta -= twin.grad
        assert not np.array_equal(twin.forward(x), network.forward(network.as_input(digits.train.images[:16])))
        np.testing.assert_array_equal(network.theta, before)
        assert not network.grad.any()


def test_an_unbuilt_network_can_be_copied():
    assert len(copy.deepcopy(Network(Dense(3), ReLU())).layers) == 2


def test_given_values_are_used_and_must_fit():
    network = Network(Dense(3), ReLU(), Dense(2)).build((4,), rng=7)
    values = {parameter.name: parameter.value for parameter in network.parameters}
    again = Network(Dense(3), ReLU(), Dense(2)).build((4,), values=values)
    np.testing.assert_array_equal(again.theta, network.theta)
    with pytest.raises(InputError, match="expected values for"):
        Network(Dense(5), ReLU(), Dense(2)).build((4,), values=values)


def test_a_network_needs_layers():
    with pytest.raises(InputError, match="at least one layer"):
        Network()


def test_building_again_starts_afresh():
    network = Network(Dense(3)).build((4,))
    assert network.build((5,)).theta.size == 18


def test_images_with_channels_are_taken_with_and_without_them():
    network = Network(Flatten(), Dense(3)).build((4, 3, 1))
    images = np.random.default_rng(0).random((5, 4, 3), np.float32)
    for shape in ((5, 4, 3), (5, 4, 3, 1), (5, 12)):
        assert network.as_input(images.reshape(shape)).shape == (5, 4, 3, 1)
    for shape in ((5, 3, 4), (5, 6, 2), (5, 3, 4, 1), (5, 1, 4, 3), (60,), (5, 2, 6)):
        with pytest.raises(InputError, match="each image must be 4x3x1 or flattened to 12"):
            network.as_input(images.reshape(shape))


def test_only_bytes_are_scaled_and_nothing_is_copied_without_need():
    network = Network(Dense(2)).build((4,))
    floats = np.ones((3, 4), np.float32)
    assert np.shares_memory(network.as_input(floats), floats)
    np.testing.assert_array_equal(network.as_input(np.ones((3, 4), bool)), 1)
    np.testing.assert_allclose(network.as_input(np.full((3, 4), 51, np.uint8)), 0.2, rtol=1e-6)
    np.testing.assert_array_equal(network.as_input(np.full((7, 4), 0, np.uint8)), np.zeros((7, 4)))


def test_forward_does_not_remember_unless_training():
    network = Network(Dense(2)).build((4,))
    network.forward(np.ones((3, 4), np.float32))
    with pytest.raises(RuntimeError, match="call forward"):
        network.backward(np.ones((3, 2), np.float32))


def test_the_default_seed_is_zero():
    np.testing.assert_array_equal(Network(Dense(3)).build((4,)).theta, Network(Dense(3)).build((4,), rng=0).theta)


def test_the_summary_shows_every_layer():
    assert Network(Flatten(), Dense(12), ReLU()).build((2, 5)).summary().splitlines() == [
        "layer               output                parameters",
        "Flatten             10                             0",
        "Dense               12                           132",
        "ReLU                12                             0",
        "total                                            132",
    ]
    assert "GlobalAveragePool   2 " in Network(GlobalAveragePool()).build((3, 3, 2)).summary()


def test_no_images_at_all_get_no_answers():
    network = Network(Conv2D(2, 3), GlobalAveragePool()).build((5, 5))
    assert network.logits(np.zeros((0, 5, 5), np.uint8)).shape == (0, 2)
    assert classic().logits(np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


def test_predicting_between_forward_and_backward_disturbs_neither(digits):
    network, loss = Network(Dense(8), ReLU(), Dense(10)).build((784,)), SoftmaxCrossEntropy()
    images, labels = digits.train.images[:16], digits.train.labels[:16]
    gradients = []
    for look in (False, True):
        logits = network.forward(network.as_input(images), training=True)
        if look:
            network.predict(digits.test.images[:10])  # fewer, so that one buffer would serve both
        network.backward(loss(logits, labels)[1])
        gradients.append(network.grad.copy())
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("images", [np.zeros((2, 4), int), np.array([["a"] * 4]), np.array([[None] * 4])])
def test_pixels_of_other_kinds_are_refused(images):
    with pytest.raises(InputError, match=r"images must be bytes .* received"):
        Network(Dense(2)).build((4,)).predict(images)


def test_a_layer_has_one_place():
    layer = Dense(4)
    with pytest.raises(InputError, match="is in the network twice"):
        Network(layer, layer)


@pytest.mark.parametrize("shape", [0, (0,), (28, -1), (2.5,), None, "28"])
def test_impossible_shapes_are_refused(shape):
    with pytest.raises(InputError, match="each size of in_shape must be a whole number from 1"):
        Network(Flatten(), Dense(2)).build(shape)
    for four in (4, [4], np.int64(4), np.array([4])):
        assert Network(Dense(2)).build(four).in_shape == (4,)


def test_impossible_seeds_are_refused():
    with pytest.raises(InputError, match="the seed must be a whole number of at least 0"):
        Network(Dense(2)).build((4,), rng=-1)


def test_constrain_reaches_every_layer():
    network = Network(Dense(3, max_norm=0.1), ReLU(), Dense(2, max_norm=0.2)).build((4,))
    network.constrain()
    for parameter, most in ((network.parameters[0], 0.1), (network.parameters[2], 0.2)):
        np.testing.assert_allclose(np.linalg.norm(parameter.value, axis=0), most, rtol=1e-5)
