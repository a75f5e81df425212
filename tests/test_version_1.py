"""What plainnet 0.1.0 wrote is still read: models, an ensemble, and trainings stopped after so many batches."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from plainnet import checkpoint, load_model, save_model
from plainnet.data.splits import Splits
from plainnet.layers import Ensemble
from plainnet.recipes import Recipe
from plainnet.runs import saving
from plainnet.runs.run import Run

OLD = Path(__file__).parent / "version_1"
EXPECTED = json.loads((OLD / "expected.json").read_text())


@pytest.fixture
def small(digits):
    """The images that the old program learned from."""
    return Splits.of(digits.train[:320], digits.validation[:100], digits.test[:100])


@pytest.mark.parametrize("name", ["sgd", "adam", "ensemble"])
def test_models_answer_as_they_did(name, small, tmp_path):
    model = load_model(OLD / f"{name}.safetensors")
    assert model.test_shifts == 2
    assert model.class_names == tuple("0123456789")
    np.testing.assert_allclose(
        model.network.logits(small.test.images[:3]), EXPECTED[f"{name} logits"], rtol=1e-5, atol=1e-6
    )
    save_model(tmp_path / "new.safetensors", model)
    again = load_model(tmp_path / "new.safetensors")
    np.testing.assert_array_equal(again.network.theta, model.network.theta)
    assert again.test_shifts == 2


def test_the_parts_of_an_ensemble_have_the_names_they_had():
    network = load_model(OLD / "ensemble.safetensors").network
    assert isinstance(network.layers[0], Ensemble)
    assert {"ensemble_1.0.dense_1.W", "ensemble_1.1.batchnorm_1.running_mean"} <= set(network.tensors())


@pytest.mark.parametrize("batches", [3, 4])
@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_trainings_go_on_to_the_weights_they_had(kind, batches, small, tmp_path):
    """SGD's velocity lay in one of two rows, by the parity of the step; Adam's memories in both."""
    shutil.copy(OLD / f"{kind}-{batches}.checkpoint.safetensors", tmp_path / checkpoint.NEWEST)
    found = checkpoint.Checkpoint(tmp_path)
    assert (found.epoch, found.batch) == (0, batches)
    stored = found.about["run"]
    run = Run(Recipe.from_table(stored["recipe"]), small, seed=stored["seed"])
    saving.resume(run, found)
    assert run.threads.choices == [[0, 0, run.recipe.workers]]  # it ran with one thread a worker
    list(run.epochs())
    for name, tensor in run.network.tensors().items():
        np.testing.assert_allclose(tensor.ravel(), EXPECTED[kind][name], rtol=1e-4, atol=1e-6, err_msg=name)
    for now, then in zip(run.history_table(), EXPECTED[f"{kind} history"], strict=True):
        assert now["train_loss"] == pytest.approx(then["train_loss"], rel=1e-5)
        assert now["train_accuracy"] == pytest.approx(then["train_accuracy"])
        assert now["validation_accuracy"] == pytest.approx(then["validation_accuracy"])


def test_threads_that_were_asked_for_are_obeyed_to_the_end(small, tmp_path):
    """Also after going on, and however slow an epoch is: other threads would give other bits."""
    stored = checkpoint.Checkpoint(_folder(tmp_path, "sgd-3")).about["run"]
    run = Run(Recipe.from_table(stored["recipe"]), small, seed=stored["seed"], threads=1)
    events = saving.events(run, tmp_path / "new")
    next(events), next(events), next(events)
    events.close()
    checkpoint.save(tmp_path / "new", run.training, saving._about(run) | saving._threads(run))
    again = Run(Recipe.from_table(stored["recipe"]), small, seed=stored["seed"])
    assert saving.resume(again, checkpoint.Checkpoint(tmp_path / "new")) == ""
    assert (again.threads.given, again.threads.choices) == (1, [[0, 0, 1]])
    old = Run(Recipe.from_table(stored["recipe"]), small, seed=stored["seed"])
    saving.resume(old, checkpoint.Checkpoint(_folder(tmp_path, "sgd-3")))
    assert old.threads.given == 1


def _folder(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    shutil.copy(OLD / f"{name}.checkpoint.safetensors", folder / checkpoint.NEWEST)
    return folder
