"""Layers of one's own, saved and loaded again, and named in recipes and on the command line."""

import copy
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

from plainnet import (
    SGD,
    Dense,
    Flatten,
    InputError,
    Layer,
    Model,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    fit,
    load_model,
    save_model,
)
from plainnet.cli.app import main
from plainnet.initializers import ones
from plainnet.layers import Residual, Sequential, layer_from_config
from plainnet.recipes import read
from test_own_layers import OWN_RECIPE, Own, network_of

LOSS = SoftmaxCrossEntropy()
NAMES = tuple("0123456789")


class Scaled(Layer):
    def __init__(self, slope=0.01):
        super().__init__()
        self.slope = slope

    def forward(self, x, *, training=False):
        self.remember(x)
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        return np.where(x > 0, dy, self.slope * dy)


class ForgetsItsSlope(Scaled):
    def config(self):
        return {"type": "ForgetsItsSlope"}


class KeepsItElsewhere(Scaled):
    def __init__(self, slope=0.01, other=1):
        super().__init__(slope)


class RunningMean(Layer):
    """What training changes is no parameter and not in `state`: no file would have it."""

    def __init__(self):
        super().__init__()
        self.mean = 0.0

    def forward(self, x, *, training=False):
        if training:
            self.mean = 0.9 * self.mean + 0.1 * float(x.mean())
        return x - np.float32(self.mean)

    def backward(self, dy, *, need_dx=True):
        return dy


def one_hidden(layer):
    return Network(Flatten(), Dense(16), layer, Dense(10)).build((28, 28), rng=3)


def test_a_layer_of_ones_own_is_loaded_by_naming_it(tmp_path, digits):
    """Keras's 8612, 5956 and 1927: saves, does not load, forgets its fields."""
    path, network = tmp_path / "m.safetensors", one_hidden(Residual(Scaled(0.5)))
    save_model(path, Model(network, NAMES, {}))
    images = digits.test.images[:2000]
    again = load_model(path, layers=[Scaled]).network
    np.testing.assert_array_equal(again.predict(images), network.predict(images))
    assert dict(again.walk())["residual_1.scaled_1"].slope == 0.5
    with pytest.raises(
        InputError,
        match=r"needs its author's layers Scaled: give the file.*--layers FILE.py",
    ):
        load_model(path)

    class Dense(Scaled):
        pass

    for wrong, sentence in ((Dense, "Dense is the name of a layer in plainnet"), (Scaled(), "must be classes derived")):
        with pytest.raises(InputError, match=sentence):
            layer_from_config({"type": "ReLU"}, [wrong])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: ForgetsItsSlope(0.5),
            r"loaded again, it gives different answers; config\(\) of ForgetsItsSlope must return",
        ),
        (KeepsItElsewhere, "KeepsItElsewhere takes other but does not keep it; write self.other = other in __init__"),
        (lambda: Scaled(np.array([0.1, 0.2])), "Scaled.slope is array.*which no file can hold"),
        (RunningMean, "whatever training changes besides parameters belongs in self.state"),
    ],
)
def test_what_would_not_load_to_the_same_answers_is_not_saved(make, sentence, tmp_path, digits):
    layer = make()
    network = (
        one_hidden(layer) if not isinstance(getattr(layer, "slope", 0), np.ndarray) else one_hidden(Residual(layer))
    )
    fit(network, LOSS, SGD(), digits.train[:100], batch_size=50, epochs=1, learning_rate=0.1) if isinstance(
        layer, RunningMean
    ) else None
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"what was there before")
    with pytest.raises(InputError, match=sentence):
        save_model(path, Model(network, NAMES, {}))
    assert path.read_bytes() == b"what was there before"
    assert len(list(tmp_path.iterdir())) == 1


class Muted(Layer):
    """Acts in training alone: no answer of a loaded model shows what it forgot."""

    def __init__(self, share=0.5):
        super().__init__()
        self.share = share

    def config(self):
        return {"type": "Muted"}

    def forward(self, x, *, training=False):
        return x * self.share if training else x

    def backward(self, dy, *, need_dx=True):
        return dy * self.share


class MaybeScaled(Scaled):
    def __init__(self, slope=0.3):
        super().__init__(slope)
        if slope is None:
            self.slope = None

    def forward(self, x, *, training=False):
        return x if self.slope is None else super().forward(x, training=training)


class Block(Sequential):
    """A block with an argument of its own."""

    def __init__(self, units):
        self.units = units
        super().__init__(Dense(units), ReLU())


class Around(Layer):
    def __init__(self, inner):
        super().__init__()
        self.inner = self.adopt(inner)

    def build(self, in_shape):
        return self.inner.set_up(in_shape)

    def forward(self, x, *, training=False):
        return self.inner.forward(x, training=training)

    def backward(self, dy, *, need_dx=True):
        return self.inner.backward(dy, need_dx=need_dx)


class Counts(Layer):
    """State of a type of its own."""

    def build(self, in_shape):
        self.state["seen"] = np.zeros(1, np.int64)
        return in_shape

    def forward(self, x, *, training=False):
        return x

    def backward(self, dy, *, need_dx=True):
        return dy


def test_arguments_none_blocks_and_state_come_back(tmp_path):
    path = tmp_path / "m.safetensors"
    network = Network(Flatten(), Block(16), Around(Dense(8)), MaybeScaled(None), Counts(), Dense(10)).build((28, 28))
    save_model(path, Model(network, NAMES, {}))
    again = load_model(path, layers=[Block, Around, MaybeScaled, Counts]).network
    np.testing.assert_array_equal(again.theta, network.theta)
    assert again.theta.dtype == np.float32
    assert again.layers[3].slope is None
    assert "around_1.dense_1.W" in again.tensors()
    with pytest.raises(InputError, match=r"config\(\) of Muted must return all arguments"):
        save_model(path, Model(one_hidden(Muted(0.1)), NAMES, {}))


@pytest.mark.parametrize("about", [{"a": np.float32(1)}, {"a": {1, 2}}, {"a": np.ones(2)}])
def test_what_a_model_says_of_itself_must_be_plain(about, tmp_path):
    with pytest.raises(InputError, match=r"cannot save what the model says about itself: .*plain numbers and strings"):
        save_model(tmp_path / "m.safetensors", Model(Network(Dense(2)).build((2,)), ("a", "b"), about))


def test_a_model_is_saved_beside_a_training(tmp_path, digits):
    network, failed, over = one_hidden(ReLU()), [], threading.Event()

    def save():
        while not over.is_set():
            try:
                save_model(tmp_path / "m.safetensors", Model(network, NAMES, {}))
            except InputError as error:
                failed.append(error)

    thread = threading.Thread(target=save)
    thread.start()
    fit(network, LOSS, SGD(), digits.train[:2000], batch_size=20, epochs=5, learning_rate=0.01)
    over.set()
    thread.join()
    assert not failed
    assert load_model(tmp_path / "m.safetensors").network.theta.size == network.theta.size


class AdoptsInBuild(Around):
    def __init__(self):
        Layer.__init__(self)

    def build(self, in_shape):
        self.inner = self.adopt(Dense(4))
        return self.inner.set_up(in_shape)


def test_what_is_adopted_in_build_is_let_go_before_the_next():
    network = Network(AdoptsInBuild(), Dense(3)).build((5,))
    names = [p.name for p in network.parameters]
    assert [p.name for p in network.build((5,)).parameters] == names
    assert names[0] == "adoptsinbuild_1.dense_1.W"
    layer = Layer()
    layer.adopt(Dense(3), "fc")
    for name in ("fc", "a.b", ""):
        with pytest.raises(InputError, match="choose a new name without dots"):
            layer.adopt(Dense(3), name)


class StateOfThatName(Own):
    def build(self, in_shape):
        self.state["w"] = np.zeros(in_shape)
        return super().build(in_shape)


class StateIsANumber(Own):
    def build(self, in_shape):
        self.state["n"] = 0
        return super().build(in_shape)


def test_state_is_arrays_with_names_of_their_own():
    with pytest.raises(InputError, match="StateOfThatName has a parameter and a state named w"):
        network_of(StateOfThatName)
    with pytest.raises(InputError, match=r"StateIsANumber.state must hold only arrays"):
        network_of(StateIsANumber)


def test_a_recipe_is_copied_whole():
    recipe = read("cnn")
    for twin in (copy.deepcopy(recipe), pickle.loads(pickle.dumps(recipe))):
        assert twin == recipe
        with pytest.raises(TypeError, match="a recipe cannot be changed"):
            twin.optimizer["beta1"] = 0


def test_restore_is_all_or_nothing_and_types_are_known():
    network = Network(Dense(3)).build((4,))
    before = network.theta.copy()
    for values in ({"dense_1.W": np.zeros((4, 3))}, {"dense_1.W": np.zeros(1), "dense_1.b": np.zeros(3)}, {}):
        with pytest.raises(InputError, match=r"expected dense_1\.. of shape"):
            network.restore(values)
    np.testing.assert_array_equal(network.theta, before)
    for dtype in (int, np.float16, "foo"):
        with pytest.raises(InputError, match="dtype must be float32, float64 or complex128"):
            network.astype(dtype)


def test_initializers_are_kept_by_name(tmp_path):
    def mine(rng, shape, fan_in):
        return rng.random(shape)

    network = Network(Dense(4, initializer=ones), Dense(3, initializer=mine), Dense(2, initializer="zeros")).build((5,))
    save_model(tmp_path / "m.safetensors", Model(network, ("a", "b"), {}))
    again = load_model(tmp_path / "m.safetensors").network
    assert [layer.config() for layer in again.layers] == [layer.config() for layer in network.layers]
    assert again.layers[0].initializer is ones
    np.testing.assert_array_equal(again.theta, network.theta)
    with pytest.raises(InputError, match="its author's initializer 'own: mine'"):
        Network(layer_from_config(again.layers[1].config())).build((5,))
    with pytest.raises(InputError, match="initializer must be a function such as he_normal, or one of he_normal, ones"):
        Dense(3, initializer="he_norml")


@pytest.mark.parametrize("names", [(1, 2, 3), ("a", "b", 3), "abc", ("a", "a", "b"), ("a", "b"), ("a", None, "b")])
def test_class_names_that_could_not_be_loaded_are_not_saved(names, tmp_path):
    network = Network(Dense(3)).build((2,))
    with pytest.raises(InputError, match=r"class names|needs a name of its own"):
        save_model(tmp_path / "m.safetensors", Model(network, names, {}))
    assert not list(tmp_path.iterdir())


def test_a_model_file_has_room_for_what_it_takes_to_use_it(tmp_path):
    network = Network(Dense(1)).build((2,))
    model = Model(
        network, ("no", "yes"), {"note": 1}, preparation={"type": "standardize", "mean": [0, 1], "deviation": [1, 2]},
        column_names=("age", "height"), test_shifts=2, temperature=1.5, thresholds=(0.6, 0.7), splits={"seed": 3},
    )  # fmt: skip
    save_model(tmp_path / "m.safetensors", model)
    again = load_model(tmp_path / "m.safetensors")
    for name in ("class_names", "about", "preparation", "column_names", "test_shifts", "temperature", "thresholds",
                 "splits"):  # fmt: skip
        assert getattr(again, name) == getattr(model, name), name
    for wrong in ({"temperature": 0.0}, {"test_shifts": 9}, {"thresholds": (0.5,)}, {"column_names": (1, 2)}):
        with pytest.raises(InputError):
            Model(network, ("no", "yes"), {}, **wrong)


def test_two_threads_may_save_one_file(tmp_path):
    path, failed = tmp_path / "m.safetensors", []
    models = [Model(Network(Dense(3)).build((2,), rng=seed), ("a", "b", "c"), {}) for seed in range(2)]

    def save(model):
        try:
            for _ in range(15):
                save_model(path, model)
        except InputError as error:
            failed.append(error)

    threads = [threading.Thread(target=save, args=(model,)) for model in models for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    theta = load_model(path).network.theta
    assert any(np.array_equal(theta, model.network.theta) for model in models)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_recipe_may_name_them_and_every_command_takes_the_file(tmp_path, capsys, digits):
    layers, recipe, out = tmp_path / "mine.py", tmp_path / "mine.toml", tmp_path / "out"
    layers.write_text("import numpy as np\nfrom plainnet import Layer\n\n\n" + source_of(Scaled))
    recipe.write_text(OWN_RECIPE)
    with_layers = ["--layers", str(layers)]
    assert main(["train", str(recipe), "--out", str(out), "--limit", "500", "--quiet", *with_layers]) == 0
    model = str(out / "model_final.safetensors")
    for command in (["evaluate", model], ["check", model, "--directions", "2"], ["diagnose", str(out)],
                    ["check", str(recipe), "--directions", "2"]):  # fmt: skip
        assert main([*command, *with_layers]) in (0, 1), command
        assert main(command) == 2
        assert "Scaled" in capsys.readouterr().err
    for content, sentence in (
        ("x = 1", "defines no layer"),
        ("1 / 0", "failed: ZeroDivisionError"),
        (None, "takes a Py"),
    ):
        other = tmp_path / "other.py"
        other.write_text(content) if content else other.unlink()
        assert main(["evaluate", model, "--layers", str(other)]) == 2
        assert sentence in capsys.readouterr().err


def source_of(kind):
    text = Path(__file__).read_text()
    start = text.index(f"class {kind.__name__}(")
    return text[start : text.index("\n\n\n", start)] + "\n"
