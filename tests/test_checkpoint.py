"""Nothing lost: a training stopped in any way goes on to the same weights, and no file is ever half written."""

import copy
import errno
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from plainnet import Batch, InputError, TrainingDivergedError, checkpoint, load_model, safetensors
from plainnet.cli.app import main
from plainnet.data.splits import Splits
from plainnet.errors import TrainingInterruptedError
from plainnet.recipes import Recipe, read
from plainnet.runs import saving
from plainnet.runs.run import Run
from plainnet.training import Training

ROOT = Path(__file__).parent.parent
QUICK = ["--limit", "2000", "--set", "layers.1.units=16", "--threads", "1"]
EVERYTHING = {
    "name": "everything",
    "title": "every part that has a state",
    "input_shape": [28, 28, 1],
    "batch_size": 50,
    "epochs": 2,
    "workers": 2,
    "augmentation": {"rotation": 10, "elastic": 1},
    "averaging": 0.9,
    "clean_epochs": 1,
    "layers": [
        {"type": "Conv2D", "filters": 2, "size": 5, "stride": 3},
        {"type": "BatchNorm"},
        {"type": "ReLU"},
        {"type": "Flatten"},
        {"type": "Dropout", "rate": 0.3},
        {"type": "Dense", "units": 10},
    ],
    "loss": {"type": "SoftmaxCrossEntropy"},
    "optimizer": {"type": "Adam"},
    "schedule": {"type": "one_cycle", "learning_rate": 0.01},
}


def training(digits, recipe=None, seed=1):
    recipe = recipe or Recipe.from_table(EVERYTHING)
    return Training(
        recipe.network(rng=seed), recipe.loss_function(), recipe.make_optimizer(), digits.train[:510],
        digits.validation[:200], batch_size=recipe.batch_size, epochs=recipe.epochs,
        learning_rate=recipe.learning_rate(), workers=recipe.workers, augmentation=recipe.make_augmentation(),
        clean_epochs=recipe.clean_epochs, averaging=recipe.averaging, rng=seed,
    )  # fmt: skip


def result(training):
    return training.network.theta.tobytes(), [epoch._replace(seconds=0) for epoch in training.history]


def run_to_end(training, batches=None):
    """Train to the end, or for so many batches."""
    for step in training:
        if isinstance(step, Batch) and batches is not None:
            batches -= 1
            if batches == 0:
                break
    return training


@pytest.mark.parametrize("batches", [1, 10, 11, 12, 21])
@pytest.mark.parametrize("optimizer", [{"type": "Adam"}, {"type": "SGD", "momentum": 0.9}])
def test_a_training_goes_on_to_the_same_bits(digits, tmp_path, batches, optimizer):
    """Dropout, augmentation, batch normalization, two workers; stopped inside an epoch and at its ends.

    TensorFlow's 27049: a training that was resumed ends with other weights.
    """
    recipe = Recipe.from_table(EVERYTHING | {"optimizer": optimizer})
    whole = run_to_end(training(digits, recipe))
    checkpoint.save(tmp_path, run_to_end(training(digits, recipe), batches), {"about": 3})
    found = checkpoint.Checkpoint(tmp_path)
    assert found.about == {"about": 3}
    assert found.epoch * 11 + found.batch == batches
    again = training(digits, recipe, seed=5)  # whatever it began with
    found.restore(again)
    assert result(run_to_end(again)) == result(whole)
    checkpoint.remove(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_training_can_be_left_and_gone_on_with_in_memory(digits):
    whole, parts = run_to_end(training(digits)), training(digits)
    for _ in range(5):
        run_to_end(parts, batches=3)
    assert result(run_to_end(parts)) == result(whole)


def test_the_previous_checkpoint_serves_when_the_newest_is_damaged(digits, tmp_path):
    parts = training(digits)
    for _ in range(2):
        checkpoint.save(tmp_path, run_to_end(parts, batches=2), {})
    newest, previous = tmp_path / checkpoint.NEWEST, tmp_path / checkpoint.PREVIOUS
    assert checkpoint.Checkpoint(tmp_path).batch == 4
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    assert checkpoint.Checkpoint(tmp_path).batch == 2
    newest.unlink()
    assert checkpoint.Checkpoint(tmp_path).batch == 2
    previous.write_bytes(b"")
    with pytest.raises(InputError, match=r"previous\.safetensors is not a safetensors file.*; start over$"):
        checkpoint.Checkpoint(tmp_path)
    newest.write_bytes(content)
    with pytest.raises(InputError, match=r"SHA-256 is not the one recorded, and .*previous.*; start over$"):
        checkpoint.Checkpoint(tmp_path)
    newest.unlink()
    previous.unlink()
    with pytest.raises(InputError, match="there is no checkpoint in"):
        checkpoint.Checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("format", "another", "its format is 'another'"),
        ("training", "[]", "is not a checkpoint of plainnet"),
        ("training", "{", "is not a checkpoint of plainnet"),
        ("about", "[1]", "is not a checkpoint of plainnet"),
        ("about", None, "is not a checkpoint of plainnet"),
    ],
)
def test_what_is_no_checkpoint_is_refused(digits, tmp_path, key, value, sentence):
    checkpoint.save(tmp_path, training(digits), {})
    arrays, texts = safetensors.read(tmp_path / checkpoint.NEWEST)
    texts = {k: v for k, v in (texts | {key: value}).items() if v is not None}
    safetensors.write(tmp_path / checkpoint.NEWEST, arrays, texts)
    with pytest.raises(InputError, match=sentence):
        checkpoint.Checkpoint(tmp_path)


def test_a_checkpoint_of_another_network_is_refused(digits, tmp_path):
    checkpoint.save(tmp_path, training(digits), {})
    other = training(digits, read("classic", {"layers.1.units": 8, "epochs": 2}))
    before = other.network.theta.copy()
    with pytest.raises(InputError, match="does not fit its own settings"):
        checkpoint.Checkpoint(tmp_path).restore(other)
    np.testing.assert_array_equal(other.network.theta, before)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_checkpoint_that_was_there(digits, tmp_path, monkeypatch, error, where):
    parts = training(digits)
    checkpoint.save(tmp_path, run_to_end(parts, batches=2), {})
    run_to_end(parts, batches=2)

    def fail(*_):
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if where == "fsync" else (Path, "replace")), fail)
        with pytest.raises(InputError, match=f"{os.strerror(error)}; choose another folder or make room"):
            checkpoint.save(tmp_path, parts, {})
    assert checkpoint.Checkpoint(tmp_path).batch == 2
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NEWEST]


def test_divergence_puts_the_last_finite_weights_back(digits):
    recipe = Recipe.from_table(EVERYTHING | {"schedule": {"type": "constant", "learning_rate": 0.01}})
    broken = training(digits, recipe)
    steps = iter(broken)
    while len(broken.history) < 1:
        next(steps)
    kept = broken.network.theta.copy()
    next(steps)
    broken.network.theta[3] = np.inf  # as an update would that overflows
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingDivergedError, match=r"epoch 2, batch \d+ of 11: .*again those after epoch 1"),
    ):
        for _ in steps:
            pass
    np.testing.assert_array_equal(broken.network.theta, kept)
    assert all(np.isfinite(tensor).all() for tensor in broken.network.tensors().values())


def test_after_a_resumed_training_diverged_the_weights_are_those_of_the_checkpoint(digits):
    arrays, values = copy.deepcopy(run_to_end(training(digits), batches=5).state())
    resumed = training(digits)
    resumed.restore(arrays, values)
    kept = resumed.network.theta.copy()
    resumed.network.theta[3] = np.inf
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match="again those of the checkpoint"):
        list(resumed)
    np.testing.assert_array_equal(resumed.network.theta, kept)


def test_weights_that_break_in_the_last_batch_are_noticed(digits, tmp_path):
    broken = run_to_end(training(digits), batches=11)
    broken.network.theta[0] = np.nan
    with pytest.raises(TrainingDivergedError, match="a weight is no longer a finite number"):
        checkpoint.save(tmp_path, broken, {})
    assert not list(tmp_path.iterdir())


def start(folder, *arguments):
    def heed_signals():  # which tests in the background of a shell ignore, and would pass on to the program
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    command = [sys.executable, "-m", "plainnet", "train", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, preexec_fn=heed_signals, **streams)


def wait_for_checkpoint(folder):
    for _ in range(600):
        if checkpoint.present(folder):
            return
        time.sleep(0.05)
    raise AssertionError("no checkpoint was written")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(tmp_path, number, code):
    process = start(tmp_path, "--epochs", "500", "--out", "out", *QUICK)
    wait_for_checkpoint(tmp_path / "out")
    second = start(tmp_path, "--out", "out")
    assert "another run is writing to out" in second.communicate()[1]
    assert second.returncode == 2
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == code
    assert said.startswith("plainnet: stopped after ")
    assert "; everything is saved; resume with: " in said
    assert said.endswith(" -m plainnet train --resume out\n")
    assert checkpoint.Checkpoint(tmp_path / "out").epoch >= 1
    refused = start(tmp_path, "--out", "out")
    assert "holds an unfinished training run; resume it with: " in refused.communicate()[1]
    assert refused.returncode == 2


def test_killed_trainings_end_with_the_same_weights(tmp_path, monkeypatch):
    """A sample of `make kill-test`."""
    monkeypatch.setattr(sys, "argv", ["kill_test", "4", "--seed", "3", "--record", str(tmp_path / "record.json")])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(ROOT / "benchmarks" / "kill_test.py"), run_name="__main__")
    assert not left.value.code
    rows = json.loads((tmp_path / "record.json").read_text())["trainings"].values()
    assert sum(row["killed"] for row in rows) == 4


def test_a_full_disk_ends_the_training_and_keeps_the_checkpoint(tmp_path):
    """A limit on the size of files, which the system enforces as it would a full disk."""
    process = start(tmp_path, "--epochs", "500", "--out", "out", *QUICK)
    wait_for_checkpoint(tmp_path / "out")
    process.terminate()
    process.communicate()
    before = checkpoint.Checkpoint(tmp_path / "out")
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from plainnet.cli.app import main; sys.exit(main(['train', '--resume', 'out', '--quiet']))"
    )
    done = subprocess.run([sys.executable, "-c", limited], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("plainnet: cannot write ")
    assert "choose another folder or make room" in done.stderr
    after = checkpoint.Checkpoint(tmp_path / "out")
    assert (after.epoch, after.batch) == (before.epoch, before.batch)


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """A training that was stopped by a signal after its second epoch."""
    folder = tmp_path / "out"
    real = checkpoint.save

    def save(place, training, about):
        real(place, training, about)
        if len(training.history) == 2:
            raise TrainingInterruptedError(signal.SIGINT, "stopped")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", save)
        assert main(["train", "--epochs", "4", "--out", str(folder), "--quiet", *QUICK]) == 130
    return folder


def test_resume_finishes_what_was_begun(interrupted, tmp_path, capsys):
    assert main(["train", "--resume", str(interrupted)]) == 0
    said = capsys.readouterr().out
    assert "resuming in" in said
    assert "epoch   3  loss" in said
    assert "epoch   2  loss" not in said
    assert "since then" not in said
    assert main(["train", "--epochs", "4", "--out", str(tmp_path / "whole"), "--quiet", *QUICK]) == 0
    whole, parts = (load_model(folder / "model_final.safetensors") for folder in (tmp_path / "whole", interrupted))
    np.testing.assert_array_equal(whole.network.theta, parts.network.theta)
    assert not list(interrupted.glob("checkpoint*"))
    assert main(["train", "--resume", str(interrupted)]) == 2
    assert "is finished; there is nothing to resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--epochs", "5"], "recipe.epochs was 4, now 5"),
        (["--set", "optimizer.momentum=0.8"], "recipe.optimizer.momentum was 0.9, now 0.8"),
        (["--seed", "1"], "seed was 0, now 1"),
        (["--limit", "1000"], "limit was 2000, now 1000"),
        (["fast99"], "holds a training run of classic, not of fast99; leave out the recipe"),
    ],
)
def test_a_changed_training_is_refused_with_the_difference(interrupted, capsys, arguments, sentence):
    assert main(["train", *arguments, "--resume", str(interrupted)]) == 2
    assert sentence in capsys.readouterr().err
    assert checkpoint.Checkpoint(interrupted).epoch == 2


def test_other_versions_are_named(interrupted, capsys, monkeypatch):
    monkeypatch.setattr(np, "__version__", "9.9")
    assert main(["train", "--resume", str(interrupted)]) == 0
    assert (
        "now 9.9: the last bits of the result may differ from those of an uninterrupted run" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--resume", "absent"], "there is no checkpoint in absent"),
        (["--resume", "a", "--out", "b"], "leave out --out and --force"),
        (["--resume", "a", "--force"], "leave out --out and --force"),
        (["--checkpoint-every", "0"], "--checkpoint-every must be a number of seconds above 0"),
        (["--checkpoint-every", "nan"], "--checkpoint-every must be a number of seconds above 0"),
    ],
)
def test_options_that_cannot_be(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_results_are_replaced_by_force_alone(tmp_path, capsys):
    command = ["train", "--epochs", "1", "--out", str(tmp_path), "--quiet", *QUICK]
    assert main(command) == 0
    before = (tmp_path / "metrics.json").read_bytes()
    assert main([*command, "--seed", "1"]) == 2
    assert (
        "holds the results of a training run; choose another --out, or replace them with --force"
        in capsys.readouterr().err
    )
    assert (tmp_path / "metrics.json").read_bytes() == before
    assert main([*command, "--seed", "1", "--force"]) == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["seed"] == 1


def test_a_training_that_diverged_keeps_what_it_had_and_is_not_gone_on_with(tmp_path, capsys):
    command = ["train", "--epochs", "3", "--out", str(tmp_path), "--quiet", *QUICK]
    assert main([*command, "--set", "schedule.learning_rate=1e30"]) == 3
    said = capsys.readouterr().err
    assert "training diverged in epoch 1" in said
    assert "likely cause: learning-rate-too-high, each of the first updates is" in said
    assert checkpoint.Checkpoint(tmp_path).about["diverged"].startswith("training diverged in epoch 1")
    assert main(["train", "--resume", str(tmp_path)]) == 2
    assert "this training run cannot be resumed" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0
    assert not list(tmp_path.glob("checkpoint*"))


def test_a_training_of_version_2_goes_on_to_the_weights_it_had(digits, tmp_path):
    """It kept Adam's means where we keep sums; how its convolution was computed, it did not say: directly."""
    old = Path(__file__).parent / "version_2"
    shutil.copy(old / "adam-4.checkpoint.safetensors", tmp_path / checkpoint.NEWEST)
    found = checkpoint.Checkpoint(tmp_path)
    assert found.converted
    small = Splits.of(digits.train[:320], digits.validation[:100], digits.test[:100])
    run = Run(Recipe.from_table(found.about["run"]["recipe"]), small, seed=3)
    said = saving.resume(run, found)
    assert "the state was converted from an earlier version" in said
    assert "methods" not in said
    list(run.epochs())
    expected = json.loads((old / "expected.json").read_text())
    for name, tensor in run.network.tensors().items():
        np.testing.assert_allclose(tensor.ravel(), expected[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_what_computes_otherwise_than_before_is_said(digits, tmp_path):
    layers = [{"type": "Conv2D", "filters": 16, "size": 3}, {"type": "Conv2D", "filters": 16, "size": 3},
              {"type": "Flatten"}, {"type": "Dense", "units": 10}]  # fmt: skip
    table = read("softmax").to_table() | {"layers": layers, "input_shape": [28, 28], "epochs": 1}
    small = Splits.of(digits.train[:100], digits.validation[:50], digits.test[:50])
    run = Run(Recipe.from_table(table), small, threads=1)
    assert run.network.methods() == {"conv2d_1": "direct", "conv2d_2": "winograd4"}
    about = saving._about(run) | {"data_dir": None} | saving._threads(run)
    del about["made_with"]["methods"]  # as it was before there was a choice
    next(iter(run.events()))
    checkpoint.save(tmp_path, run.training, about | saving._threads(run))
    again = Run(Recipe.from_table(table), small)
    assert "methods.conv2d_2 was direct, now winograd4" in saving.resume(again, checkpoint.Checkpoint(tmp_path))
