import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from injections import CLASS_FAULTS, FUNCTION_FAULTS, inject
from mutants import mutants_of
from plainnet import InputError
from plainnet.checks.code.claims import Claim, affinity
from plainnet.checks.code.faults import CATALOGUE
from plainnet.checks.code.sandboxed import examine_file
from plainnet.checks.code.worker import examine_path
from plainnet.cli.app import main
from random_networks import random_network
from specimens import CLASSES, FUNCTIONS, source

ROOT = Path(__file__).parent.parent
FAULTS = [("class", fault) for fault in CLASS_FAULTS] + [("functions", fault) for fault in FUNCTION_FAULTS]
FROM_THE_WILD = {  # with a file of their own below
    "bias-gradient-summed-over-units",
    "gradient-rebound",
    "height-and-width-exchanged",
    "input-gradient-missing",
    "parameter-gradient-missing",
    "relu-mask-precedence",
    "reported-loss-not-descended",
    "short-batch-divided-by-the-full-size",
    "sigmoid-derivative-missing",
    "softmax-applied-twice",
    "softmax-jacobian-diagonal-only",
    "weights-already-updated",
}
REMARKS = {"log-of-zero", "softmax-without-max-shift", "max-pool-gradient-to-every-tie"}
LINES_WE_MISS = {("l2-applied-to-biases", "SGD"), ("input-edited-in-place", "Sigmoid")}


def findings_in(tmp_path, text):
    path = tmp_path / "file.py"
    path.write_text(text)
    with np.errstate(all="ignore"):
        return examine_path(path)


def test_the_catalogue_has_what_it_promises():
    injected = {fault.slug for _, fault in FAULTS}
    assert len(CATALOGUE) >= 40
    assert injected | set(FROM_THE_WILD) == set(CATALOGUE)
    forms = {slug: {form for form, fault in FAULTS if fault.slug == slug} for slug in injected}
    only_networks = {"l2-missing-in-the-gradient", "l2-applied-to-biases"}
    assert {slug for slug, used in forms.items() if len(used) < 2} == only_networks


@pytest.mark.parametrize("specimens", [CLASSES, FUNCTIONS], ids=["classes", "functions"])
def test_right_code_is_right(tmp_path, specimens):
    findings = findings_in(tmp_path, source(specimens))
    assert len(findings) == len(specimens)
    assert {finding.verdict for finding in findings} == {"right"}


def marks(form, fault):
    """A fault that both forms can have is looked for in the second one by `make test-all` alone."""
    again = form != "class" and any(other == "class" and fault.slug == its.slug for other, its in FAULTS)
    return pytest.mark.slow if again else ()


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        pytest.param(form, fault, id=f"{form}-{fault.slug}-{fault.subject}", marks=marks(form, fault))
        for form, fault in FAULTS
    ],
)
def test_every_fault_is_found_and_named(tmp_path, form, fault):
    wrong, _ = inject(CLASSES if form == "class" else FUNCTIONS, fault)
    findings = findings_in(tmp_path, wrong)
    if fault.slug in REMARKS:  # far from where numbers usually are, or a matter of taste: a remark
        assert {(finding.verdict, *(remark.name for remark in finding.remarks)) for finding in findings} == {
            ("right", fault.slug)
        }
        return
    assert {(finding.verdict, finding.diagnosis) for finding in findings} == {("wrong", fault.slug)}
    assert findings[0].evidence
    if (fault.slug, fault.subject) not in LINES_WE_MISS:
        assert findings[0].line is not None


def test_random_right_networks_are_right(tmp_path):
    for seed in range(25):
        findings = findings_in(tmp_path, random_network(random.Random(seed)))
        assert [finding.verdict for finding in findings] == ["right"], (seed, findings)


@pytest.mark.slow
def test_a_thousand_right_networks_are_right(tmp_path):
    for seed in range(25, 1000):
        findings = findings_in(tmp_path, random_network(random.Random(seed)))
        assert [finding.verdict for finding in findings] == ["right"], (seed, findings)


def test_mutants_outside_the_catalogue_are_found_and_not_misnamed(tmp_path):
    """A minus for a plus may be a flipped sign, a lost transpose is one; nothing else may get a name."""
    fitting = {"sign-flipped": " -= ", "weight-not-transposed-in-dx": "real"}
    for name in ("Dense", "Sigmoid", "BatchNorm", "SoftmaxCrossEntropy"):
        for change, mutant in mutants_of(source(CLASSES, name)):
            said = findings_in(tmp_path, mutant)
            if any("could not be run" in finding.evidence for finding in said):
                continue  # it raises: it gives no gradient, and has not passed
            findings = [finding for finding in said if finding.verdict == "wrong"]
            assert findings, (name, change)
            for finding in findings:
                assert finding.diagnosis is None or fitting[finding.diagnosis] in change, (name, change, finding)
                assert "cause unknown" in finding.evidence or "raised" in finding.evidence or finding.diagnosis


def test_our_own_layers_are_right(tmp_path):
    layers = ROOT / "src" / "plainnet" / "layers"
    for name in ("dense", "activations", "flatten"):
        assert {finding.verdict for finding in findings_in(tmp_path, (layers / f"{name}.py").read_text())} == {"right"}


@pytest.mark.parametrize(
    ("file", "slug"),
    [
        ("relu_mask_on_output", "relu-mask-inclusive-on-output"),
        ("softmax_over_the_batch", "softmax-over-the-whole-batch"),
        ("summed_gradient", "gradient-not-divided-by-the-batch"),
    ],
)
def test_the_famous_faults(file, slug):
    findings = examine_file(ROOT / "examples" / "wrong" / f"{file}.py")
    assert slug in {finding["diagnosis"] for finding in findings}
    page = (ROOT / "docs" / "famous-faults.md").read_text()
    assert slug in page


def test_the_crooked_check_is_crooked():
    command = [sys.executable, str(ROOT / "examples" / "wrong" / "crooked_gradient_check.py")]
    assert "crooked: 9.0  right: 6.0" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_command(tmp_path, capsys):
    wrong, lines = inject(CLASSES, CLASS_FAULTS[0])
    (tmp_path / "homework.py").write_text(wrong)
    assert main(["doctor", str(tmp_path / "homework.py"), "--json", str(tmp_path / "report.json")]) == 1
    printed = capsys.readouterr().out
    assert "Dense: wrong, dW" in printed
    assert f"homework.py:{lines[0]})" in printed
    assert "lesson: docs/faults.md#gradient-divided-twice" in printed
    (subject,) = json.loads((tmp_path / "report.json").read_text())["subjects"]
    assert set(subject) == {"name", "verdict", "array", "diagnosis", "evidence", "line", "form", "function", "remarks"}
    assert (subject["array"], subject["diagnosis"], subject["line"]) == ("dW", "gradient-divided-twice", lines[0])
    (tmp_path / "homework.py").write_text(source(CLASSES, "Dense", "ReLU"))
    assert main(["doctor", str(tmp_path / "homework.py"), "--only", "ReLU"]) == 0
    assert "1 examined of 1 seen, 0 wrong" in capsys.readouterr().out


UNFIT = {
    "x = [i for i in iter(int, 1)]": "did not end within 2 s",
    "def f(:": r"raised SyntaxError in line 1",
    "import os; os._exit(3)": "ended its process before it could be examined: exit code 3",
    "x = 3": "defines nothing to examine; looked for classes and functions with a backward pass",
    "": "defines nothing to examine",
    "x = 1 / 0": "defines nothing to examine.*line 1: ZeroDivisionError",
}


@pytest.mark.parametrize("text", UNFIT)
def test_files_that_cannot_be_examined(tmp_path, text):
    path = tmp_path / "file.py"
    path.write_text(text)
    with pytest.raises(InputError, match=UNFIT[text]):
        examine_file(path, timeout=2)


def test_other_bad_input(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the Python file .*: No such file"):
        examine_file(tmp_path / "absent.py")
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(InputError, match=r"give a file that ends in \.py"):
        examine_file(tmp_path / "text.txt")
    (tmp_path / "file.py").write_text(source(CLASSES, "ReLU"))
    with pytest.raises(InputError, match="defines nothing called Tanh to examine"):
        examine_file(tmp_path / "file.py", only="Tanh")


def test_files_that_print_crash_or_need_a_seed(tmp_path):
    noisy = source(CLASSES, "ReLU", "Dropout").replace("self.x = x\n", "self.x = x\n        print('hello')\n", 1)
    assert {finding["verdict"] for finding in write_and_examine(tmp_path, "print('hi')\n" + noisy)} == {"right"}
    crashing = source(CLASSES, "Dense").replace("dout.sum(axis=0)", "dout.sum(axis=7)")
    (finding,) = write_and_examine(tmp_path, crashing)
    assert finding["verdict"] == "undecidable"  # an exception is never a wrong gradient
    assert "AxisError" in finding["evidence"]
    broken = source(CLASSES, "Dense").replace("self.x = x", "self.x = undefined")
    (finding,) = write_and_examine(tmp_path, broken)
    assert finding["verdict"] == "undecidable"
    assert "NameError" in finding["evidence"]
    unseeded = source(CLASSES, "Dense").replace("return x @", "return np.random.default_rng().random() * x @")
    (finding,) = write_and_examine(tmp_path, unseeded)
    assert finding["verdict"] == "undecidable"
    assert "np.random.seed does not govern" in finding["evidence"]


def test_float32_is_judged_in_float64_where_it_is_written_out(tmp_path):
    for single in ("np.float32", "'float32'"):
        text = source(CLASSES, "ReLU").replace("np.maximum(0, x)", f"np.maximum(0, x).astype({single})")
        (finding,) = write_and_examine(tmp_path, text)
        assert finding["verdict"] == "right"
    text = source(CLASSES, "ReLU").replace("np.maximum(0, x)", "np.maximum(0, x).astype(np.dtype('=f'))")
    (finding,) = write_and_examine(tmp_path, text)
    assert finding["verdict"] == "undecidable"
    assert "computes in float32" in finding["evidence"]


def test_adam_is_not_judged_as_momentum(tmp_path):
    text = source(CLASSES, "SGD").replace("class SGD", "class Adam").replace("self.clip = lr", "self.beta2 = lr")
    (finding,) = write_and_examine(tmp_path, text)
    assert finding["verdict"] == "undecidable"


def test_what_cannot_be_judged_is_not_passed(tmp_path, capsys):
    unsolved = "def relu_forward(x):\n    return x, x\n\n\ndef relu_backward(dout, cache):\n    return None\n"
    (tmp_path / "homework.py").write_text(unsolved)
    assert main(["doctor", str(tmp_path / "homework.py")]) == 2
    assert "it is not implemented yet\n\n0 examined of 1 seen, 0 wrong" in capsys.readouterr().out


NAIVE = """
import numpy as np

def affine_forward_naive(x, w, b):
    return x @ w + b, (x, w)

def affine_backward_naive(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.{sums}(axis=0)

def layernorm_forward(x, gamma, beta, ln_param):
    s = np.sqrt(x.var(axis=1, keepdims=True) + ln_param["eps"])
    xh = (x - x.mean(axis=1, keepdims=True)) / s
    return gamma * xh + beta, (xh, gamma, s)

def layernorm_backward(dout, cache):
    xh, gamma, s = cache
    d = dout * gamma
    dx = (d - d.mean(axis=1, keepdims=True) - xh * (d * xh).mean(axis=1, keepdims=True)) / s
    return dx, (dout * xh).sum(axis=0), dout.sum(axis=0)
"""


def test_the_names_of_a_well_known_course_are_known(tmp_path):
    found = {finding["name"]: finding["verdict"] for finding in write_and_examine(tmp_path, NAIVE.format(sums="sum"))}
    assert found == {"affine_backward_naive": "right", "layernorm_backward": "right"}
    for name in ("affine_naive", "affine_forward_naive"):
        assert [finding.name for finding in examine_path(tmp_path / "file.py", name)] == ["affine_backward_naive"]
    found = {finding["name"]: finding for finding in write_and_examine(tmp_path, NAIVE.format(sums="mean"))}
    assert (found["affine_backward_naive"]["verdict"], found["affine_backward_naive"]["array"]) == ("wrong", "db")


def test_a_loss_that_is_wrong_itself_is_said_to_be(tmp_path):
    (finding,) = write_and_examine(
        tmp_path,
        """
import numpy as np

def softmax_loss(x, y):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    dx = p.copy()
    dx[range(len(y)), y] -= 1
    with np.errstate(divide="ignore"):
        return -np.log(p[range(len(y)), y]).mean(), dx / len(y)
""",
    )
    assert (finding["verdict"], [remark["name"] for remark in finding["remarks"]]) == ("right", ["log-of-zero"])


def write_and_examine(tmp_path, text):
    (tmp_path / "file.py").write_text(text)
    return examine_file(tmp_path / "file.py")


@pytest.mark.parametrize(
    ("parameter", "name"),
    [("W", "dW"), ("W", "grad_W"), ("W", "W_grad"), ("W", "gW"), ("weight", "dW"), ("W1", "dW1"), ("b", "d_bias")],
)
def test_gradients_are_found_under_their_usual_names(parameter, name):
    leaf = (("item", "self"), ("attribute", parameter))
    assert affinity(leaf, Claim((("item", "self"), ("attribute", name)), 0.0))
    assert not affinity(leaf, Claim((("item", "self"), ("attribute", "other")), 0.0))
