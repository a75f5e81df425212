"""Made-up data in the forms of well-known data sets, for programs whose data or packages are missing.

1,300 images of 28 x 28 with labels from 0 to 9, as arrays, as files by their usual names, and as the packages give them.
"""

from __future__ import annotations

import gzip
import io
import pickle
import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

IMAGES, CLASSES, _TESTED = 1300, 10, 400
TEXT = "hello world, this is some text to learn from; " * 40
SAYS_LABELS = re.compile(r"(?i)label|target|class|(^|_|/)y(_|$|\.)|_y$|idx1")
_CIFAR = re.compile(r"(?i)data_batch|test_batch|cifar")


@lru_cache(1)
def _digits() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    images = (rng.random((IMAGES, 28, 28)) * 255 * (rng.random((IMAGES, 28, 28)) > 0.7)).astype(np.uint8)
    return images, np.random.default_rng(1).integers(0, CLASSES, IMAGES)


def labels() -> np.ndarray:
    """Return the labels, (1300,), whole numbers from 0 to 9."""
    return _digits()[1].copy()


def images(*, flat: bool) -> np.ndarray:
    """Return the images, (1300, 28, 28) or (1300, 784), from 0 to 255."""
    found = _digits()[0].copy()
    return found.reshape(IMAGES, -1) if flat else found


class ByName(dict[Any, Any]):
    """A table that makes up what it lacks: labels (N, 1) for a key that speaks of labels, otherwise images (N, 784).

    Bytes and text are one key.
    """

    def __missing__(self, key: Any) -> Any:
        text = key.decode() if isinstance(key, bytes) else str(key)
        for other in (text, text.encode()):
            if other in self:
                return self[other]
        return labels()[:, None] if SAYS_LABELS.search(text) else images(flat=True) / np.float32(255)

    def close(self) -> None:
        """Close nothing."""


def file_content(name: str) -> bytes | None:
    """Return the content of a data file by its usual name: MNIST or CIFAR-10 in their formats, a table, a text; None for others."""
    lower = name.lower()
    if lower.endswith(".gz"):
        inside = file_content(name[:-3])
        return None if inside is None else gzip.compress(inside, 1)
    if "ubyte" in lower:
        count = _TESTED if "t10k" in lower or "test" in lower else IMAGES
        return _idx(labels()[:count] if SAYS_LABELS.search(lower) else images(flat=False)[:count])
    if _CIFAR.search(lower):
        rows = np.resize(images(flat=True), (1000, 3072))
        return pickle.dumps(ByName({b"data": rows, b"labels": labels()[:1000].tolist()}))
    if lower.endswith((".pkl", ".pickle")) and "mnist" in lower:
        x, t = images(flat=True) / np.float32(255), labels()
        return pickle.dumps(((x, t), (x[:_TESTED], t[:_TESTED]), (x[:_TESTED], t[:_TESTED])))
    if lower.endswith((".csv", ".data")):
        table = np.column_stack([labels(), images(flat=True)])[:_TESTED]
        return "".join(",".join(map(str, row)) + "\n" for row in table.tolist()).encode()
    if lower.endswith((".npy", ".npz")):
        return _numpy_file(lower)
    return TEXT.encode() if lower.endswith((".txt", ".text")) else None


def _idx(array: np.ndarray) -> bytes:
    """Return bytes in the format of MNIST: a magic number, the sizes, and the values."""
    return struct.pack(f">{1 + array.ndim}i", 2048 + array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def _numpy_file(name: str) -> bytes:
    into = io.BytesIO()
    if name.endswith(".npy"):
        np.save(into, labels() if SAYS_LABELS.search(name) else images(flat=False))
    else:
        x, t = images(flat=False), labels()
        few, classes = x[:_TESTED], t[:_TESTED]
        others: Any = {f"{part}_images": few for part in ("train", "val", "test")}
        others |= {f"{part}_labels": classes[:, None] for part in ("train", "val", "test")}
        np.savez(into, x_train=x, y_train=t, x_test=few, y_test=classes, **others)
    return into.getvalue()


class _Split:
    """One part of a data set, as several packages give it: images and labels, examples by number, batches."""

    def __init__(self, count: int, *, one_hot: bool = False) -> None:
        self.images, classes = images(flat=True)[:count] / 255, labels()[:count]
        self.labels = np.eye(CLASSES)[classes] if one_hot else classes
        self.data, self.targets, self.num_examples, self._at = images(flat=False)[:count], classes, count, 0

    def __len__(self) -> int:
        return self.num_examples

    def __getitem__(self, i: int) -> tuple[np.ndarray, int]:
        if i >= len(self):
            raise IndexError(i)
        return self.data[i][None].astype(np.float32) / 255, int(self.targets[i])

    def next_batch(self, count: int, **_: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the next images and labels."""
        rows = np.arange(self._at, self._at + count) % len(self)
        self._at += count
        return self.images[rows], self.labels[rows]


def _load_data(*_: Any, **__: Any) -> Any:
    x, t = images(flat=False), labels()
    return (x, t), (x[:_TESTED].copy(), t[:_TESTED].copy())


def _read_data_sets(*_: Any, one_hot: bool = False, **__: Any) -> Any:
    parts = {"train": IMAGES, "validation": _TESTED, "test": _TESTED}
    return SimpleNamespace(**{name: _Split(count, one_hot=one_hot) for name, count in parts.items()})


def _two_classes(n_samples: int = 100, *_: Any, **__: Any) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(n_samples) % 2
    return np.random.default_rng(4).standard_normal((n_samples, 2)) + t[:, None], t


def _train_test_split(*arrays: Any, test_size: float = 0.25, **_: Any) -> list[Any]:
    def halves(array: Any) -> Iterator[Any]:
        count = max(int(len(array) * (1 - test_size)), 1)
        yield array[:count]
        yield array[count:]

    return [half for array in arrays for half in halves(array)]


def _batches(data: Any, batch_size: int = 1, **_: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    pairs = [data[i] for i in range(min(len(data), 10 * batch_size))]
    starts = range(0, len(pairs), batch_size)
    return [tuple(np.stack(part) for part in zip(*pairs[i : i + batch_size], strict=True)) for i in starts]  # type: ignore[misc]


FROM_PACKAGES: dict[str, Callable[..., Any]] = {  # by the name of a function or class of a package that is missing
    "load_data": _load_data,
    "read_data_sets": _read_data_sets,
    "MNIST": lambda *_, train=True, **__: _Split(IMAGES if train else _TESTED),
    "FashionMNIST": lambda *_, train=True, **__: _Split(IMAGES if train else _TESTED),
    "DataLoader": _batches,
    "File": lambda *_, **__: ByName(),
    "tqdm": lambda iterable=(), *_, **__: iterable,
    "trange": lambda *sizes, **_: range(*sizes),
    "train_images": lambda: images(flat=False),
    "test_images": lambda: images(flat=False)[:_TESTED],
    "train_labels": labels,
    "test_labels": lambda: labels()[:_TESTED],
    "make_moons": _two_classes,
    "make_circles": _two_classes,
    "make_blobs": _two_classes,
    "make_classification": _two_classes,
    "train_test_split": _train_test_split,
}
