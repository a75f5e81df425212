"""The formats that a model can be exported to, by name, each with a function that writes its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from plainnet.errors import InputError
from plainnet.export import js_program, numpy_program, onnx_file, torch_module
from plainnet.export.precision import check
from plainnet.model import Model

Writer = Callable[[Path, Model, str, dict[str, str]], list[Path]]

FORMS: dict[str, tuple[str, Writer]] = {  # by name: the ending of the file, and the function that writes it
    "js": (".js", js_program.write),
    "numpy": (".py", numpy_program.write),
    "onnx": (".onnx", onnx_file.write),
    "torch": (".py", torch_module.write),
}
_OR = {"js": ".mjs"}  # Node always treats a file with this ending as a module
_WEIGHTS = {"numpy": ".npz", "torch": ".safetensors"}  # beside the program


def export(
    model: Model, form: str, out: Path, precision: str = "float32", about: dict[str, str] | None = None
) -> list[Path]:
    """Write a model in a format, one of `FORMS`, and return the paths of the files.

    Raises: `InputError` for an unknown format, a wrong ending, a layer without a rule, a missing library, or a file
    that exists already.
    """
    if form not in FORMS:
        raise InputError(f"--to must be one of {', '.join(FORMS)}, received {form!r:.60}")
    ending, writer = FORMS[form]
    if out.suffix not in (ending, _OR.get(form)):
        raise InputError(f"--out must end in {ending} for {form}, received {out}")
    check(precision, form)
    for path in {out, out.with_suffix(_WEIGHTS.get(form, ending))}:
        if path.exists():
            raise InputError(f"{path} exists already; choose another --out")
    return writer(out, model, precision, dict(about or {}))
