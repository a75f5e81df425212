"""Records, openings of the test set, the ladder, ensembles and the six iterations."""

import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from plainnet import (
    SGD,
    Dense,
    Flatten,
    InputError,
    Model,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    TrainingDivergedError,
    fit,
    load_model,
    save_model,
)
from plainnet.application import iterations as six
from plainnet.application import records, saving
from plainnet.application.committee import record_ensemble, together
from plainnet.application.evaluation import Evaluation, evaluate, probabilities, usual_shifts
from plainnet.application.galleries import confusing_pairs, first_layer_weights
from plainnet.application.images import read_image
from plainnet.application.ladder import LABEL_ERRORS, ladder
from plainnet.application.run import Run
from plainnet.cli.app import main
from plainnet.files import to_json, write_atomically
from plainnet.layers import Ensemble
from plainnet.metrics import mcnemar, wilson_interval
from plainnet.recipes import read

SMALL = """
title = "a small network"
input_shape = [28, 28]
batch_size = 1000
epochs = 1
layers = [{type = "Flatten"}, {type = "Dense", units = 10}]
loss = {type = "SoftmaxCrossEntropy"}
optimizer = {type = "SGD"}
schedule = {type = "constant", learning_rate = 0.1}
"""


def put(records, recipe, seed, mistakes, **figures):
    """Write a record as `plainnet series` would."""
    table = {"recipe": recipe, "seed": seed, "test_accuracy": 1 - len(mistakes) / 10_000, "mistakes": list(mistakes)}
    table |= {"parameters": 1000, "seconds": 90.0, "test_images": 10_000, "data": {"crc32": 4000540026}}
    table |= {"settings": read("softmax").to_table()} | figures
    write_atomically(records / recipe / f"seed-{seed}.json", to_json(table))


def test_the_ladder_is_made_of_the_records(tmp_path, capsys):
    for seed, (wrong, seconds) in enumerate(((800, 60.0), (810, 90.0), (790, 600.0))):
        put(tmp_path, "softmax", seed, range(wrong), seconds=seconds)
    put(tmp_path, "classic", 0, [*LABEL_ERRORS, *range(185)], parameters=814_090, seconds=180.0)
    chance, softmax, classic = ladder(tmp_path)
    assert (chance["recipe"], chance["mean"]) == ("chance", 0.1)
    assert (softmax["runs"], softmax["min"], softmax["max"]) == (3, 0.919, 0.921)
    assert softmax["mean"] == pytest.approx(0.92)
    assert softmax["sd"] == pytest.approx(0.001)
    assert softmax["interval_95"] == list(wilson_interval(9200, 10_000))
    assert softmax["minutes"] == 1.5
    assert (classic["sd"], classic["minutes"]) == (None, 3.0)
    assert classic["without_label_errors"] == pytest.approx(1 - 185 / 9985)
    assert softmax["against_below"] is None
    # The median run of softmax mistook the first 800 images, 615 of which classic did not, and no label error.
    assert classic["against_below"] == mcnemar(15, 615) < 1e-100
    assert main(["ladder", "--records", str(tmp_path), "--json", str(tmp_path / "l.json"),
                 "--plot", str(tmp_path / "l.png")]) == 0  # fmt: skip
    printed = capsys.readouterr().out
    assert "| `classic` | 1 | **98.000%** |" in printed
    assert json.loads((tmp_path / "l.json").read_text())["rows"][1]["recipe"] == "softmax"
    assert (tmp_path / "l.png").read_bytes().startswith(b"\x89PNG")


def test_of_an_even_number_of_runs_the_better_one_in_the_middle_is_compared(tmp_path):
    for seed, wrong in enumerate((700, 800, 900, 1000)):
        put(tmp_path, "softmax", seed, range(wrong))
    put(tmp_path, "classic", 0, range(100, 300))
    assert ladder(tmp_path)[2]["against_below"] == mcnemar(0, 600)


@pytest.mark.parametrize("other", [{"data": {"crc32": 1}}, {"test_images": 5000, "test_accuracy": 0.96}])
def test_rungs_with_other_images_are_not_compared(other, tmp_path):
    put(tmp_path, "softmax", 0, range(900))
    put(tmp_path, "classic", 0, range(200), **other)
    _, softmax, classic = ladder(tmp_path)
    assert softmax["without_label_errors"] > 0.9
    assert classic["against_below"] is None
    assert (classic["without_label_errors"] is None) == ("data" in other)


def test_a_few_images_of_another_kind(tmp_path, capsys):
    put(tmp_path, "classic", 0, range(2), data={"crc32": 1}, test_images=15, test_accuracy=13 / 15)
    assert main(["ladder", "--records", str(tmp_path)]) == 0
    assert "| `classic` | 1 | **86.667%** |" in capsys.readouterr().out


def test_without_records_there_is_no_ladder(tmp_path, capsys):
    for command in (["ladder", "--records", str(tmp_path)], ["records", str(tmp_path)]):
        assert main(command) == 2
        assert "plainnet series softmax" in capsys.readouterr().err
    (tmp_path / "softmax").mkdir()
    put(tmp_path, "softmax", 0, range(900), test_images=0)
    no_images = (tmp_path / "softmax" / "seed-0.json").read_text()
    put(tmp_path, "softmax", 0, range(900), settings={})
    no_settings = (tmp_path / "softmax" / "seed-0.json").read_text()
    for damaged in ("{", "{}", "[]", "5", no_images, no_settings):
        (tmp_path / "softmax" / "seed-0.json").write_text(damaged)
        assert main(["ladder", "--records", str(tmp_path)]) == 2
        expected = "cannot read the record" if damaged == "{" else "is not a whole record"
        assert re.search(rf"seed-0\.json.*{expected}|{expected}.*seed-0\.json", capsys.readouterr().err)


IMPOSSIBLE = [
    ({"test_accuracy": float("nan")}, "NaN"), ({"test_accuracy": 2.5}, ""), ({"test_accuracy": 0.92}, ""),
    ({"mistakes": ["a", {}]}, ""), ({"mistakes": [[1]] * 900}, ""), ({"mistakes": [10_000] * 900}, ""),
    ({"test_images": 10**400}, ""), ({"parameters": -5}, ""), ({"seconds": -1.0}, ""), ({"seconds": 1e400}, "Infinity"),
]  # fmt: skip


@pytest.mark.parametrize(("figures", "written"), IMPOSSIBLE)
def test_impossible_records_are_refused(figures, written, tmp_path, capsys):
    put(tmp_path, "softmax", 0, range(900))
    path = tmp_path / "softmax" / "seed-0.json"
    content = json.dumps(json.loads(path.read_text()) | figures)
    assert written in content
    path.write_text(content)
    for command in (["ladder", "--records", str(tmp_path)], ["records", str(tmp_path)]):
        assert main(command) == 2
        assert "seed-0.json is not a whole record" in capsys.readouterr().err


def test_of_two_that_differ_neither_is_to_be_thrown_away(tmp_path, capsys):
    for seed, other in enumerate(({"data": {}}, {})):
        put(tmp_path, "softmax", seed, range(900), **other)
    assert main(["ladder", "--records", str(tmp_path)]) == 2
    assert re.search("seed-1.json was made with other .* than seed-0.json .*, or move one", capsys.readouterr().err)


def test_recipes_of_one_s_own_stand_below_the_ladder(tmp_path, capsys):
    put(tmp_path, "mine", 0, range(700), data={"class_counts": [5] * 4})
    assert [row["recipe"] for row in ladder(tmp_path)] == ["chance", "mine"]
    assert ladder(tmp_path)[0]["mean"] == 0.25
    put(tmp_path, "softmax", 0, range(600), data={"class_counts": [5] * 4})
    assert main(["ladder", "--records", str(tmp_path)]) == 0
    *_, softmax, mine = capsys.readouterr().out.splitlines()
    assert softmax.startswith("| `softmax` ")
    assert mine.startswith("| `mine` ")
    assert mine.endswith("2e-30 (worse) |")  # 2 / 2^100: 100 images that it alone mistakes


def test_a_copy_of_a_record_is_no_run(tmp_path, capsys):
    put(tmp_path, "softmax", 0, range(900))
    shutil.copy(tmp_path / "softmax" / "seed-0.json", tmp_path / "softmax" / "seed-0 (copy).json")
    assert main(["ladder", "--records", str(tmp_path)]) == 2
    assert "seed-0 (copy).json is not" in capsys.readouterr().err


def test_a_series_counts_the_openings_of_the_test_set_and_makes_an_ensemble(tmp_path, digits, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)
    series = ["series", "small.toml", "--seeds"]
    assert main([*series, "0:2"]) == 0
    assert main([*series, "0:2"]) == 0  # on record already: the test set stays closed
    run = json.loads((tmp_path / "records" / "small" / "seed-0.json").read_text())
    assert run["train_images"] == 60_000
    assert run["test_set_opened"].startswith("20")
    assert run["test_accuracy"] == pytest.approx(1 - len(run["mistakes"]) / 10_000)
    (tmp_path / "small.toml").write_text(SMALL.replace("0.1", "0.2"))
    assert main([*series, "2:3"]) == 2  # never two versions of a recipe side by side
    assert "other settings or data" in capsys.readouterr().err
    for seed in (0, 1):
        (tmp_path / "records" / "small" / f"seed-{seed}.json").unlink()
    assert main([*series, "0:2"]) == 0
    capsys.readouterr()
    assert main(["records"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:4] == ["small", "2", "4", "2"]

    assert main(["ensemble", "small", "--seeds", "0:2"]) == 0
    assert "2 runs of small together" in capsys.readouterr().out
    model = tmp_path / "records" / "ensemble" / "seed-0.safetensors"
    assert main(["evaluate", str(model), "--json", "e.json"]) == 0
    record = json.loads((tmp_path / "records" / "ensemble" / "seed-0.json").read_text())
    assert json.loads((tmp_path / "e.json").read_text())["mistakes"] == record["mistakes"]
    assert record["parameters"] == 2 * 7850 == load_model(model).network.theta.size
    opened = (tmp_path / "records" / "ensemble" / "openings.json").read_bytes()
    assert json.loads(opened)[0]["members"] == record["members"]
    content = model.read_bytes()
    model.unlink()
    assert main(["ensemble", "small", "--seeds", "0:2"]) == 0  # on record already; the model is put together again
    assert model.read_bytes() == content
    member, other = (tmp_path / "records" / "small" / f"seed-{seed}.safetensors" for seed in (0, 1))
    right = member.read_bytes()
    shutil.copy(other, member)
    assert main(["ensemble", "small", "--seeds", "0:2"]) == 2
    assert "seed-0.safetensors is not the model of the run recorded beside it" in capsys.readouterr().err
    other_weights = load_model(tmp_path / "records" / "small" / "seed-0.safetensors")
    member.write_bytes(right)
    right_model = load_model(member)
    save_model(member, Model(other_weights.network, right_model.class_names, right_model.about))
    assert main(["ensemble", "small", "--seeds", "0:2"]) == 2  # other weights than those on record
    assert "holds another ensemble" in capsys.readouterr().err
    assert model.read_bytes() == content
    member.write_bytes(right)
    for command, sentence in (
        (["small", "--seeds", "0:3"], "no model of small with seed 2"),
        (["small", "--seeds", "0:1"], "holds another ensemble"),
        (["nothing"], "no model of nothing with seed 0"),
    ):
        assert main(["ensemble", *command]) == 2
        assert sentence in capsys.readouterr().err
    few = type(digits)(digits.train[:500], digits.validation, digits.test)
    with pytest.raises(InputError, match="were made with other images"):
        record_ensemble("small", range(2), few, tmp_path / "records")
    assert (tmp_path / "records" / "ensemble" / "openings.json").read_bytes() == opened


def test_two_that_make_the_same_run_open_the_test_set_once(tmp_path, digits, monkeypatch):
    """The second one waits until the first lets go of the folder; what it then finds, it returns."""
    small = type(digits)(digits.train[:2000], digits.validation[:500], digits.test[:500])
    (tmp_path / "small.toml").write_text(SMALL)
    recipe, folder, first = read(str(tmp_path / "small.toml"), {"validate": False}), tmp_path / "small", []
    locked = records.locked

    @contextmanager
    def late(unfinished):
        if not first:
            first.append(None)
            first[0] = records.record_run(recipe, small, 0, folder)
            unfinished.mkdir()  # which a process makes before it asks for the lock
        with locked(unfinished):
            yield

    monkeypatch.setattr(records, "locked", late)
    assert to_json(records.record_run(recipe, small, 0, folder)) == to_json(first[0])
    assert len(records.openings(folder)) == 1


def test_what_changed_before_a_run_went_on_is_recorded(tmp_path, digits, monkeypatch, capsys):
    small = type(digits)(digits.train[:2000], digits.validation[:500], digits.test[:500])
    (tmp_path / "small.toml").write_text(SMALL.replace("epochs = 1", "epochs = 2"))
    recipe, folder = read(str(tmp_path / "small.toml"), {"validate": False}), tmp_path / "small"
    run = Run(recipe, small)
    next(saving.epochs(run, folder / "unfinished-0"))
    assert main(["records", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["small", "0", "0", "0", "-", "1"]
    monkeypatch.setattr(saving, "threads", lambda: 77)
    assert "threads was " in records.record_run(recipe, small, 0, folder)["resumed_after_a_change"]
    assert "resumed_after_a_change" not in records.record_run(recipe, small, 1, folder)
    with pytest.raises(InputError, match="would take the place of that rung"):
        records.record_run(replace(recipe, name="ensemble"), small, 0, tmp_path / "ensemble")


def test_a_run_that_diverged_and_was_killed_at_once_begins_anew(tmp_path, digits):
    small = type(digits)(digits.train[:2000], digits.validation[:500], digits.test[:500])
    (tmp_path / "small.toml").write_text(SMALL)
    steep, right = (read(str(tmp_path / "small.toml"), {"schedule.learning_rate": rate}) for rate in (1e38, 0.1))
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError):
        list(saving.epochs(Run(steep, small), tmp_path / "small" / "unfinished-0"))
    assert records.record_run(right, small, 0, tmp_path / "small")["test_accuracy"] > 0.2


def test_a_series_that_diverges_can_be_made_anew(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL.replace("0.1", "1e38"))
    assert main(["series", "small.toml", "--seeds", "0:1"]) == 3
    assert "diverged" in capsys.readouterr().err
    (tmp_path / "small.toml").write_text(SMALL)
    assert main(["series", "small.toml", "--seeds", "0:1"]) == 0


@pytest.mark.parametrize("content", ["5", "[1]", "[{}]", "{", "[" * 100_000, '[{"settings_crc32": []}]'])
def test_damaged_openings_and_iterations_are_refused(content, tmp_path, capsys):
    (tmp_path / "softmax").mkdir()
    (tmp_path / "softmax" / "openings.json").write_text(content)
    assert main(["records", str(tmp_path)]) == 2
    assert main(["series", "softmax", "--seeds", "0:1", "--out", str(tmp_path)]) == 2
    (tmp_path / "iterations.json").write_text(content)
    assert main(["iterations", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_models_that_do_not_belong_together_are_refused():
    first = Model(Network(Dense(2)).build((3,)), ("a", "b"), {})
    other = Model(Network(Dense(2)).build((4,)), ("a", "b"), {})
    with pytest.raises(InputError, match="take the same images"):
        together([first, other])
    names = Model(Network(Dense(2)).build((3,)), ("a", "c"), {})
    with pytest.raises(InputError, match="know the same classes"):
        together([first, names])
    with pytest.raises(InputError, match="at least one model"):
        together([])


def test_shifted_views_are_averaged(digits):
    network = Network(Flatten(), Dense(10), ReLU(), Dense(10)).build((28, 28), rng=0)
    images = digits.test.images[:20]
    plain = probabilities(network.logits, images)
    np.testing.assert_allclose(plain, network.probabilities(images), rtol=1e-5)
    views = [np.roll(np.pad(images, [(0, 0), (1, 1), (1, 1)]), (i, j), (1, 2))[:, 1:-1, 1:-1]
             for i in (-1, 0, 1) for j in (-1, 0, 1)]  # fmt: skip
    product = np.prod([network.probabilities(view).astype(float) for view in views], axis=0) ** (1 / 9)
    expected = product / product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities(network.logits, images, 1), expected, rtol=1e-4)
    assert evaluate(network, digits.test[:20], shifts=1).accuracy == np.mean(
        expected.argmax(axis=1) == digits.test.labels[:20]
    )


@pytest.mark.parametrize(
    ("about", "shifts"),
    [({"recipe": {}}, 0), ({}, 0), ({"recipe": 5}, 0), ({"members": []}, 0), ({"recipe": {"test_shifts": 1000}}, 0),
     ({"recipe": {"test_shifts": 3}}, 3), ({"members": [{"recipe": {"test_shifts": 2}}] * 2}, 2)],
)  # fmt: skip
def test_a_model_is_asked_as_its_recipe_says(about, shifts, tmp_path, digits):
    """But for what no recipe may say: a file from elsewhere could keep a computer busy for hours."""
    whole = read("softmax").to_table()
    for part in [about, *about.get("members", [])]:
        if isinstance(part.get("recipe"), dict) and part["recipe"]:
            part["recipe"] = whole | part["recipe"]
    network = Network(Flatten(), Dense(10)).build((28, 28), rng=0)
    model = Model(network, tuple("0123456789"), about)
    assert usual_shifts(model) == shifts
    save_model(tmp_path / "model.safetensors", model)
    drawn = digits.test.images[:1]
    Image.fromarray(drawn[0]).save(tmp_path / "seven.png")
    command = ["predict", str(tmp_path / "model.safetensors"), str(tmp_path / "seven.png")]
    assert main([*command, "--json", str(tmp_path / "a.json")]) == 0
    answer = json.loads((tmp_path / "a.json").read_text())[0]["probabilities"]
    expected = probabilities(network.logits, read_image(tmp_path / "seven.png")[None], shifts)[0]
    np.testing.assert_allclose(list(answer.values()), expected, rtol=1e-5)


def test_the_six_iterations(tmp_path, digits, monkeypatch):
    """Shortened, to see that rows are kept, the fault ends in NaN, and the picture is drawn."""
    short = [(name, 8, rate, 1, claimed) for name, _, rate, _, claimed in six.ITERATIONS[:2]]
    monkeypatch.setattr(six, "ITERATIONS", short)
    small = type(digits)(digits.train[:2000], digits.validation[:500], digits.test[:500])
    rows = list(six.iterations(small, tmp_path))
    assert [row["form"] for row in rows] == [six.DESCRIBED, six.RIGHT] * 2
    assert rows[0]["test_accuracy"] is None
    assert "the loss is nan" in rows[0]["stopped"]
    assert rows[1]["test_accuracy"] == rows[3]["test_accuracy"] > 0.2
    assert rows[2]["largest_gradient"] > 20 * rows[3]["largest_gradient"]
    before = (tmp_path / "iterations.json").read_bytes()
    assert list(six.iterations(small, tmp_path)) == rows
    assert (tmp_path / "iterations.json").read_bytes() == before
    assert (tmp_path / "iterations_timeline.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "damage",
    [{"test_accuracy": "x"}, {"iteration": [1]}, {"validation_by_epoch": [2.0]}, {"validation_by_epoch": None}],
)
def test_damaged_rows_of_iterations_are_refused(damage, tmp_path, digits):
    row = {"iteration": "a", "form": "b", "claimed": None, "test_accuracy": 0.5, "validation_by_epoch": [0.5]}
    write_atomically(tmp_path / "iterations.json", to_json({"rows": [row | damage]}))
    with pytest.raises(InputError, match="does not hold iterations"):
        next(six.iterations(digits, tmp_path))


def test_the_timeline_of_a_last_iteration_that_diverged():
    rows = [
        {"iteration": name, "form": form, "test_accuracy": None, "validation_by_epoch": []}
        for name, *_ in six.ITERATIONS
        for form in (six.DESCRIBED, six.RIGHT)
    ]
    assert six.timeline(rows).startswith(b"\x89PNG")


def test_curves_of_several_runs_and_a_preview(tmp_path, capsys):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs.csv"
    rows = [
        {"epoch": 1, "train_loss": 0.5, "train_accuracy": 1.0, "validation_loss": None, "validation_accuracy": None}
    ]
    write_atomically(ours / "training_history.json", to_json(rows))
    theirs.write_text("loss,val_loss,acc\n0.5,0.6,0.8\n0.4,0.5,0.9\n")
    out = tmp_path / "curves.png"
    assert main(["curves", str(ours), str(theirs), "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert main(["curves", "--out", str(out)]) == 2
    assert "one or more runs" in capsys.readouterr().err
    assert main(["preview", "cnn", "--out", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert main(["preview", "cnn", "--seed", "-1"]) == 2
    assert "at least 0" in capsys.readouterr().err
    assert main(["preview", "classic"]) == 2
    assert "has no augmentation" in capsys.readouterr().err


def test_pictures_without_anything_to_show(digits):
    flat = Network(Flatten(), Dense(10)).build((28, 28))
    assert first_layer_weights(flat).startswith(b"\x89PNG")
    assert first_layer_weights(Network(Dense(3)).build((5,))) is None
    with pytest.raises(InputError, match="train its members one by one"):
        fit(Network(Ensemble([[Flatten(), Dense(10)]])).build((28, 28)), SoftmaxCrossEntropy(), SGD(), digits.train,
            batch_size=9, epochs=1, learning_rate=0.1)  # fmt: skip
    right = np.eye(10)[digits.test.labels[:30]]
    assert confusing_pairs(Evaluation(digits.test[:30], right)).startswith(b"\x89PNG")
