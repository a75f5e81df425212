"""Rows of a mapped file: the same as a copy of them, without the memory."""

import subprocess
import sys

import numpy as np
import pytest

from plainnet import DataSet, Dense, Flatten, Network, ReLU, SoftmaxCrossEntropy, sources
from plainnet.data import rows as rows_module
from plainnet.data.fingerprint import fingerprint
from plainnet.data.rows import Rows, some_rows
from plainnet.optimizers import SGD
from plainnet.training import Training


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    images = rng.integers(0, 100, (120, 6, 6), dtype=np.uint8)
    images[np.arange(120), labels] = 255
    np.save(tmp_path / "X.npy", images)
    np.save(tmp_path / "y.npy", labels)
    return tmp_path


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr(rows_module, "LARGE", 0)
    monkeypatch.setattr(rows_module, "_BLOCK", 500)


def mapped(folder):
    return np.asarray(np.load(folder / "X.npy", mmap_mode="r"))


CHOSEN = [
    np.array([5, 3, 3, 119, -1]),
    np.arange(100) % 2 == 0,
    slice(2, 30, 3),
]


@pytest.mark.parametrize("part", [slice(1, 4), slice(None, None, -1), np.array([0, 2, -1])])
@pytest.mark.parametrize("rows", [CHOSEN[0], np.append(CHOSEN[1], [False] * 20)])
def test_they_are_what_a_copy_is(folder, all_are_large, rows, part):
    whole = mapped(folder)
    found, copy = some_rows(whole, rows), np.array(whole)[rows]
    assert isinstance(found, Rows)
    assert (found.shape, found.dtype, found.ndim, found.size, found.nbytes) == (
        copy.shape, copy.dtype, copy.ndim, copy.size, copy.nbytes,
    )  # fmt: skip
    assert (len(found), found.min(), found.max()) == (len(copy), copy.min(), copy.max())
    np.testing.assert_array_equal(np.asarray(found), copy)
    np.testing.assert_array_equal(np.asarray(found[part]), copy[part])
    np.testing.assert_array_equal(np.asarray(found[part, 2:4]), copy[part, 2:4])
    np.testing.assert_array_equal(found[2], copy[2])
    np.testing.assert_array_equal(found.take(np.array([1, 0, 1])), copy.take([1, 0, 1], axis=0))
    np.testing.assert_array_equal(np.concatenate(list(found.blocks())), copy)


def test_what_is_small_or_in_memory_is_copied(folder, all_are_large, monkeypatch):
    assert isinstance(some_rows(np.zeros((9, 2)), np.array([1, 2])), np.ndarray)
    assert isinstance(some_rows(mapped(folder), slice(0, 5)), np.ndarray)
    monkeypatch.setattr(rows_module, "LARGE", 36 * 50)
    assert isinstance(some_rows(mapped(folder), np.arange(50)), np.ndarray)
    assert isinstance(some_rows(mapped(folder), np.arange(51)), Rows)
    assert isinstance(some_rows(mapped(folder), np.arange(51))[:50], np.ndarray)


def trained(folder):
    data = sources.load(folder)
    network = Network(Flatten(), Dense(8), ReLU(), Dense(3)).build((6, 6), rng=0)
    training = Training(
        network, SoftmaxCrossEntropy(), SGD(momentum=0.9), data.train, data.validation, batch_size=10, epochs=2,
        learning_rate=0.1,
    )  # fmt: skip
    history = [event.to_table() | {"seconds": 0} for event in training if hasattr(event, "to_table")]
    return data, network, history


def test_a_training_does_not_see_the_difference(folder, monkeypatch):
    data, network, history = trained(folder)
    monkeypatch.setattr(rows_module, "LARGE", 0)
    by_file, other, same_history = trained(folder)
    assert isinstance(by_file.train.inputs, Rows)
    assert isinstance(data.train.inputs, np.ndarray)
    assert same_history == history
    np.testing.assert_array_equal(other.theta, network.theta)
    assert fingerprint(by_file.train) == fingerprint(data.train)
    np.testing.assert_array_equal(other.logits(by_file.train.inputs), network.logits(data.train.inputs))
    again = DataSet(by_file.train.inputs, by_file.train.targets, by_file.train.class_names)
    assert isinstance(again.inputs, Rows)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (700 << 20, 700 << 20))
from plainnet.cli.app import run
run()
"""


@pytest.mark.slow
def test_data_that_are_larger_than_memory_train(tmp_path):
    count, rng = 250_000, np.random.default_rng(0)
    labels = rng.integers(0, 4, count)
    images = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.uint8, (count, 60, 60))
    for start in range(0, count, 10_000):
        images[start : start + 10_000] = rng.integers(0, 50, (10_000, 60, 60), dtype=np.uint8)
        images[np.arange(start, start + 10_000), labels[start : start + 10_000]] = 255
    images.flush()
    np.save(tmp_path / "y.npy", labels)
    done = subprocess.run(
        [
            *(sys.executable, "-c", LIMITED, "train", "softmax", "--data", tmp_path, "--out", tmp_path / "out"),
            *("--epochs", "1", "--no-pictures", "--set", "batch_size=500", "--validation", "0.02", "--test", "0.02"),
        ],
        env={"OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "240,000 images to train on" in done.stdout
