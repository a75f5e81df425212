"""What others reported of their own programs and data."""

import sys
import threading

import numpy as np
import pytest

from plainnet import (
    SGD,
    BatchNorm,
    Dense,
    Flatten,
    InputError,
    Network,
    SoftmaxCrossEntropy,
    fit,
)
from plainnet.layers import AveragePool, GlobalAveragePool, LayerNorm
from plainnet.recipes import read

LOSS = SoftmaxCrossEntropy()
NAMES = tuple("0123456789")


def test_means_of_many_numbers_of_one_size(digits):
    """numpy's 29772 and 11331: a float32 mean along an axis drifts with the number of rows."""
    x = (100 + 0.2 * np.random.default_rng(0).random((200_000, 3))).astype(np.float32)
    network = Network(BatchNorm(momentum=0.0)).build((3,))
    y = network.forward(x, training=True).astype(float)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=0.02)
    state = network.layers[0].state
    np.testing.assert_allclose(state["running_mean"], x.mean(axis=0, dtype=float), rtol=1e-6)
    np.testing.assert_allclose(state["running_variance"], x.var(axis=0, dtype=float), rtol=0.02)
    images = x.reshape(1, 400, 500, 3)
    expected = images.mean(axis=(1, 2), dtype=float)
    np.testing.assert_allclose(
        Network(GlobalAveragePool()).build(images.shape[1:]).forward(images), expected, rtol=1e-6
    )
    pooled = Network(AveragePool(400)).build(images.shape[1:]).forward(images)
    np.testing.assert_allclose(pooled[0, 0, 0], images[0, :, :400].mean(axis=(0, 1), dtype=float), rtol=1e-6)


@pytest.mark.parametrize("value", [1.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("rows", [2, 7, 128, 3000])
@pytest.mark.parametrize("layer", [BatchNorm, LayerNorm])
def test_normalization_of_constants_is_nothing(layer, rows, value):
    """PyTorch's 5410: rounding of a large constant is not to be taken for a deviation."""
    x = np.full((rows, 5), value, np.float32)
    if layer is BatchNorm:
        x *= np.linspace(0.3, 1, 5, dtype=np.float32)  # each channel has a constant of its own
    network = Network(layer()).build((5,))
    np.testing.assert_array_equal(network.forward(x, training=True), 0)
    network.backward(np.ones_like(x))
    assert np.isfinite(network.grad).all()


def test_an_optimizer_does_not_keep_old_arrays(digits):
    """scikit-learn's 19626: parameters are replaced, and the optimizer goes on with those from before."""
    network, sgd = Network(Dense(10)).build((784,)), SGD(momentum=0.9)
    options = {"batch_size": 50, "epochs": 1, "learning_rate": 0.1}
    fit(network, LOSS, sgd, digits.train[:200], **options)
    network.build((784,), rng=5)
    before = network.theta.copy()
    history = fit(network, LOSS, sgd, digits.train[:200], **options)
    assert not np.array_equal(network.theta, before)
    fresh = Network(Dense(10)).build((784,), rng=5)
    assert fit(fresh, LOSS, SGD(momentum=0.9), digits.train[:200], **options)[0].train_loss == history[0].train_loss
    np.testing.assert_array_equal(network.theta, fresh.theta)


def test_a_network_predicts_in_the_first_thread_that_asks(digits):
    """Keras's 5640: what the main thread has built, another one cannot use."""
    network = Network(Flatten(), Dense(10)).build((28, 28))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(network.predict(digits.test.images[:30])))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(answers[0], network.predict(digits.test.images[:30]))


def test_large_images_are_taken():
    network = Network(Flatten(), Dense(2)).build((1200, 1200))
    assert network.theta.size == 2 * (1200 * 1200 + 1)
    assert network.predict(np.zeros((1, 1200, 1200), np.uint8)).shape == (1,)


def test_weights_or_pixels_that_are_no_numbers_are_not_answered_with(digits, tmp_path):
    network = Network(Flatten(), Dense(10)).build((28, 28))
    images = digits.test.images[:3] / 255
    images[1, 3, 3] = np.nan
    for ask in (network.predict, network.probabilities):
        with pytest.raises(InputError, match="the network's outputs are not finite numbers"):
            ask(images)
    network.theta[5] = np.nan
    with np.errstate(all="ignore"), pytest.raises(InputError, match="its weights or the inputs hold NaN"):
        network.predict(digits.test.images[:3])
    network.theta[:] = 3e38
    with np.errstate(all="ignore"), pytest.raises(InputError, match="too large to compute with"):
        network.probabilities(digits.test.images[:3])


def test_a_frozen_recipe_is_frozen():
    recipe = read("cnn")
    for change in (
        lambda: recipe.layers[0].update(units=3),
        lambda: recipe.optimizer.update(beta1=0.5),
        lambda: recipe.schedule.pop("learning_rate"),
        lambda: setattr(recipe, "epochs", 3),
    ):
        with pytest.raises((AttributeError, TypeError)):
            change()
    table = recipe.to_table()
    table["layers"][0]["filters"] = 1
    table["optimizer"]["beta1"] = 0
    assert recipe == read("cnn")


def test_nothing_needs_posix_to_start():
    """Many students have Windows: modules that it lacks are imported where they are used, if they are there."""
    import subprocess

    program = """
import sys
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
import pkgutil, importlib, plainnet
from importlib.util import find_spec
needs = {"torch_peer": "torch", "sklearn": "sklearn", "server": "starlette", "serving": "uvicorn"} | {
    "sweep": "optuna"
}  # may be missing
absent = [room for room, library in needs.items() if find_spec(library) is None]
for module in pkgutil.walk_packages(plainnet.__path__, "plainnet.", onerror=lambda name: None):
    if not module.name.endswith("__main__") and not any(room in module.name.split(".") for room in absent):
        importlib.import_module(module.name)
from plainnet.runs.environment import peak_memory_mb, hardware
assert peak_memory_mb() >= 0 and hardware()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
