"""What is said of data that are odd: nothing is dropped, guessed or answered in silence."""

import json

import numpy as np
import pytest
from PIL import Image

from plainnet import DataSet, Dense, InputError, MeanSquaredError, Network, fit, load_model, sources
from plainnet.cli.app import main
from plainnet.optimizers import SGD

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def tables():
    return pytest.importorskip("pandas", reason="needs pandas: pip install 'plainnet[tables]'")


def pictures(folder, count=24):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        array = RNG.integers(0, 100, (8, 8), np.uint8) + 100 * (number % 2)
        Image.fromarray(array.astype(np.uint8)).save(folder / f"p{number:02}.png")
    return folder


def notes(path, **wanted):
    return "\n".join(sources.load(path, **wanted).notes)


@pytest.mark.parametrize("separator", [" ", "\t", ","])
def test_the_names_of_rows_that_r_writes_are_no_column(tmp_path, separator):
    lines = [separator.join(['"height"', '"weight"', '"sex"'])]
    lines += [
        separator.join([f'"{n}"', str(150 + n % 7), str(50 + n % 9), '"f"' if n % 3 else '"m"']) for n in range(1, 40)
    ]
    (tmp_path / "r.txt").write_text("\n".join(lines))
    data = sources.load(tmp_path / "r.txt")
    assert data.train.column_names == ("height", "weight")
    assert data.train.class_names == ("f", "m")
    assert "(row names)" in "\n".join(data.notes)


def test_a_model_keeps_to_the_column_of_labels_that_it_has_learned(tmp_path, capsys):
    x = RNG.standard_normal(80).round(3)
    rows = [f"{v},{'yes' if v > 0 else 'no'}" for v in x]
    (tmp_path / "a.csv").write_text("\n".join(["x,Survived", *rows]))
    (tmp_path / "more.csv").write_text("\n".join(["x,Survived,label", *(f"{r},{n % 2}" for n, r in enumerate(rows))]))
    (tmp_path / "none.csv").write_text("\n".join(["x,alone", *(f"{v},{n % 2}" for n, v in enumerate(x))]))
    out = tmp_path / "out"
    assert main(["train", "--data", str(tmp_path / "a.csv"), "--epochs", "40", "--no-pictures", "--out", str(out)]) == 0
    model = str(out / "model_final.safetensors")
    capsys.readouterr()
    assert main(["evaluate", model, "--data", str(tmp_path / "more.csv")]) == 0
    assert "yes" in capsys.readouterr().out
    assert main(["evaluate", model, "--data", str(tmp_path / "none.csv")]) == 2
    assert "no column 'Survived' for the labels" in capsys.readouterr().err


def test_several_labels_are_answered_each_by_itself(tmp_path, capsys):
    X = RNG.standard_normal((300, 3)).astype(np.float32)
    np.savez(tmp_path / "ml.npz", X=X, y=(X > 0).astype(int))
    np.savez(tmp_path / "new.npz", X=np.float32([[2, 2, 2], [-2, -2, -2], [2, -2, 2]]))
    out = tmp_path / "out"
    data = str(tmp_path / "ml.npz")
    assert main(["train", "--data", data, "--epochs", "60", "--no-pictures", "--out", str(out)]) == 0
    model = load_model(out / "model_final.safetensors")
    assert model.kind == "labels"
    np.testing.assert_array_equal(model.predict(np.float32([[2, 2, 2], [-2, -2, -2]])), [[1, 1, 1], [0, 0, 0]])
    capsys.readouterr()
    told = tmp_path / "told.json"
    command = ["predict", str(out / "model_final.safetensors"), str(tmp_path / "new.npz"), "--json", str(told)]
    assert main(command) == 0
    assert "none" in capsys.readouterr().out
    answers = [row["answer"] for row in json.loads(told.read_text())]
    assert answers == [["0", "1", "2"], [], ["0", "2"]]


def test_pictures_without_a_label_and_labels_without_a_picture_are_told(tmp_path):
    folder = pictures(tmp_path / "p")
    rows = [f"p{n:02}.png,{'' if n == 3 else 'ab'[n % 2]}" for n in range(23)]  # p23.png is not named
    (folder / "labels.csv").write_text("\n".join(["file,kind", *rows, "gone.png,a"]))
    said = notes(folder)
    assert "1 row without a picture (gone.png)" in said
    assert "1 picture that the table does not name (p23.png)" in said
    assert "1 example without a label" in said
    assert sources.load(folder).train.class_names == ("a", "b")


def test_pictures_may_be_labeled_by_real_numbers(tmp_path):
    folder = pictures(tmp_path / "p")
    rows = [f"{n},{n * 1.5 + 0.25}" for n in range(24)]
    (folder / "ages.csv").write_text(
        "\n".join(["file,age", *(f"p{int(r.split(',')[0]):02}.png,{r.split(',')[1]}" for r in rows)])
    )
    data = sources.load(folder, task="numbers")
    assert data.train.kind == "numbers"
    assert data.train.inputs.shape[1:] == (8, 8)


def test_pictures_of_a_form_that_is_not_read_are_counted(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "p").mkdir(exist_ok=True)
        pictures(tmp_path / "p" / name)
        (tmp_path / "p" / name / "more.heic").write_bytes(b"\0" * 20)
    assert "left out: 2 files in a format that cannot be read (.heic)" in notes(tmp_path / "p")


def test_an_array_that_is_named_is_the_one_that_is_used(tmp_path):
    np.save(tmp_path / "X.npy", RNG.standard_normal((30, 4)))
    np.save(tmp_path / "y.npy", np.arange(30) % 3)
    np.save(tmp_path / "old.npy", RNG.standard_normal((20, 7)))
    assert sources.load(tmp_path / "X.npy").train.inputs.shape[1:] == (4,)
    with pytest.raises(InputError, match=r"old\.npy is a single array, and no array beside it fits"):
        sources.load(tmp_path / "old.npy")


def test_other_files_beside_the_data_and_copies_of_the_labels_are_told(tmp_path):
    rows = [f"{RNG.standard_normal():.3f},{'ab'[n % 2]},{['no', 'yes'][n % 2]}" for n in range(40)]
    (tmp_path / "adult.csv").write_text("\n".join(["x,label,copy", *rows]))
    (tmp_path / "adult.test").write_text("1,2\n")
    said = notes(tmp_path)
    assert "not read: adult.test" in said
    assert "the same as the labels: copy" in said


def test_names_that_a_csv_file_would_lose_are_not_written_to_one(tmp_path, capsys):
    for number, names in enumerate((["EU", "NA"], ["01", "1"])):
        path = tmp_path / f"{number}.npz"
        np.savez(path, X=RNG.standard_normal((40, 2)), y=np.array(names)[np.arange(40) % 2])
        assert main(["convert", str(path), "--to", "csv", "--out", str(tmp_path / f"out{number}")]) == 2
    assert "would be read back as a missing value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sources.load(np.zeros(3)), "takes the path of a file or a folder, received ndarray"),
        (lambda: _fit_sparse(), "must be a dense array, received a sparse"),
        (lambda: sources.load(_deep()), "4x5x6x7; give rows of numbers, or images"),
    ],
)
def test_what_is_no_data_says_so(call, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=says):
        call()


def _fit_sparse():
    class Sparse:
        def toarray(self):
            return np.zeros((4, 2))

    network = Network(Dense(1)).build((2,))
    fit(network, MeanSquaredError(), SGD(), (Sparse(), np.zeros(4)), batch_size=2, epochs=1, learning_rate=0.1)


def _deep():
    np.savez("deep.npz", X=np.zeros((12, 4, 5, 6, 7)), y=np.arange(12) % 2)
    return "deep.npz"


def test_a_model_says_what_kind_of_answers_it_gives():
    network = Network(Dense(2)).build((3,))
    from plainnet import Model

    assert Model(network, ("a", "b")).kind == "classes"
    assert Model(network, ()).kind == "numbers"
    assert Model(network, ("a", "b"), kind="labels").probabilities(np.zeros((1, 3), np.float32)).sum() == 1.0
    for names, kind in ((("a", "b"), "numbers"), ((), "classes"), (("a", "b"), "both")):
        with pytest.raises(InputError, match="kind must be"):
            Model(network, names, kind=kind)
    assert DataSet(np.zeros((4, 2)), [0, 1, 0, 1]).kind == "classes"
