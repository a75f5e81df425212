"""Pictures of several runs, of augmentation, and of what there is nothing to show of."""

import numpy as np

from plainnet import (
    Dense,
    Flatten,
    Network,
)
from plainnet.cli.app import main
from plainnet.evaluation import Evaluation
from plainnet.pictures.confusing_pairs import confusing_pairs
from plainnet.pictures.first_layer import first_layer
from plainnet.writing import to_json, write_atomically


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
    assert len(first_layer(flat, flat, "0123456789").axes) == 10
    table = Network(Dense(3)).build((5,))
    assert first_layer(table, table, "abc") is None
    right = np.eye(10)[digits.test.labels[:30]]
    figure = confusing_pairs(Evaluation(digits.test[:30], right))
    assert figure.axes[0].get_title() == "pairs confused most often: none, all images are right"
