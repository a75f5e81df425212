"""Writes data in other formats: IDX files, an .npz, a folder of pictures, or CSV files."""

from __future__ import annotations

import gzip
import io
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from plainnet.data.dataset import DataSet
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.sources.delimited import GAPS
from plainnet.writing import write_atomically

_PARTS = ("train", "validation", "test")


def convert(data: Splits, form: str, out: Path) -> list[str]:
    """Write the parts of `data` to `out` in a format, one of `FORMS`, and return the names of the files.

    Raises: `InputError` for an unknown format, data that it cannot hold, or an output that already exists.
    """
    if form not in FORMS:
        raise InputError(f"--to must be one of {', '.join(FORMS)}, received {form!r:.60}")
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise InputError(f"{out} already exists; choose another --out")
    return FORMS[form](data, out)


def _parts(data: Splits) -> Iterator[tuple[str, DataSet]]:
    return zip(_PARTS, data, strict=True)


def _pixels(part: DataSet) -> np.ndarray:
    """Return images as bytes.

    Raises: `InputError` if they are not images of bytes, or of numbers from 0 to 1.
    """
    inputs = part.inputs
    if inputs.ndim < 3:
        raise InputError("rows of a table are not pictures; convert them with --to csv or --to npz")
    if inputs.dtype == np.uint8:
        return inputs
    if inputs.min() >= 0 and inputs.max() <= 1:
        return np.rint(inputs * 255).astype(np.uint8)
    raise InputError(f"pixels from {inputs.min():g} to {inputs.max():g} fit no picture; convert them with --to npz")


def _labels(part: DataSet) -> list[str]:
    if part.kind == "classes":
        return [part.class_names[k] for k in part.targets]
    raise InputError(f"targets that are {part.kind} have no class names; convert them with --to npz")


def _idx(data: Splits, out: Path) -> list[str]:
    written = []
    for name, part in _parts(data):
        prefix = {"train": "train", "validation": "validation", "test": "t10k"}[name]
        images, targets = _pixels(part), part.targets
        if part.kind != "classes" or len(part.class_names) > 256:
            raise InputError("IDX files hold labels of up to 256 classes; convert other targets with --to npz")
        for kind, array in (("images", images), ("labels", targets.astype(np.uint8))):
            head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            path = out / f"{prefix}-{kind}-idx{array.ndim}-ubyte.gz"
            write_atomically(path, gzip.compress(head + np.ascontiguousarray(array).tobytes(), 6, mtime=0))
            written.append(path.name)
    names = "\n".join(data.train.class_names) + "\n"
    write_atomically(out / "class_names.txt", names.encode())
    return [*written, "class_names.txt"]


def _npz(data: Splits, out: Path) -> list[str]:
    arrays: dict[str, np.ndarray] = {}
    for name, part in _parts(data):
        labels = np.array(_labels(part)) if part.kind == "classes" else part.targets
        arrays |= {f"x_{name}": part.inputs, f"y_{name}": labels}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    path = out if out.suffix == ".npz" else out / "data.npz"
    write_atomically(path, buffer.getvalue())
    return [path.name]


def _folder(data: Splits, out: Path) -> list[str]:
    names = {name: re.sub(r"[^\w .+-]|^[. ]", "_", name) or "_" for name in data.train.class_names}
    if len(set(names.values())) < len(names):
        raise InputError("two classes would share one folder; rename them, or convert with --to npz")
    for name, part in _parts(data):
        for row, (image, label) in enumerate(zip(_pixels(part), _labels(part), strict=True)):
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "PNG")
            path = out / name / names[label] / f"{row:06d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(buffer.getvalue())
    return [f"{name}/" for name in _PARTS]


def _csv(data: Splits, out: Path) -> list[str]:
    written = []
    for name, part in _parts(data):
        flat = part.inputs.reshape(len(part), -1)
        columns = part.column_names or tuple(
            f"pixel{k}" if part.inputs.ndim > 2 else f"x{k}" for k in range(flat.shape[1])
        )
        if part.kind not in ("classes", "numbers") or part.targets.ndim > 1:
            raise InputError("a CSV file has one column of labels; convert several labels per example with --to npz")
        _expect_readable(part.class_names)
        labels = _labels(part) if part.kind == "classes" else [f"{value:.9g}" for value in part.targets]
        whole = flat.dtype.kind in "biu"
        lines = [",".join(map(_quoted, ("label", *columns)))]
        lines += [
            ",".join([_quoted(label), *(map(str, row.tolist()) if whole else (f"{value:.9g}" for value in row))])
            for label, row in zip(labels, flat, strict=True)
        ]
        write_atomically(out / f"{name}.csv", ("\n".join(lines) + "\n").encode())
        written.append(f"{name}.csv")
    return written


def _expect_readable(names: tuple[str, ...]) -> None:
    """Raise `InputError` if a CSV reader would read a class name as a missing value or as another number."""
    numbers = all(re.fullmatch(r"[-+]?\d+(\.\d*)?", name) for name in names)
    lost = [name for name in names if name in GAPS or (numbers and not re.fullmatch(r"-?(0|[1-9]\d*)", name))]
    if lost:
        raise InputError(
            f"the class {lost[0]!r:.60} would be read back as {'a number' if numbers else 'a missing value'}; convert "
            "with --to npz, which keeps it"
        )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n\r') else text


FORMS: dict[str, Callable[[Splits, Path], list[str]]] = {"idx": _idx, "npz": _npz, "folder": _folder, "csv": _csv}
