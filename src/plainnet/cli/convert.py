"""`plainnet convert`: convert data from one format to another, and ONNX models to plainnet models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plainnet.cli.own_data import OwnData, about, load_data
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.recipes import override


def convert(data: Path, /, *, out: Path, to: str | None = None, own_data: OwnData | None = None) -> None:
    """Convert data to another format, split into training, validation and test parts; or convert an ONNX model.

    Parameters
    ----------
    data
        A file or a folder, as `plainnet train --data` takes it, or a model in an .onnx file.
    to
        The format of the data: idx, npz, folder (of pictures) or csv.
    out
        The folder to write to; for npz a file, for a model a .safetensors file.
    own_data
        Options about the data. For a model, --task says what its outputs are.
    """
    if data.suffix.lower() == ".onnx":
        if to is not None:
            raise InputError("--to is for data, not for a model; leave it out")
        _of_onnx(data, out, None if own_data is None else own_data.task)
        return
    if to is None:
        raise InputError("the format is missing; give --to idx, npz, folder or csv")
    from plainnet.sources.writers import convert as write

    described = override({}, replace(own_data or OwnData(), data=data).overrides())["data"]
    splits = load_data(described)
    for line in about(described, splits):
        say(line)
    names = write(splits, to, out)
    say(f"{out} holds {', '.join(names)}")


def _of_onnx(path: Path, out: Path, task: str | None) -> None:
    from plainnet.export.onnx_reader import read
    from plainnet.model_file import save_model

    if out.suffix != ".safetensors":
        raise InputError(f"a model is written to a .safetensors file, received --out {out}")
    if task not in (None, "classes", "labels", "numbers"):
        raise InputError(f"--task must be classes, labels or numbers, received {task!r:.40}")
    if out.exists():
        raise InputError(f"{out} already exists; choose another --out")
    model, notes = read(path, task)
    for note in notes:
        say(f"  {note}")
    save_model(out, model)
    inputs = "x".join(map(str, model.network.in_shape))
    names = shown(", ".join(model.class_names), 200)
    say(f"{out}: inputs of {inputs}, {model.network.theta.size:,} parameters, {model.kind} {names}".rstrip())
