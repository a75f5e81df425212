"""MNIST, 70,000 handwritten digits, read from four files that ship with this package: nothing is downloaded.

The images have 28x28 pixels, and are by LeCun, Cortes and Burges (CC BY-SA 3.0); 60,000 are for training and 10,000 for
testing. `plainnet.sources.load` reads your own data, and data sets similar to MNIST.

Example:
    >>> from plainnet import mnist
    >>> data = mnist.load()
    >>> data, data.test.labels[:5].tolist()
    (Splits(50,000 to train, 10,000 to validate, 10,000 to test), [7, 2, 1, 0, 4])
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.data.idx import read_idx
from plainnet.data.splits import Splits
from plainnet.data.stratified import stratified_split

_EMBEDDED = Path(__file__).parent / "mnist_files"
_SHA256 = {  # of the decompressed files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_DIGITS = tuple("0123456789")
SPLIT_SEED = 20_000_101  # the validation images are the same in every run


def load() -> Splits:
    """Return the training, validation and test images.

    One training image in six is held out for validation, the same ones in every run and with the same share of each
    class: of the 60,000, 50,000 train and 10,000 validate. The files are verified by the SHA-256 of their content.

    Raises: `InputError` if a file is missing or damaged.

    Example:
        >>> from plainnet import mnist
        >>> [part.images.shape for part in mnist.load()]
        [(50000, 28, 28), (10000, 28, 28), (10000, 28, 28)]
    """
    learn, test = _read_pair("train"), _read_pair("t10k")
    kept, held_out = stratified_split(learn.labels, len(learn) // 6, np.random.default_rng(SPLIT_SEED))
    return Splits(learn, kept, held_out, test, made={"seed": SPLIT_SEED, "test": "given", "validation": "a sixth"})


def _read_pair(part: str) -> DataSet:
    images, labels = (
        read_idx(_EMBEDDED / f"{name}.gz", dimensions=dimensions, sha256=_SHA256[name])
        for name, dimensions in ((f"{part}-images-idx3-ubyte", 3), (f"{part}-labels-idx1-ubyte", 1))
    )
    return DataSet(images, labels, _DIGITS)
