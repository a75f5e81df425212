"""What `plainnet diagnose` says: by curves alone, by a results folder, and of anyone's history."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from plainnet import InputError
from plainnet.checks.trainings.finding import ERROR
from plainnet.checks.trainings.history_reader import Curves, read_curves
from plainnet.cli.app import main
from plainnet.diagnosis import Case, TrainingFinding, findings, read_case, verify
from plainnet.recipes import read
from test_data import idx_bytes

SABOTAGE = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "sabotage.py"))


def names(**curves):
    return [finding.name for finding in findings(Case(Curves(**{key: tuple(value) for key, value in curves.items()})))]


@pytest.mark.parametrize(
    ("curves", "expected"),
    [
        ({"train_loss": [2.1, float("nan")]}, ["learning-rate-too-high"]),
        ({"train_loss": [2.3, 2.31, 2.305], "train_accuracy": [0.1, 0.11, 0.1]}, ["learning-rate-too-high"]),
        ({"train_loss": [0.5, 0.9, 0.4, 0.9, 0.5], "train_accuracy": [0.8] * 5}, ["learning-rate-too-high"]),
        ({"train_loss": [2.30, 2.29, 2.28], "train_accuracy": [0.12, 0.15, 0.2]}, ["learning-rate-too-low"]),
        (
            {"train_loss": [0.5, 0.01], "train_accuracy": [0.8, 1.0], "validation_accuracy": [0.8, 0.9]},
            ["overfitting"],
        ),
        (
            {
                "train_loss": [0.5, 0.1, 0.01, 0.001], "validation_loss": [0.4, 0.2, 0.3, 0.5],
                "train_accuracy": [0.8, 0.99, 1.0, 1.0], "validation_accuracy": [0.8, 0.97, 0.98, 0.98],
            },
            ["overfitting"],
        ),
        ({"train_loss": [0.9, 0.61, 0.6, 0.6], "train_accuracy": [0.7, 0.8, 0.8, 0.8]}, ["underfitting"]),
        (
            {
                "train_loss": [0.2] * 8, "train_accuracy": [0.95] * 8, "learning_rate": [0.1] * 6 + [0.01] * 2,
            },
            ["plateau-before-decay"],
        ),
        (
            {"train_loss": [0.4, 0.2], "train_accuracy": [0.90, 0.95], "validation_accuracy": [0.94, 0.96]},
            ["validation-better"],
        ),
        (
            {"train_loss": [0.4, 0.1], "train_accuracy": [0.90, 0.97], "validation_accuracy": [0.9, 0.96]},
            [],
        ),
    ],
)  # fmt: skip
def test_curves_alone(curves, expected):
    assert names(**curves) == expected


def test_a_history_without_a_loss_may_have_learning_rates():
    assert names(validation_accuracy=[0.9 + i / 100 for i in range(8)], learning_rate=[0.1] * 6 + [0.01] * 2) == []


def test_noise_makes_images_harder_to_learn_from_than_to_recognize():
    curves, metrics = Curves(train_accuracy=(0.5, 0.7)), {"train_accuracy": 0.9, "confusion_matrix": np.eye(10)}
    noisy = {"layers": [{"type": "GaussianNoise", "deviation": 0.5}, *read("softmax").layers]}
    for overrides, kinds in ((noisy, ["GaussianNoise"]), ({"augmentation": {"shift": 1}}, ["augmentation"]), ({}, [])):
        case = Case(curves, recipe=read("softmax", overrides), metrics=metrics)
        assert case.made_harder_by == kinds
        assert ("not-shuffled" in {found.name for found in findings(case)}) is not bool(kinds)


def test_verifying_makes_do_with_the_images_there_are(digits):
    case = Case(Curves(), recipe=read("softmax"))
    vars(case)["data"] = type(digits).of(digits.train[:400], digits.validation, digits.test)
    finding = TrainingFinding(
        name="learning-rate-too-high",
        severity=ERROR,
        evidence="",
        suggestion="",
        change={"schedule.learning_rate": 0.05},
    )
    verified = verify(case, finding)
    assert verified["images"] == 400
    assert verified["before"] > 0.5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("h.csv", "Epoch,Loss,Val Loss,Acc,val_acc,LR\n1,2.0,1.5,40,50,0.1\n2,1.0,,70,75,0.1\n"),
        ("h.json", '{"loss": [2.0, 1.0], "val_loss": [1.5], "accuracy": [0.4, 0.7], "val-accuracy": [0.5, 0.75],'
                   ' "lr": [0.1, 0.1]}'),
        ("h.json", '{"history": [{"train_loss": 2, "valid_loss": 1.5, "train acc": 0.4, "valid acc": 0.5, "lr": 0.1},'
                   ' {"train_loss": 1, "train acc": 0.7, "valid acc": 0.75, "lr": 0.1}]}'),
    ],
)  # fmt: skip
def test_histories_of_other_programs_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_curves(tmp_path / name) == Curves((2.0, 1.0), (0.4, 0.7), (1.5,), (0.5, 0.75), (0.1, 0.1))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("h.json", "{", "it must be JSON, or CSV with a header"),
        ("h.json", "3", "expected a list of rows or a table of lists"),
        ("h.json", '[{"loss": "much"}]', "train_loss holds 'much' where a number should be"),
        ("h.json", '[{"loss": [1]}]', "where a number should be"),
        ("h.json", '{"epoch": [1]}', "holds no losses and no accuracies"),
        ("h.json", "[]", "holds no losses and no accuracies"),
        ("h.csv", "", "holds no losses and no accuracies"),
        ("h.csv", "a,b\n1,2\n", "holds no losses and no accuracies"),
        ("h.json", "[" * 100_000, "it must be JSON, or CSV with a header"),
    ],
)
def test_what_is_no_history_is_refused(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_case(tmp_path / name)


def test_folders_without_a_training_are_refused(tmp_path, capsys):
    for path, sentence in ((tmp_path, "holds no training"), (tmp_path / "absent", "cannot read")):
        assert main(["diagnose", str(path)]) == 2
        assert sentence in capsys.readouterr().err
    (tmp_path / "metrics.json").write_text("{}")
    assert main(["diagnose", str(tmp_path)]) == 2
    assert "is not the metrics of a training: recipe is missing" in capsys.readouterr().err


LONG = {"overfitting": pytest.mark.slow}


@pytest.mark.parametrize("name", [pytest.param(name, marks=LONG.get(name, ())) for name in SABOTAGE["SABOTAGES"]])
def test_the_cause_of_a_spoiled_training_is_named_first(name):
    """A sample of `make sabotage`: each cause with a seed that the record does not use."""
    sabotage = SABOTAGE["SABOTAGES"][name]
    row = SABOTAGE["row"](name, "classic", sabotage, 77, verified=False)
    assert row["found"][:1] == [sabotage.cause]


def test_a_healthy_training_is_not_accused_and_verification_tells_what_helps(tmp_path, capsys):
    out, report = tmp_path / "out", tmp_path / "found.json"
    command = ["train", "--quiet", "--out", str(out), "--limit", "6000", "--set", "layers.1.units=64", "--epochs", "4"]
    assert main(command) == 0
    assert main(["diagnose", str(out)]) == 0
    capsys.readouterr()
    assert main([*command, "--force", "--set", "schedule.learning_rate=20.0"]) in (0, 3)
    assert main(["diagnose", str(out), "--verify", "--json", str(report)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("error: learning-rate-too-high\n")
    assert "it helps" in said
    found = json.loads(report.read_text())["findings"][0]
    assert found["change"] == {"schedule.learning_rate": 2.0}
    assert found["verified"]["helped"]


def test_a_learning_rate_behind_a_warm_up_is_found(tmp_path, capsys):
    schedule = 'schedule={type="warm_up", epochs=1.0, then={type="cosine", learning_rate=%s}}'
    command = ["train", "--quiet", "--limit", "1000", "--epochs", "2", "--set", "layers.1.units=16", "--out"]
    assert main([*command, str(tmp_path / "high"), "--set", schedule % "1e9"]) == 3
    assert "tenth of the learning rate" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "low"), "--set", schedule % "1e-6"]) == 0
    assert main(["diagnose", str(tmp_path / "low"), "--json", str(tmp_path / "d.json")]) == 1
    (finding,) = [f for f in json.loads((tmp_path / "d.json").read_text())["findings"] if "rate" in f["name"]]
    assert finding["change"] == {"schedule.then.learning_rate": pytest.approx(1e-4)}


def test_an_interrupted_training_is_diagnosed_from_its_checkpoint(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    sabotage = SABOTAGE["SABOTAGES"]["learning rate too high, diverges"]
    SABOTAGE["train"]("classic", sabotage, 5, folder)
    assert not (folder / "metrics.json").exists()
    case = read_case(folder)
    assert case.diverged
    assert findings(case)[0].name == "learning-rate-too-high"


def test_a_finished_training_is_diagnosed_with_its_own_images(tmp_path, monkeypatch):
    images, labels = tmp_path / "images", np.arange(40, dtype=np.uint8) % 10
    images.mkdir()
    for part in ("train", "t10k"):
        pixels = np.full((40, 4, 4), 7, np.uint8) * labels[:, None, None]
        (images / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        (images / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    monkeypatch.chdir(tmp_path)
    command = ["train", "softmax", "--quiet", "--epochs", "1", "--set", "input_shape=[4, 4]", "--out", "out"]
    assert main([*command, "--data-dir", "images"]) == 0
    monkeypatch.chdir(images)
    assert read_case(tmp_path / "out").data.train.images.shape[1:] == (4, 4)
    assert main(["diagnose", str(tmp_path / "out")]) in (0, 1)
