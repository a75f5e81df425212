"""MNIST, from the four files that ship with this package: nothing is downloaded.

70,000 handwritten digits of 28x28 pixels by LeCun, Cortes and Burges (CC BY-SA 3.0), 60,000 to train and
10,000 to test. Any folder with four files of the same names and format serves as well (Fashion-MNIST,
KMNIST); a file `class_names.txt` there, one name a line, names its classes. Those of Fashion-MNIST are known.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.data.idx import read_idx
from plainnet.data.splits import Splits
from plainnet.data.stratified import stratified_split
from plainnet.errors import InputError
from plainnet.foreign.opening import read_text

_EMBEDDED = Path(__file__).parent / "mnist_files"
_SHA256 = {  # of the decompressed files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_DIGITS = tuple("0123456789")
_FASHION = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_FASHION_CRC32 = 785835114  # of its training labels, by which the data set is recognized
_SPLIT_SEED = 20_000_101  # the validation images are the same in every run


def load(directory: str | Path | None = None) -> Splits:
    """Return the training, validation and test images.

    One training image in six is held out for validation, the same ones in every run and in the proportion of
    the classes: of MNIST's 60,000, 50,000 train and 10,000 validate. `directory` is a folder of IDX files to
    read instead of the embedded ones. The embedded files are verified by the SHA-256 of their content.

    Raises: `InputError` if a file is missing or damaged, or images and labels do not fit together.
    """
    folder = _EMBEDDED if directory is None else Path(directory)
    class_names = _class_names(folder)
    learn = _read_pair(folder, "train", class_names)
    test = _read_pair(folder, "t10k", class_names)
    if test.images.shape[1:] != learn.images.shape[1:]:
        raise InputError(
            f"{folder} holds training images of {'x'.join(map(str, learn.images.shape[1:]))} pixels and test images of "
            f"{'x'.join(map(str, test.images.shape[1:]))}; they must be of one size"
        )
    kept, held_out = stratified_split(learn.labels, len(learn) // 6, np.random.default_rng(_SPLIT_SEED))
    if len(held_out) == 0:
        raise InputError(f"{folder} holds only {len(learn)} training images; at least 6 are needed to hold one out")
    return Splits(learn, kept, held_out, test)


def _read_pair(folder: Path, part: str, class_names: tuple[str, ...]) -> DataSet:
    images = _read(folder, f"{part}-images-idx3-ubyte", 3)
    labels = _read(folder, f"{part}-labels-idx1-ubyte", 1)
    try:
        return DataSet(images, labels, class_names)
    except InputError as error:
        raise InputError(
            f"{folder}: the {part} files and the {len(class_names)} class names do not fit together: {error}; a file "
            "class_names.txt there names the classes, one a line"
        ) from error


def _read(folder: Path, name: str, dimensions: int) -> np.ndarray:
    for path in (folder / f"{name}.gz", folder / name):
        if path.exists():
            return read_idx(path, dimensions=dimensions, sha256=_SHA256[name] if folder == _EMBEDDED else None)
    raise InputError(f"{folder} holds neither {name}.gz nor {name}; --data-dir takes a folder with four IDX files")


def _class_names(folder: Path) -> tuple[str, ...]:
    path = folder / "class_names.txt"
    if not path.exists():
        known = folder != _EMBEDDED and zlib.crc32(_read(folder, "train-labels-idx1-ubyte", 1).data) == _FASHION_CRC32
        return _FASHION if known else _DIGITS
    names = read_text(path, "class names").split("\n")
    return tuple(name.strip() for name in names if name.strip())
