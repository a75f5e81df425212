import contextlib
import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plainnet import DataSet, InputError, mnist, read_idx, sources
from plainnet.data.stratified import stratified_split
from plainnet.recipes import read
from plainnet.runs.run import Run


def idx_bytes(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    """A sound data set of 12 images to train on and 3 to test."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("t10k", 3)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes((np.arange(count) % 3).astype(np.uint8)))
    return tmp_path


def test_mnist_is_the_original(digits):
    train, validation, test = digits
    assert (len(train), len(validation), len(test)) == (50_000, 10_000, 10_000)
    for part in digits:
        assert part.images.dtype == part.labels.dtype == np.uint8
        assert part.images.shape == (len(part), 28, 28)
        assert part.class_names == tuple("0123456789")
    assert np.bincount(train.labels).sum() + np.bincount(validation.labels).sum() == 60_000
    assert (np.bincount(train.labels) + np.bincount(validation.labels)).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_validation_is_stratified_and_the_same_in_every_run(digits):
    shares = np.bincount(digits.validation.labels) / (np.bincount(digits.train.labels) / 5)
    np.testing.assert_allclose(shares, 1, atol=0.002)
    digest = hashlib.sha256(digits.validation.images.tobytes()).hexdigest()
    assert digest.startswith("00f601c7a949de57")


def test_slices_and_rows(digits):
    assert len(digits.train[:1000]) == 1000
    np.testing.assert_array_equal(digits.train[:1000].images, digits.train.images[:1000])
    assert digits.train[np.array([3, 5])].labels.tolist() == digits.train.labels[[3, 5]].tolist()
    assert repr(digits.test) == "DataSet(10,000 images of 28x28)"


@given(st.integers(2, 6), st.integers(0, 2**32 - 1), st.data())
def test_the_split_holds_out_exactly_as_many_in_proportion(classes, seed, data):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, data.draw(st.integers(classes, 200)))
    held_out = data.draw(st.integers(0, len(labels)))
    kept, chosen = stratified_split(labels, held_out, rng)
    assert len(chosen) == held_out
    assert sorted([*kept, *chosen]) == list(range(len(labels)))
    exact = np.bincount(labels, minlength=classes) * held_out / len(labels)
    assert (abs(np.bincount(labels[chosen], minlength=classes) - exact) < 1).all()


@given(array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5)), zipped=st.booleans())
def test_idx_round_trip(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "file"
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content) if zipped else content)
    np.testing.assert_array_equal(read_idx(path, dimensions=array.ndim), array)


@given(content=st.binary(max_size=40), zipped=st.booleans())
def test_idx_reader_refuses_or_reads_whatever_it_is_given(tmp_path_factory, content, zipped):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with contextlib.suppress(InputError):
        assert idx_bytes(read_idx(path, dimensions=1)) == content


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\0")


def zip_and_cut(path):
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])


def zip_and_flip(path):
    content = bytearray(gzip.compress(path.read_bytes()))
    content[len(content) // 2] ^= 0xFF
    path.with_name(f"{path.name}.gz").write_bytes(content)


def announce_too_much(path):
    path.write_bytes(bytes([0, 0, 8, 3]) + b"\xff" * 12 + bytes(100))


def float_type(path):
    path.write_bytes(bytes([0, 0, 13, 3]) + path.read_bytes()[4:])


def two_dimensions(path):
    path.write_bytes(idx_bytes(np.zeros((12, 784), np.uint8)))


def large_label(path):
    path.write_bytes(idx_bytes(np.arange(12, dtype=np.uint8)))


def one_label_less(path):
    path.write_bytes(idx_bytes(np.zeros(11, np.uint8)))


def empty(path):
    path.write_bytes(b"")


NO_IDX = "is not a complete IDX file of unsigned bytes: it"
DAMAGES = [
    (IMAGES, lambda path: path.unlink(), "holds labels for the train part, but no images"),
    (IMAGES, cut, "cut short"),
    (IMAGES, lengthen, "too long"),
    (IMAGES, zip_and_cut, "does not decompress|cut short"),
    (IMAGES, zip_and_flip, "does not decompress"),
    (IMAGES, announce_too_much, "cut short"),
    (IMAGES, float_type, f"{NO_IDX} begins with 00 00 0d 03"),
    (IMAGES, empty, f"{NO_IDX} is empty"),
    (IMAGES, lambda path: path.write_bytes(bytes([0, 0, 8, 3, 0])), "its header ends after 5 bytes"),
    (IMAGES, two_dimensions, "784 .train. and 28x28 .test.; give examples of one size"),
    (LABELS, one_label_less, "12 images but 11 labels"),
    (LABELS, empty, f"{NO_IDX} is empty"),
]


@pytest.mark.parametrize(("name", "damage", "sentence"), DAMAGES)
def test_damaged_files_are_refused(folder, name, damage, sentence):
    assert len(sources.load(folder).train) == 10
    damage(folder / name)
    if name == IMAGES and (folder / f"{IMAGES}.gz").exists():
        (folder / IMAGES).unlink()
    with pytest.raises(InputError, match=sentence):
        sources.load(folder)


@pytest.mark.parametrize("name", mnist._SHA256)
def test_one_flipped_byte_in_the_embedded_copy_is_found(tmp_path, monkeypatch, name):
    for path in mnist._EMBEDDED.glob("*.gz"):
        (tmp_path / path.name).symlink_to(path)
    content = bytearray(gzip.decompress((mnist._EMBEDDED / f"{name}.gz").read_bytes()))
    content[len(content) // 2] ^= 1
    (tmp_path / f"{name}.gz").unlink()
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(bytes(content), 1))
    monkeypatch.setattr(mnist, "_EMBEDDED", tmp_path)
    with pytest.raises(InputError, match="SHA-256"):
        mnist.load()


def test_class_names_come_from_a_file(folder):
    (folder / "class_names.txt").write_text("shirt\nshoe\n\nbag\n")
    assert sources.load(folder).test.class_names == ("shirt", "shoe", "bag")
    (folder / "class_names.txt").write_text("shirt\nshoe\n")
    with pytest.raises(InputError, match=r"class_names\.txt has 2 classes, but the labels go up to 2"):
        sources.load(folder)
    (folder / "class_names.txt").write_text("\ufeffshirt\nshoe\nbag", encoding="utf-8")
    assert sources.load(folder).test.class_names[0] == "shirt"
    (folder / "class_names.txt").write_text("shirt\nshirt\nbag")
    with pytest.raises(InputError, match="each class needs a name of its own, received shirt, shirt, bag"):
        sources.load(folder)
    (folder / "class_names.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"class names .* save it as UTF-8"):
        sources.load(folder)


def test_too_few_images_to_hold_any_out(folder):
    for name, content in ((IMAGES, np.zeros((3, 28, 28), np.uint8)), (LABELS, np.zeros(3, np.uint8))):
        (folder / name).write_bytes(idx_bytes(content))
    with pytest.raises(InputError, match="at least 6 are needed"):
        sources.load(folder)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_idx(tmp_path, dimensions=1)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.zeros(0, np.uint8), "holds no examples"),
        (np.zeros(2), "labels must be whole numbers"),
        (np.zeros((2, 1), int), "labels must be whole numbers"),
        (np.array([0, -1]), "label -1 is out of range"),
        (np.array([0, 2]), "label 2 is out of range: labels go from 0 to 1"),
    ],
)
def test_labels_must_make_sense(labels, sentence):
    with pytest.raises(InputError, match=sentence):
        DataSet(np.zeros((len(labels), 28, 28), np.uint8), labels, ["a", "b"])


def test_one_row_is_no_data_set(digits):
    with pytest.raises(InputError, match=r"write \.images\[5\]"):
        digits.train[5]


def test_a_file_that_is_not_compressed_is_mapped_and_checked(tmp_path):
    array = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
    path = tmp_path / "images"
    path.write_bytes(idx_bytes(array))
    mapped = read_idx(path, dimensions=3)
    assert isinstance(mapped.base, np.memmap)
    np.testing.assert_array_equal(mapped, array)
    with pytest.raises(ValueError, match="read-only"):
        mapped[0, 0, 0] = 1
    digest = hashlib.sha256(idx_bytes(array)).hexdigest()
    np.testing.assert_array_equal(read_idx(path, dimensions=3, sha256=digest), array)
    for content, fault in ((idx_bytes(array)[:-1], "only 59 bytes"), (idx_bytes(array) + b"0", "holds more")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=fault):
            read_idx(path, dimensions=3)


def test_joined_data_holds_the_images_of_both(digits):
    both = digits.train[:5].joined(digits.validation[:3])
    assert len(both) == 8
    np.testing.assert_array_equal(both.images[5:], digits.validation.images[:3])
    np.testing.assert_array_equal(both.labels[:5], digits.train.labels[:5])


@given(st.data())
def test_any_array_comes_back_and_any_change_to_its_bytes_is_read_or_refused(tmp_path_factory, data):
    array = data.draw(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)))
    path = tmp_path_factory.mktemp("idx") / "file"
    content = bytearray(idx_bytes(array))
    path.write_bytes(content)
    np.testing.assert_array_equal(read_idx(path, dimensions=array.ndim), array)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(InputError):
        assert read_idx(path, dimensions=array.ndim).dtype == np.uint8


FASHION = Path("/usr/share/datasets/fashion-mnist")  # of the Debian package dataset-fashion-mnist


@pytest.mark.skipif(not FASHION.exists(), reason="needs the package dataset-fashion-mnist")
def test_fashion_mnist_is_recognized():
    data = sources.load(FASHION)
    assert (len(data.train), len(data.validation), len(data.test)) == (50_000, 10_000, 10_000)
    assert data.test.class_names[9] == "Ankle boot"
    assert np.bincount(data.test.labels).tolist() == [1000] * 10


def test_a_compressed_file_that_announces_too_much_is_refused_at_once(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + np.array([10**6, 1000, 3000], ">u4").tobytes() + bytes(10)))
    with pytest.raises(InputError, match=r"announces 3,000,000,000,000 bytes, more than .* decompress it first"):
        read_idx(path, dimensions=3)


def test_a_recipe_that_does_not_validate_copies_the_images_once():
    splits = mnist.load()
    run = Run(replace(read("softmax"), validate=False, epochs=1), splits)
    assert not {"train", "validation"} & set(vars(splits))
    assert len(run.train) == 60_000
    assert run.training.train is run.train
    np.testing.assert_array_equal(run.train.labels[:5], splits.train.labels[:5])
    np.testing.assert_array_equal(run.train.labels[50_000:50_005], splits.validation.labels[:5])
    of = type(splits).of(splits.train[:4], splits.validation[:3], splits.test[:2])
    assert [len(part) for part in of] == [4, 3, 2]
    np.testing.assert_array_equal(of.validation.images, splits.validation.images[:3])
