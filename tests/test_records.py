"""Records: a run each, of which nothing impossible is believed, and the openings of the test set."""

import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from plainnet import (
    InputError,
    Model,
    TrainingDivergedError,
    load_model,
    save_model,
)
from plainnet.cli.app import main
from plainnet.events import Epoch
from plainnet.recipes import read
from plainnet.records import series
from plainnet.records.combine_models import record_ensemble
from plainnet.records.openings import openings
from plainnet.runs import saving
from plainnet.runs.run import Run
from plainnet.writing import to_json, write_atomically

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
        said = capsys.readouterr().err
        assert "seed-0.json" in said
        assert "committed" in said


def test_of_two_that_differ_neither_is_to_be_thrown_away(tmp_path, capsys):
    for seed, other in enumerate(({"data": {}}, {})):
        put(tmp_path, "softmax", seed, range(900), **other)
    assert main(["ladder", "--records", str(tmp_path)]) == 2
    assert re.search("seed-1.json was made with different .* from seed-0.json .*, or move one", capsys.readouterr().err)


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
    assert "different settings or data" in capsys.readouterr().err
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
    few = type(digits).of(digits.train[:500], digits.validation, digits.test)
    with pytest.raises(InputError, match="were made with other images"):
        record_ensemble(["small"], range(2), few, tmp_path / "records")
    assert (tmp_path / "records" / "ensemble" / "openings.json").read_bytes() == opened


def test_ensembles_of_two_recipes_stand_side_by_side_if_no_run_is_in_two(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)
    (tmp_path / "views.toml").write_text(SMALL.replace("epochs = 1", "epochs = 1\ntest_shifts = 1"))
    for recipe in ("small.toml", "views.toml"):
        assert main(["series", recipe, "--seeds", "0:2"]) == 0
    for seed in (0, 1):
        assert main(["ensemble", "small.toml", "views.toml", "--seeds", f"{seed}:{seed + 1}"]) == 0
        assert "1 run of small and of views together" in capsys.readouterr().out
        record = json.loads((tmp_path / "records" / "ensemble" / f"seed-{seed}.json").read_text())
        assert [(of["recipe"], of["seeds"]) for of in record["members"]] == [("small", [seed]), ("views", [seed])]
        model = load_model(tmp_path / "records" / "ensemble" / f"seed-{seed}.safetensors")
        assert model.test_shifts == 1
        assert model.network.theta.size == record["parameters"] == 2 * 7850
    assert main(["ladder"]) == 0
    assert "| `ensemble` | 2 |" in capsys.readouterr().out
    for command, sentence in (
        (["small.toml", "views.toml", "--seeds", "0:2"], "holds another ensemble"),
        (["small.toml", "--seeds", "0:1"], "of small with seeds [0] and views with seeds [0], or"),
        (["small.toml", "small.toml", "--seeds", "0:1"], "name each recipe of an ensemble once"),
    ):
        assert main(["ensemble", *command]) == 2
        assert sentence in capsys.readouterr().err


def test_two_that_make_the_same_run_open_the_test_set_once(tmp_path, digits, monkeypatch):
    """The second one waits until the first lets go of the folder; what it then finds, it returns."""
    small = type(digits).of(digits.train[:2000], digits.validation[:500], digits.test[:500])
    (tmp_path / "small.toml").write_text(SMALL)
    recipe, folder, first = read(str(tmp_path / "small.toml"), {"validate": False}), tmp_path / "small", []
    locked = series.locked

    @contextmanager
    def late(unfinished):
        if not first:
            first.append(None)
            first[0] = series.record_run(recipe, small, 0, folder)
            unfinished.mkdir()  # which a process makes before it asks for the lock
        with locked(unfinished):
            yield

    monkeypatch.setattr(series, "locked", late)
    assert to_json(series.record_run(recipe, small, 0, folder)) == to_json(first[0])
    assert len(openings(folder)) == 1


def test_what_changed_before_a_run_went_on_is_recorded(tmp_path, digits, capsys):
    small = type(digits).of(digits.train[:2000], digits.validation[:500], digits.test[:500])
    (tmp_path / "small.toml").write_text(SMALL.replace("epochs = 1", "epochs = 2"))
    recipe, folder = read(str(tmp_path / "small.toml"), {"validate": False}), tmp_path / "small"
    run = Run(recipe, small)
    next(event for event in saving.events(run, folder / "unfinished-0") if isinstance(event, Epoch))
    assert main(["records", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["small", "0", "0", "0", "-", "1"]
    resumed = series.record_run(recipe, small, 0, folder, threads=7)
    assert resumed["resumed_after_a_change"] == f"threads was {run.threads.choices[0][2]}, now 7"
    assert resumed["thread_choices"] == [*run.threads.choices, [1, 0, 7]]
    assert "resumed_after_a_change" not in series.record_run(recipe, small, 1, folder)
    with pytest.raises(InputError, match="would replace that rung"):
        series.record_run(replace(recipe, name="ensemble"), small, 0, tmp_path / "ensemble")


def test_a_run_that_diverged_and_was_killed_at_once_begins_anew(tmp_path, digits):
    small = type(digits).of(digits.train[:2000], digits.validation[:500], digits.test[:500])
    (tmp_path / "small.toml").write_text(SMALL)
    steep, right = (read(str(tmp_path / "small.toml"), {"schedule.learning_rate": rate}) for rate in (1e38, 0.1))
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError):
        list(saving.events(Run(steep, small), tmp_path / "small" / "unfinished-0"))
    assert series.record_run(right, small, 0, tmp_path / "small")["test_accuracy"] > 0.2


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
