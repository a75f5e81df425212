"""The programs in the pages: each block runs after what its page takes for granted, and prints what the page says."""

import ast
import contextlib
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from running_lessons import BLOCK

DOCS = Path(__file__).parent.parent / "docs"
WITH_PROGRAMS = sorted(path.name for path in DOCS.glob("*.md") if "```python" in path.read_text())
TOO_LONG = {"sweep.md": "20 trainings of the classic network"}
NEEDS = {"sklearn.md": "sklearn", "cluster.md": "mpi4py", "data.md": "pandas"}
LAYER = """import numpy as np


class Layer:
    def __init__(self):
        self.W, self.b = np.ones((3, 2)), np.zeros(2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T


layer, x = Layer(), np.random.default_rng(0).normal(size=(4, 3))
"""
NETWORK = """from plainnet import *

data = mnist.load()
train, validation = (DataSet(part.inputs[:500], part.targets[:500]) for part in (data.train, data.validation))
network, loss, optimizer = Network(Dense(10)).build((784,), rng=0), SoftmaxCrossEntropy(), SGD()
"""
BEFORE = {"cluster.md": NETWORK, "doctor.md": LAYER}  # what a page takes for granted


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # scikit-learn's way: the example is short
@pytest.mark.parametrize("page", WITH_PROGRAMS)
def test_the_programs_of_a_page_run(page, tmp_path, monkeypatch):
    text = (DOCS / page).read_text()
    if page in TOO_LONG:
        for block in BLOCK.finditer(text):
            ast.parse(block[1])
        return
    if page in NEEDS:
        pytest.importorskip(NEEDS[page], reason=f"the programs of {page} need {NEEDS[page]}")
    monkeypatch.chdir(tmp_path)
    shutil.copy(DOCS.parent / "examples" / "flowers.csv", tmp_path)
    names = {"__name__": "page"}
    with np.errstate(all="ignore"):
        exec(BEFORE.get(page, ""), names)
        for block in BLOCK.finditer(text):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block[1], page, "exec"), names)
            if block[3] is not None:
                assert printed.getvalue() == block[3]
            said = re.findall(r"^print\(.*\)  # (\[.*\])$", block[1], re.MULTILINE)
            assert not said or printed.getvalue().splitlines() == said
