"""What a user sees and relies on: each line, number, option and exit code means what it says."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from plainnet import (
    Batch,
    DataSet,
    Dense,
    Epoch,
    Flatten,
    InputError,
    Model,
    Network,
    checkpoint,
    load_model,
    save_model,
)
from plainnet.cli import told_of_training
from plainnet.cli import train as train_command
from plainnet.cli.app import main
from plainnet.cli.progress import TimeLeft, show
from plainnet.data.idx import read_idx
from plainnet.data.splits import Splits
from plainnet.evaluation import Evaluation, as_percent
from plainnet.recipes import read
from plainnet.records.ladder import as_columns, as_table
from plainnet.runs import saving
from plainnet.runs.run import Run
from plainnet.runs.threads import MatrixThreads
from plainnet.shifted_views import probabilities

QUICK = ["softmax", "--epochs", "2", "--limit", "600"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen") / "results"
    assert main(["train", *QUICK, "--seed", "5", "--out", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def metrics(results):
    return json.loads((results / "metrics.json").read_text())


@pytest.fixture
def model(results):
    return str(results / "model_final.safetensors")


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory, digits):
    """IDX files of 60 + 40 images, the test images all of one class."""
    folder = tmp_path_factory.mktemp("small")
    ones = np.flatnonzero(digits.test.labels == 1)[:40]
    parts = {"train": digits.train[:60], "t10k": digits.test[ones]}
    for name, part in parts.items():
        count = len(part)
        header = bytes([0, 0, 8, 3]) + np.array([count, 28, 28], ">u4").tobytes()
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + part.images.tobytes())
        header = bytes([0, 0, 8, 1]) + np.array([count], ">u4").tobytes()
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + part.labels.astype(np.uint8).tobytes())
    assert read_idx(folder / "t10k-labels-idx1-ubyte", dimensions=1).tolist() == [1] * 40
    return folder


# Figures of a run, on the screen and in files


def test_the_table_at_the_end_of_a_training(metrics):
    names = [str(k) for k in range(10)]
    confusion = np.array(metrics["confusion_matrix"])
    labels = np.repeat(np.arange(10), confusion.sum(axis=1))
    answers = np.concatenate([np.repeat(np.arange(10), row) for row in confusion])
    data = DataSet(np.zeros((len(labels), 1, 1), np.uint8), labels, names)
    lines = Evaluation(data, np.eye(10)[answers]).lines()
    said = told_of_training.results_table(metrics | {"seconds": 125.0}, lines)
    rows = dict(re.split(r"  +", line, maxsplit=1) for line in said.splitlines())
    digits = metrics["per_digit_accuracy"]
    best, worst = max(digits, key=digits.get), min(digits, key=digits.get)
    assert rows["best class"] == f"{best}  ({digits[best]:.2%})"
    assert rows["worst class"] == f"{worst}  ({digits[worst]:.2%})"
    low, high = metrics["test_interval_95"]
    assert low < metrics["test_accuracy"] < high
    assert rows["test accuracy"] == f"{metrics['test_accuracy']:.2%}   (95 % interval {low:.2%} to {high:.2%})"
    assert rows["train accuracy"] == f"{metrics['train_accuracy']:.2%}"
    assert rows["validation accuracy"] == f"{metrics['validation_accuracy']:.2%}"
    gap = 100 * (metrics["train_accuracy"] - metrics["validation_accuracy"])
    assert rows["gap, train - validation"] == f"{gap:.2f} points"
    assert rows["training time"] == "2 min 5 s for 2 epochs"
    with_views = told_of_training.results_table(metrics | {"settings": metrics["settings"] | {"test_shifts": 2}}, lines)
    assert "with 25 shifted views of each image; the figures below use one" in with_views


def test_metrics_are_those_of_the_last_epoch_and_of_the_test_set(results, metrics, digits):
    history = json.loads((results / "training_history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2]
    assert history[0]["validation_accuracy"] != history[1]["validation_accuracy"] == metrics["validation_accuracy"]
    assert history[0]["train_loss"] > history[1]["train_loss"]
    network = load_model(results / "model_final.safetensors").network
    predicted = network.predict(digits.test.images)
    assert metrics["test_accuracy"] == np.mean(predicted == digits.test.labels)
    assert metrics["mistakes"] == np.flatnonzero(predicted != digits.test.labels).tolist()
    confusion = np.array(metrics["confusion_matrix"])
    true, guessed = digits.test.labels[metrics["mistakes"][0]], predicted[metrics["mistakes"][0]]
    assert confusion[true, guessed] == np.sum((digits.test.labels == true) & (predicted == guessed))
    assert confusion.sum(axis=1).tolist() == np.bincount(digits.test.labels).tolist()
    assert metrics["per_digit_accuracy"]["7"] == np.mean(predicted[digits.test.labels == 7] == 7)
    assert metrics["train_images"] == 600


def test_probabilities_never_read_as_certain():
    shown = {0.9996: ">99.9 %", 0.9994: "99.9 %", 0.5: "50.0 %", 0.0004: "<0.1 %", 0.0006: "0.1 %"}
    assert {share: as_percent(share) for share in shown} == shown


# Options of a training


def test_seed_limit_and_epochs_are_obeyed(results, tmp_path):
    again, other = tmp_path / "again", tmp_path / "other"
    assert main(["train", *QUICK, "--seed", "5", "--out", str(again), "--quiet"]) == 0
    assert main(["train", *QUICK, "--seed", "6", "--out", str(other), "--quiet"]) == 0
    first, same, different = (load_model(f / "model_final.safetensors") for f in (results, again, other))
    np.testing.assert_array_equal(first.network.theta, same.network.theta)
    assert (first.network.theta != different.network.theta).any()
    assert json.loads((other / "metrics.json").read_text())["seed"] == 6
    assert different.about["metrics"]["train_images"] == 600
    assert different.about["metrics"]["epochs"] == different.about["recipe"]["epochs"] == 2


def test_quiet_says_nothing(tmp_path, capsys):
    assert main(["train", *QUICK, "--out", str(tmp_path), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_threads_are_obeyed(tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(MatrixThreads, "_use", lambda self, total: used.append(total))
    assert main(["train", *QUICK, "--threads", "3", "--out", str(tmp_path), "--quiet"]) == 0
    assert set(used) == {3}
    assert json.loads((tmp_path / "metrics.json").read_text())["thread_choices"] == [[0, 0, 3]]


@pytest.mark.parametrize(("total", "workers", "each"), [(4, 1, 4), (4, 2, 2), (1, 2, 1), (5, 2, 2)])
def test_each_worker_has_its_share_of_the_threads(total, workers, each):
    limits = []

    class Library:
        def limit(self, *, limits=limits, user_api=None, **_):
            self.said.append(limits)

    threads = MatrixThreads(total, workers)
    threads._blas = Library()
    threads._blas.said = limits
    threads.begin(None)
    assert limits == [each]


def test_checkpoints_are_saved_by_time_as_well(tmp_path, monkeypatch, digits):
    """Five batches an epoch, and two epochs: with no time between them, each batch leaves a checkpoint."""
    data = Splits.of(digits.train[:640], digits.validation[:50], digits.test[:50])
    saved = []
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda *arguments: saved.append(1) or save(*arguments))
    recipe = replace(read("softmax"), epochs=2, batch_size=128)
    assert sum(isinstance(event, Batch) for event in saving.events(Run(recipe, data), tmp_path, every=1e-9)) == 10
    assert len(saved) >= 10
    saved.clear()
    list(saving.events(Run(recipe, data), tmp_path, every=1e9))
    assert len(saved) == 2
    passed = []
    monkeypatch.setattr(saving, "events", lambda run, folder, every: passed.append(every) or iter(()))
    with pytest.raises(IndexError):  # a training without an epoch has no figures
        train_command.train("softmax", out=tmp_path / "new", checkpoint_every=7.5, quiet=True)
    assert passed == [7.5]


def test_force_starts_anew_and_leaves_no_old_checkpoint(tmp_path, monkeypatch):
    folder = tmp_path / "out"

    def interrupted(run, folder, **_):
        for event in saving_events(run, folder):
            if isinstance(event, Epoch):
                raise KeyboardInterrupt
            yield event

    saving_events = saving.events
    monkeypatch.setattr(saving, "events", interrupted)
    assert main(["train", *QUICK, "--out", str(folder), "--quiet"]) == 130
    assert checkpoint.present(folder)

    def at_once(run, folder, **_):
        assert not checkpoint.present(folder)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(saving, "events", at_once)
    assert main(["train", *QUICK, "--out", str(folder), "--force", "--quiet"]) == 130
    monkeypatch.setattr(saving, "events", saving_events)
    assert main(["train", *QUICK, "--out", str(folder), "--force", "--quiet"]) == 0
    assert not checkpoint.present(folder)


def test_resuming_takes_seed_limit_and_recipe_from_the_checkpoint(tmp_path, monkeypatch, results):
    folder = tmp_path / "out"
    saving_events = saving.events

    def interrupted(run, folder, **options):
        for event in saving_events(run, folder, **options):
            if isinstance(event, Epoch):
                raise KeyboardInterrupt
            yield event

    monkeypatch.setattr(saving, "events", interrupted)
    assert main(["train", *QUICK, "--seed", "5", "--out", str(folder), "--quiet"]) == 130
    monkeypatch.setattr(saving, "events", saving_events)
    assert main(["train", "--resume", str(folder), "--quiet"]) == 0
    whole, resumed = (load_model(f / "model_final.safetensors").network.theta for f in (results, folder))
    np.testing.assert_array_equal(whole, resumed)


def test_time_left_counts_the_batches_since_it_was_resumed(capsys):
    """Two epochs of 10 are left of a training that has been resumed; each batch takes a second."""
    events = [Batch(9, number, 10, 0.5, 0.1, 1.0) for number in range(1, 11)]
    show(iter([*events, Epoch(9, 0.5, {"accuracy": 0.5}, None, None, 0.1, 10.0)]), 10)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "epoch 9 of 10 is running, 0:14 left"
    assert said[1].endswith("0:10 left")
    left = TimeLeft(100)
    left.add(Batch(1, 1, 10, 0.5, 0.1, 10.0))
    assert str(left) == "2:46:30"


# Using a model


def test_evaluate_says_and_writes_the_figures_of_the_run(model, metrics, capsys, tmp_path):
    assert main(["evaluate", model, "--json", str(tmp_path / "figures.json")]) == 0
    said = capsys.readouterr().out.splitlines()
    low, high = metrics["test_interval_95"]
    interval = f"(95 % interval {low:.2%} to {high:.2%}, 10,000 images)"
    assert said[0] == f"test accuracy  {metrics['test_accuracy']:.2%}   {interval}"
    shares = metrics["per_digit_accuracy"]
    assert said[1:11] == [f"  {name:<12} {shares[name]:.2%}" for name in "0123456789"]
    assert said[11] == f"best {metrics['best_digit']}, worst {metrics['worst_digit']}"
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written == {key: metrics[key] for key in written}
    assert written["confusion_matrix"] == metrics["confusion_matrix"]


def test_evaluate_takes_the_images_and_the_views_it_is_given(model, small_folder, capsys):
    assert main(["evaluate", model, "--data-dir", str(small_folder)]) == 0
    said = capsys.readouterr().out
    assert "40 images)" in said
    shares = said.splitlines()[1 : [line[:4] for line in said.splitlines()].index("best")]
    assert [line.split()[0] for line in shares] == ["1"]  # the only class that occurs
    assert main(["evaluate", model, "--data-dir", str(small_folder), "--shifts", "1"]) == 0
    assert capsys.readouterr().out.startswith("each answer is the mean over 9 shifted views of the image; --shifts 0 ")


def test_views_are_moved_in_every_direction():
    seen = []

    def logits(images):
        seen.append(tuple(np.argwhere(images[0])[0]))
        return np.tile([[0.0, len(seen)]], (len(images), 1))

    image = np.zeros((1, 5, 5))
    image[0, 2, 2] = 1
    shares = probabilities(logits, image, 1)
    assert sorted(seen) == [(row, column) for row in (1, 2, 3) for column in (1, 2, 3)]
    assert shares[0, 1] == pytest.approx(1 / (1 + np.exp(-5)), abs=0.01)  # the mean of 1 to 9 is 5


def test_predict_says_what_it_says(model, tmp_path, capsys, digits):
    rows = [int(np.flatnonzero(digits.test.labels == digit)[0]) for digit in (0, 1, 7)]
    paths = [tmp_path / f"{row}.png" for row in rows]
    for row, path in zip(rows, paths, strict=True):
        Image.fromarray(255 - digits.test.images[row]).save(path)
    out = tmp_path / "answers.json"
    assert main(["predict", model, *map(str, paths), "--json", str(out)]) == 0
    said = capsys.readouterr().out.splitlines()
    answers = json.loads(out.read_text())
    assert [answer["image"] for answer in answers] == list(map(str, paths))
    assert [answer["prediction"] for answer in answers] == ["0", "1", "7"]
    for line, path, answer in zip(said, paths, answers, strict=True):
        shares = answer["probabilities"]
        first, second = sorted(shares, key=shares.get, reverse=True)[:2]
        assert answer["prediction"] == first
        assert line == f"{path}: {first}  ({as_percent(shares[first])}; next {second}, {as_percent(shares[second])})"
        assert as_percent(shares[first]) != as_percent(shares[second])
        assert list(shares) == list("0123456789")


def test_a_model_comes_with_the_package(capsys, tmp_path):
    model = load_model("cnn")
    assert model.network.theta.size == 135_818
    assert model.test_shifts == 2
    digits = [f"examples/digits/{name}.png" for name in ("seven", "two", "one", "zero")]
    assert main(["predict", "cnn", *digits]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["7", "2", "1", "0"]
    assert main(["predict", "lenet", digits[0]]) == 2
    assert "or the name of one that comes with plainnet, such as cnn" in capsys.readouterr().err


def test_what_is_no_model_of_pictures_is_refused(tmp_path, capsys):
    network = Network(Flatten(), Dense(2)).build((28, 28))
    save_model(tmp_path / "n.safetensors", Model(network, (), {}))
    save_model(tmp_path / "p.safetensors", Model(network, ("a", "b"), {}, {"type": "words"}))
    for command in (["predict", "examples/digits/one.png"], ["evaluate"]):
        assert main([command[0], str(tmp_path / "p.safetensors"), *command[1:]]) == 2
        assert "the preparation 'words', which this" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path / "n.safetensors")]) == 2
    assert "outputs of shape (2,), but the data has 10 classes" in capsys.readouterr().err


# Records


def a_row(recipe, mean, **more):
    return {"recipe": recipe, "runs": 3, "mean": mean, "sd": 0.001, "min": mean - 0.001, "max": mean + 0.002,
            "interval_95": [mean - 0.003, mean + 0.003], "parameters": 1234,
            "minutes": 1.5, "against_below": None} | more  # fmt: skip


def test_the_ladder_in_columns_and_in_markdown():
    rows = [
        {"recipe": "chance", "runs": 0, "mean": 0.1},
        a_row("softmax", 0.92),
        a_row("mlp", 0.91, against_below=0.04),
    ]
    columns = as_columns(rows).splitlines()
    assert all(len(line) < 80 for line in columns)
    assert columns[1].split() == ["chance", "-", "10.00%"]
    assert columns[2].split() == ["softmax", "3", "92.000%", "0.100", "91.70", "-", "92.30%", "1,234", "1.5"]
    assert columns[3].split()[-1] == "0.04"
    table = as_table(rows).splitlines()
    cells = [cell.strip() for cell in table[3].strip("|").split("|")]
    assert cells == [
        "`softmax`",
        "3",
        "**92.000%**",
        "0.100",
        "91.90% to 92.20%",
        "91.70% to 92.30%",
        "1,234",
        "1.5",
        "",
    ]
    assert table[4].endswith("| 0.04 (worse) |")


def test_series_ends_before_the_last_seed_and_notes_each_opening(tmp_path, capsys):
    recipe = tmp_path / "tiny.toml"
    assert main(["recipes", "softmax"]) == 0
    recipe.write_text(re.sub(r"epochs = \d+", "epochs = 1", capsys.readouterr().out))
    out = tmp_path / "records"
    assert main(["series", str(recipe), "--seeds", "3:5", "--out", str(out)]) == 0
    runs = {path.name: json.loads(path.read_text()) for path in sorted((out / "tiny").glob("seed-*.json"))}
    assert list(runs) == ["seed-3.json", "seed-4.json"]
    assert [run["seed"] for run in runs.values()] == [3, 4]
    accuracies = [run["test_accuracy"] for run in runs.values()]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"tiny seed 3: test {accuracies[0]:.2%}"
    sd = 100 * np.std(accuracies, ddof=1)
    assert said[2] == f"2 runs: mean {np.mean(accuracies):.3%}, standard deviation {sd:.3f} points"
    (out / "tiny" / "seed-4.json").unlink()
    assert main(["series", str(recipe), "--seeds", "4:5", "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["records", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["tiny", "2", "3", "1", f"{np.mean(accuracies):.3%}"]


# Exit codes


def test_exit_codes(tmp_path, capsys, monkeypatch):
    steep = ["--set", "schedule.learning_rate=1e30", "--set", "optimizer.clip=1e30"]
    diverged = ["train", "classic", "--epochs", "1", "--limit", "600", "--out", str(tmp_path / "a"), *steep]
    assert main(diverged) == 3
    assert "training diverged in epoch 1" in capsys.readouterr().err
    assert main(["doctor", "examples/homework.py"]) == 1
    assert "3 examined of 3 seen, 1 wrong: Linear" in capsys.readouterr().out
    assert main(["doctor", "examples/homework.py", "--only", "ReLU"]) == 0
    undecidable = tmp_path / "odd.py"
    undecidable.write_text(
        "class Odd:\n    def forward(self, x, y, z): return x\n    def backward(self, dy): return dy\n"
    )
    assert main(["doctor", str(undecidable)]) == 2
    flat, overfitted = tmp_path / "flat.csv", tmp_path / "over.csv"
    flat.write_text("loss,acc\n2.3,0.1\n2.3,0.1\n2.3,0.1\n")
    overfitted.write_text("loss,acc,val_loss,val_acc\n0.5,0.9,0.6,0.8\n0.1,0.99,0.7,0.81\n0.01,1.0,0.9,0.8\n")
    capsys.readouterr()
    assert main(["diagnose", str(flat)]) == 1
    assert "\nerror: " in capsys.readouterr().out
    assert main(["diagnose", str(overfitted)]) == 0
    assert "\nwarning: overfitting" in capsys.readouterr().out


def test_a_mistyped_command_gets_all_names_and_the_nearest(capsys):
    assert main(["evalute"]) == 2
    said = capsys.readouterr().err
    assert "there is no command evalute; did you mean evaluate? The commands are train, evaluate, predict," in said
    assert main(["xyzzy"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_an_unreadable_limit_is_refused_in_numbers():
    with pytest.raises(InputError, match="between 1 and 50,000, the training images, received 50,001"):
        train_command.train("softmax", limit=50_001, quiet=True)
