"""The examples in docstrings: each must run as it stands, and every public name must have one."""

import doctest
import importlib
import inspect
import pkgutil
import warnings

import pytest

import plainnet
from plainnet.errors import InputError

OPTIONAL = {  # packages that a plain installation may lack
    "distributed", "joblib", "loky", "mpi4py", "onnx", "onnxruntime", "optuna", "pandas", "pyarrow", "scipy", "sklearn",
    "starlette", "tensorboard", "tomlkit", "torch", "uvicorn",
}  # fmt: skip
NAMESPACES = ("plainnet", "plainnet.layers", "plainnet.losses", "plainnet.optimizers", "plainnet.sklearn")
MODULES = [
    "plainnet",
    *sorted(found.name for found in pkgutil.walk_packages(plainnet.__path__, "plainnet.", lambda name: None)),
]


def imported(name):
    """Return the module, or skip the test if an optional package that it needs is missing."""
    try:
        return importlib.import_module(name)
    except (ImportError, InputError) as error:
        cause = error.__cause__ or error
        if (getattr(cause, "name", None) or "").partition(".")[0] not in OPTIONAL:
            raise
        pytest.skip(f"{name} needs an optional package: {error}")


def examples(module):
    """Return the examples of the docstrings of a module, without names: an example must import what it uses."""
    return [test for test in doctest.DocTestFinder().find(module, globs={}) if test.examples]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples_of(name, tmp_path, monkeypatch):
    module = imported(name)
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner()
    for test in examples(module):
        said = []
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            runner.run(test, out=said.append)
        assert not runner.failures, "".join(said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMESPACES)
def test_every_public_name_has_an_example(name):
    module = imported(name)
    for public in module.__all__:
        value = getattr(module, public)
        if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
            assert "Example:\n" in inspect.getdoc(value), f"{name}.{public}"
            assert doctest.DocTestParser().get_examples(value.__doc__), f"{name}.{public}"
