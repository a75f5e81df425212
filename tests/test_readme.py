"""The commands of the README, run as they stand, in a copy of what a clone holds; and a wheel, outside of any clone."""

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import plainnet
import plainnet.initializers

ROOT = Path(__file__).parent.parent
TOO_LONG = ("plainnet bench", "plainnet iterations", "plainnet lab")


def commands():
    section = (ROOT / "README.md").read_text().partition("## At the command line")[2].partition("\n## ")[0]
    blocks = re.findall(r"```\n(.*?)```", section, flags=re.S)
    return [line.partition("   #")[0].strip() for block in blocks for line in block.splitlines() if line]


def test_the_readme_names_every_command_and_no_other():
    from plainnet.cli.commands import COMMANDS

    named = {command.split()[1] for command in commands()}
    assert named == set(COMMANDS)


def test_the_programs_of_the_readme_run(tmp_path, monkeypatch):
    """With data of a reader's own, and a layer of their own; the whole training is `examples/classic.py`."""
    section = (ROOT / "README.md").read_text().partition("## As a library")[2].partition("\n## ")[0]
    whole, arrays, layer = re.findall(r"```python\n(.*?)```", section, flags=re.S)
    assert whole in (ROOT / "examples" / "classic.py").read_text()
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((200, 3))
    names = {"inputs": inputs, "labels": (inputs.sum(axis=1) > 0).astype(int)}
    exec(arrays, names)
    assert names["history"][-1].train_accuracy > 0.8
    assert names["load_model"]("mine.safetensors").class_names == ("no", "yes")
    names |= {"Layer": plainnet.Layer, "ones": plainnet.initializers.ones}
    exec(layer, names)
    network = plainnet.Network(names["Scale"](), plainnet.Dense(2)).build((3,), dtype=np.float64)
    plainnet.assert_gradients(network, plainnet.SoftmaxCrossEntropy(), inputs[:9], names["labels"][:9])
    assert repr(network) == "Network(Scale, Dense; 11 parameters)"
    assert repr(plainnet.Network(plainnet.Dense(2))) == "Network(Dense; not built)"
    assert repr(plainnet.mnist.load()) == "Splits(50,000 to train, 10,000 to validate, 10,000 to test)"
    assert len(repr(plainnet.load_model("cnn"))) < 600
    assert list(inspect.signature(plainnet.fit).parameters)[:5] == [
        "network",
        "loss",
        "optimizer",
        "train",
        "validation",
    ]


@pytest.mark.slow
def test_the_commands_of_the_readme_work_as_they_stand(tmp_path):
    for name in ("examples", "records", "src"):
        shutil.copytree(ROOT / name, tmp_path / name)
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"], "PYTHONPATH": str(tmp_path / "src")}
    for command in commands():
        if command.startswith("plainnet sweep") and find_spec("optuna") is None:
            continue
        if command.startswith(TOO_LONG) or (".csv" in command and find_spec("pandas") is None):
            continue
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        expected = 1 if "doctor" in command else 0
        assert done.returncode == expected, f"{command}\n{done.stdout}\n{done.stderr}"
        assert not done.stderr, command


@pytest.mark.slow
def test_a_wheel_is_whole(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)],
        check=True,
    )
    (wheel,) = tmp_path.glob("plainnet-*.whl")
    place, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place), str(wheel)], check=True
    )
    environment = os.environ | {"PYTHONPATH": str(place)}

    def run(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert run("-c", "import plainnet; print(plainnet.__file__)").startswith(str(place))
    seven = str(ROOT / "examples" / "digits" / "seven.png")
    assert " 7  (" in run("-m", "plainnet", "predict", "cnn", seven)
    assert "test accuracy" in run("-m", "plainnet", "train", "--limit", "500", "--epochs", "1", "--out", "r")
    assert "test_shifts" in run("-m", "plainnet", "recipes", "cnn")
    assert shlex.split(run("-m", "plainnet", "--version")) == ["0.1.0"]
