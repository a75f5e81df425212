"""Layers of one's own: what their authors get wrong is said in a sentence, and what they get right is kept."""

import copy
import json
import pickle
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from plainnet import (
    SGD,
    BatchNorm,
    Dense,
    Flatten,
    InputError,
    Layer,
    Model,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Tanh,
    assert_gradients,
    check_gradients,
    fit,
    load_model,
    save_model,
)
from plainnet.cli.app import main
from plainnet.events import Epoch
from plainnet.initializers import ones
from plainnet.layers import AveragePool, GlobalAveragePool, LayerNorm, Residual, Sequential, layer_from_config
from plainnet.recipes import read
from plainnet.runs.threads import MatrixThreads, timed

LOSS = SoftmaxCrossEntropy()
NAMES = tuple("0123456789")


class Own(Layer):
    """A right layer, from which each of the others differs in one thing."""

    def build(self, in_shape):
        self.w = self.declare("w", in_shape, ones)
        return in_shape

    def forward(self, x, *, training=False):
        self.remember(x)
        return x * self.w.value

    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] = (dy * x).sum(axis=0)
        return dy * self.w.value


class NoSuper(Own):
    def __init__(self):
        self.scale = 3


class NoNeedDx(Own):
    def backward(self, dy):
        return super().backward(dy)


class NoTraining(Own):
    def forward(self, x):
        return super().forward(x)


class BuildReturnsNothing(Own):
    def build(self, in_shape):
        super().build(in_shape)


class ForwardReturnsNothing(Own):
    def forward(self, x, *, training=False):
        super().forward(x, training=training)


class BackwardReturnsNothing(Own):
    def backward(self, dy, *, need_dx=True):
        super().backward(dy)


class ReboundGradient(Own):
    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad = (dy * x).sum(axis=0)
        return dy * self.w.value


class ReboundValue(Own):
    def constrain(self):
        self.w.value = np.clip(self.w.value, -1, 1)


class NumberForInitializer(Own):
    def build(self, in_shape):
        self.declare("w", in_shape, 1.0)
        return in_shape


class DeclaresTwice(Own):
    def build(self, in_shape):
        self.declare("w", in_shape, ones)
        return super().build(in_shape)


class KeepsWhatIsOfAPass(Own):
    def forward(self, x, *, training=False):
        self.x = x
        return x * self.w.value

    def backward(self, dy, *, need_dx=True):
        self.w.grad[...] = (dy * self.x).sum(axis=0)
        return dy * self.w.value


class Absolute(Own):
    def forward(self, x, *, training=False):
        self.remember(x)
        return np.abs(x) * self.w.value

    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] = (dy * np.abs(x)).sum(axis=0)
        return dy * self.w.value * np.sign(x)


class Casts(Own):
    def forward(self, x, *, training=False):
        return super().forward(np.asarray(x.real, dtype=np.float64), training=training)


class WrongAbsolute(Absolute):
    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] = (dy * x).sum(axis=0)
        return dy * self.w.value * np.sign(x)


class RandomOnItsOwn(Own):
    def forward(self, x, *, training=False):
        return super().forward(x + np.random.default_rng().standard_normal(x.shape), training=training)


def network_of(kind, **options):
    return Network(Dense(6), kind(), Dense(10)).build((5,), rng=0, **options)


def batch(n=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 5)), rng.integers(0, 10, n)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (NoSuper, r"NoSuper.__init__ must begin with super\(\).__init__\(\)"),
        (NoNeedDx, r"NoNeedDx.backward must take need_dx: define it as backward\(self, dy, \*, need_dx=True\)"),
        (NoTraining, r"NoTraining.forward must take training: define it as forward\(self, x, \*, training=False\)"),
        (BuildReturnsNothing, "BuildReturnsNothing.build must return the shape of an output as a tuple, received None"),
        (NumberForInitializer, "NumberForInitializer declares w with the initializer 1.0; give a function such as"),
        (DeclaresTwice, "DeclaresTwice declares the parameter w twice"),
    ],
)
def test_what_is_seen_when_the_network_is_built(kind, sentence):
    with pytest.raises(InputError, match=sentence):
        network_of(kind)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (ForwardReturnsNothing, "ForwardReturnsNothing.forward returned nothing; end it with return y"),
        (BackwardReturnsNothing, "BackwardReturnsNothing.backward returned nothing; end it with return dx"),
        (ReboundGradient, r"reboundgradient_1.w.grad must be written into, not replaced.*w.grad\[...\] = "),
    ],
)
def test_what_is_seen_when_it_computes(kind, sentence, tmp_path, capsys):
    network = network_of(kind)
    x, labels = batch()
    for look in (
        lambda: check_gradients(network, LOSS, x, labels),
        lambda: assert_gradients(network, LOSS, x, labels),
    ):
        with pytest.raises(InputError, match=sentence):
            look()
    (tmp_path / "own.py").write_text(f"from test_own_layers import {kind.__name__} as Given\n"
                                     f"class {kind.__name__}(Given):\n    pass\n")  # fmt: skip
    recipe = tmp_path / "own.toml"
    recipe.write_text(OWN_RECIPE.replace("Scaled", kind.__name__).replace(", slope = 0.5", ""))
    assert main(["check", str(recipe), "--layers", str(tmp_path / "own.py")]) == 2
    said = capsys.readouterr().err
    assert re.search(sentence, said)
    assert len(said.splitlines()) == 1


def test_a_value_that_is_replaced_is_refused(digits):
    network = Network(Flatten(), ReboundValue(), Dense(10)).build((28, 28))
    with pytest.raises(InputError, match=r"reboundvalue_1.w.value must be written into, not replaced"):
        fit(network, LOSS, SGD(), digits.train[:50], batch_size=50, epochs=1, learning_rate=0.1)


@pytest.mark.parametrize("directions", [0, 3])
@pytest.mark.parametrize("kind", [Absolute, Casts])
def test_where_complex_numbers_do_not_pass_central_differences_decide(kind, directions):
    report = check_gradients(network_of(kind), LOSS, *batch(), directions=directions)
    assert report.right
    assert f"complex numbers do not pass {kind.__name__}" in str(report)
    assert [row.checked == 0 and row.complex_step is None for row in report.rows] == [True] * 3 + [False] * 2
    assert all(row.central_checked for row in report.rows)
    assert json.dumps(report.to_table())


def test_and_find_what_is_wrong_there():
    report = check_gradients(network_of(WrongAbsolute), LOSS, *batch())
    assert re.match(
        r"WRONG: wrongabsolute_1.w\[\d\]: backpropagation says .*, central differences says", report.verdict
    )


def test_random_numbers_of_its_own_are_random_and_not_wrong(capsys, tmp_path):
    report = check_gradients(network_of(RandomOnItsOwn), LOSS, *batch())
    assert report.verdict.startswith("RANDOM: two passes over the same batch give different outputs: RandomOnItsOwn ")
    assert "self.rng" in report.verdict
    assert (report.right, report.to_table()["verdict"]) == (False, "random")
    with pytest.raises(AssertionError, match="RANDOM"):
        assert_gradients(network_of(RandomOnItsOwn), LOSS, *batch())
    inside = Network(Residual(RandomOnItsOwn()), Dense(10)).build((5,))
    assert "RandomOnItsOwn draws" in check_gradients(inside, LOSS, *batch()).verdict


def test_what_a_layer_keeps_of_a_pass_is_noted():
    report = check_gradients(network_of(KeepsWhatIsOfAPass), LOSS, *batch())
    assert report.right
    assert "KeepsWhatIsOfAPass keeps self.x from a pass" in str(report)


def test_a_network_without_parameters_has_nothing_to_check():
    for network in (Network(ReLU()), Network(Flatten(), Tanh())):
        report = check_gradients(network.build((10,)), LOSS, np.ones((2, 10)), np.array([0, 1]))
        assert report.right
        assert str(report) == report.verdict == "There are no parameters, and so no gradients to check"
        assert json.dumps(report.to_table())
        assert_gradients(network, LOSS, np.ones((2, 10)), np.array([0, 1]))


def test_a_right_layer_is_right():
    report = check_gradients(network_of(Own), LOSS, *batch(), central=10**6)
    assert report.right
    assert report.notes == ()


class Accumulates(Own):
    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] += (dy * x).sum(axis=0)
        return dy * self.w.value


class NeverWrites(Own):
    def backward(self, dy, *, need_dx=True):
        self.recall()
        return dy * self.w.value


@pytest.mark.parametrize("directions", [0, 3])
@pytest.mark.parametrize("kind", [Accumulates, NeverWrites])
def test_a_gradient_that_is_not_overwritten_is_wrong(kind, directions):
    report = check_gradients(network_of(kind), LOSS, *batch(), directions=directions)
    assert report.verdict.startswith(f"WRONG: {kind.__name__.lower()}_1.w: its gradient depends on what stood there")


class Doubled(Layer):
    """Nothing to learn, and a wrong dx: where it stands first, no gradient of a parameter shows it."""

    def forward(self, x, *, training=False):
        return 2 * x

    def backward(self, dy, *, need_dx=True):
        return dy


def test_the_gradient_of_the_inputs_is_checked_too():
    report = check_gradients(Network(Doubled(), Dense(10)).build((5,)), LOSS, *batch())
    assert report.verdict.startswith("WRONG: the gradient of the inputs: along a random direction backpropagation says")


class WritesToItsInput(Own):
    def forward(self, x, *, training=False):
        x *= -1
        return super().forward(x, training=training)


def test_a_layer_that_writes_to_its_input_is_told_so():
    with pytest.raises(InputError, match=r"WritesToItsInput.forward writes to its input"):
        check_gradients(network_of(WritesToItsInput), LOSS, *batch())


class FromItsGenerator(Own):
    def forward(self, x, *, training=False):
        mask = (self.rng.random(x.shape) > 0.5) if training else np.ones(x.shape)
        self.remember(x * mask, mask)
        return x * mask * self.w.value

    def backward(self, dy, *, need_dx=True):
        x, mask = self.recall()
        self.w.grad[...] = (dy * x).sum(axis=0)
        return dy * mask * self.w.value


def test_numbers_from_the_generator_of_the_pass_stand_still():
    assert check_gradients(network_of(FromItsGenerator), LOSS, *batch()).right


def mean_squares(outputs, targets):
    """Returns a float, as most people write it: complex numbers do not pass."""
    return float(np.mean(np.real(outputs - targets) ** 2)), 2 * (outputs - targets) / outputs.size


def absolute_errors(outputs, targets):
    return np.abs(outputs - targets).mean(), np.sign(outputs - targets) / outputs.size


def wrong_by_the_batch(outputs, targets):
    return float(np.mean(np.real(outputs - targets) ** 2)), 2 * (outputs - targets)


@pytest.mark.parametrize("directions", [0, 3])
def test_losses_of_ones_own_that_know_no_complex_numbers(directions):
    network, (x, _) = network_of(Own), batch()
    targets = np.random.default_rng(1).standard_normal((4, 10))
    for loss in (mean_squares, absolute_errors):
        report = check_gradients(network, loss, x, targets, directions=directions)
        assert report.right, str(report)
        assert "complex numbers do not pass function" in str(report)
    assert not check_gradients(network, wrong_by_the_batch, x, targets, directions=directions).right


# Saved and loaded again


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
    with pytest.raises(InputError, match=r"uses layers of its author, Scaled; give the classes.*--layers FILE.py"):
        load_model(path)

    class Dense(Scaled):
        pass

    for wrong, sentence in ((Dense, "Dense is the name of a layer of plainnet"), (Scaled(), "must be classes derived")):
        with pytest.raises(InputError, match=sentence):
            layer_from_config({"type": "ReLU"}, [wrong])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: ForgetsItsSlope(0.5),
            r"loaded again, it gives other answers; config\(\) of ForgetsItsSlope must tell",
        ),
        (KeepsItElsewhere, "KeepsItElsewhere takes other but does not keep it; write self.other = other in __init__"),
        (lambda: Scaled(np.array([0.1, 0.2])), "Scaled.slope is array.*which no file can hold"),
        (RunningMean, "what training changes besides parameters belongs in self.state"),
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
    with pytest.raises(InputError, match=r"config\(\) of Muted must tell all arguments"):
        save_model(path, Model(one_hidden(Muted(0.1)), NAMES, {}))


@pytest.mark.parametrize("about", [{"a": np.float32(1)}, {"a": {1, 2}}, {"a": np.ones(2)}])
def test_what_a_model_says_of_itself_must_be_plain(about, tmp_path):
    with pytest.raises(InputError, match=r"cannot save what the model says about itself: .*plain numbers and texts"):
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
    with pytest.raises(InputError, match="StateOfThatName has a parameter and a state called w"):
        network_of(StateOfThatName)
    with pytest.raises(InputError, match=r"StateIsANumber keeps something in self.state that is not an array"):
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
    with pytest.raises(InputError, match="an initializer of its author, 'own: mine', which is not here"):
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


OWN_RECIPE = """
title = "a layer of my own"
input_shape = [28, 28]
batch_size = 50
epochs = 2
layers = [
    {type = "Flatten"}, {type = "Dense", units = 8},
    {type = "Residual", layers = [{type = "Scaled", slope = 0.5}]}, {type = "Dense", units = 10},
]
loss = {type = "SoftmaxCrossEntropy"}
optimizer = {type = "SGD"}
schedule = {type = "constant", learning_rate = 0.1}
"""


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


# What others reported of their own programs


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


@pytest.mark.parametrize("given", [1, 2, 3, 8])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_threads_that_are_given_are_obeyed(given, workers):
    """They are shared among the workers, of which each needs one; what is noted is what is used."""
    threads = MatrixThreads(given, workers)
    with threads.in_force():
        choice = threads.begin(None)
        blas = {pool["num_threads"] for pool in threads._blas.info() if pool["user_api"] == "blas"}
    each = max(1, given // workers)
    assert blas == {each}
    assert choice.threads == each * workers
    assert threads.choices == [[0, 0, each * workers]]
    assert threads.begin(None) is None  # a run that goes on has chosen


def test_threads_are_chosen_by_what_is_quicker(monkeypatch):
    """With clocks of the test's own: the choice is made, kept, and made anew when an epoch takes another time."""
    monkeypatch.setattr("plainnet.runs.threads.threads_of_blas", lambda: 4)
    monkeypatch.setattr("plainnet.runs.threads.available_cores", lambda: 4)
    times = {1: 0.004, 4: 0.002}
    monkeypatch.setattr("plainnet.runs.threads.timed", lambda step, numbers, use: {n: times[n] for n in numbers})
    threads = MatrixThreads()
    with threads.in_force():
        choice = threads.begin(lambda: None)
        assert (choice.threads, str(choice)) == (
            4, "4 threads for matrix products: a step takes 4 ms with 1, 2 ms with 4"
        )  # fmt: skip

        def epoch(number, seconds):
            return threads.after(Epoch(number, 1.0, {}, None, None, 0.1, seconds), 100, lambda: None)

        assert epoch(1, 0.2) is None
        assert epoch(2, 0.25) is None
        assert epoch(3, 5.0) is None  # much slower, but four threads are still quicker
        times[4] = 0.1
        assert epoch(4, 5.0) is None  # the new measure
        assert epoch(5, 20.0).threads == 1
        assert threads.choices == [[0, 0, 4], [5, 0, 1]]
        resumed = MatrixThreads()
        resumed.repeat(threads.choices)
        assert resumed.begin(lambda: None) is None
        times[4] = 0.0039
        assert MatrixThreads().begin(lambda: None).threads == 1  # not worth it
        assert MatrixThreads().begin(None).why == "the products are small"
        assert MatrixThreads(workers=4).begin(lambda: None).why == "one a worker"


def test_timing_takes_turns_and_ends():
    used, made = [], []
    found = timed(lambda: made.append(used[-1]), (1, 2), used.append)
    assert set(found) == {1, 2}
    assert used[:4] == [1, 2, 1, 2]
    assert made.count(1) > 1
    assert made.count(2) > 1


def test_nothing_needs_posix_to_start():
    """Many students have Windows: modules that it lacks are imported where they are used, if they are there."""
    import subprocess

    program = """
import sys
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
import pkgutil, importlib, plainnet
for module in pkgutil.walk_packages(plainnet.__path__, "plainnet."):
    if not module.name.endswith("__main__") and "torch" not in module.name:
        importlib.import_module(module.name)
from plainnet.runs.environment import peak_memory_mb, hardware
assert peak_memory_mb() >= 0 and hardware()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
