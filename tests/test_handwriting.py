"""Pictures of handwriting, rendered as people photograph and draw; every kind, and every reason to say no."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from handwriting import KINDS, UNSURE, digit_pictures, other_pictures
from plainnet import InputError, Model, Network, load_model, mnist, save_model
from plainnet.calibration import temperature, threshold
from plainnet.cli.app import main
from plainnet.layers import Dense, Flatten
from plainnet.softmax import log_softmax
from plainnet.sources.answers import answer, in_own_form
from plainnet.sources.pen.components import is_edge, is_frame, labeled, pieces
from plainnet.sources.pen.reading import read
from plainnet.sources.picture_files import opened


@pytest.fixture(scope="module")
def cnn():
    return load_model("cnn")


def saved(folder, content):
    path = folder / "picture"
    path.write_bytes(content)
    return path


def test_the_pictures_of_a_part_are_the_same_each_time_and_no_other_s():
    first, again, other = (
        [content for _, _, content in digit_pictures(part, 8)] for part in ("choose", "choose", "test")
    )
    assert first == again
    assert not set(first) & set(other)


def test_digits_of_every_kind_are_read(cnn, tmp_path):
    """The record has the figures of many; one a kind must not have got much worse."""
    said = [(kind, label, answer(cnn, saved(tmp_path, content)).answer) for kind, label, content in
            digit_pictures("choose", len(KINDS), 3)]  # fmt: skip
    wrong = [row for row in said if row[1] != row[2]]
    assert len(wrong) <= 0.12 * len(said), wrong


def test_what_is_no_single_digit_is_refused_or_read_as_a_row(cnn, tmp_path):
    said = [(kind, label, answer(cnn, saved(tmp_path, content))) for kind, label, content in
            other_pictures("choose", 2 * len(UNSURE), 3)]  # fmt: skip
    wrong = [(kind, label, a.answer) for kind, label, a in said if a.answer is not None and a.answer != label]
    assert len(wrong) <= 0.3 * len(said), wrong


def drawn(*strokes, size=(200, 160), ground=255, ink=0, width=12, mode="L"):
    picture = Image.new(mode, size, ground)
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        pen.line(stroke, fill=ink, width=width, joint="curve")
    return picture


SEVEN = [(60, 30), (110, 30), (80, 120)]
FRAME = [(4, 4), (196, 4), (196, 156), (4, 156), (4, 4)]


def seen(picture):
    reading = read(picture)
    assert len(reading.digits) == 1, reading.reason
    return reading.digits[0].image.astype(int)


ODDITIES = {
    "a frame": drawn(SEVEN, FRAME),
    "a frame at the border": drawn(SEVEN, [(0, 0), (199, 0), (199, 159), (0, 159), (0, 0)]),
    "a line across": drawn(SEVEN, [(0, 145), (200, 145)]),
    "a speck": drawn(SEVEN, [(180, 20), (183, 20)]),
    "the edge of a table": drawn(SEVEN, [(0, 0), (0, 160)], width=12),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_what_lies_beside_a_digit_does_not_matter(oddity):
    plain = seen(drawn(SEVEN))
    assert np.abs(seen(ODDITIES[oddity]) - plain).mean() < 4


def test_shadow_and_color_do_not_matter(cnn):
    plain = drawn(SEVEN)
    slope, half = (np.asarray(plain, float) for _ in range(2))
    slope = slope * np.linspace(0.35, 1, 200)[None, :]
    half[:, 85:] *= 0.55
    hue = drawn(SEVEN, mode="RGB", ground=(60, 140, 230), ink=(235, 100, 80))
    for picture in (plain, Image.fromarray(slope.astype(np.uint8)), Image.fromarray(half.astype(np.uint8)), hue):
        assert cnn.network.predict(seen(picture)[None].astype(np.uint8)) == [7]


REASONS = {
    "nothing drawn": Image.new("L", (120, 90), 180),
    "too faint": drawn(SEVEN, ink=227),
    "no digit": drawn(*[[(20 + 9 * n, 15), (25 + 9 * n, 145)] for n in range(18)], [(15, 80), (190, 80)], width=3),
    "several digits": drawn(
        [(30, 20), (30, 60)], [(100, 100), (100, 150)], [(170, 20), (170, 60)], [(150, 120), (150, 159)], width=8
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_given(reason, tmp_path, cnn):
    REASONS[reason].save(tmp_path / "p.png")
    said = answer(cnn, tmp_path / "p.png")
    assert (said.answer, said.reason) == (None, reason)
    assert said.to_table()["reason"] == reason


def test_a_model_that_is_calibrated_says_when_it_is_not_sure(tmp_path, cnn):
    drawn([(60, 30), (60, 120)], [(60, 75), (110, 30)], [(60, 75), (110, 120)]).save(tmp_path / "K.png")
    sure = replace(cnn, thresholds=(0.0,) * 10)
    unsure = replace(cnn, thresholds=(0.9999,) * 10)
    assert answer(sure, tmp_path / "K.png").answer is not None
    assert answer(unsure, tmp_path / "K.png").reason == "not sure"


def test_digits_on_one_line_are_read_from_left_to_right(tmp_path, cnn):
    images = mnist.load().test
    chosen = [int(np.flatnonzero(images.labels == digit)[3]) for digit in (2, 0, 2, 6)]
    row = np.concatenate([np.pad(images.images[k], ((6, 6), (5, 5))) for k in chosen], axis=1)
    Image.fromarray(255 - row).resize((4 * 38 * 4, 40 * 4), Image.Resampling.BICUBIC).save(tmp_path / "row.png")
    said = answer(cnn, tmp_path / "row.png")
    assert said.answer == "2026"
    lefts = [digit["box"][2] for digit in said.digits]
    assert lefts == sorted(lefts)
    assert len(said.digits) == 4


def test_test_images_as_png_are_answered_as_they_are_stored(tmp_path, cnn):
    test = mnist.load().test
    for row in range(60):
        Image.fromarray(test.images[row]).save(tmp_path / "p.png")
        with opened(tmp_path / "p.png") as picture:
            own = in_own_form(cnn, picture)
        if own is not None:
            np.testing.assert_array_equal(own, test.images[row])
    taken = [in_own_form_of(cnn, test.images[row]) for row in range(300)]
    assert np.mean(taken) > 0.97


def in_own_form_of(model, image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    with opened(buffer.getvalue()) as picture:
        return in_own_form(model, picture) is not None


def test_models_of_other_things_take_pictures_as_they_learned_from_them(tmp_path):
    network = Network(Flatten(), Dense(2)).build((6, 5, 3), rng=0)
    model = Model(network, ("cat", "dog"))
    colors = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
    Image.fromarray(colors).save(tmp_path / "own.png")
    Image.fromarray(np.kron(colors, np.ones((4, 4, 1), np.uint8))).save(tmp_path / "large.png")
    for name in ("own", "large"):
        np.testing.assert_array_equal(answer(model, tmp_path / f"{name}.png").pixels, colors)
    with pytest.raises(InputError, match="numbers, not pictures"):
        answer(Model(Network(Dense(2)).build((7,)), ("a", "b")), tmp_path / "own.png")


def test_components_are_those_that_a_flood_finds():
    rng = np.random.default_rng(1)
    for density in (0.2, 0.4, 0.6):
        mask = rng.random((23, 31)) < density
        labels, count = labeled(mask)
        assert (labels > 0).tolist() == mask.tolist()
        left = {tuple(place) for place in np.argwhere(mask).tolist()}
        number = 0
        while left:
            number += 1
            stack = [left.pop()]
            label = labels[stack[0]]
            while stack:
                row, column = stack.pop()
                assert labels[row, column] == label
                near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
                left -= near
                stack += near
        assert number == count
        found = pieces(mask.astype(float), labels, count)
        assert sum(piece.area for piece in found) == mask.sum()


def test_frames_and_edges_are_told_from_digits():
    mask = np.zeros((60, 80), bool)
    mask[5:55, 10] = mask[5:55, 70] = mask[5, 10:71] = mask[54, 10:71] = True
    mask[20:40, 35:45] = True
    mask[:, 0:3] = True
    labels, count = labeled(mask)
    found = {(piece.width, piece.height): piece for piece in pieces(mask.astype(float), labels, count)}
    assert is_edge(found[3, 60], 60, 80)
    assert is_frame(found[61, 50], list(found.values()), labels)
    digit = found[10, 20]
    assert not is_edge(digit, 60, 80)
    assert not is_frame(digit, list(found.values()), labels)


def test_the_temperature_is_the_one_that_surprises_least():
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((2000, 5)) * 2
    shares = np.exp(log_softmax(logits))
    targets = np.array([rng.choice(5, p=row / row.sum()) for row in shares])
    assert temperature(logits, targets) == pytest.approx(1.0, abs=0.08)
    assert temperature(3 * logits, targets) == pytest.approx(3 * temperature(logits, targets), rel=1e-3)
    assert threshold(np.linspace(0, 1, 1001)) == pytest.approx(0.01)


def test_predict_takes_folders_and_patterns_and_draws(tmp_path, capsys, monkeypatch):
    (tmp_path / "in").mkdir()
    for number in range(3):
        drawn(SEVEN).save(tmp_path / "in" / f"{number}.png")
    Image.new("L", (50, 50), 255).save(tmp_path / "in" / "blank.png")
    out = [str(tmp_path / name) for name in ("a.json", "show.png", "steps.png")]
    command = ["predict", "cnn", str(tmp_path / "in"), "--json", out[0], "--show", out[1], "--explain", out[2]]
    assert main(command) == 0
    tables = json.loads((tmp_path / "a.json").read_text())
    assert [table["answer"] for table in tables] == ["7", "7", "7", None]
    assert set(tables[0]) == {
        "file", "image", "answer", "prediction", "reason", "probabilities", "digits", "pixels",
    }  # fmt: skip
    assert np.shape(tables[0]["pixels"]) == (28, 28)
    assert tables[3]["reason"] == "nothing drawn"
    for path in out[1:]:
        with Image.open(path) as picture:
            assert picture.width > 300
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["predict", "cnn", "in/*.png"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("in/")]) == 4
    assert main(["predict", "cnn", "in/*.gif"]) == 2
    (tmp_path / "none").mkdir()
    assert main(["predict", "cnn", "none"]) == 2
    assert "holds no pictures" in capsys.readouterr().err


def test_a_model_that_is_not_calibrated_says_so(tmp_path, capsys):
    network = Network(Flatten(), Dense(10)).build((28, 28), rng=0)
    save_model(tmp_path / "m.safetensors", Model(network, tuple("0123456789")))
    drawn(SEVEN).save(tmp_path / "p.png")
    assert main(["predict", str(tmp_path / "m.safetensors"), str(tmp_path / "p.png")]) == 0
    assert "not calibrated" in capsys.readouterr().out
