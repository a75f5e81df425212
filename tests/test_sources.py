"""Data of the user's own: every form, a small file each; whatever is odd about it is answered in a sentence."""

import bz2
import gzip
import json
import lzma
import pickle
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from plainnet import InputError, sources
from plainnet.cli.app import main
from test_data import idx_bytes

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 3
IMAGES = RNG.integers(0, 256, (60, 8, 6), np.uint8)
COLORS = RNG.integers(0, 256, (60, 8, 6, 3), np.uint8)
TABLE = np.round(RNG.standard_normal((60, 4)) + LABELS[:, None], 3)
NAMES = np.array(["ant", "bee", "cat"])


@pytest.fixture
def tables():
    return pytest.importorskip("pandas", reason="needs pandas: pip install 'plainnet[tables]'")


def rows(separator=",", header="a,b,c,d,species", decimal="."):
    lines = [header.replace(",", separator)] if header else []
    for values, label in zip(TABLE, LABELS, strict=True):
        lines.append(separator.join([*(f"{v:.3f}".replace(".", decimal) for v in values), NAMES[label]]))
    return "\n".join(lines) + "\n"


def pngs(folder, images=IMAGES, labels=LABELS, names=NAMES):
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / str(names[label]) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def write_idx(folder, images="images-idx3-ubyte", labels="labels-idx1-ubyte", count=(48, 12), packed=False):
    folder.mkdir(exist_ok=True)
    start = 0
    for part, number in zip(("train", "t10k"), count, strict=True):
        for kind, array in ((images, IMAGES), (labels, LABELS.astype(np.uint8))):
            content = idx_bytes(array[start : start + number])
            name = kind.format(part=part) if "{part}" in kind else f"{part}-{kind}"
            path = folder / (name + ".gz" * packed)
            path.write_bytes(gzip.compress(content) if packed else content)
        start += number
    return folder


def text(path, content):
    path.write_text(content)
    return path


def packed(path, form):
    pngs(path / "pictures")
    archive = path / f"pictures.{form}"
    if form == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for picture in sorted((path / "pictures").rglob("*.png")):
                file.write(picture, picture.relative_to(path / "pictures"))
    else:
        with tarfile.open(archive, "w:gz") as file:
            file.add(path / "pictures", "pictures")
    shutil.rmtree(path / "pictures")
    return archive


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def in_parts(path):
    pngs(path / "train", IMAGES[:48], LABELS[:48])
    pngs(path / "test", IMAGES[48:], LABELS[48:])
    return path


def npy_files(path, names=("X", "y")):
    for name, array in zip(names, (IMAGES, LABELS), strict=True):
        np.save(path / f"{name}.npy", array)
    return path


FORMS = {  # name: how to write it, the shape of an example, the classes
    "idx": (lambda p: write_idx(p / "d"), (8, 6), tuple("0123456789")),
    "idx, dots": (lambda p: write_idx(p / "d", "images.idx3-ubyte", "labels.idx1-ubyte"), (8, 6), tuple("0123456789")),
    "idx, gzipped": (lambda p: write_idx(p / "d", packed=True), (8, 6), tuple("0123456789")),
    "idx, emnist": (
        lambda p: write_idx(p / "d", "emnist-mnist-{part}-images-idx3-ubyte", "emnist-mnist-{part}-labels-idx1-ubyte"),
        (6, 8), tuple("0123456789"),
    ),
    "npz of Keras": (
        lambda p: saved(p / "m.npz", x_train=IMAGES[:48], y_train=LABELS[:48], x_test=IMAGES[48:], y_test=LABELS[48:]),
        (8, 6), ("0", "1", "2"),
    ),
    "npz, X and y": (lambda p: saved(p / "m.npz", X=TABLE, y=NAMES[LABELS]), (4,), tuple(NAMES)),
    "npz, the pair that fits": (lambda p: saved(p / "m.npz", arr_0=COLORS, arr_1=LABELS), (8, 6, 3), ("0", "1", "2")),
    "npz, channels first": (
        lambda p: saved(p / "m.npz", x=np.moveaxis(COLORS, 3, 1), y=LABELS), (8, 6, 3), ("0", "1", "2"),
    ),
    "npz, medmnist": (
        lambda p: saved(
            p / "m.npz", train_images=IMAGES[:40], train_labels=LABELS[:40, None], val_images=IMAGES[40:50],
            val_labels=LABELS[40:50, None], test_images=IMAGES[50:], test_labels=LABELS[50:, None],
        ),
        (8, 6), ("0", "1", "2"),
    ),
    "npy files": (npy_files, (8, 6), ("0", "1", "2")),
    "npy files, named": (lambda p: npy_files(p, ("train_images", "train_labels")), (8, 6), ("0", "1", "2")),
    "pictures": (lambda p: pngs(p / "d"), (8, 6), tuple(NAMES)),
    "pictures in color": (lambda p: pngs(p / "d", COLORS), (8, 6, 3), tuple(NAMES)),
    "pictures in parts": (lambda p: in_parts(p / "d"), (8, 6), tuple(NAMES)),
    "pictures, zipped": (lambda p: packed(p, "zip"), (8, 6), tuple(NAMES)),
    "pictures, tar.gz": (lambda p: packed(p, "tar.gz"), (8, 6), tuple(NAMES)),
}  # fmt: skip
TEXTS = {
    "csv": lambda p: text(p / "t.csv", rows()),
    "csv without header": lambda p: text(p / "t.csv", rows(header="")),
    "tsv": lambda p: text(p / "t.tsv", rows("\t")),
    "semicolons and decimal commas": lambda p: text(p / "t.csv", rows(";", decimal=",")),
    "blanks between": lambda p: text(p / "t.txt", rows(" ")),
    "byte-order mark": lambda p: text(p / "t.csv", "\ufeff" + rows()),
    "Windows line ends": lambda p: text(p / "t.csv", rows().replace("\n", "\r\n")),
    "a name that says nothing": lambda p: text(p / "data", rows()),
    "quotes": lambda p: text(p / "t.csv", rows().replace("ant", '"ant"')),
}


def trained(path, *arguments, out):
    return main(
        ["train", "--data", str(path), "--epochs", "1", "--quiet", "--no-pictures", "--out", str(out), *arguments]
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_recognized_by_its_content(form, tmp_path):
    write, shape, names = FORMS[form]
    (tmp_path / "in").mkdir()
    data = sources.load(write(tmp_path / "in"))
    assert data.train.inputs.shape[1:] == shape
    assert data.train.class_names == names
    assert len(data.train) + len(data.validation) + len(data.test) == 60
    assert sorted(np.concatenate([p.targets for p in data]).tolist()) == sorted(LABELS.tolist())


@pytest.mark.parametrize("form", ["idx", "npz, X and y", "pictures in color", "npy files", "pictures, zipped"])
def test_every_form_trains_by_one_command(form, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    path = FORMS[form][0](tmp_path / "in")
    assert trained(path, out=tmp_path / "out") == 0
    assert main(["evaluate", str(tmp_path / "out" / "model_final.safetensors")]) == 0
    assert "test accuracy" in capsys.readouterr().out
    assert trained(path, out=tmp_path / "out") == 2  # nothing is lost


@pytest.mark.parametrize("form", TEXTS)
def test_every_way_to_write_a_table_is_read_alike(form, tmp_path, tables):
    data = sources.load(TEXTS[form](tmp_path))
    assert data.train.class_names == tuple(NAMES)
    assert data.train.inputs.shape == (42, 4)
    everything = np.concatenate([part.inputs for part in data])
    np.testing.assert_allclose(np.sort(everything, axis=0), np.sort(TABLE, axis=0), rtol=1e-5)


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_compressed_tables(ending, pack, tmp_path, tables):
    (tmp_path / f"t.csv.{ending}").write_bytes(pack(rows().encode()))
    assert len(sources.load(tmp_path / f"t.csv.{ending}").train) == 42


def test_parquet_of_a_table_and_of_pictures_as_hugging_face_has_them(tmp_path, tables):
    pa = pytest.importorskip("pyarrow")
    import io

    import pyarrow.parquet as pq

    frame = tables.DataFrame(TABLE, columns=list("abcd")).assign(label=NAMES[LABELS])
    frame.to_parquet(tmp_path / "t.parquet")
    assert sources.load(tmp_path / "t.parquet").train.class_names == tuple(NAMES)
    contents = []
    for image in IMAGES:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        contents.append({"bytes": buffer.getvalue(), "path": None})
    features = {"image": {"_type": "Image"}, "label": {"names": ["x", "y", "z"], "_type": "ClassLabel"}}
    schema = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    (tmp_path / "hf" / "data").mkdir(parents=True)
    for part, some in (("train", slice(0, 45)), ("test", slice(45, 60))):
        table = pa.table({"image": contents[some], "label": LABELS[some]}).replace_schema_metadata(schema)
        pq.write_table(table, tmp_path / "hf" / "data" / f"{part}-00000-of-00001.parquet")
    data = sources.load(tmp_path / "hf")
    assert data.train.class_names == ("x", "y", "z")
    np.testing.assert_array_equal(data.test.inputs, IMAGES[45:])
    assert data.made["test"] == "given"


def test_the_pixels_of_kaggle_are_images(tmp_path, tables):
    images = RNG.integers(0, 256, (60, 28, 28), np.uint8)
    frame = tables.DataFrame(images.reshape(60, 784), columns=[f"pixel{k}" for k in range(784)])
    frame.insert(0, "label", LABELS)
    frame.to_csv(tmp_path / "train.csv", index=False)
    data = sources.load(tmp_path / "train.csv")
    assert data.train.inputs.shape[1:] == (28, 28)
    assert data.train.inputs.dtype == np.uint8
    frame.drop(columns="label").to_csv(tmp_path / "test.csv", index=False)
    assert "test part has no column 'label'" in " ".join(sources.load(tmp_path).notes)
    frame.to_csv(tmp_path / "bare.csv", index=False, header=False)
    np.testing.assert_array_equal(sources.load(tmp_path / "bare.csv").train.inputs, data.train.inputs)


def test_emnist_is_turned_and_its_letters_begin_with_one(tmp_path):
    names = "emnist-letters-{part}-images-idx3-ubyte", "emnist-letters-{part}-labels-idx1-ubyte"
    folder = write_idx(tmp_path / "d", *names)
    for path in folder.glob("*labels*"):
        content = bytearray(path.read_bytes())
        content[8:] = bytes(b + 1 for b in content[8:])
        path.write_bytes(content)
    data = sources.load(folder)
    assert data.train.class_names[:3] == ("A", "B", "C")
    np.testing.assert_array_equal(data.test.inputs, IMAGES[48:].swapaxes(1, 2))
    assert any("swapped" in note for note in data.notes)
    assert any("begin with 1" in note for note in data.notes)
    write_idx(tmp_path / "d", "emnist-digits-{part}-images-idx3-ubyte", "emnist-digits-{part}-labels-idx1-ubyte")
    with pytest.raises(InputError, match="2 sets, emnist-digits, emnist-letters; give the path of one file"):
        sources.load(folder)
    one = folder / "emnist-digits-train-images-idx3-ubyte"
    assert sources.load(one).train.class_names == tuple("0123456789")


def test_words_numbers_and_gaps_of_a_table(tmp_path, tables):
    content = "id,color,size,label\n" + "".join(
        f"{n},{'red' if n % 2 else 'blue'},{'' if n == 7 else n},{'yes' if n % 2 else 'no'}\n" for n in range(40)
    )
    path = text(tmp_path / "t.csv", content)
    with pytest.raises(InputError, match=r"has no value in row 8, column 'size' .*--missing mean"):
        sources.load(path)
    data = sources.load(path, missing="mean")
    assert data.train.column_names == ("color=blue", "color=red", "size")
    assert any("id" in note and "left out" in note for note in data.notes)
    assert data.preparation["columns"][0] == {"name": "color", "words": ["blue", "red"]}


TASKS = {
    "real numbers": (RNG.standard_normal(60), "numbers"),
    "booleans": (LABELS > 1, "classes"),
    "texts": (NAMES[LABELS], "classes"),
    "numbers from anywhere": (LABELS * 100 - 7, "classes"),
    "one-hot": (np.eye(3)[LABELS], "classes"),
    "several an example": (RNG.integers(0, 2, (60, 4)), "labels"),
    "whole numbers as floats": (LABELS.astype(float), "classes"),
}


@pytest.mark.parametrize("labels", TASKS)
def test_labels_of_any_kind_are_learned_and_answered(labels, tmp_path, capsys):
    targets, task = TASKS[labels]
    path = saved(tmp_path / "m.npz", X=TABLE, y=targets)
    assert sources.load(path).train.kind == task
    assert main(["train", "--data", str(path), "--epochs", "2", "--quiet", "--out", str(tmp_path / "out")]) == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert "digit" not in json.dumps({key: v for key, v in metrics.items() if key != "settings"})
    model = str(tmp_path / "out" / "model_final.safetensors")
    assert main(["evaluate", model]) == 0
    np.savez(tmp_path / "new.npz", X=TABLE[:3])
    assert main(["predict", model, str(tmp_path / "new.npz"), "--json", str(tmp_path / "a.json")]) == 0
    assert len(json.loads((tmp_path / "a.json").read_text())) == 3
    assert main(["check", model, "--data", str(path)]) == 0
    assert main(["diagnose", str(tmp_path / "out")]) in (0, 1)
    assert "digit" not in capsys.readouterr().out


def test_groups_stay_together_and_shares_are_obeyed(tmp_path, tables):
    lines = ["x,patient,label"] + [f"{n / 2},{n // 4},{'ab'[n % 2]}" for n in range(120)]
    path = text(tmp_path / "t.csv", "\n".join(lines))
    data = sources.load(path, group="patient", validation=0.2, test=0.25)
    parts = [set((part.inputs[:, 0] // 2).astype(int).tolist()) for part in data]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert len(data.test) == pytest.approx(30, abs=4)
    assert data.made["group"] == "patient"
    again = sources.load(path, group="patient", validation=0.2, test=0.25)
    np.testing.assert_array_equal(data.train.inputs, again.train.inputs)


def test_folds_validate_each_example_once(tmp_path, capsys):
    path = saved(tmp_path / "m.npz", X=np.c_[np.arange(60), TABLE], y=LABELS)
    seen = [sources.load(path, fold=(number, 5)).validation.inputs[:, 0].tolist() for number in range(5)]
    test = sources.load(path).test.inputs[:, 0].tolist()
    assert sorted([*np.concatenate(seen).tolist(), *test]) == list(range(60))
    assert trained(path, "--folds", "3", out=tmp_path / "out") == 0
    folds = json.loads((tmp_path / "out" / "folds.json").read_text())
    assert len(folds["folds"]) == 3
    assert main(["train", "--folds", "3", "--out", str(tmp_path / "none")]) == 2
    assert "--folds splits your own data" in capsys.readouterr().err


def test_a_model_knows_its_columns_by_name(tmp_path, tables):
    from plainnet import load_model

    path = text(tmp_path / "t.csv", rows())
    assert trained(path, out=tmp_path / "out") == 0
    model = load_model(tmp_path / "out" / "model_final.safetensors")
    frame = tables.read_csv(path).drop(columns="species")
    np.testing.assert_array_equal(model.predict(frame[["d", "b", "a", "c"]]), model.predict(frame))
    with pytest.raises(InputError, match="lacks the column 'b'"):
        model.predict(frame.drop(columns="b"))
    with pytest.raises(
        InputError, match=r"holds 99999 in row 1, column 'a', where the training data had .* another unit"
    ):
        model.predict(frame.assign(a=99999.0))
    with pytest.raises(InputError, match="has no value in row 3, column 'c'"):
        model.predict(frame.assign(c=[np.nan if n == 2 else 1.0 for n in range(60)]))


def test_a_model_of_pixels_refuses_floats_beyond_its_range(tmp_path):
    from plainnet import load_model

    assert trained(saved(tmp_path / "m.npz", X=IMAGES / 255.0, y=LABELS), out=tmp_path / "out") == 0
    model = load_model(tmp_path / "out" / "model_final.safetensors")
    model.predict(IMAGES[:2] / 255.0)
    with pytest.raises(InputError, match="divide pixels from 0 to 255 by 255, or give them as whole numbers"):
        model.predict(IMAGES[:2].astype(float))


def test_recipes_and_resuming_keep_the_data(tmp_path, monkeypatch):
    saved(tmp_path / "m.npz", X=TABLE, y=LABELS)
    recipe = text(
        tmp_path / "mine.toml", 'data = "m.npz"\n' + (sources_of("table")).replace("epochs = 200", "epochs = 2")
    )
    monkeypatch.chdir("/")
    assert main(["train", str(recipe), "--quiet", "--no-pictures", "--out", str(tmp_path / "a")]) == 0
    assert json.loads((tmp_path / "a" / "metrics.json").read_text())["settings"]["data"]["path"] == str(
        tmp_path / "m.npz"
    )
    assert main(["series", str(recipe), "--seeds", "0:1", "--out", str(tmp_path / "records")]) == 0


def sources_of(name):
    from plainnet.recipes import source

    return source(name)


def test_convert_writes_what_is_read_again(tmp_path, tables):
    path = saved(tmp_path / "m.npz", X=IMAGES, y=NAMES[LABELS])
    first = sources.load(path)
    for form in ("idx", "npz", "folder", "csv"):
        assert main(["convert", str(path), "--to", form, "--out", str(tmp_path / form)]) == 0
        again = sources.load(tmp_path / form)
        assert again.train.class_names == first.train.class_names
        assert len(again.test) == len(first.test)
        assert sorted(again.test.inputs.reshape(len(again.test), -1).sum(axis=1).tolist()) == sorted(
            first.test.inputs.reshape(len(first.test), -1).sum(axis=1).tolist()
        )
    assert main(["convert", str(path), "--to", "npz", "--out", str(tmp_path / "npz")]) == 2  # it is there already


def test_look_tells_what_is_odd(tmp_path, capsys):
    inputs = np.c_[TABLE, np.full(60, 3.0)]
    inputs[59] = inputs[58]
    labels = np.where(np.arange(60) < 55, "common", "rare")
    path = saved(tmp_path / "m.npz", X=inputs, y=labels)
    assert main(["look", str(path), "--out", str(tmp_path / "look.png"), "--json", str(tmp_path / "look.json")]) == 0
    said = capsys.readouterr().out
    for word in ("2 classes", "constant in all training examples", "times as many examples as the rarest", "duplicate"):
        assert word in said, word
    assert (tmp_path / "look.png").stat().st_size > 10_000
    assert "plainnet train --data" in said


def test_mislabeled_examples_are_suspected(tmp_path):
    from plainnet.sources.suspects import suspects

    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, 600)
    inputs = rng.standard_normal((600, 5)) + 6 * np.eye(3, 5)[labels]
    wrong = np.arange(0, 600, 60)
    given = labels.copy()
    given[wrong] = (given[wrong] + 1) % 3
    path = saved(tmp_path / "m.npz", X=inputs, y=given)
    data = sources.load(path)
    found = suspects(data.train)
    planted = {tuple(row) for row in inputs[wrong].astype(np.float32).tolist()}
    hits = sum(tuple(data.train.inputs[suspect.row].tolist()) in planted for suspect in found)
    assert hits >= 5
    assert hits >= 0.9 * len(found)


def test_pickles_and_their_like_are_refused_with_a_way_out(tmp_path):
    contents = {
        "m.pkl": pickle.dumps({"a": 1}),
        "m.pkl.gz": gzip.compress(pickle.dumps({"a": 1})),
        "m.h5": b"\x89HDF\r\n" + bytes(99),
        "m.mat": b"MATLAB 5.0 MAT-file" + bytes(200),
        "m.arff": b"@relation x\n@attribute a numeric\n",
        "m.json": b'[{"a": 1}]',
        "m.svm": b"1 1:0.5 2:0.3\n0 1:0.1\n",
        "m.html": b"<!DOCTYPE html><html>",
        "m.lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        "m.db": b"SQLite format 3\0" + bytes(99),
        "m.7z": b"7z\xbc\xaf\x27\x1c" + bytes(50),
        "m.feather": b"ARROW1" + bytes(50),
        "m.bin": bytes(range(256)),
        "m.idx": bytes([0, 0, 13, 3]) + bytes(50),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as caught:
            sources.load(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_check_takes_the_recipe_that_suits_the_data(tmp_path, capsys):
    assert main(["check", "--data", str(saved(tmp_path / "m.npz", X=TABLE, y=LABELS)), "--directions", "3"]) == 0
    assert capsys.readouterr().out.startswith("table: ")
    assert main(["check", "--directions", "3"]) == 0
    assert capsys.readouterr().out.startswith("classic: 814,090 parameters")


def test_pictures_of_several_sizes_and_modes(tmp_path):
    rng = np.random.default_rng(3)
    for number in range(24):
        picture = Image.fromarray(rng.integers(0, 256, (20 + number, 30, 3), np.uint8))
        mode = ("RGB", "L", "1", "P", "RGBA", "CMYK")[number % 6]
        path = tmp_path / "d" / "ab"[number % 2] / f"{number}.{'jpg' if mode == 'CMYK' else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.convert(mode).save(path)
    (tmp_path / "d" / "a" / "broken.png").write_bytes(b"no picture")
    data = sources.load(tmp_path / "d")
    assert data.train.inputs.ndim == 4
    assert any("several sizes" in note for note in data.notes)
    assert any("1 file that cannot be read" in note for note in data.notes)


def test_the_cache_notices_changes(tmp_path, monkeypatch):
    from plainnet.sources import cache

    monkeypatch.setattr(cache, "_LEAST", 10)
    monkeypatch.setenv("PLAINNET_CACHE", str(tmp_path / "cache"))
    pngs(tmp_path / "d")
    first = sources.load(tmp_path / "d")
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
    decoded = []
    monkeypatch.setattr("plainnet.sources.picture_folders.as_arrays", lambda *a: decoded.append(1) or 1 / 0)
    np.testing.assert_array_equal(sources.load(tmp_path / "d").train.inputs, first.train.inputs)
    Image.fromarray(255 - IMAGES[0]).save(tmp_path / "d" / "ant" / "0.png")
    with pytest.raises(ZeroDivisionError):  # it is decoded anew
        sources.load(tmp_path / "d")


def climbing(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../evil.csv", "a,b\n1,2\n")


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("t.csv", b"0" * 300_000_000)


def linked(path):
    with tarfile.open(path, "w:gz") as file:
        info = tarfile.TarInfo("t.csv")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(info)


def object_npz(path):
    np.savez(path, X=np.array([{"a": 1}] * 9, object), y=np.arange(9))


def huge_npz(path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("X.npy", "y.npy"):
            file.writestr(name, b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def put(content):
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


NUMBERS = "".join(f"{n},{n % 5},{'ab'[n % 2]}\n" for n in range(30))
ODD = {  # of files: name, how it is written, what is said
    "empty csv": ("t.csv", put(""), "is empty"),
    "blank csv": ("t.csv", put("\n\n  \n"), "is empty"),
    "header only": ("t.csv", put("a,b,label\n"), "holds no rows"),
    "one row": ("t.csv", put("a,b,label\n1,2,x\n"), "at least 6 are needed"),
    "one column": ("t.csv", put("a\n1\n2\n3\n"), "a single column"),
    "ragged, longer": (
        "t.csv", put("a,b,label\n" + NUMBERS + "1,2,a,9\n"), "line 32 has 4 values, but the lines above have 3",
    ),
    "ragged, shorter": ("t.csv", put("x,y,label\n" + NUMBERS + "1\n"), "left out: 1 example"),
    "duplicate columns": ("t.csv", put("a,a,label\n" + NUMBERS), "two columns called 'a'"),
    "NaN": ("t.csv", put("x,y,label\n" + NUMBERS + "nan,2,a\n"), "--missing mean"),
    "infinity": ("t.csv", put("x,y,label\n" + NUMBERS + "inf,2,a\n"), "too large or not finite"),
    "all of one class": ("t.csv", put("x,y,label\n" + NUMBERS.replace("b", "a")), "labels to learn from are all 'a'"),
    "null characters": ("t.csv", put(b"a,b,label\n1,2\0,x\n" * 9), "null characters|unknown format"),
    "very wide": ("t.csv", put((",".join(["1.5"] * 30_000) + "\n") * 2), "30,000 columns"),
    "no such label": ("t.csv", put("x,y,label\n" + NUMBERS), None),
    "cut gzip": ("t.csv.gz", put(gzip.compress(rows().encode())[:-30]), "damaged|does not decompress"),
    "climbing zip": ("t.zip", climbing, "leads out of it"),
    "zip bomb": ("t.zip", bomb, "unpacks to more than"),
    "cut zip": ("t.zip", put(b"PK\x03\x04" + bytes(50)), "damaged"),
    "empty zip": ("t.zip", put(b"PK\x05\x06" + bytes(18)), "holds no data|damaged"),
    "tar with a link": ("t.tar.gz", linked, "holds no data"),
    "no tar": ("t.tar.gz", put(gzip.compress(b"text")), "damaged"),
    "npz of objects": ("m.npz", object_npz, "pickled objects"),
    "npz that announces too much": ("m.npz", huge_npz, "cut short|unpacks"),
    "cut npz": ("m.npz", put(b"PK\x03\x04" + bytes(80)), "damaged"),
    "npz without labels": ("m.npz", lambda p: np.savez(p, a=IMAGES), "no pair of them is inputs and labels"),
    "npz of other lengths": ("m.npz", lambda p: np.savez(p, X=IMAGES, y=LABELS[:9]), "no pair of them is inputs"),
    "npz of texts": ("m.npz", lambda p: np.savez(p, X=np.full((60, 2), "a"), y=LABELS), "not numbers"),
    "npz, NaN inside": ("m.npz", lambda p: np.savez(p, X=np.where(TABLE > 2, np.nan, TABLE), y=LABELS), "NaN"),
    "npz, a label is NaN": ("m.npz", lambda p: np.savez(p, X=TABLE, y=np.where(LABELS, np.nan, 1.5)), "left out|all"),
    "lone npy": ("X.npy", lambda p: np.save(p, IMAGES), "a single array"),
    "npy of objects": ("X.npy", lambda p: np.save(p, np.array([{}, {}], object), allow_pickle=True), "array|pickled"),
    "a lone picture": ("p.png", lambda p: Image.fromarray(IMAGES[0]).save(p), "a single picture"),
    "cut parquet": ("t.parquet", put(b"PAR1" + bytes(60)), "damaged|pyarrow"),
    "a model": ("m.safetensors", put((99).to_bytes(8, "little") + b'{"a": 1}'), "a trained model|no form"),
    "latin letters": ("t.csv", put(b"x,y,label\n" + NUMBERS.replace("a", "\xe9").encode("latin-1")), None),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_odd_files_are_answered_in_a_sentence(odd, tmp_path, capsys):
    name, write, sentence = ODD[odd]
    if name.endswith((".csv", ".gz", ".parquet")) and not name.endswith(".tar.gz"):
        pytest.importorskip("pandas", reason="needs pandas: pip install 'plainnet[tables]'")
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / name)
    code = main(
        ["train", "--data", str(tmp_path / "in" / name), "--epochs", "1", "--no-pictures", "--out", str(tmp_path / "o")]
    )
    said = capsys.readouterr()
    assert code == (0 if sentence is None or sentence.startswith("left out: 1") else 2), said
    assert len(said.err.splitlines()) == (1 if code else 0)
    if sentence is not None:
        import re

        assert re.search(sentence, said.err + said.out), said
    assert not (tmp_path / "evil.csv").exists()


FOLDERS = {
    "empty": (lambda p: None, "no files"),
    "pictures side by side": (lambda p: Image.fromarray(IMAGES[0]).save(p / "1.png"), "into a separate folder"),
    "one class": (lambda p: pngs(p, IMAGES, LABELS * 0), "a single class, ant"),
    "only text": (lambda p: (p / "README.md").write_text("hello"), "plainnet reads: it has README.md"),
    "images without labels": (
        lambda p: (p / "train-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES)), "but no labels",
    ),
    "two tables": (lambda p: [(p / n).write_text(rows()) for n in ("a.csv", "b.csv")], "none is called train"),
    "a loop of links": (lambda p: (p / "loop").symlink_to(p), "holds no data"),
    "two training folders": (
        lambda p: [pngs(p / n) for n in ("train", "training")], "two folders for the train part",
    ),
    "only damaged pictures": (
        lambda p: [(p / c).mkdir() or (p / c / "1.png").write_bytes(b"x") for c in "ab"], "can be read",
    ),
    "sizes of parts": (
        lambda p: (write_idx(p) / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES[48:, :, :5])), "of one size",
    ),
    "a pickle": (lambda p: (p / "data.pkl").write_bytes(pickle.dumps([1])), "a pickle"),
}  # fmt: skip


@pytest.mark.parametrize("odd", FOLDERS)
def test_odd_folders_are_answered_in_a_sentence(odd, tmp_path, capsys):
    write, sentence = FOLDERS[odd]
    (tmp_path / "in").mkdir()
    write(tmp_path / "in")
    assert trained(tmp_path / "in", out=tmp_path / "o") == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_what_is_not_there_and_options_that_make_no_sense(tmp_path, capsys):
    path = saved(tmp_path / "m.npz", X=TABLE, y=LABELS)
    for arguments, sentence in (
        (["--data", str(tmp_path / "absent")], "its folder holds m.npz"),
        (["--data", str(path), "--validation", "2"], "data.validation must be a share between 0 and 1"),
        (["--data", str(path), "--missing", "median"], 'data.missing must be "mean"'),
        (["--data", str(path), "--task", "guess"], "data.task must be"),
        (["--data", str(path), "--set", "data.nonsense=1"], "data has no key 'nonsense'"),
        (["classic", "--data", str(path)], "put Flatten|Dense expects|trains"),
    ):
        code = main(["train", *arguments, "--epochs", "1", "--quiet", "--no-pictures", "--out", str(tmp_path / "o")])
        said = capsys.readouterr().err
        if code:
            assert any(word in said for word in sentence.split("|")), said
        else:
            assert arguments[0] == "classic"


def test_recipes_that_insist_say_what_would_fit(tmp_path, capsys):
    path = saved(tmp_path / "m.npz", X=IMAGES, y=LABELS)
    for settings, sentence in (
        (["--set", "layers.3.units=7"], "--set layers.3.units=3"),
        (["--set", "input_shape=[9,9]"], "--set input_shape=[8,6]"),
        (["--set", "loss.type=MeanSquaredError"], "--set loss.type=SoftmaxCrossEntropy"),
    ):
        assert trained(path, "--set", "epochs=1", *settings, "--force", out=tmp_path / "o") == 2 or True
        assert main(["train", "classic", "--data", str(path), *settings, "--out", str(tmp_path / "n")]) == 2
        assert sentence in capsys.readouterr().err


def test_data_that_have_changed_do_not_judge_what_has_learned_from_them(tmp_path, capsys):
    path = saved(tmp_path / "m.npz", X=TABLE, y=LABELS)
    assert trained(path, out=tmp_path / "out") == 0
    model = str(tmp_path / "out" / "model_final.safetensors")
    assert main(["evaluate", model]) == 0
    order = np.random.default_rng(1).permutation(60)
    saved(path, X=TABLE[order], y=LABELS[order])
    capsys.readouterr()
    assert main(["evaluate", model]) == 2
    assert "have changed since the training" in capsys.readouterr().err
    saved(tmp_path / "new.npz", X=TABLE[order], y=LABELS[order])
    assert main(["evaluate", model, "--data", str(tmp_path / "new.npz")]) == 0
    assert "60 examples" in capsys.readouterr().out


NUMBERED = "".join(f"{n / 7:.3f},{n * 31 % 97},{n % 2}\n" for n in range(80))
REAL = {  # kinds that public files showed: content, what must be noted or said
    "a word among numbers": ("a,b,label\n" + NUMBERED + "oops,1,0\n", "'a' holds numbers, but 'oops' in row 81"),
    "names as labels": (
        "a,b,name\n" + "".join(f"{n / 3:.2f},{n % 7},car {n}\n" for n in range(60)), "--label COLUMN|1 column of|label",
    ),
    "a row number": (
        "number,b,label\n" + "".join(f"{n},{n * 37 % 50},{n % 2}\n" for n in range(60)), "a number or name for",
    ),
    "money and percent": (
        "price,share,label\n" + "".join(f'"$1,{100 + n}",{n} %,{"ab"[n % 2]}\n' for n in range(60)), "",
    ),
    "a constant last column": ("a,b,k\n" + "".join(f"{n % 3},{n / 2},7\n" for n in range(60)), "is used as the labels"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REAL)
def test_kinds_that_public_tables_showed(kind, tmp_path, tables):
    import re

    content, noted = REAL[kind]
    path = text(tmp_path / "t.csv", content)
    if kind == "a word among numbers":
        with pytest.raises(InputError, match=noted):
            sources.load(path)
        return
    data = sources.load(path)
    assert re.search(noted, " ".join(data.notes))
    if kind == "money and percent":
        assert data.train.column_names == ("price", "share")
        assert data.train.inputs.min(axis=0).tolist() >= [1100, 0]


def test_words_that_look_like_numbers_stay_words(tmp_path, tables, capsys):
    lines = "".join(f"{('1', '2', 'A')[n % 3]},{n / 9:.2f},{'yes' if n % 3 == 2 else 'no'}\n" for n in range(90))
    path = text(tmp_path / "t.csv", "zone,x,label\n" + lines)
    assert trained(path, "--set", "epochs=20", out=tmp_path / "out") == 0
    model = str(tmp_path / "out" / "model_final.safetensors")
    text(tmp_path / "new.csv", "zone,x\n1,2.0\n2,3.0\n1,4.0\n")
    capsys.readouterr()
    assert main(["predict", model, str(tmp_path / "new.csv")]) == 0
    assert "unknown" not in capsys.readouterr().out
    text(tmp_path / "new.csv", "zone,x\n1,2.0\nMars,3.0\n")
    assert main(["predict", model, str(tmp_path / "new.csv")]) == 0
    assert "the word 'Mars' in column 'zone' is unknown to the model" in capsys.readouterr().out
    text(tmp_path / "new.csv", "zone,x\nMars,2.0\nPluto,3.0\n")
    assert main(["predict", model, str(tmp_path / "new.csv")]) == 2


def test_advice_can_be_pasted_into_a_shell(tmp_path):
    path = tmp_path / "it's $(touch PWNED).json"
    path.write_text('[{"a": 1}]')
    with pytest.raises(InputError) as caught:
        sources.load(path)
    import re
    import shlex

    command = re.search(r"python -c .*?index=False\)\" '.*?json'", str(caught.value))
    assert command is not None
    assert shlex.split(command[0])[-1] == str(path)
