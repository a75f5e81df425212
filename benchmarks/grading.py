"""Grade 200 generated submissions: right, wrong, broken, hostile; check each grade; write records/grading.json."""

import json
import random
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from injections import CLASS_FAULTS, inject
from plainnet.course.assignment import read_assignment
from plainnet.course.grading import graded_all
from plainnet.course.lessons import exercise
from plainnet.course.submissions import submissions_in
from plainnet.runs.environment import hardware, versions
from plainnet.writing import to_json
from specimens import CLASSES, source

REMARKS = ("softmax-without-max-shift", "log-of-zero", "max-pool-gradient-to-every-tie")  # which cost nothing
DENSE, LOSS = exercise("dense-backward"), exercise("softmax-gradient")
ASSIGNMENT = """title = "Homework 2"

[[exercise]]
course = "dense-backward"
points = 4

[[exercise]]
course = "softmax-gradient"
points = 2

[[exercise]]
file = "layer.py"
points = 2
"""
RIGHT_DENSE = {  # the body of backward, in ten forms
    "einsum": "self.dW = np.einsum('nd,nm->dm', self.x, dy)\n        self.db = np.einsum('nm->m', dy)\n        return np.einsum('nm,dm->nd', dy, self.W)",
    "dot": "self.dW = np.dot(np.transpose(self.x), dy)\n        self.db = np.sum(dy, 0)\n        return np.dot(dy, np.transpose(self.W))",
    "ones": "self.dW = self.x.T.dot(dy)\n        self.db = np.ones(len(dy)) @ dy\n        return (self.W @ dy.T).T",
    "loop over examples": "self.dW = np.zeros_like(self.W)\n        self.db = np.zeros_like(self.b)\n        for x, d in zip(self.x, dy):\n            self.dW += np.outer(x, d)\n            self.db += d\n        return np.array([self.W @ d for d in dy])",
    "lists": "N, D, M = len(dy), len(self.W), len(self.b)\n        self.dW = np.array([[sum(self.x[n][d] * dy[n][m] for n in range(N)) for m in range(M)] for d in range(D)])\n        self.db = np.array([sum(dy[n][m] for n in range(N)) for m in range(M)])\n        return np.array([[sum(dy[n][m] * self.W[d][m] for m in range(M)) for d in range(D)] for n in range(N)])",
    "tensordot": "self.dW = np.tensordot(self.x, dy, axes=(0, 0))\n        self.db = dy.sum(0)\n        return np.tensordot(dy, self.W, axes=(1, 1))",
    "broadcasting": "self.dW = (self.x[:, :, None] * dy[:, None, :]).sum(axis=0)\n        self.db = dy.sum(axis=0)\n        return (dy[:, None, :] * self.W).sum(axis=2)",
    "one product": "both = np.hstack([self.x, np.ones((len(dy), 1))]).T @ dy\n        self.dW, self.db = both[:-1], both[-1]\n        return dy @ self.W.T",
    "swapped": "dx = dy @ self.W.swapaxes(0, 1)\n        self.db = np.add.reduce(dy)\n        self.dW = (dy.T @ self.x).T\n        return dx",
    "helper": "def product(a, b):\n            return a @ b\n        self.dW, self.db = product(self.x.T, dy), dy.mean(axis=0) * len(dy)\n        return product(dy, self.W.T)",
}  # fmt: skip
BROKEN = {
    "syntax": "class Dense(:\n", "empty": "", "no python": "\x00\x01\x02", "indentation": "class Dense:\nx = 1\n  y = 2\n",
    "other name": "class Layer:\n    pass\n", "raises": "raise RuntimeError('no')\n", "imports": "import nowhere_to_be_found\n",
    "deep": "x = " + "(" * 3000 + ")" * 3000 + "\n", "not filled in": DENSE.starter, "prose": "I could not do it, sorry.\n",
}  # fmt: skip
HOSTILE = {
    "endless": "while True: pass\n", "silent sleep": "import time\ntime.sleep(10000)\n", "exit": "import os\nos._exit(0)\n",
    "huge output": "while True: print('x' * 100000)\n", "memory": "x = []\nwhile True: x.append(bytearray(10**8))\n",
    "disk": "f = open('big', 'wb')\nwhile True: f.write(b'x' * 10**7)\n",
    "fork": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n",
    "write outside": "open({outside!r} + '/mark', 'w').write('x')\n",
    "delete outside": "import os\nfor name in os.listdir({outside!r}): os.remove({outside!r} + '/' + name)\n",
    "read others": "import glob\nprint(open(glob.glob({others!r} + '/*')[0]).read())\nraise SystemExit\n",
    "network": "import socket\nsocket.create_connection(('127.0.0.1', 22), 2)\n",
    "kill": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)\n",
    "forged report": "import os\nfor name in os.listdir('..'):\n    open('../report', 'wb').write(b'x' * 100)\nos._exit(0)\n",
    "patched numpy": "import numpy as np\nnp.allclose = lambda *a, **k: True\nclass Dense:\n    pass\n",
    "equal to all": "class All:\n    def __eq__(self, other): return True\nclass Dense:\n    def __init__(self, *a): pass\n"
    "    def forward(self, x): return x\n    def backward(self, dy):\n        self.dW = self.db = All()\n        return All()\n",
}  # fmt: skip


def dense(body):
    """Return an answer whose backward has this body."""
    return DENSE.solution.replace(
        "self.dW = self.x.T @ dy\n        self.db = dy.sum(axis=0)\n        return dy @ self.W.T", body
    )


def submissions(folder, outside):
    """Write the submissions; yield the name of each, the points it must get by exercise, None for any part of them."""
    layer = source(CLASSES, "Dense")
    right = {"dense-backward.py": DENSE.solution, "softmax-gradient.py": LOSS.solution, "layer.py": layer}
    kinds = {}
    for name, body in RIGHT_DENSE.items():
        kinds[f"right, {name}"] = ({"dense-backward.py": dense(body)}, (4, 2, 2))
    for fault in DENSE.told.faults:
        kinds[f"dense, {fault.name}"] = ({"dense-backward.py": DENSE.faulty(fault)}, (None, 2, 2))
    for fault in LOSS.told.faults:
        kinds[f"loss, {fault.name}"] = ({"softmax-gradient.py": LOSS.faulty(fault)}, (4, None, 2))
    for number, fault in enumerate(CLASS_FAULTS):
        points = 2 if fault.slug in REMARKS else 0
        kinds[f"catalogue {number}, {fault.slug}"] = ({"layer.py": inject(CLASSES, fault)[0]}, (4, 2, points))
    for name, text in BROKEN.items():
        kinds[f"broken, {name}"] = ({"dense-backward.py": text}, (0, 2, 2))
    for name, text in HOSTILE.items():
        told = text.replace("{outside!r}", repr(str(outside))).replace("{others!r}", repr(str(folder)))
        kinds[f"hostile, {name}"] = ({"dense-backward.py": told}, (0, 2, 2))
    for name in RIGHT_DENSE:  # the same in zips, notebooks, folders in folders, with other files about
        kinds[f"zip, {name}"] = ({"dense-backward.py": dense(RIGHT_DENSE[name])}, (4, 2, 2))
    rng = random.Random(0)  # noqa: S311
    names = list(kinds)
    while len(names) < 200:  # again, under other names: the same submission gets the same grade
        names.append(f"{rng.choice(list(kinds)[: len(kinds) - 10])} again {len(names)}")
    for name in names:
        files, points = kinds[name.partition(" again ")[0]]
        files = right | files
        if name.startswith("zip"):
            with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
                for file, text in files.items():
                    archive.writestr(f"homework/{file}", text)
        else:
            (folder / name).mkdir()
            for file, text in files.items():
                (folder / name / file).write_text(text, encoding="utf-8", errors="surrogateescape")
        yield name, points


def main():
    """Grade them and write the record."""
    with tempfile.TemporaryDirectory() as place:
        folder, outside = Path(place) / "submissions", Path(place) / "outside"
        folder.mkdir()
        outside.mkdir()
        (outside / "canary").write_text("unchanged")
        (Path(place) / "assignment.toml").write_text(ASSIGNMENT)
        (Path(place) / "layer.py").write_text("import numpy as np\n### BEGIN SOLUTION\n### END SOLUTION\n")
        expected = dict(submissions(folder, outside))
        assignment = read_assignment(Path(place) / "assignment.toml")
        began, grades = time.monotonic(), {}
        for grade in graded_all(submissions_in(folder), assignment, jobs=2):
            grades[grade.name] = grade
        seconds = time.monotonic() - began
        wrong = {}
        for name, points in expected.items():
            got = [one.points for one in grades[name].judgements]
            full = [one.out_of for one in grades[name].judgements]
            if any(g != p if p is not None else not 0 <= g < f for g, p, f in zip(got, points, full, strict=True)):
                wrong[name] = {"got": got, "said": [one.says for one in grades[name].judgements]}
        by_kind = {}
        for name, grade in grades.items():
            by_kind.setdefault(name.partition(" again ")[0], set()).add(grade.points)
        changed = (
            sorted(p.name for p in outside.iterdir()) != ["canary"] or (outside / "canary").read_text() != "unchanged"
        )
    named = [
        one.fault == (slug := name.partition(", ")[2].partition(" again ")[0]) or (slug in REMARKS and one.remarks != [])
        for name, grade in grades.items()
        for place, one in enumerate(grade.judgements)
        if (name.startswith("dense, ") and place == 0) or (name.startswith("loss, ") and place == 1)
        or (name.startswith("catalogue ") and place == 2)
    ]  # fmt: skip
    record = {
        "submissions": len(expected),
        "kinds": len(by_kind),
        "jobs": 2,
        "seconds": round(seconds, 1),
        "wrong_grades": len(wrong),
        "same_submission_other_grade": sum(len(found) > 1 for found in by_kind.values()),
        "mistakes": len(named),
        "mistakes_named": sum(named),
        "changed_outside": changed,
    } | {"versions": versions(), "hardware": hardware()}
    print(json.dumps(wrong, indent=1))
    print(json.dumps(record, indent=1))
    (ROOT / "records" / "grading.json").write_bytes(to_json(record))


if __name__ == "__main__":
    main()
