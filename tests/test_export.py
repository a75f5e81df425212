"""Models for other programs, judged by them: onnxruntime, ONNX's reference, PyTorch, and Python with NumPy alone."""

import importlib.util
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from plainnet import InputError, Network, load_model, mnist, save_model
from plainnet.cli.app import main
from plainnet.export import numpy_program
from plainnet.export.forms import export
from plainnet.layers import (
    GELU,
    AveragePool,
    BatchNorm,
    Conv2D,
    Dense,
    Deskew,
    Dropout,
    Ensemble,
    Flatten,
    GaussianNoise,
    GlobalAveragePool,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool,
    NormalizeSize,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    Standardize,
    Tanh,
)  # fmt: skip
from plainnet.model import PIXELS, Model
from plainnet.recipes import available, read

NAMES = tuple("abcdefghij")
RNG = np.random.default_rng(0)
ALL_LAYERS = {
    "conv2d": lambda: [
        Conv2D(4, 3, padding="same", stride=2), ReLU(), Conv2D(3, 4, padding="same"), Flatten(), Dense(10),
    ],
    "pooling": lambda: [Conv2D(4, 3), MaxPool(2), LeakyReLU(0.1), AveragePool(3), Flatten(), Dense(10)],
    "global": lambda: [Conv2D(4, 5), BatchNorm(), SiLU(), GlobalAveragePool(), Dense(10)],
    "vectors": lambda: [
        Flatten(), Dense(12), LayerNorm(), Tanh(), Dense(12), BatchNorm(), Sigmoid(), Dropout(0.5), Dense(12), GELU(),
        GaussianNoise(0.1), Dense(10),
    ],
    "residual": lambda: [
        Conv2D(4, 3, padding="same"), Residual(Conv2D(4, 3, padding="same"), ReLU(), Residual(BatchNorm(), Tanh())),
        LayerNorm(), Sequential(Flatten(), Dense(6)), Residual(ReLU(), Dense(6)), Dense(10),
    ],
    "upright": lambda: [Deskew(), Flatten(), Dense(10)],
    "of usual size": lambda: [NormalizeSize(strength=0.7), Conv2D(3, 3), NormalizeSize(), Flatten(), Dense(10)],
    "scales": lambda: [Standardize(), Flatten(), Dense(10), Standardize(inverse=True)],
    "ensemble": lambda: [Ensemble([[Flatten(), Dense(8), ReLU(), Dense(10)] for _ in range(3)])],
}  # fmt: skip


@pytest.fixture(autouse=True)
def as_users_have_it():
    with np.errstate(under="ignore"):
        yield


def trained(network, size=0.3):
    """Give every tensor values that no rule can mistake for others."""
    for name, tensor in network.tensors().items():
        tensor[...] = np.abs(RNG.standard_normal(tensor.shape)) + 0.5 if "varian" in name or "devia" in name else (
            tensor + size * RNG.standard_normal(tensor.shape)
        )  # fmt: skip
    return network


def model_of(kind, in_shape=(12, 12), **more):
    return Model(trained(Network(*ALL_LAYERS[kind]()).build(in_shape, rng=1)), NAMES, {}, PIXELS, **more)


def images(model, count=20):
    return RNG.integers(0, 256, (count, *model.network.in_shape)).astype(np.uint8)


def by_onnx(path, inputs, reference=False):
    if reference:
        from onnx.reference import ReferenceEvaluator

        return ReferenceEvaluator(str(path)).run(None, {"input": inputs})[0]
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install onnxruntime")
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"input": inputs})[0]


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def by_node(path, inputs):
    if shutil.which("node") is None:
        pytest.skip("needs Node, to run JavaScript")
    program = f"import {{ answersOf }} from {json.dumps(str(path))}; import fs from 'node:fs';"
    program += "const all = JSON.parse(fs.readFileSync(0)); console.log(JSON.stringify(all.map((x) => answersOf(x))));"
    given = json.dumps(inputs.reshape(len(inputs), -1).tolist())
    command = ["node", "--input-type=module", "--eval", program]
    done = subprocess.run(command, input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout))


def answers(form, path, inputs):
    if form == "js":
        return by_node(path, inputs)
    if form == "onnx":
        pytest.importorskip("onnx", reason="needs onnx: pip install 'plainnet[onnx]'")
        return by_onnx(path, inputs)
    if form == "torch":
        pytest.importorskip("torch", reason="needs PyTorch: make oracle")
        made = module(path)
        return made.answers(made.load(path.with_suffix(".safetensors")), inputs).numpy()
    return module(path).answers(inputs)


def exported(model, form, folder, precision="float32"):
    if form in ("onnx", "torch"):
        pytest.importorskip({"onnx": "onnx", "torch": "torch"}[form], reason=f"needs {form}: make extras")
    path = folder / f"model{ {'onnx': '.onnx', 'js': '.mjs'}.get(form, '.py') }"
    export(model, form, path, precision)
    return path


@pytest.mark.parametrize("form", ["onnx", "torch", "numpy", "js"])
@pytest.mark.parametrize("kind", ALL_LAYERS)
def test_every_layer_gives_the_same_answers(kind, form, tmp_path):
    for in_shape in ((12, 12), (12, 13, 3)):
        model = model_of(kind, in_shape, temperature=1.7)
        inputs, folder = images(model), tmp_path / str(len(in_shape))
        folder.mkdir()
        given = answers(form, exported(model, form, folder), inputs)
        np.testing.assert_allclose(given, model.probabilities(inputs), atol=1e-5)


@pytest.mark.parametrize("form", ["onnx", "torch", "numpy", "js"])
@pytest.mark.parametrize("recipe", [name for name in available() if name != "table"])
def test_every_recipe_gives_the_same_answers(recipe, form, tmp_path, digits):
    made = read(recipe)
    model = Model(trained(made.network(rng=0), 0.03), NAMES, {}, PIXELS, test_shifts=min(made.test_shifts, 1))
    inputs = digits.test.inputs[:40].reshape(-1, *model.network.in_shape)
    path = exported(model, form, tmp_path)
    np.testing.assert_allclose(answers(form, path, inputs), model.shares(inputs, model.test_shifts), atol=1e-5)
    if form == "numpy":
        assert len(path.read_text().splitlines()) < 80
    if form == "onnx":
        np.testing.assert_allclose(
            by_onnx(path, inputs[:5], True), model.shares(inputs[:5], model.test_shifts), atol=1e-5
        )


@pytest.mark.parametrize("form", ["onnx", "torch", "numpy", "js"])
def test_numbers_labels_and_one_logit(form, tmp_path):
    for number, (units, names, kind) in enumerate(
        [(2, (), "numbers"), (3, NAMES[:3], "labels"), (1, NAMES[:2], "classes")]
    ):
        network = trained(Network(Dense(5), Tanh(), Dense(units)).build((4,), rng=0))
        model = Model(network, names, {}, PIXELS, temperature=1.0 if kind == "numbers" else 1.3, kind=kind)
        inputs, folder = RNG.standard_normal((9, 4)).astype(np.float32), tmp_path / str(number)
        folder.mkdir()
        expected = network.logits(inputs) if kind == "numbers" else model.probabilities(inputs)
        np.testing.assert_allclose(answers(form, exported(model, form, folder), inputs), expected, atol=1e-5)


def test_a_table_goes_in_column_by_column(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: make extras")
    pytest.importorskip("onnx")
    from plainnet.data.columns import Columns

    table = {"age": np.array([20.0, np.nan, 40, 31]), "town": np.array(["bath", "hull", "bath", "york"], object)}
    columns = Columns.learned(table, "mean")
    network = trained(Network(Standardize(), Dense(2)).build((4,), rng=0))
    model = Model(network, ("no", "yes"), {}, columns.to_table(), columns.inputs)
    export(model, "onnx", tmp_path / "t.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "t.onnx"))
    given = {"age": np.float32(table["age"])[:, None], "town": table["town"][:, None]}
    np.testing.assert_allclose(session.run(None, given)[0], model.shares(columns.encoded(table)), atol=1e-5)


def test_the_program_needs_nothing_but_numpy(tmp_path, digits):
    np.save(tmp_path / "images.npy", digits.test.inputs[:3])
    path = exported(load_model("cnn"), "numpy", tmp_path)
    blocked = "import sys; sys.modules['plainnet'] = None; sys.argv = ['x', 'images.npy']; "
    code = blocked + f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[") == 4


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_weights_in_fewer_bits_are_measured(precision, tmp_path, capsys, monkeypatch):
    onnx = pytest.importorskip("onnx", reason="needs onnx: pip install 'plainnet[onnx]'")
    model = read("softmax").network(rng=0)
    save_model(tmp_path / "m.safetensors", Model(trained(model), tuple(map(str, range(10)))))
    whole, fewer = tmp_path / "whole.onnx", tmp_path / "fewer.onnx"
    command = ["export", str(tmp_path / "m.safetensors"), "--to", "onnx", "--out"]
    assert main([*command, str(whole)]) == 0
    assert main([*command, str(fewer), "--precision", precision]) == 0
    assert "on 10,000 test examples" in capsys.readouterr().out
    assert fewer.stat().st_size < whole.stat().st_size * {"float16": 0.6, "int8": 0.4}[precision]
    told = {entry.key: entry.value for entry in onnx.load(str(fewer)).metadata_props}
    assert told["precision"] == precision
    assert abs(float(told["float32"]) - float(told[precision])) < 0.02


class Own(Layer):
    def forward(self, x, *, training=False):
        return x


@pytest.mark.parametrize(
    ("form", "out", "precision", "says"),
    [
        ("onnx", "m.onnx", "float32", "Own cannot be exported to ONNX"),
        ("torch", "m.py", "float32", "Own cannot be exported to PyTorch"),
        ("numpy", "m.py", "float32", "Own cannot be exported to NumPy"),
        ("js", "m.js", "float32", "Own cannot be exported to JavaScript"),
        ("js", "m.js", "float16", "export to js as float32"),
        ("onnx", "m.py", "float32", r"--out must end in \.onnx"),
        ("excel", "m.xlsx", "float32", "--to must be one of js, numpy, onnx, torch"),
        ("torch", "m.py", "int8", "only ONNX supports 8-bit weights"),
        ("numpy", "m.py", "int4", "precision must be one of"),
    ],
)
def test_what_cannot_be_exported_says_so(form, out, precision, says, tmp_path):
    if form == "onnx":
        pytest.importorskip("onnx")
    model = Model(Network(Own(), Dense(2)).build((3,)), ("a", "b"))
    with pytest.raises(InputError, match=says):
        export(model, form, tmp_path / out, precision)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_kept(tmp_path):
    (tmp_path / "train.npz").write_text("mine")
    with pytest.raises(InputError, match=r"train\.npz exists already"):
        export(model_of("vectors"), "numpy", tmp_path / "train.py")
    different = Ensemble([[Flatten(), Dense(10)], [Flatten(), Dense(8), Dense(10)]])
    model = Model(Network(different).build((4, 4)), NAMES)
    with pytest.raises(InputError, match="an ensemble of different networks"):
        numpy_program.write(tmp_path / "e.py", model)


def test_without_onnx_it_says_how_to_get_it(tmp_path):
    command = ["export", "cnn", "--to", "onnx", "--out", str(tmp_path / "c.onnx")]
    code = f"import sys; sys.modules['onnx'] = None; from plainnet.cli.app import main; sys.exit(main({command!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'plainnet[onnx]'" in done.stderr
    assert mnist is not None
