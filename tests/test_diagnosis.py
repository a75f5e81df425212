"""What `plainnet diagnose` says: of curves alone, of a results folder, and of anyone's history."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from plainnet import InputError
from plainnet.checks.histories.curves import FIGURES, Curves
from plainnet.checks.trainings.causes import TELLING, counts
from plainnet.checks.trainings.finding import ERROR
from plainnet.cli.app import main
from plainnet.diagnosis import Case, TrainingFinding, findings, read_case, verify
from plainnet.recipes import read
from test_data import idx_bytes

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
from spoiling.causes import CAUSES
from spoiling.change import Change, Subject
from spoiling.subjects import KINDS


def found(classes=None, **curves):
    measures = {key: tuple(value) for key, value in curves.items() if key in FIGURES}
    return findings(Case(Curves(**measures), classes=classes))


def falling(start, end, count=10):
    """Return a curve that falls as a training's loss does."""
    return [end + (start - end) * np.exp(-3 * epoch / count) for epoch in range(count)]


def rising(start, end, count=10):
    return [1 - loss for loss in falling(1 - start, 1 - end, count)]


CHANCE = [0.1, 0.11, 0.09, 0.1, 0.1, 0.09]
JUMPS = [0.5, 0.7, 0.5, 0.8, 0.55, 0.85, 0.5, 0.88, 0.6, 0.84]


@pytest.mark.parametrize(
    ("curves", "expected"),
    [
        ({"train_loss": [2.1, float("inf")]}, "error: diverged"),
        ({"train_loss": [2.1, 1.0, 0.5, float("inf"), float("inf")]}, "error: not-finite-after-learning"),
        ({"train_loss": [2.3, float("inf"), 1.9, 1.5, 1.0, float("inf")]}, "error: not-finite-after-learning"),
        ({"train_loss": [2.3, 9.0, 300.0, 5000.0], "train_accuracy": CHANCE[:4]}, "error: diverged"),
        ({"train_loss": [2.3, 2.4, 2.6, 2.9], "train_accuracy": [0.1, 0.09, 0.08, 0.07]}, "error: loss-rises"),
        ({"train_loss": [2.31, 2.305, 2.303, 2.303, 2.302, 2.303], "train_accuracy": CHANCE}, "error: stuck-at-chance"),
        ({"train_loss": [3.3, 3.27, 3.26, 3.26, 3.26], "train_accuracy": [0.04] * 5}, "error: stuck-at-chance"),
        ({"train_loss": [0.31, 0.25, 0.24, 0.23, 0.23, 0.23], "train_accuracy": [0.94] * 6,
          "validation_accuracy": [0.9375] * 6}, "error: stuck-at-chance"),
        ({"train_accuracy": [0.34, 0.3, 0.35, 0.36, 0.33, 0.31, 0.35, 0.34], "validation_accuracy": [0.33] * 6 + [0.35, 0.33]},
         "error: stuck-at-chance"),
        ({"train_accuracy": [0.86, 0.77, 0.75, 0.85, 0.71, 0.5, 0.79, 0.86],
          "validation_accuracy": [0.87, 0.78, 0.75, 0.86, 0.73, 0.5, 0.78, 0.87]}, "warning: training-unstable"),
        ({"train_loss": [2.3026] * 8}, "error: loss-constant"),
        ({"train_loss": [8.1, 14.5063, 14.5061, 14.5063], "train_accuracy": [0.12, 0.1, 0.1, 0.1]}, "error: sure-and-wrong"),
        ({"train_loss": [1.9, 1.7, 1.66, 1.62, 1.59, 1.54, 1.52, 1.5], "train_accuracy": [0.5, 0.76, 0.8, 0.84, 0.87, 0.92, 0.94, 0.96]},
         "error: softmax-twice"),
        ({"train_loss": falling(2.3, 0.1), "train_accuracy": [0.1, 0.11] * 5}, "error: accuracy-measured-wrongly"),
        ({"train_loss": falling(2.3, 0.3)[:7] + [2.3] * 3, "train_accuracy": rising(0.3, 0.9)[:7] + [0.1] * 3}, "error: collapse"),
        ({"train_loss": np.linspace(2.3, 2.2, 12), "train_accuracy": np.linspace(0.12, 0.2, 12)}, "error: hardly-learning"),
        ({"train_loss": [2.3, 1.5] + [1.4] * 8, "train_accuracy": [0.2, 0.5] + [0.52] * 8, "learning_rate": [0.1, 0.1] + [1e-4] * 8},
         "warning: rate-falls-too-early"),
        ({"train_loss": falling(2.3, 0.2), "train_accuracy": rising(0.2, 0.95), "validation_loss": [2.31] * 10}, "error: evaluation-broken"),
        ({"train_loss": falling(2.3, 0.2), "train_accuracy": rising(0.2, 0.95), "validation_accuracy": [0.1, 0.09] * 5},
         "error: validation-at-chance"),
        ({"train_loss": falling(2.3, 0.2), "train_accuracy": rising(0.2, 0.95), "validation_accuracy": JUMPS}, "warning: validation-unstable"),
        ({"train_loss": [2.0, 1.0, 0.9, 1.0, 1.2, 1.4, 1.5, 1.6], "validation_loss": falling(2.3, 0.02, 8)}, "warning: curves-exchanged"),
        ({"train_loss": falling(2.0, 0.01), "validation_loss": [1.5, 1.0, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]}, "warning: overfitting"),
        ({"train_loss": falling(0.6, 0.01), "train_accuracy": rising(0.8, 1.0), "validation_accuracy": rising(0.75, 0.82)},
         "warning: overfitting"),
        ({"train_loss": [*falling(0.9, 0.6)[:5], 0.602, 0.6, 0.601, 0.6, 0.602, 0.601, 0.6, 0.6], "train_accuracy": rising(0.7, 0.8)[:5] + [0.8] * 8}, "note: underfitting"),
        ({"train_loss": [0.9, 0.7, 0.702, 0.7, 0.701, 0.7, 0.701, 0.7], "train_accuracy": [0.9] * 8, "learning_rate": [0.1] * 7 + [0.01]}, "note: plateau-before-decay"),
        ({"train_loss": falling(0.9, 0.4), "train_accuracy": rising(0.7, 0.85), "validation_accuracy": rising(0.8, 0.93)},
         "note: training-harder"),
        ({"train_loss": [2.0, 1.6, 1.2, 0.9, 0.7], "train_accuracy": [0.3, 0.45, 0.6, 0.7, 0.78]}, "note: stopped-too-early"),
        ({"train_loss": [2.0, 1.0], "train_accuracy": [0.3, 0.6]}, "note: too-short"),
        ({"train_loss": [1.9, 1.8, 1.7, 1.65, 1.6, 1.52, 1.49, 1.47, 1.466, 1.464, 1.463, 1.462], "train_accuracy": [0.6] + [1.0] * 11},
         "error: softmax-twice"),
        ({"train_loss": [1.0, 0.6, 0.45, 0.5, 0.8, 1.1, 1.3, 1.4, 1.5], "train_accuracy": [0.6, 0.8, 0.87, 0.86, 0.8, 0.75, 0.7, 0.68, 0.66]},
         "error: training-worsens"),
        ({"train_loss": falling(139.0, 9.0), "train_accuracy": rising(0.3, 0.8)}, "note: loss-out-of-scale"),
        ({"train_loss": np.linspace(4.44, 4.42, 30)}, "warning: hardly-learning"),
        ({"train_loss": [1.0, 2.1, 3.0, 4.1, 5.0, 6.2]}, "warning: running-sum"),
        ({"train_loss": [2.3, 2.0, 1.9, 0.0, 0.0, 0.0, 0.0]}, "warning: loss-zero"),
        ({"train_loss": [2.0, 1.0, float("inf"), 0.5, 0.3], "train_accuracy": rising(0.3, 0.95, 5)}, "note: not-finite-once"),
        ({"train_loss": falling(0.8, 0.45), "train_accuracy": [0.51, 0.49] * 5}, "error: accuracy-measured-wrongly"),
        ({"train_loss": falling(0.3, 0.01), "train_accuracy": [1.0] * 10}, "note: accuracy-measured-wrongly"),
        ({"train_loss": [0.23, 0.24, 0.5, 0.6, 1.3, 1.2, 1.1, 1.3, 1.2], "train_accuracy": [0.91, 0.9, 0.86, 0.87] + [0.5] * 5}, "error: collapse"),
        ({"train_loss": [2.6, 2.0, 1.5, 1.1, 1.08, 1.09, 1.07, 1.08, 1.07, 1.08], "learning_rate": [5e-5] * 3 + [2.5e-6] * 7},
         "warning: rate-falls-too-early"),
        ({"train_loss": [0.65, 0.64, 0.66] * 4, "train_accuracy": [0.76, 0.77] * 6, "validation_accuracy": [0.55, 0.72, 0.3, 0.7, 0.1, 0.65] * 2},
         "warning: validation-unstable"),
        ({"train_loss": falling(1.3, 0.9), "validation_loss": falling(260.0, 230.0), "validation_accuracy": rising(0.3, 0.5)}, "note: loss-out-of-scale"),
        ({"train_loss": falling(0.9, 0.15, 14), "validation_loss": [1.0, 0.7, *[0.55, 0.54, 0.55] * 4]}, "note: overfitting"),
        ({"train_loss": falling(4.1, 2.6, 10), "validation_loss": [3.4, 4.0, 4.7, 4.3, 3.9, 3.5, 3.6, 3.5, 3.6, 3.5]}, "note: overfitting"),
        ({"train_loss": [1.24] + [1.233, 1.234] * 12}, "warning: hardly-learning"),
        ({"train_loss": [530559.5, 530552.7, 530552.7, 530552.7, 530552.7]}, "warning: hardly-learning"),
        ({"train_loss": [0.7127, 0.7322, 0.7517, 0.7711], "validation_loss": [0.7125, 0.7319, 0.7512, 0.7706]}, "error: loss-rises"),
        ({"train_loss": [3.3, 3.2, 87.3366, 87.3366]}, "error: diverged"),
        ({"train_loss": falling(0.69, 0.43), "train_accuracy": rising(0.55, 0.85), "validation_accuracy": [0.5, 0.65, 0.7, 0.77, 0.72, 0.7, 0.71, 0.69, 0.68, 0.69]},
         "warning: overfitting"),
        ({"train_loss": falling(0.16, 0.03), "train_accuracy": [0.0056, 0.0] * 5}, "warning: accuracy-measured-wrongly"),
        ({"train_loss": [0.035, 0.032, 0.037, 0.039, 0.035, 0.037, 0.034, 0.038], "validation_loss": [5.3, 5.5, 5.4, 5.5, 5.4, 5.4, 5.3, 5.3]}, "note: overfitting"),
        ({"train_loss": falling(0.62, 0.51), "validation_loss": falling(0.36, 0.31)}, "note: training-harder"),
        ({"train_loss": [11.5, 8.4, 5.0, 1.9, 2.5, 3.2, 6.9, 8.5, 8.4, 8.4, 8.4]}, "error: collapse"),
        ({"train_loss": [0.7113, 0.6933, 0.6934, 0.6933, 0.6932, 0.6933, 0.6932, 0.6931], "train_accuracy": [0.03] * 8,
          "validation_accuracy": [0.0, 0.0, 0.05, 0.06, 0.5, 0.5, 0.03, 0.0]}, "error: stuck-at-chance"),
        ({"train_loss": [0.99 - 0.04 * (n / 24) ** 0.5 for n in range(25)], "train_accuracy": [0.94 + 0.045 * (n / 24) ** 0.5 for n in range(25)]},
         "error: softmax-twice"),
        ({"train_loss": [30.0, 56.2, 82.1, 107.6]}, "warning: running-sum"),
    ],
)  # fmt: skip
def test_curves_alone(curves, expected):
    first = found(**curves)[0]
    assert f"{first.severity}: {first.name}" == expected


@pytest.mark.parametrize(
    "curves",
    [
        {
            "train_loss": falling(2.3, 0.1),
            "train_accuracy": rising(0.3, 0.97),
            "validation_accuracy": rising(0.4, 0.95),
        },
        {"train_loss": [0.5, 1e-5, 0.01, 1e-6, 0.02, 1e-5, 3e-3], "validation_accuracy": [0.9] + [1.0] * 6},
        {"train_loss": falling(120.0, 30.0)},  # a regression: nobody knows where it ends
        {"train_loss": [1.91, 1.4, 1.17, 1.01], "validation_accuracy": [0.45, 0.55, 0.61, 0.62]},
        {"train_accuracy": rising(0.6, 0.9)},
        {
            "train_loss": [0.0078, *[0.0079] * 8],
            "validation_loss": [0.0069, 0.007] * 4 + [0.007],
        },  # rounding hides what moves
        {"train_loss": [3.58, 2.96, 2.9], "train_accuracy": [0.002, 0.008, 0.015]},  # low, but learning
        {"train_loss": [2177.0, 2442.0, 2676.0, -1.3, 2015.0]},  # nobody knows what came then
        {"train_loss": falling(2.3, 0.7), "train_accuracy": rising(0.3, 0.75), "learning_rate": [0.1] * 7 + [0.01] * 3},
        {"train_loss": falling(0.9, 0.52), "train_accuracy": [0.6 + 0.03 * n for n in range(10)]},
    ],
)
def test_healthy_curves_are_not_accused(curves):
    assert [finding.name for finding in found(**curves) if finding.severity != "note"] == []


def test_no_curves_make_a_rule_fail():
    rng = np.random.default_rng(0)
    kinds = (
        lambda n: rng.normal(size=n), lambda n: -rng.random(n), lambda n: np.zeros(n), lambda n: np.full(n, rng.random()),
        lambda n: np.cumsum(rng.normal(size=n)), lambda n: np.exp(-np.arange(n) * rng.random()), lambda n: rng.random(n) * 1e30,
        lambda n: rng.integers(0, 3, n) / 2, lambda n: np.where(rng.random(n) < 0.3, np.inf, rng.random(n)), lambda n: rng.random(n).round(1),
        lambda n: np.where(rng.random(n) < 0.3, np.nan, rng.random(n)), lambda n: (),
    )  # fmt: skip
    names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate")
    for _ in range(1500):
        count = int(rng.integers(1, 40))
        curves = {name: kinds[rng.integers(len(kinds))](count) for name in names}
        found(classes=[None, 2, 10][rng.integers(3)], **curves)


def test_the_number_of_classes_is_concluded_or_told():
    stuck = {"train_loss": [2.5, 2.398, 2.398, 2.398, 2.398], "train_accuracy": [0.09, 0.1, 0.1, 0.09, 0.1]}
    assert "chance for 11 classes" in found(**stuck)[0].evidence
    few = {"train_loss": [0.70, 0.694, 0.693, 0.693, 0.693], "train_accuracy": [0.5, 0.51, 0.49, 0.52, 0.51]}
    assert "chance for 2 classes" in found(**few)[0].evidence
    accuracy = {"validation_accuracy": [0.34, 0.33, 0.33, 0.34, 0.33, 0.33]}
    assert found(classes=3, **accuracy)[0].name == "stuck-at-chance"
    with pytest.raises(InputError, match="--classes must be at least 2, received 0"):
        read_case(Path("history.csv"), classes=0)


def test_causes_with_the_same_curves_are_said_with_their_shares():
    (finding,) = found(train_loss=[2.31, 2.303, 2.303, 2.302], train_accuracy=CHANCE[:4])
    listed = [cause.share for cause in finding.causes]
    assert len(listed) > 3
    assert listed == sorted(listed, reverse=True)
    assert {name for table in counts().values() for name in table} <= set(TELLING)


CASES = {
    "loss,val_acc\n"
    + "\n".join(f"{loss},{right}" for loss, right in zip(falling(2, 0.1), JUMPS, strict=True)): "validation-unstable",
    "loss,acc\n" + "\n".join(["2.3,0.1"] * 6): "loss-constant",
}


@pytest.mark.parametrize("text", CASES)
def test_a_file_is_judged_and_what_was_understood_is_said_first(tmp_path, capsys, text):
    path = tmp_path / "history.csv"
    path.write_text(text)
    report = tmp_path / "found.json"
    code = main(["diagnose", str(path), "--json", str(report)])
    said = capsys.readouterr().out
    assert said.startswith("read loss as training loss")
    assert CASES[text] in said
    table = json.loads(report.read_text())
    assert code == (table["findings"][0]["severity"] == "error")
    assert table["columns"]["train_loss"] == "loss"


def test_noise_makes_images_harder_to_learn_from_than_to_recognize():
    curves, metrics = Curves(train_accuracy=(0.5, 0.7)), {"train_accuracy": 0.9, "confusion_matrix": np.eye(10)}
    noisy = {"layers": [{"type": "GaussianNoise", "deviation": 0.05}, *read("softmax").layers]}
    for overrides, kinds in ((noisy, ["GaussianNoise"]), ({"augmentation": {"shift": 1}}, ["augmentation"]), ({}, [])):
        case = Case(curves, recipe=read("softmax", overrides), metrics=metrics, classes=10)
        assert case.made_harder_by == kinds
        assert ("not-shuffled" in {finding.name for finding in findings(case)}) is not bool(kinds)


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


def test_folders_without_a_training_are_refused(tmp_path, capsys):
    for path, sentence in ((tmp_path, "holds no training"), (tmp_path / "absent", "cannot read")):
        assert main(["diagnose", str(path)]) == 2
        assert sentence in capsys.readouterr().err
    (tmp_path / "metrics.json").write_text("{}")
    assert main(["diagnose", str(tmp_path)]) == 2
    assert "does not hold the metrics of a training run: recipe is missing" in capsys.readouterr().err


LONG = {"overfitting", "curves-exchanged", "plateau-before-decay", "batch-statistics", "softmax-twice"}
NO_TRACE = {"training-harder", "stopped-too-early", "labels-noisy", "runs-appended"}  # always the first
SAMPLE = [
    pytest.param(name, strength, marks=[pytest.mark.slow] if name in LONG or strength else [])
    for name in CAUSES
    for strength in (0, 1)
    if name not in NO_TRACE
]


@pytest.mark.parametrize(("name", "strength"), SAMPLE)
def test_the_cause_of_a_spoiled_training_is_named(tmp_path, name, strength):
    """A sample of `make sabotage`: each cause in one network, with a seed that the record does not use."""
    cause = CAUSES[name]
    subject = Subject(
        next(iter(cause.kinds)), "mnist" if "mnist" in cause.data else "gratings", cause.changes[2 - strength], 7777
    )
    subject.train(tmp_path)
    case = read_case(tmp_path)
    vars(case)["data"] = subject.splits()
    said = findings(case)
    assert name in [finding.name for finding in said] + [other.name for finding in said for other in finding.causes]


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_training_of_each_kind_gives_no_error(tmp_path, kind):
    subject = Subject(kind, "mnist", Change(), 4321)
    subject.train(tmp_path)
    assert [finding.name for finding in findings(read_case(tmp_path)) if finding.severity == "error"] == []


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
    finding = json.loads(report.read_text())["findings"][0]
    assert 1e-4 < finding["change"]["schedule.learning_rate"] <= 2.0
    assert finding["verified"]["helped"]


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
    Subject("dense", "mnist", Change(rate=1e20), 5).train(tmp_path)
    assert not (tmp_path / "metrics.json").exists()
    case = read_case(tmp_path)
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


def test_a_folder_with_a_history_alone_is_read(tmp_path):
    (tmp_path / "training_history.json").write_text('[{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}]')
    assert read_case(tmp_path).curves.train_loss == (2.0, 1.0)
    with pytest.raises(InputError, match="--history-run must be from 1 to 1"):
        read_case(tmp_path, run=2)
