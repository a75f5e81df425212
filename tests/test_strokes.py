"""Strokes as a network sees them: the same bytes in Python and in JavaScript, and digits that are recognized."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from plainnet import load_model
from plainnet.page import FOLDER, bundled
from plainnet.sources.answers import answer_to_drawing
from plainnet.sources.pen.strokes import prepared
from redrawn import strokes_of

SIZES, PENS = (25, 1100), (4, 300)


@pytest.fixture(autouse=True)
def as_users_have_it():
    with np.errstate(all="ignore"):
        yield


def drawings(digits, count, seed, sizes=SIZES, pens=PENS):
    rng = np.random.default_rng(seed)
    for k in range(count):
        size = int(sizes[0] * (sizes[1] / sizes[0]) ** rng.random())
        at = [int(v) for v in rng.integers(0, 1120 - size, 2)]
        yield strokes_of(digits.validation.inputs[k], at=at, size=size), int(rng.integers(*pens))


def test_python_and_javascript_prepare_200_drawings_alike(digits):
    if shutil.which("node") is None:
        pytest.skip("needs Node, to run JavaScript")
    given = [*drawings(digits, 200, 1), ([[(5, 5)]], 10), ([[(0, 0), (1119, 1119)], []], 1), ([], 9)]
    program = f"import {{ prepared }} from {json.dumps(str(FOLDER / 'prepare.js'))}; import fs from 'node:fs';"
    program += "const all = JSON.parse(fs.readFileSync(0)); console.log(JSON.stringify(all.map(([s, p]) => {"
    program += "const d = prepared(s, p); return d && [d.pen, ...d.box, ...d.image]; })))"
    command = ["node", "--experimental-default-type=module", "--input-type=module", "--eval", program]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for (strokes, pen), theirs in zip(given, json.loads(done.stdout), strict=True):
        ours = prepared(strokes, pen)
        if ours is None:
            assert theirs is None
            continue
        assert [ours.pen, *ours.box.ravel().tolist(), *ours.image.ravel().tolist()] == theirs


def test_digits_of_any_size_anywhere_are_recognized(digits):
    model, right = load_model("cnn"), 0
    images = []
    for strokes, pen in drawings(digits, 200, 2, (60, 1000), (40, 130)):
        images.append(prepared(strokes, pen).image)
    right = (model.probabilities(np.stack(images)).argmax(axis=1) == digits.validation.labels[:200]).mean()
    assert right >= 0.98


def test_place_and_size_change_nothing_much(digits):
    strokes = strokes_of(digits.validation.inputs[3], at=(0, 0), size=400)
    first = prepared(strokes, 40)
    moved = prepared([[(x + 500, y + 300) for x, y in stroke] for stroke in strokes], 40)
    np.testing.assert_array_equal(first.image, moved.image)
    half = prepared([[(x // 2, y // 2) for x, y in stroke] for stroke in strokes], 20)
    assert np.abs(first.image.astype(int) - half.image).mean() < 6


def test_a_pen_is_made_as_wide_as_mnists(digits):
    line = [[(200, 100), (200, 900)]]
    assert prepared(line, 4).pen > 40
    assert prepared(line, 100).pen == 100
    assert prepared(line, 400).pen < 200
    assert prepared([[(200, 100), (210, 100)]], 90).pen == 90


def test_nothing_and_a_point():
    assert prepared([], 90) is None
    assert prepared([[]], 90) is None
    assert prepared([[(0, 0)]], 1).image.max() == 255
    assert answer_to_drawing(load_model("cnn"), None).reason == "nothing drawn"


def test_bundled_modules_import_and_export_nothing():
    text = bundled("prepare", "forward", "dom", "chart", "pad")
    assert not [line for line in text.splitlines() if line.startswith(("import ", "export "))]
