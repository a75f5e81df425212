"""What a run leaves behind, whatever the inputs are: images, colors, numbers, tables."""

import json
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from plainnet import DataSet, InputError
from plainnet.cli.progress import TimeLeft
from plainnet.cli.told_of_training import results_table
from plainnet.data.splits import Splits
from plainnet.events import Batch, Epoch
from plainnet.pictures.curves import training_curves
from plainnet.pictures.sample_predictions import sample_predictions
from plainnet.pictures.style import drawable, png
from plainnet.recipes import Recipe, read
from plainnet.runs import drawing
from plainnet.runs.results import write_results
from plainnet.runs.run import Run
from plainnet.writing import to_json

IMAGES = {"sample_predictions.png", "confusing_pairs.png"}


def run_on(inputs, labels, validation=None, **changes):
    """A short training of one layer on three parts of the data, to its end."""
    table = {"input_shape": list(inputs.shape[1:]), "epochs": 2, "batch_size": 20,
             "layers": [{"type": "Flatten"}, {"type": "Dense", "units": 3}]}  # fmt: skip
    names = ("a", "b", "c")
    parts = [DataSet(inputs[rows], labels[rows], names) for rows in (slice(0, 90), slice(90, 120), slice(120, 150))]
    if validation is not None:
        parts[1] = DataSet(validation, labels[: len(validation)], names)
    run = Run(Recipe.from_table(read("softmax").to_table() | table | changes), Splits.of(*parts), threads=1)
    with np.errstate(all="ignore"):
        list(run.epochs())
    return run


RNG = np.random.default_rng(0)
LABELS = np.arange(150) % 3
KINDS = {
    "bytes": RNG.integers(0, 256, (150, 6, 5), np.uint8),
    "bytes with a channel": RNG.integers(0, 256, (150, 6, 5, 1), np.uint8),
    "colors": RNG.integers(0, 256, (150, 6, 5, 3), np.uint8),
    "numbers from 0 to 1": RNG.random((150, 6, 5), np.float32),
    "numbers of any size": RNG.standard_normal((150, 6, 5, 3)).astype(np.float32),
    "a table": RNG.standard_normal((150, 7)),
    "many channels": RNG.random((150, 4, 4, 9), np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_results_of_any_inputs_are_whole(kind, tmp_path):
    run = run_on(KINDS[kind], LABELS)
    names = set(write_results(run, tmp_path))
    assert {"model_final.safetensors", "metrics.json", "confusion_matrix.png", "training_curves.png"} <= names
    assert (names >= IMAGES) == (kind not in ("a table", "many channels"))
    assert {path.name for path in tmp_path.iterdir()} == names
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["thread_choices"] == [[0, 0, 1]]
    assert metrics["test_examples" if kind == "a table" else "test_images"] == 30


def test_images_are_drawn_in_their_own_range():
    """Numbers from 0 to 1 were drawn white: as if they were bytes."""
    for name, least in (("bytes", 0.9), ("numbers from 0 to 1", 0.9), ("colors", 0.9)):
        shown = drawable(KINDS[name])
        assert 0 <= shown.min() < 0.1
        assert least < shown.max() <= 1
    assert drawable(np.array([[[-1.0, 0.0], [1.0, 3.0]]])).tolist() == [[[0.0, 0.25], [0.5, 1.0]]]
    assert drawable(KINDS["a table"]) is None
    assert drawable(KINDS["bytes with a channel"]).shape == (150, 6, 5)
    run = run_on(KINDS["numbers from 0 to 1"], LABELS)
    run.metrics()
    pictures = sample_predictions(run.test).axes[0].images
    assert pictures
    assert all(picture.get_clim() == (0, 1) for picture in pictures)
    assert np.ptp(np.stack([picture.get_array() for picture in pictures])) > 0.5


def test_nothing_is_written_before_all_is_there(tmp_path, monkeypatch):
    run = run_on(KINDS["bytes"], LABELS)

    def fail(*_):
        raise InputError("no picture")

    monkeypatch.setattr(drawing, "recall_and_precision", fail)
    with pytest.raises(InputError, match="no picture"):
        write_results(run, tmp_path)
    assert not list(tmp_path.iterdir())


def test_pictures_are_the_same_however_they_are_drawn(tmp_path, monkeypatch):
    """By two processes, by one, and by one because no other is to be had."""
    run = run_on(KINDS["bytes"], LABELS)
    run.metrics()
    expected = {name: drawing._drawn(task) for name, task in drawing.tasks(run, run.test).items()}
    assert drawing.pngs(run, run.test) == expected
    assert all(content is None or content.startswith(b"\x89PNG") for content in expected.values())
    monkeypatch.setattr(drawing, "available_cores", lambda: 1)
    assert drawing.pngs(run, run.test) == expected

    def no_process():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(drawing, "available_cores", lambda: 2)
    monkeypatch.setattr("os.fork", no_process)
    assert drawing.pngs(run, run.test) == expected


def test_without_pictures_those_of_an_earlier_run_are_removed(tmp_path):
    run = run_on(KINDS["bytes"], LABELS)
    assert "confusion_matrix.png" in write_results(run, tmp_path)
    names = write_results(run, tmp_path, pictures=False)
    assert set(names) == {path.name for path in tmp_path.iterdir()}
    assert not any(name.endswith(".png") for name in names)


def test_the_training_accuracy_is_of_ten_thousand_images_and_says_so(monkeypatch):
    monkeypatch.setattr("plainnet.runs.run._SEEN_AGAIN", 20)
    run = run_on(KINDS["bytes"], LABELS)
    metrics = run.metrics()
    assert metrics["train_accuracy_images"] == 20 < metrics["train_images"]
    seen = run.train.sample(20)
    assert metrics["train_accuracy"] == (run.network.predict(seen.images) == seen.labels).mean()
    assert results_table(metrics, run.test.lines()).splitlines()[1].endswith("(of 20 of them)")


def test_commands_that_draw_nothing_do_not_import_what_draws(tmp_path):
    """Matplotlib takes a third of a second."""
    program = (
        "import sys\nfrom plainnet.cli.app import run\nsys.argv[1:] = {}\n"
        "try: run()\nexcept SystemExit as end: assert end.code in (None, 0, 1), end.code\n"
        "assert 'matplotlib' not in sys.modules"
    )
    for command in (
        ["train", "softmax", "--limit", "50", "--epochs", "1", "--no-pictures", "--quiet", "--out", str(tmp_path)],
        ["diagnose", str(tmp_path)],
        ["evaluate", str(tmp_path / "model_final.safetensors")],
        ["recipes"],
    ):
        done = subprocess.run([sys.executable, "-c", program.format(command)], capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stderr)


def test_a_validation_loss_that_is_no_number_leaves_readable_results(tmp_path):
    huge = np.full((9, 6, 5), 3e38, np.float32)
    run = run_on(KINDS["numbers from 0 to 1"], LABELS, validation=huge)
    assert not np.isfinite(run.history[-1].validation_loss)
    write_results(run, tmp_path)
    history = json.loads((tmp_path / "training_history.json").read_text())
    assert history[-1]["validation_loss"] is None
    assert history[-1]["train_loss"] < 2


def test_numbers_in_json():
    assert to_json({"a": [1.5, float("nan")], "b": float("inf"), "c": [[1], [2]], "d": "nan"}) == (
        b'{\n  "a": [1.5, null],\n  "b": null,\n  "c": [\n    [1],\n    [2]\n  ],\n  "d": "nan"\n}\n'
    )
    assert json.loads(to_json({"x": (True, None, 3, "\u00e9")})) == {"x": [True, None, 3, "\u00e9"]}


def test_a_limit_takes_a_sample_of_every_class(digits):
    """Of images sorted by class the first ones are of three classes; a sample has all ten in their shares."""
    order = np.argsort(digits.train.labels, kind="stable")
    splits = Splits.of(digits.train[order], digits.validation, digits.test)
    run = Run(read("softmax"), splits, limit=1000)
    counts, shares = np.bincount(run.train.labels), np.bincount(digits.train.labels) / 50
    assert counts.sum() == 1000
    np.testing.assert_allclose(counts, shares, atol=1)
    again = Run(read("softmax"), splits, limit=1000, seed=5)
    np.testing.assert_array_equal(again.train.images, run.train.images)  # the same ones, whatever the seed
    numbers = DataSet(np.arange(12.0).reshape(6, 2), np.arange(6.0))
    assert len(numbers.sample(4)) == 4


def test_time_left_is_known_from_the_batches_made():
    """In the first epoch, and after going on in the middle of one."""
    left = TimeLeft(10)
    left.add(Batch(1, 1, 100, 0.5, 0.1, 0.25))
    assert str(left) == "4:10"  # 999 batches of a quarter of a second
    resumed = TimeLeft(10)
    for number in (51, 52):
        resumed.add(Batch(9, number, 100, 0.5, 0.1, 2.0))
    assert str(resumed) == "4:56"  # 148 batches of two seconds
    for number in range(53, 101):
        resumed.add(Batch(10, number, 100, 0.5, 0.1, 2.0))
    assert str(resumed) == "0:00"


def test_a_history_with_other_metrics_is_drawn():
    epochs = [Epoch(n, 1.0 / n, {"absolute_error": 0.5}, None, None, 0.1, 1.0) for n in (1, 2)]
    figure = training_curves(epochs, "numbers")
    assert Image.open(BytesIO(png(figure))).size[0] > 400


def test_a_stop_is_on_record(tmp_path):
    stop = {"stop": {"patience": 2}, "epochs": 40, "schedule": {"type": "constant", "learning_rate": 3.0}}
    run = run_on(KINDS["numbers from 0 to 1"], LABELS, **stop)
    write_results(run, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["epochs"] == run.stop.epoch < 40
    assert metrics["stopped"].startswith(f"ended after epoch {run.stop.epoch}: the validation loss has not improved")
    best = run.history[run.stop.best - 1]
    assert metrics["validation_accuracy"] == best.validation_accuracy
    assert run.training.workers.network is run.network
