"""What holds for the repository as a whole."""

import _struct as compiled_module  # any compiled module of the standard library tells where they all are
import ast
import inspect
import re
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import plainnet
from plainnet.checks.code.faults import as_page
from plainnet.data.augmentation import Augmentation
from plainnet.layers import LAYERS
from plainnet.losses import LOSSES
from plainnet.optimizers import OPTIMIZERS
from plainnet.recipes import Recipe
from plainnet.schedules import SCHEDULES

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_public_names():
    assert sorted(plainnet.__all__) == sorted(set(plainnet.__all__))
    assert len(plainnet.__all__) <= 40
    defined = {
        name for name, value in vars(plainnet).items()
        if not name.startswith("_") and (not inspect.ismodule(value) or name == "mnist")
    }  # fmt: skip
    later = set(plainnet._LATER)
    assert defined | later == set(plainnet.__all__)
    assert set(dir(plainnet)) == {*plainnet.__all__, "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        plainnet.nonsense  # noqa: B018


def test_every_public_name_explains_itself():
    for name in plainnet.__all__:
        assert inspect.getdoc(getattr(plainnet, name)), name


def test_the_version_stands_in_one_place_and_its_copy():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == plainnet.__version__
    assert f"## {plainnet.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_say_what_they_are(path):
    assert len(path.read_text().splitlines()) <= 300
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_pickles_are_written_but_never_read():
    calls = [
        f"{path}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("load", "loads", "Unpickler")
        and isinstance(node.value, ast.Name) and node.value.id == "pickle"
    ]  # fmt: skip
    assert calls == []


def test_floors_below_the_application_run_with_numpy_and_nothing_else(tmp_path):
    """In a Python that finds only the standard library, NumPy and plainnet, a network is trained and checked."""
    (tmp_path / "plainnet").symlink_to(ROOT / "src" / "plainnet")
    for part in ("numpy", "numpy.libs"):
        source = Path(np.__file__).parents[1] / part
        if source.exists():
            (tmp_path / part).symlink_to(source)
    standard = [
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        str(Path(compiled_module.__file__).parent),
    ]
    program = f"""
import sys
sys.path[:] = {[str(tmp_path), *standard]!r}
for name in ("matplotlib", "PIL", "rich", "cyclopts", "threadpoolctl", "pytest"):
    try:
        __import__(name)
    except ImportError:
        continue
    sys.exit(name + " can be imported: this test would prove nothing")
import numpy as np
from plainnet import *
from plainnet.recipes import read
data = mnist.load()
network = Network(Dense(16), ReLU(), Dense(10)).build((784,))
history = fit(network, SoftmaxCrossEntropy(), SGD(momentum=0.9), data.train[:2000], data.validation[:500],
              batch_size=50, epochs=2, learning_rate=0.05)
assert_gradients(network, SoftmaxCrossEntropy(), data.train.images[:8], data.train.labels[:8])
save_model({str(tmp_path / "m.safetensors")!r}, Model(network, data.train.class_names, {{}}))
assert (load_model({str(tmp_path / "m.safetensors")!r}).network.theta == network.theta).all()
from plainnet.checks.gradients import check_gradients
inputs = 0.5 * data.train.images[:3] / 255 + 0.5 * np.random.default_rng(0).random((3, 28, 28))
fast99 = read("fast99").network()
assert check_gradients(fast99, SoftmaxCrossEntropy(), inputs, data.train.labels[:3], directions=5).right
print(history[-1].validation_accuracy)
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) > 0.7


def test_nothing_in_the_package_opens_a_pickle():
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        if path.name == "others.py":  # which tells how users convert pickles themselves
            text = re.sub(r"_PICKLE = \(.*?\n\)", "", text, flags=re.S)
        assert not re.search(r"pickle\.load|Unpickler|allow_pickle\s*=\s*True|\bmarshal\b|\bshelve\b", text), path


def test_the_figures_in_the_readme_are_those_of_the_records():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from page_figures import PAGES, rendered
    finally:
        del sys.path[0]
    for page in PAGES:
        assert rendered(page) == (ROOT / page).read_text(), "run: make figures"
    assert (ROOT / "docs" / "faults.md").read_text() == as_page(), "run: make figures"


def test_the_page_about_recipes_names_every_key_and_type():
    page = (ROOT / "docs" / "recipes.md").read_text()
    kinds = {**LAYERS, **LOSSES, **OPTIMIZERS, **SCHEDULES}
    names = {field.name for field in fields(Recipe)} - {"name", "own_layers"}
    for kind in set(kinds) - {"Ensemble"}:
        names |= {kind, *inspect.signature(kinds[kind]).parameters} - {"initializer"}
    for name in names | set(inspect.signature(Augmentation).parameters):
        assert re.search(rf"\b{name}\b", page), name


def test_every_module_has_its_floor():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    floors = {name.strip() for row in contract["layers"] for name in row.split("|")}
    package = ROOT / "src" / "plainnet"
    files = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/__init__.py")}
    parts = {f"foreign.{path.stem}" for path in (package / "foreign").glob("*.py") if path.stem != "__init__"}
    assert {f"plainnet.{name}" for name in (files | parts) - {"__init__", "__main__", "foreign"}} == floors
