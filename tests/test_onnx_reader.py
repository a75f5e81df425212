"""Models from ONNX files that other programs wrote: PyTorch, skl2onnx, our own export; and damaged files."""

import warnings

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx: pip install 'plainnet[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: make extras")

from plainnet import InputError, Network, load_model
from plainnet.cli.app import main
from plainnet.export.forms import export
from plainnet.export.onnx_reader import read
from plainnet.layers import Conv2D, Dense, Ensemble, Flatten
from plainnet.model import Model
from test_export import ALL_LAYERS, images, model_of

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def as_users_have_it():
    with np.errstate(under="ignore"):
        yield


READ = [kind for kind in ALL_LAYERS if kind not in ("ensemble", "of usual size", "scales", "upright")]


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("kind", READ)
def test_what_we_export_we_read(kind, precision, tmp_path):
    for in_shape in ((12, 12), (12, 13, 3)):
        model, path = model_of(kind, in_shape), tmp_path / f"{len(in_shape)}.onnx"
        export(model, "onnx", path, precision)
        again, _ = read(path)
        assert again.class_names == model.class_names
        inputs = images(model)
        from plainnet.export.precision import rounded

        np.testing.assert_allclose(
            again.probabilities(inputs), rounded(model, precision).probabilities(inputs), atol=1e-5
        )


def torch_model(kind):
    torch = pytest.importorskip("torch", reason="needs PyTorch: make oracle")
    nn = torch.nn

    class Convolutional(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
            self.second, self.third = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 8, 3, stride=2, padding=1)
            self.hidden, self.last, self.drop = nn.Linear(8 * 4 * 4, 20), nn.Linear(20, 5), nn.Dropout(0.5)

        def forward(self, x):
            x = torch.relu(self.norm(self.first(x)))
            x = torch.max_pool2d(x + torch.relu(self.second(x)), 2)
            x = torch.flatten(nn.functional.leaky_relu(self.third(x)), 1)
            return self.last(self.drop(torch.tanh(self.hidden(x))))

    made, shape = {
        "convolutional": (Convolutional(), (3, 16, 16)),
        "digits": (nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 10)), (1, 28, 28)),
        "global": (
            nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4)),
            (1, 9, 9),
        ),
        "vectors": (
            nn.Sequential(
                nn.Linear(7, 9), nn.LayerNorm(9), nn.SiLU(), nn.Linear(9, 9), nn.BatchNorm1d(9), nn.Sigmoid(),
                nn.Linear(9, 3), nn.GELU(approximate="tanh"), nn.Linear(9 - 6, 3),
            ),
            (7,),
        ),
    }[kind]  # fmt: skip
    torch.manual_seed(0)
    with torch.no_grad():
        for module in made.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return made.eval(), RNG.random((4, *shape)).astype(np.float32)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("exporter", ["traced", "dynamo"])
@pytest.mark.parametrize("kind", ["convolutional", "digits", "global", "vectors"])
def test_networks_that_pytorch_wrote(kind, exporter, tmp_path):
    import torch

    made, inputs = torch_model(kind)
    path = tmp_path / "t.onnx"
    if exporter == "dynamo":
        pytest.importorskip("onnxscript", reason="needs onnxscript: pip install onnxscript")
        pytest.importorskip("tqdm").tqdm.monitor_interval = 0  # no thread of its own, beside which nothing is forked
        torch.onnx.export(made, (torch.from_numpy(inputs),), str(path), dynamo=True, external_data=False, verbose=False)
    else:
        torch.onnx.export(made, (torch.from_numpy(inputs),), str(path), dynamo=False)
    model, notes = read(path)
    with torch.no_grad():
        expected = made(torch.from_numpy(inputs)).numpy()
    ours = inputs.transpose(0, 2, 3, 1) if inputs.ndim == 4 else inputs
    given = model.network.logits(ours.reshape(len(ours), *model.network.in_shape))
    np.testing.assert_allclose(given, expected, atol=1e-5)
    assert "count as logits of classes" in " ".join(notes)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["several", "two", "numbers", "texts", "labels"])
def test_networks_that_skl2onnx_wrote(kind, tmp_path):
    skl2onnx = pytest.importorskip("skl2onnx", reason="needs skl2onnx: pip install skl2onnx")
    from sklearn.datasets import load_iris
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    targets = {"several": y, "two": y == 1, "numbers": X[:, 0], "texts": np.array(["ant", "bee", "cat"])[y],
               "labels": np.stack([y == 0, y > 0], axis=1).astype(int)}[kind]  # fmt: skip
    mlp = (MLPRegressor if kind == "numbers" else MLPClassifier)(hidden_layer_sizes=(8,), max_iter=30, random_state=0)
    pipeline = make_pipeline(MinMaxScaler() if kind == "two" else StandardScaler(), mlp).fit(X, targets)
    options = None if kind == "numbers" else {id(mlp): {"zipmap": False}}
    (tmp_path / "s.onnx").write_bytes(skl2onnx.to_onnx(pipeline, X[:1], options=options).SerializeToString())
    model, _ = read(tmp_path / "s.onnx")
    if kind == "numbers":
        np.testing.assert_allclose(model.network.logits(X)[:, 0], pipeline.predict(X), atol=1e-4)
    else:
        np.testing.assert_allclose(model.probabilities(X), pipeline.predict_proba(X), atol=1e-5)
    if kind == "texts":
        assert model.class_names == ("ant", "bee", "cat")


def test_a_converted_model_is_checked_and_evaluated(tmp_path, capsys):
    export(
        load_model("cnn").__class__(load_model("cnn").network, tuple(map(str, range(10)))), "onnx", tmp_path / "c.onnx"
    )
    out = tmp_path / "c.safetensors"
    assert main(["convert", str(tmp_path / "c.onnx"), "--out", str(out)]) == 0
    assert main(["check", str(out), "--directions", "3"]) == 0
    assert main(["evaluate", str(out), "--shifts", "0"]) == 0
    assert "99." in capsys.readouterr().out
    assert main(["convert", str(tmp_path / "c.onnx"), "--out", str(out)]) == 2  # it is there
    assert main(["convert", str(tmp_path / "c.onnx"), "--out", str(tmp_path / "c.npz")]) == 2


def graph(nodes, inputs=((None, 4),), outputs=("y",), constants=None):
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    made = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(f"x{k or ''}", kind, shape) for k, shape in enumerate(inputs)],
        [helper.make_tensor_value_info(name, kind, ["N", "M"]) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(a, np.float32), n) for n, a in (constants or {}).items()],
    )  # fmt: skip
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def node(kind, *inputs, **given):
    return onnx.helper.make_node(kind, list(inputs), ["y"], **given)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: graph([node("Erf", "x")]), "the operator Erf is not supported"),
        (lambda: graph([node("Add", "x", "x1")], ((None, 4), (None, 4))), r"it has 2 inputs \(x, x1\)"),
        (lambda: graph([node("Relu", "x")], (("N", "M"),)), "all sizes except N must be known"),
        (lambda: graph([node("Gemm", "x", "W")], constants={"W": np.zeros((5, 3))}), "do not fit"),
        (lambda: graph([node("Mul", "x", "s")], constants={"s": -1}), "multiplied by a number that is not positive"),
        (lambda: graph([node("Mul", "x", "x")]), "Mul of two arrays that both depend on the input"),
        (lambda: graph([node("Add", "x", "x")]), r"supports only x \+ f\(x\)"),
        (lambda: graph([node("Relu", "x")], ((None, 1, 4, 4),)), "it ends in images"),
        (
            lambda: graph(
                [node("Conv", "x", "W", group=2)], ((None, 2, 4, 4),), constants={"W": np.zeros((2, 1, 3, 3))}
            ),
            "one group and no dilation",
        ),
        (
            lambda: graph(
                [node("Conv", "x", "W", strides=[10**9] * 2)],
                ((None, 1, 9, 9),),
                constants={"W": np.zeros((1, 1, 3, 3))},
            ),
            "a stride of 1000000000",
        ),
        (
            lambda: graph([node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2])], ((None, 1, 9, 9),)),
            "squares that do not overlap",
        ),
        (lambda: graph([node("Clip", "x", "least")], constants={"least": 1}), "Clip must be a ReLU"),
        (lambda: graph([node("Gelu", "x")]), "GELU is supported only in its tanh approximation"),
    ],
)
def test_what_is_no_network_of_ours_says_so(made, says, tmp_path):
    path = tmp_path / "bad.onnx"
    path.write_bytes(made().SerializeToString())
    with pytest.raises(InputError, match=says):
        read(path)


def refusal(path):
    try:
        read(path)
    except InputError as error:
        return str(error)
    return None


def torch_net(kind):
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(7, 7), nn.Linear(7, 7), nn.Linear(7, 3)
            self.wide, self.last = nn.Linear(48, 48), nn.Linear(48, 3)

        def forward(self, x):
            if kind == "a gate":
                return self.c(torch.sigmoid(self.a(x)) * self.b(x))
            if kind == "another sigmoid":
                h = self.a(x)
                return self.c(h * torch.sigmoid(1.702 * h))
            if kind == "one less a sigmoid":
                return 1 - torch.sigmoid(self.c(x))
            h = x.flatten(1)
            return self.last(h + torch.relu(self.wide(h)))

    return Net().eval(), torch.rand(3, *((3, 4, 4) if kind == "beside a flattening" else (7,)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["a gate", "another sigmoid", "one less a sigmoid", "beside a flattening"])
def test_what_only_looks_like_our_layers_is_refused(kind, tmp_path):
    import torch

    made, x = torch_net(kind)
    torch.onnx.export(made, (x,), str(tmp_path / "n.onnx"), dynamo=False)
    with pytest.raises(InputError, match="cannot be read as a network"):
        read(tmp_path / "n.onnx")


@pytest.mark.filterwarnings("ignore")
def test_a_view_by_the_size_of_the_batch_is_a_flattening(tmp_path):
    torch = pytest.importorskip("torch")

    class View(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.dense = torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(8, 3)

        def forward(self, x):
            x = torch.relu(self.convolution(x))
            return self.dense(x.view(x.size(0), -1))

    made, x = View().eval(), torch.rand(2, 1, 4, 4)
    axes = {"x": {0: "N"}}
    torch.onnx.export(made, (x,), str(tmp_path / "v.onnx"), dynamo=False, input_names=["x"], dynamic_axes=axes)
    model, _ = read(tmp_path / "v.onnx")
    np.testing.assert_allclose(model.network.logits(x[:, 0].numpy()), made(x).detach().numpy(), atol=1e-5)


def test_our_own_regression_comes_back_as_one(tmp_path):
    export(Model(Network(Dense(2)).build((3,)), ()), "onnx", tmp_path / "r.onnx")
    model, notes = read(tmp_path / "r.onnx")
    assert model.kind == "numbers"
    assert not notes


def test_damaged_files_are_refused_in_a_sentence(tmp_path):
    model = Model(Network(Conv2D(2, 3), Flatten(), Dense(3)).build((6, 6), rng=0), ("a", "b", "c"))
    export(model, "onnx", tmp_path / "m.onnx")
    whole, path = (tmp_path / "m.onnx").read_bytes(), tmp_path / "x.onnx"
    refused = 0
    for trial in range(300):
        rng = np.random.default_rng(trial)
        content = bytearray(whole)
        for place in rng.integers(0, len(content), rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        path.write_bytes(bytes(content[: rng.integers(1, len(content))] if trial % 3 == 0 else content))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = refusal(path)
            refused += said is not None
            assert said is None or len(said) < 900
    assert refused > 100
    for content in (b"", b"\x08", b"PK\x03\x04" + b"0" * 50):
        path.write_bytes(content)
        with pytest.raises(InputError):
            read(path)


def test_layers_beyond_our_reading_are_named(tmp_path):
    members = Ensemble([[Flatten(), Dense(3)], [Flatten(), Dense(3)]])
    export(Model(Network(members).build((2, 2)), ("a", "b", "c")), "onnx", tmp_path / "e.onnx")
    with pytest.raises(InputError, match="the operator Mean changes probabilities"):
        read(tmp_path / "e.onnx")
