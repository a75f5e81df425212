"""Passes that are examined as the author's program calls them, with data that is made up if it is missing."""

import sys

import pytest

from plainnet.checks.code.made_up_data import file_content
from plainnet.checks.code.programs import programs_beside
from plainnet.checks.code.worker import examined
from verdicts import HEAD, findings_in, verdicts_in

LAYER = """
class Dense:
    def __init__(self, settings):
        self.settings = settings
        self.weights = settings.draw()

    def forward(self, batch):
        self.batch = batch
        return batch @ self.weights

    def backward(self, flow):
        self.slope = {slope}
        return flow @ self.weights.T
"""
PROGRAM = """
from layer import Dense

class Settings:
    def draw(self):
        return np.random.rand(7, 3)

def main():
    layer = Dense(Settings())
    out = layer.forward(np.random.rand(9, 7))
    layer.backward(out - 1)

if __name__ == "__main__":
    main()
"""
NEURONS = """
import random

class Net:
    def __init__(self, sizes):
        n, m, k = sizes["in"], sizes["hidden"], sizes["out"]
        self.v = [[random.random() - 0.5 for _ in range(n)] for _ in range(m)]
        self.w = [[random.random() - 0.5 for _ in range(m)] for _ in range(k)]

    def run(self, x):
        self.h = [np.tanh(sum(v * a for v, a in zip(row, x))) for row in self.v]
        return [sum(w * h for w, h in zip(row, self.h)) for row in self.w]

    def learn(self, xs, ts, rounds):
        for _ in range(rounds):
            for x, t in zip(xs, ts):
                y = self.run(x)
                d = [a - b for a, b in zip(y, t)]
                e = [sum(self.w[k][j] * d[k] for k in range(len(d))){slope} for j in range(len(self.h))]
                for k in range(len(d)):
                    for j in range(len(self.h)):
                        self.w[k][j] -= 0.1 * d[k] * self.h[j]
                for j in range(len(self.h)):
                    for i in range(len(x)):
                        self.v[j][i] -= 0.1 * e[j] * x[i]

net = Net({{"in": 3, "hidden": 4, "out": 2}})
net.learn([[0.1, 0.2, 0.7], [0.5, 0.4, 0.3]], [[1.0, 0.0], [0.0, 1.0]], 5)
"""
MEMO = """
def up(model, batch):
    first = np.tanh(batch @ model[0])
    return first @ model[1], (first, batch)

def down_backward(model, memo, flow):
    first, batch = memo
    back = flow @ model[1].T * {slope}
    return [batch.T @ back, first.T @ flow], back @ model[0].T

model = [np.random.rand(5, 4), np.random.rand(4, 3)]
out, memo = up(model, np.random.rand(6, 5))
down_backward(model, memo, out / 6)
"""
CHAIN = """
def spread(stuff, knobs):
    return stuff["rows"] @ knobs[0]

def bend(z):
    return np.where(z > 0, z, 0.1 * z)

def collect(h, knobs):
    return h @ knobs[1]

def slopes_backward(stuff, z, h, out, knobs):
    above = {above}
    below = above @ knobs[1].T * np.where(z > 0, 1, {leak})
    return [stuff["rows"].T @ below, h.T @ above]

stuff = {{"rows": np.random.rand(6, 5) - 0.5, "y": np.random.rand(6, 3)}}
knobs = [np.random.rand(5, 4), np.random.rand(4, 3)]
z = spread(stuff, knobs)
h = bend(z)
out = collect(h, knobs)
slopes_backward(stuff, z, h, out, knobs)
"""
INSIDE = """
class Line:
    def __init__(self, penalty_of):
        self.penalty_of, self.w = penalty_of, None

    def predict(self, rows):
        return rows @ self.w

    def gradient(self, rows, wanted):
        return {factor} * rows.T @ (self.predict(rows) - wanted) / len(rows){more}

    def fit(self, rows, wanted):
        self.w = np.random.rand(rows.shape[1])
        self.w -= 0.1 * self.gradient(rows, wanted)

Line({{"l2": 0}}).fit(np.random.rand(8, 3), np.random.rand(8))
"""
SCRIPT = """
with open("mnist_train_100.csv") as file:
    rows = file.readlines()
data = np.array([[float(n) for n in row.split(",")] for row in rows])
labels, images = data[:, 0].astype(int), data[:, 1:] / 255
w = np.random.rand(784, 10) * 0.01
for image, label in zip(images, labels):
    image.shape += (1,)
    z = w.T @ image
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    d = p.copy()
    d[label] -= 1
    w -= 0.1 * {step}
"""


def project(folder, text, program=PROGRAM):
    """Write a file and the program that uses it; return the findings on the file."""
    sys.modules.pop("layer", None)  # of the test before
    (folder / "layer.py").write_text(HEAD + text)
    (folder / "main.py").write_text(HEAD + program)
    return {finding.name: finding for finding in examined(folder / "layer.py").findings}


@pytest.mark.parametrize(
    ("slope", "verdict"), [("self.batch.T @ flow", "right"), ("self.batch.T @ flow / len(flow) * 3", "wrong")]
)
def test_a_program_beside_a_file_shows_how_to_make_its_objects(tmp_path, slope, verdict):
    assert project(tmp_path, LAYER.format(slope=slope))["Dense"].verdict == verdict


@pytest.mark.parametrize(("slope", "verdict"), [(" * (1 - self.h[j] ** 2)", "right"), ("", "undecidable")])
def test_a_network_of_lists_that_trains_itself_is_run_on_one_example(tmp_path, slope, verdict):
    """Without the slope it is wrong, but the loss is only supposed."""
    found = verdicts_in(tmp_path, NEURONS.format(slope=slope))
    assert found["Net.learn"] == verdict


@pytest.mark.parametrize(("slope", "verdict"), [("(1 - first ** 2)", "right"), ("first", "wrong")])
def test_a_cache_is_known_by_its_identity(tmp_path, slope, verdict):
    assert verdicts_in(tmp_path, MEMO.format(slope=slope))["down_backward"] == verdict


@pytest.mark.parametrize(("leak", "verdict"), [("0.1", "right"), ("0.3", "wrong")])
def test_calls_are_put_together_by_what_they_return(tmp_path, leak, verdict):
    text = CHAIN.format(above='(out - stuff["y"]) / 6', leak=leak)
    assert verdicts_in(tmp_path, text)["slopes_backward"] == verdict


@pytest.mark.parametrize(
    ("factor", "more", "verdict"), [("2", "", "right"), ("2", " + np.arange(3)", "undecidable"), ("-1", "", "right")]
)
def test_a_gradient_may_run_its_forward_pass_itself(tmp_path, factor, more, verdict):
    assert verdicts_in(tmp_path, INSIDE.format(factor=factor, more=more))["Line"] == verdict


@pytest.mark.parametrize(("step", "verdict"), [("image @ d.T", "right"), ("image @ p.T", "undecidable")])
def test_a_script_reads_made_up_digits_from_a_missing_file(tmp_path, step, verdict):
    found = [finding.verdict for finding in findings_in(tmp_path, SCRIPT.format(step=step)) if "loop" in finding.name]
    assert found == [verdict]


def test_programs_are_found_through_a_file_between(tmp_path):
    for name, text in [("layer", ""), ("model", "from layer import Dense"), ("train", "import model"), ("other", "")]:
        (tmp_path / f"{name}.py").write_text(text)
    packages = tmp_path / "env" / "lib"
    packages.mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (packages / "a.py").write_text("import layer")
    assert [path.stem for path in programs_beside(tmp_path / "layer.py", tmp_path)] == ["model", "train"]


def test_missing_files_get_the_format_of_their_name():
    assert file_content("train-images-idx3-ubyte")[:4] == b"\x00\x00\x08\x03"
    assert file_content("t10k-labels-idx1-ubyte.gz")[:2] == b"\x1f\x8b"
    assert file_content("model.h5") is None


PENALIZED = """
class Line:
    def __init__(self, rate=0.1, steps=100, penalty="l1"):
        self.rate, self.steps, self.penalty, self.w = rate, steps, penalty, None

    def fit(self, x, y):
        self.w = np.random.rand(x.shape[1])
        for _ in range(self.steps):
            y_predicted = self.predict(x)
            self.w -= self.rate * self.__slope(x, y, y_predicted)

    def __slope(self, x, y, y_predicted):
        more = self.rate * np.sign(self.w) if self.penalty == "l1" else 0
        return x.T @ (y_predicted - y) / len(y){sign}

    def predict(self, x):
        return x @ self.w

Line().fit(np.random.rand(8, 3), np.random.rand(8))
"""


@pytest.mark.parametrize(("sign", "verdict"), [("", "right"), (" + more", "undecidable")])
def test_a_loop_with_private_methods_and_a_penalty(tmp_path, sign, verdict):
    """The loss is not in the code, so a penalty that it may lack is no fault."""
    found = verdicts_in(tmp_path, PENALIZED.format(sign=sign))
    assert found["Line.fit"] == verdict
    assert "wrong" not in found.values()


AFTERWARDS = """
x, t = np.random.rand(6, 3), np.random.rand(6)
w = np.random.rand(3)
for step in range(10):
    w = w - 0.5 * x.T @ (x @ w - t) / 6
    loss = 0.5 * np.mean((x @ w - t) ** 2)
"""


def test_a_loss_that_is_reported_after_the_step_is_no_fault(tmp_path):
    assert "wrong" not in verdicts_in(tmp_path, AFTERWARDS).values()
