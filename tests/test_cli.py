import io
import json
import os
import pickle
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plainnet import __version__, load_model
from plainnet.cli.app import main
from plainnet.data.splits import Splits
from plainnet.recipes import Recipe, read, source
from plainnet.runs.results import write_results
from plainnet.runs.run import Run

ROOT = Path(__file__).parent.parent
QUICK = [
    "--epochs",
    "2",
    "--limit",
    "3000",
    "--set",
    "layers.1.units=32",
    "--set",
    "schedule.learning_rate=0.1",
]
FILES = {
    "model_final.safetensors",
    "model_final.pkl",
    "training_history.json",
    "metrics.json",
    "training_curves.png",
    "report.html",
    "confusion_matrix.png",
    "per_digit_accuracy.png",
    "sample_predictions.png",
    "confusing_pairs.png",
    "reliability.png",
    "first_layer_weights.png",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "results"
    assert main(["train", "--out", str(folder), "--seed", "3", "--quiet", *QUICK]) == 0
    return folder


@pytest.fixture
def model(results):
    return str(results / "model_final.safetensors")


def test_training_writes_its_results(results):
    assert {path.name for path in results.iterdir()} - {".lock"} == FILES
    for name in FILES:
        if name.endswith(".png"):
            with Image.open(results / name) as picture:
                assert min(picture.size) > 400


def test_metrics(results):
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["recipe"] == "classic"
    assert (metrics["seed"], metrics["epochs"], metrics["parameters"]) == (3, 2, 784 * 32 + 32 + 330)
    low, high = metrics["test_interval_95"]
    assert low < metrics["test_accuracy"] < high
    assert metrics["test_accuracy"] > 0.8
    assert metrics["train_validation_gap"] == metrics["train_accuracy"] - metrics["validation_accuracy"]
    confusion = np.array(metrics["confusion_matrix"])
    assert confusion.sum() == 10_000
    assert np.trace(confusion) / 10_000 == metrics["test_accuracy"]
    digits = metrics["per_digit_accuracy"]
    assert set(digits) == set("0123456789")
    assert digits["3"] == confusion[3, 3] / confusion[3].sum()
    assert digits[metrics["best_digit"]] == max(digits.values())
    assert digits[metrics["worst_digit"]] == min(digits.values())
    assert metrics["versions"]["numpy"] == np.__version__
    assert metrics["threads"] >= 1
    assert metrics["seconds"] > 0
    assert metrics["settings"]["layers"][1]["units"] == 32


def test_history(results):
    history = json.loads((results / "training_history.json").read_text())
    assert [list(epoch) for epoch in history] == [
        ["epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate", "seconds"]
    ] * 2
    assert [epoch["epoch"] for epoch in history] == [1, 2]


def test_the_pickle_opens_with_numpy_alone(results):
    program = (
        "import pickle, sys; model = pickle.load(open(sys.argv[1], 'rb'));"
        "assert not [name for name in sys.modules if name.startswith('plainnet')];"
        "print(model['parameters']['dense_1.W'].shape, model['class_names'][9], sorted(model))"
    )
    command = [sys.executable, "-I", "-c", program, str(results / "model_final.pkl")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.startswith("(784, 32) 9 ['class_names', 'input_shape', 'layers', 'metrics', 'parameters'")
    opened = pickle.loads((results / "model_final.pkl").read_bytes())
    loaded = load_model(results / "model_final.safetensors")
    np.testing.assert_array_equal(opened["parameters"]["dense_2.W"], loaded.network.parameters[2].value)
    assert loaded.about["metrics"]["seed"] == 3
    assert loaded.about["recipe"]["epochs"] == 2


def test_the_pickle_has_the_state_of_the_layers_and_no_stale_picture_stays(tmp_path, digits):
    recipe = Recipe.from_table(read("classic").to_table() | {"epochs": 1, "layers": [
        {"type": "Flatten"}, {"type": "BatchNorm"}, {"type": "Dense", "units": 10}]})  # fmt: skip
    run = Run(recipe, Splits.of(digits.train[:300], digits.validation[:100], digits.test[:100]))
    list(run.epochs())
    (tmp_path / "first_layer_weights.png").write_text("of another network")
    assert "first_layer_weights.png" not in write_results(run, tmp_path)
    assert not (tmp_path / "first_layer_weights.png").exists()
    opened = pickle.loads((tmp_path / "model_final.pkl").read_bytes())
    assert set(opened["state"]) == {"batchnorm_1.running_mean", "batchnorm_1.running_variance"}
    assert opened["state"]["batchnorm_1.running_mean"].any()


def test_the_same_seed_gives_the_same_model(results, tmp_path):
    assert main(["train", "--out", str(tmp_path / "again"), "--seed", "3", "--quiet", *QUICK]) == 0
    first, again = (load_model(folder / "model_final.safetensors") for folder in (results, tmp_path / "again"))
    np.testing.assert_array_equal(first.network.theta, again.network.theta)


def test_train_tells_what_it_does(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path / "r"), "--threads", "1", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "epoch   2  loss" in printed
    assert "0:00 left" in printed
    for line in ("test accuracy", "train accuracy", "validation accuracy", "gap", "best class", "worst class"):
        assert f"\n{line}" in printed
    assert "model_final.safetensors, model_final.pkl" in printed
    assert json.loads((tmp_path / "r" / "metrics.json").read_text())["threads"] == 1


def test_a_convolutional_recipe_from_training_to_prediction(tmp_path, capsys, digits):
    """Two workers, all images for training: no validation figures; the model is loaded and used like any other."""
    out = tmp_path / "out"
    assert main(["train", "fast99", "--limit", "1000", "--set", "validate=false", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1,000 images to train on, 10,000 to test\n" in said
    assert "validation" not in said
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["validation_accuracy"] is metrics["train_validation_gap"] is None
    assert metrics["train_images"] == 1000
    assert main(["evaluate", str(out / "model_final.safetensors")]) == 0
    assert f"{metrics['test_accuracy']:.2%}" in capsys.readouterr().out


def test_evaluate(results, model, capsys, tmp_path):
    assert main(["evaluate", model, "--json", str(tmp_path / "figures.json")]) == 0
    table = json.loads((tmp_path / "figures.json").read_text())
    metrics = json.loads((results / "metrics.json").read_text())
    assert {key: metrics[key] for key in table} == table
    assert f"test accuracy  {metrics['test_accuracy']:.2%}" in capsys.readouterr().out


def test_predict(model, capsys, tmp_path, digits):
    rows = [int(np.flatnonzero(digits.test.labels == digit)[0]) for digit in (0, 1, 7)]
    paths = []
    for row in rows:
        paths.append(str(tmp_path / f"{digits.test.labels[row]}.png"))
        Image.fromarray(255 - digits.test.images[row]).resize((280, 280)).save(paths[-1])
    assert main(["predict", model, *paths, "--json", str(tmp_path / "answers.json")]) == 0
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert [answer["prediction"] for answer in answers] == ["0", "1", "7"]
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert f"{paths[2]}: 7  (" in capsys.readouterr().out


@pytest.fixture
def narrow(tmp_path):
    """The classic recipe with 32 hidden units: `tests/test_proof.py` proves the 814,090 gradients of the whole one."""
    recipe = tmp_path / "narrow.toml"
    recipe.write_text(source("classic").replace("units = 1024", "units = 32"))
    return str(recipe)


def test_check_ends_in_the_sentence_of_the_original(narrow, capsys, tmp_path):
    assert main(["check", narrow, "--json", str(tmp_path / "check.json")]) == 0
    assert capsys.readouterr().out.endswith("\nAll relative errors < 1e-7\n")
    report = json.loads((tmp_path / "check.json").read_text())
    assert (report["verdict"], report["parameters"]) == ("right", 25_450)
    assert report["max_relative_error_complex"] < 1e-12
    assert report["max_relative_error_central"] < 1e-7
    assert report["checked"] == 25_450
    assert [row["central_checked"] for row in report["rows"]] == [200, 32, 200, 10]


def test_check_along_directions_with_a_plot(narrow, capsys, tmp_path):
    assert main(["check", narrow, "--directions", "3", "--plot", str(tmp_path / "errors.png")]) == 0
    assert "directions" in capsys.readouterr().out
    with Image.open(tmp_path / "errors.png") as picture:
        assert min(picture.size) > 400


def test_check_of_a_model(model, capsys):
    assert main(["check", model]) == 0
    assert "25,450 parameters" in capsys.readouterr().out


def test_check_fails_on_a_wrong_gradient(narrow, monkeypatch, capsys):
    from plainnet import ReLU

    monkeypatch.setattr(ReLU, "backward", lambda self, dy, *, need_dx=True: dy * (self.recall()[0] >= 0))
    assert main(["check", narrow, "--directions", "2"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("WRONG: dense_1.")


def test_the_original_s_own_command(monkeypatch):
    """It is `plainnet check`, which another test runs: the proof takes its time."""
    calls = []
    monkeypatch.setattr(
        "plainnet.cli.check.check", lambda *arguments, **options: calls.append((arguments, options)) or 5
    )
    monkeypatch.setattr(sys, "argv", ["src/gradient_check.py"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "src" / "gradient_check.py"), run_name="__main__")
    assert ended.value.code == 5
    assert calls == [((), {})]
    command = [sys.executable, "src/gradient_check.py"]
    asked = subprocess.run([*command, "--help"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.endswith("see what there is to choose with: plainnet check --help\n")


def test_recipes(capsys):
    assert main(["recipes"]) == 0
    assert capsys.readouterr().out.startswith("classic ")
    assert main(["recipes", "classic"]) == 0
    assert "a mean gradient never exceeds this" in capsys.readouterr().out


def test_series_continues_where_it_stopped(tmp_path, capsys, monkeypatch):
    recipe = tmp_path / "tiny.toml"
    assert main(["recipes", "classic"]) == 0
    text = capsys.readouterr().out.replace("units = 1024", "units = 4").replace("epochs = 80", "epochs = 1")
    recipe.write_text(text)
    command = ["series", str(recipe), "--out", str(tmp_path / "records"), "--seeds"]
    assert main([*command, "0:1"]) == 0
    first = (tmp_path / "records" / "tiny" / "seed-0.json").read_bytes()
    assert main([*command, "0:2"]) == 0
    assert (tmp_path / "records" / "tiny" / "seed-0.json").read_bytes() == first
    summary = json.loads((tmp_path / "records" / "tiny" / "summary.json").read_text())
    runs = [json.loads((tmp_path / "records" / "tiny" / f"seed-{seed}.json").read_text()) for seed in (0, 1)]
    assert summary["test_accuracy"]["mean"] == pytest.approx(np.mean([run["test_accuracy"] for run in runs]))
    assert (summary["runs"], summary["seeds"]) == (2, [0, 1])
    recipe.write_text(text.replace("epochs = 1", "epochs = 2"))
    assert main([*command, "0:2"]) == 2
    assert "made with different settings or data" in capsys.readouterr().err
    assert main([*command, "2"]) == 2
    assert "FIRST:END" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["train"],
        ["evaluate"],
        ["predict"],
        ["check"],
        ["recipes"],
        ["series"],
        ["records"],
        ["ladder"],
        ["ensemble"],
        ["iterations"],
        ["preview"],
        ["curves"],
    ],
)
def test_help_everywhere(command, capsys):
    assert main([*command, "--help"]) == 0
    printed = capsys.readouterr().out
    assert "Usage: plainnet" in printed
    assert "plainnet train" in printed or "Examples" in printed


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_as_a_program_with_a_reader_that_leaves():
    command = [sys.executable, "-m", "plainnet", "recipes", "classic"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_the_live_bar_on_a_terminal(tmp_path, monkeypatch):
    from rich.console import Console

    from plainnet.cli import progress

    screen = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda width: Console(file=screen, force_terminal=True, width=width))
    monkeypatch.setattr(progress, "width", lambda stream: 120)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["train", "--out", str(tmp_path), *QUICK]) == 0
    assert "validation" in screen.getvalue()
    assert "2/2" in screen.getvalue()


def test_nothing_is_imported_before_it_is_needed():
    program = (
        "import sys; import plainnet.cli.app; print([n for n in ('matplotlib', 'PIL', 'rich') if n in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout == "[]\n"
