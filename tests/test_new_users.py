"""What new users, and those who attacked, stumbled over."""

import json

import pytest
from PIL import Image

from plainnet import Epoch
from plainnet.cli.app import main
from plainnet.errors import TrainingInterruptedError
from plainnet.recipes import parse_override, read, source
from plainnet.runs import saving

QUICK = ["softmax", "--epochs", "2", "--limit", "600"]


def test_words_need_no_quotes_and_another_type_begins_with_its_defaults():
    changed = read(
        "classic", dict(map(parse_override, ["optimizer.type=Adam", "loss.reduction=sum", "validate=false"]))
    )
    assert changed.optimizer == {"type": "Adam"}
    assert changed.loss["reduction"] == "sum"
    assert changed.validate is False
    same = read("classic", dict([parse_override("optimizer.type=SGD")]))
    assert same.optimizer == read("classic").optimizer


def test_one_picture_that_cannot_be_read_leaves_the_others_their_answers(tmp_path, capsys):
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    pictures = ["examples/digits/one.png", str(tmp_path / "blank.png"), "absent.png", "examples/digits/seven.png"]
    out = tmp_path / "answers.json"
    assert main(["predict", "cnn", *pictures, "--json", str(out)]) == 2
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines()][:3] == [pictures[0], pictures[1], pictures[3]]
    assert "no answer: nothing drawn" in said.out
    assert [(a["file"], a["answer"], a["reason"]) for a in json.loads(out.read_text())] == [
        (pictures[0], "1", None), (pictures[1], None, "nothing drawn"), (pictures[3], "7", None),
    ]  # fmt: skip
    assert "cannot read the image absent.png" in said.err
    assert main(["predict", "cnn", str(tmp_path / "blank.png")]) == 0  # a refusal is an answer


def test_a_fault_in_layers_of_ones_own_names_their_file_and_line(tmp_path, capsys):
    own = tmp_path / "mine.py"
    own.write_text(
        "from plainnet import Layer\n\n\nclass Mine(Layer):\n    def build(self, in_shape):\n"
        "        return in_shape + 1\n"
    )
    recipe = tmp_path / "mine.toml"
    text = source("softmax").replace('type = "Flatten"', 'type = "Mine"')
    recipe.write_text(text)
    assert main(["train", str(recipe), "--layers", str(own), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"plainnet: {own}, line 6, raised TypeError: can only concatenate tuple")
    assert said.endswith("; fix it there\n")


def test_advice_can_be_typed_as_it_stands(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "my run"
    real = saving.events

    def interrupted(run, folder, **options):
        for event in real(run, folder, **options):
            if isinstance(event, Epoch):
                raise TrainingInterruptedError(2, "stopped")
            yield event

    monkeypatch.setattr(saving, "events", interrupted)
    assert main(["train", *QUICK, "--out", str(folder), "--quiet"]) == 130
    assert capsys.readouterr().err == f"plainnet: stopped; resume with: plainnet train --resume '{folder}'\n"
    monkeypatch.setattr(saving, "events", real)

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("plainnet.runs.results.write_results", stopped)
    assert main(["train", "--resume", str(folder), "--quiet"]) == 130
    assert f"written; the training is done and saved; resume with: plainnet train --resume '{folder}'" in (
        capsys.readouterr().err
    )
    monkeypatch.undo()
    assert main(["train", "--resume", str(folder), "--quiet"]) == 0
    assert main(["records", str(folder)]) == 2
    assert f"make some with: plainnet series softmax --out '{folder}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--epoch", "3"], "did you mean --epochs? see plainnet train --help"),
        (["train", "classic", "fast99"], "see plainnet train --help"),
        (["diagnose"], "see plainnet diagnose --help"),
        (["--hlep"], "see plainnet --help"),
    ],
)
def test_mistyped_options_point_to_the_help_of_their_command(arguments, said, capsys):
    assert main(arguments) == 2
    sentence = capsys.readouterr().err
    assert sentence.rstrip().endswith(said)
    assert ".." not in sentence
    assert "?." not in sentence


def test_nothing_that_was_there_is_lost(tmp_path, capsys):
    """Files of a result's name, an output that is an input, a partial file of another program."""
    from plainnet.runs.results import _NAMES, DONE

    folder = tmp_path / "mine"
    folder.mkdir()
    for name in (*_NAMES, DONE):
        (folder / name).write_text("precious")
        assert main(["train", *QUICK, "--out", str(folder), "--quiet"]) == 2
        assert f"{folder} holds " in capsys.readouterr().err
        assert (folder / name).read_text() == "precious"
        (folder / name).unlink()
    (folder / ".download.partial").write_text("precious")
    (folder / ".a.json.123-4.partial").write_text("left over")
    assert main(["train", *QUICK, "--out", str(folder), "--quiet"]) == 0
    assert {path.name for path in folder.iterdir()} - {".lock", ".download.partial"} <= {*_NAMES, DONE}
    assert (folder / ".download.partial").read_text() == "precious"
    source_file = tmp_path / "history.json"
    source_file.write_text('{"loss": [1.0, 0.5], "acc": [0.5, 0.9]}')
    assert main(["diagnose", str(source_file), "--json", str(source_file)]) == 2
    assert "--json would overwrite" in capsys.readouterr().err
    link = tmp_path / "link.json"
    link.symlink_to(source_file)
    assert main(["diagnose", str(source_file), "--json", str(link)]) == 2
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    assert main(["diagnose", str(source_file), "--json", str(tmp_path / "loop.json")]) == 2
    assert "a link that leads to itself" in capsys.readouterr().err
    assert json.loads(source_file.read_text())["acc"] == [0.5, 0.9]


def test_what_a_layer_of_ones_own_returns_wrongly_is_its_own_fault(tmp_path, capsys, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own, recipe = tmp_path / "mine.py", tmp_path / "mine.toml"
    own.write_text(
        "from plainnet import Layer\n\n\nclass Mine(Layer):\n    def build(self, in_shape):\n"
        "        return in_shape\n\n    def forward(self, x, *, training=False):\n        return 'a text'\n"
    )
    recipe.write_text(source("softmax").replace('type = "Flatten"', 'type = "Flatten"\n\n[[layers]]\ntype = "Mine"'))
    assert main(["train", str(recipe), "--layers", str(own), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("plainnet: ")
    assert "bug in plainnet" not in said
