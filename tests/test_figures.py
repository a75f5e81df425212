"""Pictures, tested on the matplotlib `Figure`: what is drawn, in which order and color, and how it is labelled."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from plainnet import Dense, Epoch, Flatten, Network, ReLU
from plainnet.data.augmentation import Augmentation
from plainnet.data.dataset import DataSet
from plainnet.evaluation import Evaluation
from plainnet.pictures.augmentation_preview import augmentation_preview
from plainnet.pictures.confusing_pairs import confusing_pairs
from plainnet.pictures.confusion_matrix import confusion_matrix
from plainnet.pictures.curves import compared_curves, training_curves
from plainnet.pictures.first_layer import first_layer
from plainnet.pictures.ladder import ladder
from plainnet.pictures.recall_and_precision import recall_and_precision
from plainnet.pictures.sample_predictions import sample_predictions
from plainnet.pictures.step_errors import step_errors
from plainnet.pictures.style import BLUE, ORANGE, PALETTE, drawable, png
from plainnet.pictures.timeline import timeline
from plainnet.records.iterations import ITERATIONS
from plainnet.records.ladder import ladder as rungs

ROOT = Path(__file__).parent.parent
NAMES = ("cat", "dog", "owl")
LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
#                  right  ..  as dog (surer second), as owl | right, as cat | right, right
GUESSES = np.array([0, 0, 1, 1, 2, 1, 1, 0, 2, 2])
SURE = np.array([0.9, 0.8, 0.6, 0.7, 0.95, 0.9, 0.9, 0.5, 0.9, 0.9])


def evaluation():
    """Ten images of 4x4 pixels, image i filled with i / 10, and what a network made of them."""
    images = np.repeat(np.arange(10, dtype=np.float32) / 10, 16).reshape(10, 4, 4)
    shares = np.repeat((1 - SURE)[:, None] / 2, 3, axis=1)
    shares[np.arange(10), GUESSES] = SURE
    return Evaluation(DataSet(images, LABELS, NAMES), shares)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_the_confusion_matrix():
    figure = confusion_matrix(evaluation())
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert [label.get_text() for label in axes.get_xticklabels()] == list(NAMES)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(NAMES)
    (picture,) = axes.images
    mistakes = picture.get_array().filled(np.nan)
    np.testing.assert_array_equal(mistakes, [[np.nan, 2, 1], [1, np.nan, 0], [0, 0, np.nan]])
    where = {text.get_position(): (text.get_text(), to_hex(text.get_color())) for text in axes.texts}
    assert where[(1, 0)] == ("2", to_hex("white"))  # column dog, row cat
    assert where[(0, 1)][0] == "1"
    assert where[(0, 0)] == ("2", BLUE)
    assert (2, 1) not in where  # no mistake, nothing written
    assert axes.get_title() == "60.00% of 10 test images right, 4 misclassified"
    assert bar.get_ylabel() == "mistakes"


def test_names_of_any_signs_are_drawn():
    small = evaluation()
    names = ("$\\frac{1}{$", "half \ud800", "\x1b[2J")
    strange = Evaluation(DataSet(small.data.images, LABELS, ("a", "b", "c")), small.probabilities)
    strange.data.class_names = names
    for draw in (confusion_matrix, confusing_pairs, recall_and_precision, sample_predictions):
        assert png(draw(strange)).startswith(b"\x89PNG")
    assert png(training_curves(history(), "\ud800 $x$ \x07")).startswith(b"\x89PNG")


def history(count=8):
    rates = [0.1] * 3 + [0.01] * (count - 3)
    return [
        Epoch(n, 1.0 / n, {"accuracy": 0.5 + n / 20}, 2.0 / n, {"accuracy": 0.4 + n / 20}, rates[n - 1], 1.0)
        for n in range(1, count + 1)
    ]


def test_training_curves():
    figure = training_curves(history(), "a title")
    loss, accuracy = figure.axes
    for axes, train, validation in ((loss, 1.0, 2.0), (accuracy, 55.0, 45.0)):
        lines = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
        assert list(lines) == ["training (mean during the epoch)", "validation (after the epoch)"]
        first, second = lines.values()
        assert first.get_ydata()[0] == pytest.approx(train)
        assert second.get_ydata()[0] == pytest.approx(validation)
        assert (first.get_color(), second.get_color()) == (BLUE, ORANGE)
        assert list(first.get_xdata()) == list(range(1, 9))
        (fall,) = [line for line in axes.lines if line.get_linestyle() == ":"]
        assert fall.get_xdata()[0] == 3.5  # between the third and the fourth epoch
        assert texts(axes) == [" 0.01"]
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("cross-entropy (nats)", "accuracy")
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(lines)
    assert [handle.get_color() for handle in figure.legends[0].get_lines()] == [BLUE, ORANGE]
    assert figure.get_suptitle() == "a title"


def test_curves_of_several_runs():
    table = {
        "train_loss": [0.5, 0.4],
        "validation_loss": [0.6, 0.3],
        "train_accuracy": [0.8, 0.9],
        "validation_accuracy": [],
    }
    figure = compared_curves({"one": table, "two$": table | {"train_accuracy": [1.0, 0.75]}})
    loss, errors = figure.axes
    assert (loss.get_ylabel(), errors.get_ylabel()) == ("cross-entropy (nats)", "errors (%)")
    dashed = [line for line in loss.lines if line.get_linestyle() == "--"]
    full = [line for line in loss.lines if line.get_linestyle() == "-"]
    assert [list(line.get_ydata()) for line in dashed] == [[0.5, 0.4]] * 2
    assert [list(line.get_ydata()) for line in full] == [[0.6, 0.3]] * 2
    assert [line.get_label() for line in full] == ["one", r"two\$"]
    assert [line.get_color() for line in full] == list(PALETTE[:2])
    of_second = [line for line in errors.lines if line.get_linestyle() == "--"][1].get_ydata()
    np.testing.assert_allclose(of_second, [np.nan, 25])  # no error cannot be shown on a logarithmic axis
    assert figure.get_suptitle().startswith("dashed: training")


def test_recall_and_precision():
    figure = recall_and_precision(evaluation())
    (axes,) = figure.axes
    recall, precision = axes.containers[0], axes.containers[2] if len(axes.containers) > 2 else axes.containers[1]
    heights = {bars.get_label().split(":")[0]: [bar.get_height() for bar in bars] for bars in (recall, precision)}
    np.testing.assert_allclose(heights["recall"], [40, 200 / 3, 100])
    np.testing.assert_allclose(heights["precision"], [200 / 3, 50, 200 / 3])
    colors = {bars.get_label().split(":")[0]: to_hex(bars[0].get_facecolor()) for bars in (recall, precision)}
    assert colors == {"recall": BLUE, "precision": ORANGE}
    assert recall[0].get_x() < precision[0].get_x()
    assert texts(axes)[:3] == ["40.0", "66.7", "100.0"]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(NAMES)
    assert max(axes.get_yticks()) == 100
    (all_together,) = axes.lines
    assert list(all_together.get_ydata()) == [60, 60]
    assert "60.00%" in axes.get_title()


def test_sample_predictions_begin_with_the_surest_mistake():
    (axes,) = sample_predictions(evaluation()).axes
    said = texts(axes)
    assert said[0] == "right: one of each class (60.00% of all are right)"
    assert [text.split("  ")[0] for text in said[1:4]] == ["read cat", "read dog", "read owl"]
    assert said[4] == "wrong: the mistakes with the highest confidence"
    assert [text.split("\n") for text in said[5:]] == [
        ["read owl  95.0 %", "is cat  2.5 %"],
        ["read dog  70.0 %", "is cat  15.0 %"],
        ["read dog  60.0 %", "is cat  20.0 %"],
        ["read cat  50.0 %", "is dog  25.0 %"],
    ]
    shown = [round(float(picture.get_array().mean()) * 10) for picture in axes.images]
    assert shown == [0, 5, 8, 4, 3, 2, 7]
    colors = [to_hex(text.get_color()) for text in axes.texts]
    assert colors[1:4] == [BLUE] * 3
    assert colors[5:] == [ORANGE] * 4


def test_confusing_pairs_begin_with_the_most_frequent_and_the_surest():
    (axes,) = confusing_pairs(evaluation()).axes
    assert texts(axes) == ["cat read as dog\n2 of 5", "cat read as owl\n1 of 5", "dog read as cat\n1 of 3"]
    heights = [text.get_position()[1] for text in axes.texts]
    assert heights == sorted(heights)  # the first one on top: y grows downwards
    sheet = axes.images[0].get_array()
    assert sheet.shape == (3 * 4, 10 * 4)
    assert [round(float(sheet[0, place]) * 10) for place in (0, 4, 8)] == [3, 2, 0]  # surest first, then empty
    assert [round(float(sheet[row, 0]) * 10) for row in (4, 8)] == [4, 7]


def test_first_layer_pictures():
    templates = Network(Flatten(), Dense(3)).build((4, 4), rng=1)
    figure = first_layer(templates, templates, NAMES)
    assert [axes.get_title() for axes in figure.axes if axes.images] == list(NAMES)
    for unit, axes in enumerate(figure.axes[:3]):
        np.testing.assert_array_equal(axes.images[0].get_array(), templates.layers[1].W.value[:, unit].reshape(4, 4))
        low, high = axes.images[0].get_clim()
        assert -low == high == np.abs(axes.images[0].get_array()).max()
    assert figure.get_suptitle() == "weights of each class: red raises the output, blue lowers it"

    start = Network(Flatten(), Dense(40), ReLU(), Dense(3)).build((4, 4), rng=1)
    network = Network(Flatten(), Dense(40), ReLU(), Dense(3)).build((4, 4), rng=1)
    changed = np.arange(40) * np.where(np.arange(40) % 2, 1.0, 0.1)
    network.layers[1].W.value[...] += changed
    figure = first_layer(network, start, NAMES)
    assert figure.get_suptitle().startswith("what 16 of 40 units have learned")
    shown = [float(axes.images[0].get_array().mean()) for axes in figure.axes if axes.images]
    np.testing.assert_allclose(shown, np.arange(9, 40, 2), rtol=1e-5)  # those that changed most, in their order


def test_augmentation_is_shown_beside_the_image_as_it_is(digits):
    (axes,) = augmentation_preview(Augmentation(shift=2.0, rotation=20.0), digits.train[:200], seed=1).axes
    sheet = axes.images[0].get_array()
    assert sheet.shape == (10 * 28, 10 * 28)
    for label in range(10):
        first = digits.train.images[:200][digits.train.labels[:200] == label][0]
        np.testing.assert_allclose(sheet[28 * label : 28 * label + 28, :28], first / 255, atol=1e-6)
        assert np.abs(sheet[28 * label : 28 * label + 28, 28:56] - first / 255).max() > 0.1
    assert axes.get_title() == "left: original; right: changed for training"
    assert axes.lines[0].get_xdata()[0] == 27.5


def test_the_ladder():
    rows = rungs(ROOT / "records")
    (axes,) = ladder(rows).axes
    assert axes.get_ylabel() == "test accuracy (%)"
    assert axes.get_xlabel().startswith("minutes of training")
    dots = {text.get_text().split("  ")[0]: text for text in axes.texts}
    for row in rows[1:]:
        assert dots[row["recipe"]].xy == (row["minutes"], pytest.approx(100 * (1 - row["mean"])))
        assert dots[row["recipe"]].get_text().endswith(f"{row['mean']:.2%}")
    assert axes.yaxis_inverted()  # the fewer errors, the higher
    best, least = (min(rows[1:], key=lambda row: sign * row["parameters"]) for sign in (-1, 1))
    sizes = {tuple(dot.get_offsets()[0]): dot.get_sizes()[0] for dot in axes.collections}
    assert sizes[best["minutes"], 100 * (1 - best["mean"])] > 2 * sizes[least["minutes"], 100 * (1 - least["mean"])]


def test_the_timeline():
    rows = json.loads((ROOT / "records" / "iterations" / "iterations.json").read_text())["rows"]
    names = [name for name, *_ in ITERATIONS]
    rows.sort(key=lambda row: names.index(row["iteration"]))
    left, right = timeline(rows, names).axes
    claimed, described, right_form = (bars for bars in left.containers if hasattr(bars, "patches"))
    assert [bars.get_label() for bars in (claimed, described, right_form)] == [
        "claimed", "reproduced: gradient summed and clipped", "done right: mean gradient",
    ]  # fmt: skip
    of_form = {form: [row for row in rows if row["form"] == form] for form in ("as described", "done right")}
    for bars, form in ((described, "as described"), (right_form, "done right")):
        np.testing.assert_allclose(
            [bar.get_height() for bar in bars], [100 * (row["test_accuracy"] or 0) for row in of_form[form]]
        )
    np.testing.assert_allclose([bar.get_height() for bar in claimed][1:], [88.1, 88.9, 89.2, 10, 94.25])
    assert [to_hex(bars[0].get_facecolor()) for bars in (described, right_form)] == [ORANGE, BLUE]
    lines = {text.get_text(): line for text, line in zip(right.texts, right.lines, strict=True)}
    assert list(lines) == ["as described", "done right"]
    for form, line in lines.items():
        np.testing.assert_allclose(line.get_ydata(), np.multiply(of_form[form][-1]["validation_by_epoch"], 100))


def test_errors_of_numerical_derivatives():
    steps = np.logspace(-3, 0, 4)
    central, exact = np.full((4, 5), 1e-5), np.full((4, 5), 1e-15)
    (axes,) = step_errors(steps, central, exact, tolerance=1e-7, epsilon=1e-5).axes
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["central differences"].get_ydata()[0] == 1e-5
    assert lines["central differences"].get_color() == ORANGE
    assert lines["complex step"].get_ydata()[0] == 1e-15
    assert lines["complex step"].get_color() == BLUE
    assert texts(axes) == ["tolerance 1e-07", "epsilon 1e-05"]
    assert axes.get_title().startswith("5 gradients")


def test_no_label_touches_the_edge(digits):
    """The captions beside the confusing pairs, and all other texts, keep a distance from the edge of the picture."""
    small = evaluation()
    names = ("a name of many letters", "another name", "owl")
    long = Evaluation(DataSet(small.data.images, LABELS, names), small.probabilities)
    pictures = [
        *(draw(long) for draw in (confusing_pairs, confusion_matrix, recall_and_precision)),
        training_curves(history(), "a title"),
        ladder(rungs(ROOT / "records")),
    ]
    for figure in pictures:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn = np.asarray(canvas.buffer_rgba())[..., :3]
        edge = np.concatenate([drawn[:5].reshape(-1, 3), drawn[-5:].reshape(-1, 3), drawn[:, :5].reshape(-1, 3),
                               drawn[:, -5:].reshape(-1, 3)])  # fmt: skip
        assert (edge == 255).all()


def test_numbers_of_any_size_are_drawn_in_their_own_range():
    assert drawable(np.array([[[0, 255]]], np.uint8)).tolist() == [[[0.0, 1.0]]]
