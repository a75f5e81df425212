"""`plainnet convert`: data from one form to another, and ONNX models to ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plainnet.cli.own_data import OwnData, about, load_data
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.recipes import override


def convert(data: Path, /, *, out: Path, to: str | None = None, own_data: OwnData | None = None) -> None:
    """Write data in another form, split in parts for training, validation and test; or an ONNX model in plainnet's.

    Parameters
    ----------
    data
        A file or a folder, as `plainnet train --data` takes it; or a model in an .onnx file.
    to
        The form of data: idx, npz, folder (of pictures) or csv.
    out
        The folder to write to, a file for npz, or the .safetensors file of a model.
    own_data
        What to know about the data; of a model, --task says what its outputs are.
    """
    if data.suffix.lower() == ".onnx":
        if to is not None:
            raise InputError("a model has no form but plainnet's own; leave out --to")
        _of_onnx(data, out, None if own_data is None else own_data.task)
        return
    if to is None:
        raise InputError("--to says the form to write data in: idx, npz, folder or csv")
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
        raise InputError(f"{out} is there already; choose another --out")
    model, notes = read(path, task)
    for note in notes:
        say(f"  {note}")
    save_model(out, model)
    inputs = "x".join(map(str, model.network.in_shape))
    names = shown(", ".join(model.class_names), 200)
    say(f"{out}: inputs of {inputs}, {model.network.theta.size:,} parameters, {model.kind} {names}".rstrip())
