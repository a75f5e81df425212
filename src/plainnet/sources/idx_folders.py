"""Reads IDX files under all usual names: MNIST, Fashion-MNIST, KMNIST, EMNIST.

The number of dimensions in a file shows whether it holds images or labels. Its name shows the part, and the set in the
case of EMNIST.
"""

from __future__ import annotations

import gzip
import re
import string
import zlib
from pathlib import Path

import numpy as np

from plainnet.data.idx import read_idx
from plainnet.data.targets import Meaning
from plainnet.errors import InputError
from plainnet.foreign.opening import open_file, read_text
from plainnet.foreign.showing import shown
from plainnet.sources.found import ALL, Found, Part, Wanted, part_of

DIGITS = tuple(string.digits)
_FASHION = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_FASHION_CRC32 = 785835114  # checksum of its training labels, which identifies the data set
_EMNIST = {  # its sets: Cohen et al. 2017, "EMNIST: an extension of MNIST to handwritten letters"
    "balanced": DIGITS + tuple(string.ascii_uppercase) + tuple("abdefghnqrt"),
    "bymerge": DIGITS + tuple(string.ascii_uppercase) + tuple("abdefghnqrt"),
    "byclass": DIGITS + tuple(string.ascii_uppercase + string.ascii_lowercase),
    "letters": ("", *string.ascii_uppercase),  # its labels begin with 1
}


def dimensions(path: Path) -> int | None:
    """Return the number of dimensions of an IDX file of bytes, compressed or not, or None for another file."""
    try:
        with open_file(path, "data") as plain:
            head = plain.read(4)
            if head[:2] == b"\x1f\x8b":
                plain.seek(0)
                head = gzip.GzipFile(fileobj=plain).read(4)
    except (OSError, EOFError, zlib.error):
        return None
    return head[3] if len(head) == 4 and head[:3] == b"\0\0\x08" and 1 <= head[3] <= 4 else None


def read(files: list[Path], wanted: Wanted, only: Path | None = None) -> Found:
    """Return the contents of the IDX files in a folder; `only` is a file that selects one of several sets.

    Raises: `InputError` if there are several sets, if images or labels are missing, or if a file is damaged.
    """
    folder = files[0].parent
    sets: dict[str, list[Path]] = {}
    for path in files:
        sets.setdefault(_set_of(path), []).append(path)
    name = next(iter(sets)) if only is None else _set_of(only)
    if only is None and len(sets) > 1:
        example = sets[name][0]
        raise InputError(
            f"{folder} holds IDX files of {len(sets)} sets, {', '.join(shown(n, 40) for n in sets)}; give the path of "
            f"one file of the set that you want, such as {example}"
        )
    parts, arrays = {}, _arrays(sets[name], folder)
    transposed = wanted.transposed or "emnist" in name
    for part, (images, labels) in arrays.items():
        if transposed:
            images = np.ascontiguousarray(images.swapaxes(1, 2))
        parts[part] = Part(images, labels)
    found = Found(f"the IDX files of {folder}", parts)
    if transposed:
        found.notes.append("the images are stored with rows and columns swapped, as in EMNIST; they were swapped back")
    found.meaning = _meaning(folder, name, parts, found.notes)
    return found


def _set_of(path: Path) -> str:
    """Return the words in a file's name that are not its part, kind or format."""
    words = re.split(r"[-_.\s]+", path.name.lower())
    left = [w for w in words if not re.fullmatch(r"train(ing)?|t10k|test(ing)?|valid(ation)?|images?|imgs?|labels?"
                                                 r"|idx\d?|ubyte|u?int8|gz|idx\dubyte|data|bin", w)]  # fmt: skip
    return "-".join(left)


def _arrays(files: list[Path], folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the images and labels of each part."""
    images: dict[str, np.ndarray] = {}
    labels: dict[str, np.ndarray] = {}
    for path in files:
        number = dimensions(path)
        assert number is not None
        there = labels if number == 1 else images
        part = part_of(path.name) or ALL
        if part in there:
            if {path.with_suffix(""), path.with_suffix(path.suffix + ".gz")} & set(files):
                continue  # the same file, compressed and uncompressed
            raise InputError(f"{folder} holds two files for the {part} part, one of them {path.name}; remove one")
        there[part] = read_idx(path, dimensions=number)
    if images.keys() != labels.keys() or not images:
        part = next(iter(images.keys() ^ labels.keys()))
        has, lacks = ("images", "labels") if part in images else ("labels", "images")
        raise InputError(
            f"{folder} holds {has} for the {part} part, but no {lacks}{_no_idx(folder)}; add the IDX file with the "
            f"{lacks}"
        )
    for part, array in images.items():
        if len(array) != len(labels[part]):
            raise InputError(
                f"{folder}: the {part} part has {len(array):,} images but {len(labels[part]):,} labels; download its "
                "files again"
            )
    return {part: (images[part], labels[part]) for part in images}


def _no_idx(folder: Path) -> str:
    """Return a remark on a file that has the name of an IDX file but is not one."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and re.search(r"idx|ubyte", path.name) and dimensions(path) is None:
            with open_file(path, "data") as file:
                head = file.read(4).hex(" ")
            begins = f"it begins with {head}" if head else "it is empty"
            return f" ({shown(path.name, 60)} is not a complete IDX file of unsigned bytes: {begins})"
    return ""


def _meaning(folder: Path, name: str, parts: dict[str, Part], notes: list[str]) -> Meaning | None:
    """Return what the labels mean, if a file of class names or the data set shows it; 0 to 9 are digits."""
    given, labels = folder / "class_names.txt", [part.labels for part in parts.values() if part.labels is not None]
    largest = max(int(part.max(initial=0)) for part in labels)
    first = 0
    if given.exists():
        names = [line.strip() for line in read_text(given, "class names").split("\n") if line.strip()]
        if largest >= len(names):
            raise InputError(
                f"{given} has {len(names)} classes, but the labels go up to {largest}; give one name per line for "
                "the labels from 0"
            )
    elif "emnist" in name and (known := next((n for key, n in _EMNIST.items() if key in name), None)):
        names = list(known)
    elif any(zlib.crc32(np.ascontiguousarray(part).data) == _FASHION_CRC32 for part in labels):
        names = list(_FASHION)
    elif largest < len(DIGITS):
        names = list(DIGITS)
    else:
        return None
    if names[0] == "":
        names, first = names[1:], 1
        notes.append(f"the labels begin with 1: they stand for {names[0]} to {names[-1]}")
    return Meaning("classes", tuple(names), tuple(range(first, first + len(names))))
