"""Bad input to every public function: `InputError` with one sentence, whatever it was, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

import plainnet as pn
from plainnet import sources
from plainnet.checkpoint import Checkpoint
from plainnet.data.augmentation import Augmentation
from plainnet.diagnosis import read_case
from plainnet.recipes import Recipe, parse_override, read
from plainnet.schedules import constant, one_cycle, step_decay

NAN, INF = float("nan"), float("inf")
X, Y = np.zeros((4, 3), np.float32), np.array([0, 1, 2, 1])
IMAGES, LABELS = np.zeros((4, 28, 28), np.uint8), np.array([0, 1, 2, 3], np.uint8)
TEN = tuple("0123456789")


def small(**options):
    return pn.Network(pn.Dense(3)).build((3,), **options)


def digits(images=IMAGES, labels=LABELS, names=TEN):
    return pn.DataSet(images, labels, names)


def train(data=None, network=None, **options):
    options = {"batch_size": 2, "epochs": 1, "learning_rate": 0.1} | options
    network = network or pn.Network(pn.Flatten(), pn.Dense(10)).build((28, 28))
    return pn.fit(network, pn.SoftmaxCrossEntropy(), pn.SGD(), data or digits(), **options)


def recipe(**changes):
    return Recipe.from_table(read("classic").to_table() | changes)


CASES = {
    "dense": [
        *(lambda units=units: pn.Dense(units) for units in (0, -1, 1.5, "10", None, True, 10**9, NAN, [10])),
        lambda: pn.Dense(3, initializer="he"),
        lambda: pn.Network(pn.Dense(3)).build((28, 28)),
    ],
    "convolution": [
        *(lambda filters=filters: pn.Conv2D(filters, 3) for filters in (0, -4, 2.0, "8", None)),
        *(lambda size=size: pn.Conv2D(3, size) for size in (0, -1, 1.5, (3, 3))),
        *(lambda stride=stride: pn.Conv2D(3, 3, stride=stride) for stride in (0, -1, 0.5)),
        *(lambda padding=padding: pn.Conv2D(3, 3, padding=padding) for padding in ("full", 1, None)),
        lambda: pn.Conv2D(3, 3, initializer=3),
        lambda: pn.Network(pn.Conv2D(3, 9)).build((5, 5, 1)),
        lambda: pn.Network(pn.Conv2D(3, 3)).build((9,)),
    ],
    "pooling": [
        *(lambda size=size: pn.MaxPool(size) for size in (0, -2, 2.5, "2")),
        lambda: pn.Network(pn.MaxPool(4)).build((3, 3, 1)),
        lambda: pn.Network(pn.MaxPool()).build((9,)),
    ],
    "batch normalization": [
        *(lambda value=value: pn.BatchNorm(momentum=value) for value in (-0.1, 1.0, NAN)),
        *(lambda value=value: pn.BatchNorm(epsilon=value) for value in (0.0, -1e-5, INF, NAN)),
        lambda: pn.Network(pn.BatchNorm()).build((3, 3)),
    ],
    "dropout": [lambda rate=rate: pn.Dropout(rate) for rate in (-0.5, 1.0, 50, NAN)],
    "network": [
        lambda: pn.Network(),
        lambda: pn.Network(*[pn.Dense(3)] * 2),
        *(lambda shape=shape: pn.Network(pn.Dense(3)).build(shape) for shape in ((0,), (-3,), (2.5,), (), "784")),
        lambda: small(rng=-1),
        lambda: small(rng="seed"),
        lambda: small(values={}),
        lambda: small(values={"dense_1.W": np.zeros((2, 3)), "dense_1.b": np.zeros(3)}),
        lambda: small(values={"dense_1.W": np.zeros((3, 3)), "dense_1.b": np.zeros(3), "more": np.zeros(1)}),
    ],
    "images": [
        lambda: small().predict(np.zeros((4, 5), np.float32)),
        lambda: small().predict(np.zeros(3, np.float32)),
        lambda: small().predict(np.zeros((), np.float32)),
        lambda: small().predict([["a", "b", "c"]]),
        lambda: small().predict(np.zeros((4, 3), np.int64)),
        lambda: small().predict(np.array([[None, 1, 2]])),
        lambda: pn.Network(pn.Flatten(), pn.Dense(3)).build((28, 28)).predict(np.zeros((2, 28, 28, 3), np.uint8)),
        lambda: pn.Network(pn.Flatten(), pn.Dense(3)).build((28, 28)).predict(np.zeros((2, 14, 56), np.uint8)),
        lambda: pn.Network(pn.Flatten(), pn.Dense(3)).build((28, 28)).probabilities(np.zeros((28, 27), np.uint8)),
    ],
    "loss": [
        lambda: pn.SoftmaxCrossEntropy("average"),
        lambda: pn.SoftmaxCrossEntropy()(X, Y[:2]),
        lambda: pn.SoftmaxCrossEntropy()(X[0], Y),
        lambda: pn.SoftmaxCrossEntropy()(X, np.array([0, 1, 2, 3])),
        lambda: pn.SoftmaxCrossEntropy()(X, np.array([0, 1, -1, 2])),
        lambda: pn.SoftmaxCrossEntropy()(X, np.array([0.0, 1.0, 2.0, 1.0])),
        lambda: pn.SoftmaxCrossEntropy()(X, np.array(["0", "1", "2", "1"])),
        lambda: pn.SoftmaxCrossEntropy()(X, np.eye(4, 5)),
        lambda: pn.SoftmaxCrossEntropy()(X[:0], Y[:0]),
    ],
    "optimizers": [
        *(lambda value=value: pn.SGD(momentum=value) for value in (-0.1, 1.0, 2, NAN)),
        *(lambda value=value: pn.SGD(weight_decay=value) for value in (-1e-4, INF, NAN)),
        *(lambda value=value: pn.SGD(clip=value) for value in (0.0, -5, NAN)),
        *(lambda value=value: pn.Adam(beta1=value) for value in (-0.1, 1.0, NAN)),
        *(lambda value=value: pn.Adam(beta2=value) for value in (-0.1, 1.0, NAN)),
        *(lambda value=value: pn.Adam(epsilon=value) for value in (0.0, -1e-8, INF)),
    ],
    "schedules": [
        *(lambda rate=rate: constant(rate) for rate in (0.0, -0.1, NAN, INF)),
        lambda: step_decay(0.1, factor=0.0, at=(3,)),
        lambda: step_decay(0.1, factor=2.0, at=(3,)),
        lambda: step_decay(0.1, factor=0.1, at=(0,)),
        lambda: step_decay(-0.1, factor=0.1, at=(3,)),
        *(lambda share=share: one_cycle(0.1, warm_up=share) for share in (-0.1, 1.0, NAN)),
        lambda: one_cycle(0.1, start=2.0),
        lambda: one_cycle(0.1, end=-1.0),
    ],
    "data sets": [
        lambda: digits(labels=LABELS[:3]),
        lambda: digits(IMAGES[:0], LABELS[:0]),
        lambda: digits(labels=LABELS.astype(float)),
        lambda: digits(labels=np.array(list("0123"))),
        lambda: digits(labels=2 * np.eye(4, 10)),
        lambda: digits(labels=np.eye(4, 9, dtype=int)),
        lambda: digits(labels=LABELS + np.uint8(7)),
        lambda: digits(labels=LABELS.astype(int) - 1),
        lambda: digits(names=("a", "b")),
        lambda: digits()[3],
        lambda: digits()[:0],
        lambda: sources.load("absent"),
        lambda: pn.read_idx("absent", dimensions=3),
        lambda: pn.read_idx(".", dimensions=1),
    ],
    "training": [
        *(lambda value=value: train(batch_size=value) for value in (0, -1, 1.5, "128", None, NAN)),
        *(lambda value=value: train(epochs=value) for value in (0, -1, 1.5, "3", None)),
        *(lambda value=value: train(learning_rate=value) for value in (0.0, -0.1, NAN, INF)),
        *(lambda value=value: train(workers=value) for value in (0, -1, 1.5)),
        lambda: train(rng=-3),
        lambda: train(network=pn.Network(pn.Flatten(), pn.Dense(3)).build((28, 28))),
        lambda: train(data=digits(np.zeros((4, 14, 14), np.uint8))),
        lambda: train(data=digits(np.zeros((4, 28, 28), np.int32))),
        lambda: train(data=digits(np.zeros((4, 28, 28, 3), np.uint8))),
    ],
    "augmentation": [
        *(
            lambda name=name: Augmentation(**{name: -1.0})
            for name in ("rotation", "scale", "shear", "shift", "elastic")
        ),
        *(lambda name=name: Augmentation(**{name: NAN}) for name in ("rotation", "scale", "shear", "shift", "elastic")),
        lambda: Augmentation(scale=1.0),
        *(lambda value=value: Augmentation(smoothness=value) for value in (0.0, 2.9, NAN, INF)),
    ],
    "checks": [
        lambda: pn.check_gradients(small(), pn.SoftmaxCrossEntropy(), X, Y, directions=-1),
        lambda: pn.check_gradients(small(), pn.SoftmaxCrossEntropy(), X, Y, central=-1),
        lambda: pn.check_gradients(small(), pn.SoftmaxCrossEntropy(), X[:, :2], Y),
        lambda: pn.check_gradients(small(), pn.SoftmaxCrossEntropy(), X, Y + 1),
    ],
    "model files": [
        lambda: pn.load_model("absent.safetensors"),
        lambda: pn.load_model("."),
        lambda: pn.load_model("/dev/zero"),
        lambda: pn.load_model("model.pkl"),
        lambda: pn.load_model("\N{SNOWMAN}" * 300),
        lambda: pn.save_model("x.safetensors", pn.Model(small(), ("a",), {})),
        lambda: pn.save_model(".", pn.Model(small(), ("a", "b", "c"), {})),
        lambda: Checkpoint(Path("absent")),
        lambda: read_case(Path("absent")),
    ],
    "recipes": [
        lambda: read("clasic"),
        lambda: read("absent.toml"),
        lambda: parse_override("nonsense"),
        lambda: parse_override("a=b c"),
        lambda: parse_override("a="),
        lambda: read("classic", {"layers.9.units": 3}),
        lambda: read("classic", {"a.b.c": 3}),
        lambda: recipe(epochs=0),
        lambda: recipe(epochs=True),
        lambda: recipe(epochs="80"),
        lambda: recipe(batch_size=1.5),
        lambda: recipe(workers=0),
        lambda: recipe(validate="no"),
        lambda: recipe(title=3),
        lambda: recipe(input_shape=[]),
        lambda: recipe(input_shape="28x28"),
        lambda: recipe(input_shape=[28, -28]),
        lambda: recipe(layers=[]),
        lambda: recipe(layers=["Dense"]),
        lambda: recipe(layers=[{"type": "Transformer"}]),
        lambda: recipe(layers=[{"type": ["Dense"]}]),
        lambda: recipe(layers=[{"type": "Dense"}, {"type": "Dense"}]),
        lambda: recipe(loss={}),
        lambda: recipe(loss="mse"),
        lambda: recipe(optimizer={"type": "Lion"}),
        lambda: recipe(optimizer={"type": "SGD", "momentum": "much"}),
        lambda: recipe(schedule={"type": "constant"}),
        lambda: recipe(schedule={"type": "constant", "learning_rate": "slow"}),
        lambda: recipe(schedule={"type": "step_decay", "learning_rate": 0.1, "factor": 0.1, "at": 3}),
        lambda: recipe(augmentation=3),
        lambda: recipe(augmentation={"blur": 3}),
        lambda: recipe(more=3),
    ],
}
NUMBERED = [(what, number) for what, cases in CASES.items() for number in range(len(cases))]


def test_there_are_enough():
    assert len(NUMBERED) >= 150


@pytest.mark.parametrize(("what", "number"), NUMBERED)
def test_bad_input_is_one_clear_sentence(what, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pn.InputError) as raised:
        CASES[what][number]()
    sentence = str(raised.value)
    assert 15 < len(sentence) < 480
    assert "\n" not in sentence
    assert not list(tmp_path.iterdir())
