"""Every kind of bad input at the command line: one sentence, exit code 2, no traceback, nothing overwritten."""

import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from plainnet import Dense, Flatten, Model, Network, save_model
from plainnet.cli.app import main
from test_data import DAMAGES, IMAGES, idx_bytes
from test_data import folder as data_folder  # noqa: F401  (a fixture)

TRAIN = [
    (["--epochs", "0"], "epochs must be a whole number of at least 1, received 0"),
    (["--epochs", "-3"], "epochs must be"),
    (["--epochs", "ten"], "takes a whole number, received 'ten'"),
    (["--epochs", "1.5"], "takes a whole number, received '1.5'"),
    (["--set", "epochs=1\nseed=2"], "give KEY=VALUE"),
    (["--set", "layers.1.units=100000000000"], "from 1 to 1,000,000"),
    (["--limit", "0"], "--limit must be between 1 and 50,000, the training images, received 0"),
    (["--limit", "50001"], "received 50,001"),
    (["--threads", "0"], "--threads must be at least 1"),
    (["--seed", "-1"], "the seed must be at least 0"),
    (["--set", "schedule.learning_rate=-0.1"], "the learning rate must be a positive number, received -0.1"),
    (["--set", "schedule.learning_rate=nan"], "received nan"),
    (["--set", "batch_size=0"], "batch_size must be a whole number of at least 1, received 0"),
    (["--set", "optimiser.momentum=0.8"], "there is no 'optimiser.momentum'"),
    (["--set", "optimizer.momentun=0.8"], "unknown key 'momentun'"),
    (
        ["--set", "layers.3.units=7"],
        "7 outputs, but the data has 10 classes; make them agree with --set layers.3.units=10",
    ),
    (["--set", "nonsense"], "give KEY=VALUE"),
    (["--epoch", "3"], "Unknown option"),
    (["clasic"], "unknown recipe 'clasic'"),
    (["absent.toml"], "cannot read the recipe absent.toml"),
    (["--data-dir", "absent"], "absent; its folder holds"),
]


@pytest.fixture
def results(tmp_path):
    """A results folder with something to lose."""
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "metrics.json").write_text("precious")
    return folder


@pytest.fixture
def complains(capsys):
    """Run a command that must fail properly, and return its sentence."""

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        streams = capsys.readouterr()
        assert streams.err.startswith("plainnet: ")
        assert streams.err.count("\n") == 1
        assert "Traceback" not in streams.err + streams.out
        return streams.err

    return run


@pytest.mark.parametrize(("arguments", "sentence"), TRAIN)
def test_train(arguments, sentence, results, complains):
    assert sentence in complains("train", *arguments, "--out", results)
    assert (results / "metrics.json").read_text() == "precious"
    assert len(list(results.iterdir())) == 1


def test_bad_input_leaves_no_folder_behind(tmp_path, complains):
    for arguments in (["--limit", "0"], ["--threads", "0"], ["--data-dir", "absent"], ["--seed", "-1"]):
        complains("train", *arguments, "--out", tmp_path / "new")
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("name", "damage", "sentence"), DAMAGES)
def test_damaged_data(name, damage, sentence, data_folder, results, complains):  # noqa: F811
    damage(data_folder / name)
    assert str(data_folder) in complains("train", "--data-dir", data_folder, "--out", results)
    assert (results / "metrics.json").read_text() == "precious"


def test_images_of_another_size_than_the_recipe_s(data_folder, results, complains):  # noqa: F811
    (data_folder / IMAGES).write_bytes(idx_bytes(np.zeros((12, 28, 27), np.uint8)))
    sentence = complains("train", "--data-dir", data_folder, "--out", results, "--force")
    assert "28x27 (train) and 28x28 (test); give examples of one size" in sentence
    (data_folder / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros((3, 28, 27), np.uint8)))
    insists = ("classic", "--set", "input_shape=[28,28]")
    sentence = complains("train", *insists, "--data-dir", data_folder, "--out", results, "--force")
    assert "takes inputs of shape [28,28], but the data has [28,27]" in sentence
    assert "--set input_shape=[28,27]" in sentence
    assert (results / "metrics.json").read_text() == "precious"


def test_an_output_folder_that_cannot_be_made_or_written_to(tmp_path, complains, monkeypatch):
    (tmp_path / "file").write_text("precious")
    assert "cannot create the folder" in complains("train", "--out", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "permission denied" in complains("train", "--out", tmp_path / "read only")


def test_numbers_that_check_cannot_use(complains):
    assert "must be at least 0, received -1 and 0" in complains("check", "--seed", "-1")
    assert "takes a whole number, received '1.5'" in complains("series", "classic", "--threads", "1.5")


@pytest.fixture
def model(tmp_path):
    network = Network(Flatten(), Dense(10)).build((28, 28))
    save_model(tmp_path / "model.safetensors", Model(network, tuple("0123456789"), {}))
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("command", ["evaluate", "predict", "check"])
def test_a_model_file_that_is_not_one(command, tmp_path, complains):
    for content in (b"", b"PK\x03\x04 a zip file", b"{}", os.urandom(1000)):
        path = tmp_path / "model.safetensors"
        path.write_bytes(content)
        extra = ["seven.png"] if command == "predict" else []
        assert str(path) in complains(command, path, *extra)
    assert "cannot read" in complains(command, tmp_path / "absent.safetensors", *extra)
    (tmp_path / "model_final.pkl").write_bytes(b"\x80\x04.")
    assert "model_final.safetensors" in complains(command, tmp_path / "model_final.pkl", *extra)


def test_evaluate_on_other_data(model, data_folder, complains):  # noqa: F811
    for name, count in ((IMAGES, 12), ("t10k-images-idx3-ubyte", 3)):
        (data_folder / name).write_bytes(idx_bytes(np.zeros((count, 28, 27), np.uint8)))
    assert "expected images with 784 features" in complains("evaluate", model, "--data-dir", data_folder)
    (data_folder / "class_names.txt").write_text("one\ntwo\nthree")
    assert "the class 'one', which the model does not know" in complains("evaluate", model, "--data-dir", data_folder)


def test_predict_on_what_is_no_picture(model, tmp_path, complains):
    Image.new("L", (40, 40), 200).save(tmp_path / "blank.png")
    assert "cannot read the image" in complains("predict", model, tmp_path / "absent.png")
    (tmp_path / "text.png").write_text("7")
    assert "it is not a picture that can be opened" in complains("predict", model, tmp_path / "text.png")
    assert "requires an argument" in complains("predict", model)


def test_json_that_cannot_be_written(model, tmp_path, complains):
    (tmp_path / "file").write_text("precious")
    assert "cannot write" in complains("evaluate", model, "--json", tmp_path / "file" / "x.json")
    before = model.read_bytes()
    for command in (["evaluate", model], ["predict", model, "x.png"], ["check", model]):
        assert "ends in .json" in complains(*command, "--json", model)
    assert "ends in .png" in complains("check", model, "--plot", model)
    assert model.read_bytes() == before
    (tmp_path / "device.json").mkdir()
    assert "it is not an ordinary file" in complains("evaluate", model, "--json", tmp_path / "device.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    assert main(["evaluate", str(model), "--json", str(tmp_path / "link.json")]) == 0
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "target.json").read_text().startswith("{")


@pytest.mark.parametrize("arguments", [["retrain"], ["recipes", "clasic"], ["series", "classic", "--seeds", "3:1"]])
def test_other_commands(arguments, complains):
    assert complains(*arguments)


def test_divergence_has_an_exit_code_of_its_own(results, capsys):
    arguments = ["--limit", "300", "--set", "schedule.learning_rate=1e30", "--epochs", "2", "--quiet"]
    with np.errstate(all="ignore"):
        assert main(["train", "--force", "--out", str(results), *arguments]) == 3
    assert "training diverged in epoch" in capsys.readouterr().err
    assert (results / "metrics.json").read_text() == "precious"


def test_interruption_has_an_exit_code_of_its_own(results, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("plainnet.runs.saving.events", interrupted)
    assert main(["train", "--force", "--out", str(results), "--quiet"]) == 130
    assert capsys.readouterr().err == "plainnet: interrupted\n"
    digest = hashlib.sha256((results / "metrics.json").read_bytes()).hexdigest()
    assert digest == hashlib.sha256(b"precious").hexdigest()
