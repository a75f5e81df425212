"""The course: lessons whose code prints what they say, exercises that accept what is right and name what is wrong."""

import ast
import json
import re
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from plainnet.cli.app import main
from plainnet.course import judging, marking
from plainnet.course.assignment import read_assignment
from plainnet.course.differences import difference, equal
from plainnet.course.exercise import AtLeast, module_of
from plainnet.course.judging import SEED, Judgement, compared, judged, refused
from plainnet.course.lessons import HERE, LESSONS, MARK, answers_in, exercise, notebook, pieces, with_exercises
from plainnet.course.observing import observed, packed, plain, unpacked
from plainnet.course.similarity import similar
from plainnet.errors import InputError
from running_lessons import agree, runs

EXERCISES = [one for lesson in LESSONS for one in lesson.exercises]
DESIGNS = ("minute-network", "own-network")  # which are trained, and so are slow
QUICK = [one for one in EXERCISES if one.name not in DESIGNS]
FAULTS = [(one, fault) for one in QUICK for fault in one.told.faults]


@pytest.fixture(autouse=True)
def _as_users_have_it():
    with np.errstate(all="ignore"):
        yield


def judged_here(assigned, text):
    """Judge an answer in this process, which is quicker than a sandbox."""
    return compared(assigned, observed(assigned.check.observe, module_of(text, "answer"), SEED))


def seen_here(assigned, text):
    """Judge an answer that may not even run, in this process."""
    says, _ = refused(assigned, text)
    if says:
        return Judgement(assigned.name, 0.0, 1.0, says)
    try:
        answer = module_of(text, "answer")
    except Exception:
        return Judgement(assigned.name, 0.0, 1.0, "it does not run")
    if any(not hasattr(answer, name) for name in assigned.told.needs):
        return Judgement(assigned.name, 0.0, 1.0, "something is missing")
    return compared(assigned, observed(assigned.check.observe, answer, SEED, "answer.py"))


def names(one):
    return one.name if hasattr(one, "name") else str(one)


def test_there_are_ten_lessons_and_thirty_exercises():
    assert len(LESSONS) == 10
    assert len(EXERCISES) >= 30
    assert len(FAULTS) >= 150
    assert len({one.name for one in EXERCISES}) == len(EXERCISES)
    folders = {path.name for path in (HERE / "exercises").iterdir() if (path / "answer.py").exists()}
    assert folders == {one.name.replace("-", "_") for one in EXERCISES}
    assert {lesson.file for lesson in LESSONS} == {path.name for path in (HERE / "lessons").glob("*.md")}


@pytest.mark.parametrize("assigned", QUICK, ids=names)
def test_a_solution_is_right_and_the_file_as_handed_out_is_not(assigned):
    assert judged_here(assigned, assigned.solution).passed
    assert judged_here(assigned, assigned.solution).points == assigned.told.points
    found = judged_here(assigned, assigned.starter)
    assert not found.passed
    assert found.points < assigned.told.points


@pytest.mark.parametrize(("assigned", "fault"), FAULTS, ids=names)
def test_a_known_mistake_is_named(assigned, fault):
    found = judged_here(assigned, assigned.faulty(fault))
    assert (found.fault, found.says) == (fault.name, fault.says)
    assert found.evidence


@pytest.mark.parametrize("assigned", EXERCISES, ids=names)
def test_an_exercise_is_complete(assigned):
    told, lesson = assigned.told, next(one for one in LESSONS if assigned.name in one.exercise_names)
    assert f"\n## {told.place}\n" in lesson.text
    assert len(set(told.hints)) == 3
    assert len(told.faults) >= 5 or assigned.name in DESIGNS
    assert all(fault.says.endswith((".", ")", "?")) for fault in told.faults)
    assert len({fault.name for fault in told.faults}) == len(told.faults)
    assert MARK.match(assigned.starter)[1] == assigned.name
    assert "SOLUTION" not in assigned.starter + assigned.solution
    ast.parse(assigned.starter)
    line = re.search(r"^LINE = (\d+)$", assigned.solution, re.MULTILINE)
    if line is not None:  # counted in the file as it is handed out
        of_the_solution = f"# plainnet course: {assigned.name}\n{assigned.solution}".splitlines()
        different = [
            number
            for number, (given, right) in enumerate(zip(assigned.starter.splitlines(), of_the_solution, strict=True), 1)
            if given != right and not given.startswith("LINE")
        ]
        assert different == [int(line[1])]


@pytest.mark.parametrize("lesson", LESSONS, ids=names)
def test_the_code_of_a_lesson_prints_what_its_page_says(lesson):
    with np.errstate(all="warn", under="ignore"):
        for run in runs(lesson.text, lesson.file):
            assert agree(run.said or "", run.printed, run.about), run.code


def test_outputs_that_are_meant_roughly_must_still_be_near():
    assert agree("accuracy 0.91\n", "accuracy 0.90\n", about=True)
    assert not agree("accuracy 0.91\n", "accuracy 0.81\n", about=True)
    assert not agree("accuracy 0.91\n", "loss 0.91\n", about=True)
    assert not agree("accuracy 0.91\n", "accuracy 0.90\n", about=False)


@pytest.mark.parametrize("lesson", LESSONS, ids=names)
def test_a_lesson_is_complete(lesson):
    for heading in ("What usually goes wrong", "Exercises", "Read on" if lesson.number < 10 else "What to do next"):
        assert f"\n## {heading}" in lesson.text
    assert "**Question:**" in lesson.text
    assert "![" in lesson.text
    assert len(re.findall(r"\w+", lesson.text)) < 3000  # fifteen minutes to read
    for name in re.findall(r"\]\(pictures/([^)]+)\)", lesson.text):
        assert (HERE / "lessons" / "pictures" / name).exists()
    for target in re.findall(r"(?<!!)\[[^\]]+\]\(([^)#]+)\)", lesson.text):
        assert (HERE / "lessons" / target).resolve().exists() or "src/plainnet" not in str(HERE), target
    page = with_exercises(lesson)
    assert all(one.told.title in page for one in lesson.exercises)


@pytest.mark.parametrize("lesson", LESSONS, ids=names)
def test_a_notebook_has_the_lesson_and_its_exercises(lesson):
    made = notebook(lesson)
    sources = [cell["source"] for cell in made["cells"]]
    assert [MARK.search(s)[1] for s in sources if MARK.search(s)] == list(lesson.exercise_names)
    assert [part for kind, part in pieces(lesson.text) if kind == "python"] == [
        cell["source"] for cell in made["cells"] if cell["cell_type"] == "code" and not MARK.search(cell["source"])
    ]
    assert not any("<!--" in source or "](pictures/" in source or ".md)" in source for source in sources)
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat, which judges notebooks")
    nbformat.validate(nbformat.reads(json.dumps(made), as_version=4))


ANSWERED = json.loads((Path(__file__).parent / "course_answers.json").read_text())


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_that_readers_wrote_are_judged_rightly(name):
    """Answers written by people who had not seen the checks: all that is right passes, nothing wrong does."""
    assigned = exercise(name)
    for text in ANSWERED[name]["right"]:
        assert seen_here(assigned, text).passed, text
    for wrong in ANSWERED[name]["wrong"]:
        found = seen_here(assigned, wrong["text"])
        assert not found.passed, wrong
        assert found.fault == wrong["fault"], wrong


def test_most_mistakes_of_readers_are_named():
    wrong = [one for found in ANSWERED.values() for one in found["wrong"]]
    assert len(wrong) >= 300
    assert sum(one["fault"] is not None for one in wrong) >= 200


def test_the_markers_make_two_files_of_one():
    text = "a = 1\n### BEGIN SOLUTION\nb = 2\n### BEGIN STARTER\n# b = None\n### END SOLUTION\nc = 3\n"
    assert marking.solution(text) == "a = 1\nb = 2\nc = 3\n"
    assert marking.starter(text) == "a = 1\nb = None\nc = 3\n"
    gap = "def f():\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION\n"
    assert marking.starter(gap) == "def f():\n    raise NotImplementedError  # replace this line\n"
    with pytest.raises(InputError, match="line 1 says ### END SOLUTION where ### BEGIN SOLUTION"):
        marking.solution("### END SOLUTION\n")
    with pytest.raises(InputError, match="begins in line 2 has no ### END"):
        marking.starter("a\n### BEGIN SOLUTION\nb\n")
    with pytest.raises(InputError, match="BEGIN SOLUTION where ### BEGIN STARTER"):
        marking.solution("### BEGIN SOLUTION\n### BEGIN SOLUTION\n")


@pytest.mark.parametrize(
    ("expected", "received", "says"),
    [
        (np.ones((2, 3)), np.ones((3, 3)), r"expected shape \(2, 3\), received \(3, 3\)"),
        (np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3).T, "the transpose of the right"),
        (np.arange(1.0, 4), -np.arange(1.0, 4), "every number has the opposite sign"),
        (np.arange(1.0, 4), 2 * np.arange(1.0, 4), "every number is 2 times as large"),
        (np.arange(1.0, 4), np.array([1, np.nan, 3]), "1 of 3 numbers are nan or infinite"),
        (np.arange(20.0), np.arange(20.0) + (np.arange(20) == 7), r"1 of 20 numbers differ, the first at \[7\]"),
        (np.array(2.5), np.array(2.0), "expected 2.5, received 2.0"),
        (np.array(2.5), None, "it is None"),
        ("overfits", "learns", "expected 'overfits', received 'learns'"),
        ((np.array(1.0), np.array(2.0)), (np.array(1.0), np.array(3.0)), "value 2 of 2: expected 2.0"),
        (AtLeast(0.98), np.array(0.9), "expected at least 0.98, received 0.9"),
        (True, False, "expected True, received False"),
    ],
)
def test_a_difference_is_said(expected, received, says):
    assert not equal(expected, received, 1e-6)
    assert re.search(says, difference(expected, received, 1e-6))


def test_an_answer_to_a_prediction_is_not_given_away():
    assert difference(np.array(2.5), np.array(2.0), 1e-6, tells=False) == "received 2.0"
    assert "overfits" not in difference("overfits", "learns", 1e-6, tells=False)


@pytest.mark.parametrize("value", [None, True, "text", np.arange(6.0).reshape(2, 3), (np.ones(2), np.array([True]))])
def test_a_value_leaves_its_process_as_it_was(value):
    back = unpacked(json.loads(json.dumps(packed(plain(value)))))
    assert equal(back, value, 0) or back is value is None


def test_a_value_that_is_no_array_is_refused():
    with pytest.raises(TypeError, match="expected an array of numbers, received dict"):
        plain({"a": 1})
    with pytest.raises(TypeError, match="expected a small array"):
        plain(np.zeros(1_000_000))
    with pytest.raises((ValueError, KeyError)):
        unpacked({"dtype": "|O", "shape": [1], "bytes": ""})


ANSWERS = {
    "what is right": ("def step(w, x, t, learning_rate):\n    return w - learning_rate * 2 * x * (x * w - t)\n", None),
    "a syntax error": ("def step(w, x:\n", "the file is not valid Python"),
    "an error": ("1 / 0\n", "the file does not run: ZeroDivisionError"),
    "an endless loop": ("while True:\n    pass\n", "it did not end within"),
    "another name": ("def stepp(w):\n    pass\n", "the file does not define step"),
    "the end": ("import os\nos._exit(0)\n", "it ended its process"),
    "nothing returned": ("def step(*a):\n    print(a)\n", "it is None"),
    "an exit": ("def step(*a):\n    raise SystemExit(3)\n", "SystemExit: 3"),
    "a file": ("open(OUTSIDE, 'w').write('x')\ndef step(*a):\n    return 1.0\n", "Permission"),
    "much printed": ("def step(*a):\n    print('x' * 100)\n    return 1.0\n", "expected 0.8, received 1.0"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_all_kinds_get_a_sentence(name, tmp_path, monkeypatch):
    text, says = ANSWERS[name]
    outside = tmp_path / "outside"
    text = text.replace("OUTSIDE", repr(str(outside)))
    assigned = exercise("one-step")
    monkeypatch.setattr(judging, "START", -17.0)  # beside the twenty of an exercise
    file = tmp_path / "one-step.py"
    file.write_text(text)
    found = judged(assigned, text, file)
    assert found.passed == (says is None)
    assert says is None or says in found.says
    assert not outside.exists()


def test_results_that_are_missing_are_no_answer():
    assigned = exercise("one-step")
    found = compared(assigned, observed(assigned.check.observe, module_of(assigned.solution, "a"), SEED)[:2])
    assert (found.points, found.passed) == (0.0, False)
    assert "has interfered" in found.says


def test_what_an_exercise_forbids_is_said(tmp_path):
    text = "def forward(x, W, b):\n    for row in x:\n        pass\n    return x @ W + b\n"
    assert "must be solved without a loop" in judged(exercise("dense-forward"), text, tmp_path / "a.py").says
    text = "from scipy.special import softmax\n"
    assert "must be solved without scipy" in judged(exercise("softmax"), text, tmp_path / "a.py").says


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_that_is_good_enough_passes(name, tmp_path):
    assigned = exercise(name)
    file = tmp_path / f"{name}.py"
    file.write_text(assigned.solution)
    assert judged(assigned, assigned.solution, file).passed


@pytest.mark.slow
def test_the_doctor_looks_at_a_network_of_your_own(tmp_path):
    assigned = exercise("own-network")
    text = assigned.solution.replace("dz = dz / N", "dz = dz / 1").replace("learning_rate=0.1", "learning_rate=0.001")
    file = tmp_path / "own-network.py"
    file.write_text(text)
    found = judged(assigned, text, file)
    assert found.fault == "gradient-not-divided-by-the-batch"
    assert "dW1 agrees with central differences" in found.wrong


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["course", "list"]) == 0
    listed = capsys.readouterr().out
    assert all(lesson.title in listed for lesson in LESSONS)
    assert all(one.name in listed for one in EXERCISES)
    assert main(["course", "start", "1"]) == 0
    assert "plainnet course check 01-neuron/one-step.py" in capsys.readouterr().out
    assert sorted(path.name for path in Path("01-neuron").iterdir()) == sorted(
        ["01-neuron.ipynb", *(f"{name}.py" for name in LESSONS[0].exercise_names)]
    )
    assert main(["course", "check", "01-neuron/one-step.py"]) == 1
    said = capsys.readouterr().out
    assert "it is not filled in yet" in said
    assert "read: lesson 1, Downhill" in said
    assert main(["course", "check", "01-neuron/01-neuron.ipynb"]) == 1
    assert capsys.readouterr().out.count("not right yet") == 4
    assert main(["course", "solution", "one-step"]) == 0
    Path("mine.py").write_text(capsys.readouterr().out)
    assert main(["course", "check", "mine.py"]) == 0
    assert capsys.readouterr().out == "one-step: right (mine.py)\n"
    for number in (1, 2, 3):
        assert main(["course", "hint", "one-step", str(number)]) == 0
        assert exercise("one-step").told.hints[number - 1] in capsys.readouterr().out
    assert main(["course", "start", "backpropagation", "--into", "four"]) == 0
    assert "<canvas" not in Path("four/step.html").read_text()
    assert "Step through one update" in Path("four/step.html").read_text()


def test_wrong_input_gets_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("plain.py").write_text("x = 1\n")
    Path("bad.ipynb").write_text("{")
    Path("other.py").write_text("# plainnet course: nonsense\n")
    main(["course", "start", "1"])
    capsys.readouterr()
    for command, says in (
        (["start", "11"], "there is no lesson 11; the lessons are 1 neuron"),
        (["start", "1"], "already exists; name another folder with --into, or overwrite with --force"),
        (["check", "missing.py"], "missing.py"),
        (["check", "plain.py"], "does not say which exercise it answers"),
        (["check", "bad.ipynb"], "is not a notebook that can be read"),
        (["check", "other.py"], "there is no exercise nonsense; "),
        (["hint", "one-step", "4"], "there are 3 hints, received 4"),
        (["hint", "nonsense"], "there is no exercise nonsense"),
        (["solution", "nonsense"], "there is no exercise nonsense"),
    ):
        assert main(["course", *command]) == 2
        said = capsys.readouterr().err
        assert said.startswith("plainnet: ")
        assert says in said
        assert said.count("\n") == 1


def test_a_notebook_is_checked_cell_by_cell(tmp_path):
    cells = [{"cell_type": "markdown", "source": "# plainnet course: one-step"}]
    cells += [
        {"cell_type": "code", "source": ["# plainnet course: one-step\n", "x = 1"]},
        {"cell_type": "code", "source": "y"},
    ]
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps({"cells": cells}))
    assert answers_in(file) == [("one-step", "# plainnet course: one-step\nx = 1")]


@pytest.mark.slow
def test_the_site_is_built_without_warnings_and_asks_for_nothing(tmp_path):
    pytest.importorskip("sphinx", reason="needs Sphinx: pip install 'plainnet[docs]'")
    pytest.importorskip("furo", reason="needs Furo: pip install 'plainnet[docs]'")
    import subprocess

    root = HERE.parent.parent.parent
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(tmp_path / "html")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for page in (tmp_path / "html").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"""<(?:script|img|iframe|link|source)\b[^>]*?(?:src|href)="((?:https?:)?//[^"]*)""", text)
        assert not fetched, f"{page.name} asks for {fetched}"
    lesson = (tmp_path / "html" / "learn" / "03-softmax.html").read_text(encoding="utf-8")
    assert "<mfrac>" in lesson
    assert (tmp_path / "html" / "learn" / "step.html").exists()


ASSIGNMENT = """title = "Homework"

[[exercise]]
course = "dense-backward"
points = 4

[[exercise]]
file = "relu.py"
needs = ["ReLU"]
allows = ["numpy"]
points = 2
"""
RELU = """\"\"\"A ReLU layer.\"\"\"

import numpy as np


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dy):
        ### BEGIN SOLUTION
        return dy * (self.x > 0)
        ### END SOLUTION
"""


@pytest.fixture
def classroom(tmp_path, monkeypatch):
    """An assignment, made, and what six students handed in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(judging, "START", -16.0)
    Path("a.toml").write_text(ASSIGNMENT)
    Path("relu.py").write_text(RELU)
    assert main(["course", "make", "a.toml", "--out", "made"]) == 0
    right = Path("made/teachers/dense-backward.py").read_text(), Path("made/teachers/relu.py").read_text()
    kinds = {
        "ann": right,
        "bob": tuple(Path(f"made/students/{name}.py").read_text() for name in ("dense-backward", "relu")),
        "cleo": (right[0].replace("dy.sum(axis=0)", "dy.mean(axis=0)"), right[1].replace(" * (self.x > 0)", "")),
        "dan": ("while True: pass\n", "import os\n" + right[1]),
        "=eve": (f"open({str(tmp_path / 'mark')!r}, 'w')\n", "class ReLU(:\n"),
    }
    for name, texts in kinds.items():
        folder = Path("handed in") / name
        folder.mkdir(parents=True)
        for file, text in zip(("dense-backward.py", "relu.py"), texts, strict=True):
            (folder / file).write_text(text)
    with zipfile.ZipFile("handed in/fay.zip", "w") as archive:
        archive.writestr("../../evil.py", "x")
        archive.writestr("work/dense-backward.py", right[0])
    Path("handed in/gus.zip").write_bytes(b"PK no zip")
    return tmp_path


def test_a_class_is_graded(classroom, capsys):
    readme = Path("made/students/README.md").read_text()
    assert "dense-backward.py: a dense layer, backward (4 points)" in readme
    assert "It may import `numpy` only." in readme
    assert "SOLUTION" not in "".join(path.read_text() for path in Path("made/students").iterdir())
    before = sorted(path for path in classroom.iterdir())
    command = ["course", "grade", "handed in", "--assignment", "a.toml", "--jobs", "2", "--csv", "points.csv"]
    assert main(command) == 0
    rows = [line.split(",") for line in Path("points.csv").read_text().splitlines()]
    assert rows[0] == ["student", "dense-backward", "relu", "points", "out of"]
    points = {row[0]: [float(x) for x in row[1:]] for row in rows[1:]}
    assert points["ann"] == [4, 2, 6, 6]
    assert points["bob"] == [0, 0, 0, 6]
    assert 2 < points["cleo"][0] < 4
    assert points["cleo"][1] == 0
    assert points["dan"] == [0, 0, 0, 6]
    assert points["'=eve"] == [0, 0, 0, 6]
    assert points["fay"] == [4, 0, 4, 6]
    assert points["gus"] == [0, 0, 0, 6]
    assert not (classroom / "mark").exists()
    assert {path.name for path in classroom.iterdir()} - {path.name for path in before} == {"grades", "points.csv"}
    page = Path("grades/students/cleo.html").read_text()
    assert "db is a mean over the batch" in page
    assert "4 points" not in page.partition("<h2>")[0]
    assert "2 of" in Path("grades/students/ann.html").read_text()
    assert "it imports os; it may import only numpy" in Path("grades/students/dan.html").read_text()
    assert "no answer was handed in; expected a file relu.py" in Path("grades/students/fay.html").read_text()
    assert "the zip cannot be read" in Path("grades/students/gus.html").read_text()
    assert "What is often wrong" in Path("grades/class.html").read_text()
    capsys.readouterr()
    began = time.monotonic()
    assert main(command) == 0  # from what was kept
    assert time.monotonic() - began < 20
    assert [line.split(",") for line in Path("points.csv").read_text().splitlines()] == rows


def test_one_submission_is_graded_for_gradescope(classroom):
    assert main(["course", "grade", "handed in/cleo", "--assignment", "a.toml", "--gradescope", "results.json"]) == 0
    results = json.loads(Path("results.json").read_text())
    assert 2 < results["score"] < 4
    assert [test["max_score"] for test in results["tests"]] == [4, 2]
    assert results["visibility"] == "visible"
    assert results["tests"][1]["status"] == "failed"
    names = {path.name for path in Path("made/gradescope").iterdir()}
    assert names == {"setup.sh", "run_autograder", "assignment"}
    assert read_assignment(Path("made/gradescope/assignment/assignment.toml")).out_of == 6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x =", "is not TOML"),
        ('title = "a"', "is not an assignment"),
        ('title = "a"\n[[exercise]]\npoints = 3', "either course = NAME or file = FILE"),
        ('title = "a"\n[[exercise]]\ncourse = "nonsense"', "there is no exercise nonsense"),
        ('title = "a"\n[[exercise]]\nfile = "gone.py"', "names gone.py, which is not in the same folder"),
        ('title = "a"\n[[exercise]]\nfile = "bad.py"', "has no ### END SOLUTION"),
        ('title = "a"\n[[exercise]]\nfile = "relu.py"\ncheck = "bad.py"', "must define EXERCISE"),
        ('title = "a"\n[[exercise]]\ncourse = "softmax"\nnonsense = 1', "has an unknown key nonsense"),
        (
            'title = "a"\n[[exercise]]\ncourse = "softmax"\naccepts = ["nonsense"]',
            "the catalogue has no fault nonsense",
        ),
    ],
)
def test_a_wrong_assignment_gets_a_sentence(text, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.toml").write_text(text)
    Path("bad.py").write_text("x = 1\n### BEGIN SOLUTION\n")
    Path("relu.py").write_text(RELU)
    assert main(["course", "make", "a.toml"]) == 2
    assert says in capsys.readouterr().err
    assert not Path("assignment").exists()


def test_similar_answers_are_listed():
    text = exercise("train-step").solution
    other = re.sub(r"\bdh\b", "back", text).replace("    N = len(x)\n", "    # my own work\n    N = len(x)\n")
    own = "def step(p, x, y, r):\n" + "".join(f"    v{k} = p[{k % 4}] * {k} - x[{k}]\n" for k in range(20))
    pairs = similar({"a": text, "b": other, "c": own}, exercise("train-step").starter)
    assert [(a, b) for a, b, _ in pairs] == [("a", "b")]
    assert similar({"a": "x = 1\n", "b": "x = 1\n"}, "") == []
