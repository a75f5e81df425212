import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plainnet import BatchNorm, Dense, Flatten, InputError, Model, Network, ReLU, load_model, save_model
from plainnet import safetensors as ours
from plainnet.writing import write_atomically

NAMES = ("a", "b", "c")


@pytest.fixture
def model():
    network = Network(Flatten(), Dense(5), ReLU(), Dense(3)).build((2, 2), rng=1)
    return Model(network, NAMES, {"recipe": {"name": "tiny"}, "metrics": {"test_accuracy": 0.5}})


@pytest.fixture
def path(model, tmp_path):
    save_model(tmp_path / "model.safetensors", model)
    return tmp_path / "model.safetensors"


def test_round_trip(model, path):
    again = load_model(path)
    np.testing.assert_array_equal(again.network.theta, model.network.theta)
    assert [layer.config() for layer in again.network.layers] == [layer.config() for layer in model.network.layers]
    assert again.class_names == NAMES
    assert again.about == model.about
    images = np.random.default_rng(0).random((4, 2, 2))
    np.testing.assert_array_equal(again.network.predict(images), model.network.predict(images))


def test_the_official_library_reads_ours(model, path):
    tensors = safetensors.numpy.load_file(path)
    assert set(tensors) == {parameter.name for parameter in model.network.parameters}
    for parameter in model.network.parameters:
        np.testing.assert_array_equal(tensors[parameter.name], parameter.value)
    with safetensors.safe_open(path, "np") as file:
        assert json.loads(file.metadata()["class_names"]) == list(NAMES)


DTYPES = st.sampled_from([np.float32, np.float64, np.uint8, np.int64])
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)


@given(st.dictionaries(st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"), ARRAYS, max_size=4))
def test_tensors_round_trip_both_ways(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("tensors") / "file.safetensors"
    ours.write(path, tensors, {"note": "héllo"})
    for read in (safetensors.numpy.load_file(path), ours.read(path)[0]):
        assert set(read) == set(tensors)
        for name, array in tensors.items():
            assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(read[name], array)
    assert ours.read(path)[1]["note"] == "héllo"
    safetensors.numpy.save_file(tensors, path)
    assert set(ours.read(path)[0]) == set(tensors)


def test_arrays_of_other_layouts_are_stored_in_order(tmp_path):
    array = np.arange(6.0).reshape(2, 3).T
    ours.write(tmp_path / "f.safetensors", {"x": array}, {})
    np.testing.assert_array_equal(ours.read(tmp_path / "f.safetensors")[0]["x"], array)
    with pytest.raises(InputError, match="cannot store x: its type complex128"):
        ours.write(tmp_path / "f.safetensors", {"x": array + 0j}, {})


def test_truncated_at_every_byte(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"is not a safetensors file|is not a valid"):
            load_model(path)


def craft(path, header, content=b"", metadata=None):
    if metadata is not None:
        header = header | {"__metadata__": metadata}
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def entry(begin, end, shape=None, dtype="F32"):
    return {"dtype": dtype, "shape": shape or [(end - begin) // 4], "data_offsets": [begin, end]}


HOSTILE = {
    "a header of 100 MB": (10**8).to_bytes(8, "little") + b"{}",
    "a header of 2^63 bytes": b"\xff" * 8,
    "no JSON": b"\x04\0\0\0\0\0\0\0{{{{",
    "a list": b"\x02\0\0\0\0\0\0\0[]",
    "deep nesting": (10**5).to_bytes(8, "little") + b"[" * 10**5,
}
CRAFTED = {
    "NaN in the header": (b'{"__metadata__":{},"a":NaN}', b""),
    "a shape of a million ones": (
        b'{"a":{"dtype":"F32","shape":[' + b"1," * 300_000 + b'1],"data_offsets":[0,4]}}',
        bytes(4),
    ),
    "a number of 5,000 digits": (
        b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,4]}}',
        bytes(4),
    ),
    "overlap": ({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12)),
    "hole": ({"a": entry(0, 4), "b": entry(8, 12)}, bytes(12)),
    "bytes left over": ({"a": entry(0, 4)}, bytes(8)),
    "bytes missing": ({"a": entry(0, 8)}, bytes(4)),
    "745 GiB": ({"a": entry(0, 8 * 10**11, [2 * 10**11])}, bytes(8)),
    "shape and size differ": ({"a": entry(0, 8, [3])}, bytes(8)),
    "negative shape": ({"a": entry(0, 4, [-1])}, bytes(4)),
    "shape of floats": ({"a": entry(0, 4, [1.0])}, bytes(4)),
    "shape of booleans": ({"a": entry(0, 4, [True])}, bytes(4)),
    "unknown type": ({"a": entry(0, 4, [1], "C64")}, bytes(4)),
    "unknown key": ({"a": entry(0, 4) | {"more": 1}}, bytes(4)),
    "no offsets": ({"a": {"dtype": "F32", "shape": [1]}}, bytes(4)),
    "three offsets": ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 4]}}, bytes(4)),
    "an entry that is a number": ({"a": 3}, bytes(4)),
    "metadata that is a list": ({"__metadata__": []}, b""),
    "metadata of numbers": ({"__metadata__": {"a": 1}}, b""),
    "wrong hash": ({"a": entry(0, 4), "__metadata__": {"sha256": "0" * 64}}, bytes(4)),
    "duplicate keys": (b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{}}', b""),
}


@pytest.mark.parametrize("case", [*HOSTILE, *CRAFTED])
def test_hostile_files_are_refused(tmp_path, case):
    path = tmp_path / "hostile.safetensors"
    if case in HOSTILE:
        path.write_bytes(HOSTILE[case])
    else:
        craft(path, *CRAFTED[case])
    with pytest.raises(InputError, match=r"hostile\.safetensors is not a (valid )?safetensors"):
        ours.read(path)


def edited(path, **changes):
    tensors, metadata = ours.read(path)
    for key, value in changes.items():
        if key == "tensors":
            tensors = value(tensors)
        elif value is None:
            del metadata[key]
        else:
            metadata[key] = value
    ours.write(path, tensors, metadata)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": '"another"'}, "its format is .*another"),
        ({"layers": None}, "layers is missing"),
        ({"dtype": '"f4, (3"'}, "dtype must be float32, float64 or complex128"),
        ({"dtype": '[["a", "f4"]]'}, "dtype must be float32, float64 or complex128"),
        ({"layers": '[{"type": "Evil"}]'}, "unknown layer type 'Evil'"),
        ({"layers": '[{"type": "Dense", "units": 3, "cmd": 1}]'}, "unknown key 'cmd'"),
        ({"layers": '[{"type": "Flatten"}, {"type": "Dense", "units": 1000000}]'}, "expected values for"),
        ({"layers": "not JSON"}, "Expecting value"),
        ({"layers": "3"}, "layers is 3"),
        ({"class_names": '["a"]'}, "1 class names for outputs"),
        ({"class_names": "[1, 2, 3]"}, "class_names is"),
        ({"class_names": '"abc"'}, "class_names is 'abc'"),
        ({"splits": '""'}, "splits is ''"),
        ({"input_shape": "[3, 3]"}, "expected values for"),
        (
            {"layers": '[{"type": "Flatten"}, ' + '{"type": "Dense", "units": 1000000}, ' * 3 + '{"type": "ReLU"}]'},
            "expected values",
        ),
        ({"tensors": lambda tensors: {}}, "expected values for"),
        ({"tensors": lambda tensors: {k: np.full_like(v, np.nan) for k, v in tensors.items()}}, "not all finite"),
    ],
)
def test_files_that_hold_no_sound_model_are_refused(path, changes, sentence):
    edited(path, **changes)
    with pytest.raises(InputError, match=f"does not hold a plainnet model: .*{sentence}"):
        load_model(path)


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "model_final.pkl"
    path.write_bytes(b"cposix\nsystem\n(S'touch hacked'\ntR.")
    with pytest.raises(InputError, match=r"is a pickle\. .* plainnet never does; .*model_final\.safetensors"):
        load_model(path)
    (tmp_path / "renamed.safetensors").write_bytes(pickle.dumps({"a": np.ones(3)}))
    with pytest.raises(InputError, match="is a pickle"):
        load_model(tmp_path / "renamed.safetensors")
    with pytest.raises(InputError, match="cannot read"):
        load_model(tmp_path / "absent.safetensors")


def test_a_failed_write_leaves_the_old_file(path, model, monkeypatch):
    before = hashlib.sha256(path.read_bytes()).hexdigest()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        save_model(path, model)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_writing_makes_the_folder_and_readable_files(tmp_path):
    write_atomically(tmp_path / "new" / "file", b"x")
    assert (tmp_path / "new" / "file").stat().st_mode & 0o444
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        write_atomically(tmp_path / "file" / "inside", b"x")


def test_what_could_not_be_loaded_again_is_not_saved(tmp_path, model):
    with pytest.raises(InputError, match="1 class names for outputs"):
        save_model(tmp_path / "f.safetensors", Model(model.network, ("a",), {}))
    model.network.theta[0] = np.nan
    with pytest.raises(InputError, match="weights that are not finite"):
        save_model(tmp_path / "f.safetensors", model)
    assert not list(tmp_path.iterdir())


def test_float64_stays_float64(tmp_path):
    network = Network(Dense(3)).build((2,), dtype=np.float64)
    save_model(tmp_path / "f.safetensors", Model(network, NAMES, {}))
    again = load_model(tmp_path / "f.safetensors").network
    assert again.theta.dtype == np.float64
    np.testing.assert_array_equal(again.theta, network.theta)


def run(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_loading_never_runs_what_a_file_could_bring(path, tmp_path):
    """An audit hook ends the program where it would unpickle, compile, run, start or connect anything."""
    (tmp_path / "checkpoints").mkdir()
    ours.write(
        tmp_path / "checkpoints" / "checkpoint.safetensors",
        {},
        {"format": "plainnet checkpoint 2", "about": "{}", "training": '{"history": [], "batch": 0}'},
    )
    program = """
import json, sys
from pathlib import Path
from plainnet import load_model, InputError
from plainnet.checkpoint import Checkpoint

def hook(event, arguments):
    if event.split(".")[0] in ("pickle", "exec", "compile", "subprocess", "socket", "os") and event not in (
        "os.listdir", "os.scandir"
    ):
        print("FORBIDDEN", event, arguments, flush=True)

sys.addaudithook(hook)
exec("1")
print("---")
load_model(sys.argv[1])
Checkpoint(Path(sys.argv[2]))
try:
    load_model(sys.argv[3])
except InputError:
    print("well")
"""
    (tmp_path / "evil.safetensors").write_bytes(pickle.dumps(print))
    done = run(program, path, tmp_path / "checkpoints", tmp_path / "evil.safetensors")
    before, _, after = done.stdout.partition("---\n")
    assert "FORBIDDEN exec" in before  # the hook works
    assert after == "well\n", done.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which Linux has")
def test_loading_takes_at_most_twice_the_memory_of_the_file(tmp_path):
    network = Network(Dense(5000), Dense(3)).build((5000,), rng=0, dtype=np.float32)
    path = tmp_path / "large.safetensors"
    save_model(path, Model(network, NAMES, {}))
    program = """
import sys
from plainnet import load_model, Dense, Network
from plainnet.runs.environment import peak_memory_mb
Network(Dense(3)).build((3,))
before = peak_memory_mb()
load_model(sys.argv[1])
print(peak_memory_mb() - before)
"""
    megabytes = float(run(program, path).stdout)
    assert megabytes < 2 * path.stat().st_size / 1e6 * 1.02


def test_a_negative_variance_is_refused(tmp_path):
    network = Network(BatchNorm(), Dense(2)).build((3,), rng=1)
    save_model(tmp_path / "m.safetensors", Model(network, ("a", "b"), {}))
    tensors, texts = ours.read(tmp_path / "m.safetensors")
    tensors["batchnorm_1.running_variance"][1] = -1e-3
    ours.write(tmp_path / "m.safetensors", tensors, texts, check=lambda path: None)
    with pytest.raises(InputError, match=r"a running variance of BatchNorm must be at least 0, received -0\.001"):
        load_model(tmp_path / "m.safetensors")
    before = network.tensors()["batchnorm_1.running_variance"].copy()
    with pytest.raises(InputError, match="at least 0"):
        network.restore(tensors)
    np.testing.assert_array_equal(network.tensors()["batchnorm_1.running_variance"], before)
