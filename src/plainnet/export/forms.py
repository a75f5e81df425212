"""The forms a model can be exported to, by name: a function that writes the files and returns their paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from plainnet.errors import InputError
from plainnet.export import js_program, numpy_program, onnx_file, torch_module
from plainnet.export.precision import check
from plainnet.model import Model

Writer = Callable[[Path, Model, str, dict[str, str]], list[Path]]

FORMS: dict[str, tuple[str, Writer]] = {  # by name: the ending of its file, and what writes it
    "js": (".js", js_program.write),
    "numpy": (".py", numpy_program.write),
    "onnx": (".onnx", onnx_file.write),
    "torch": (".py", torch_module.write),
}
_OR = {"js": ".mjs"}  # which Node takes for a module wherever it lies
_WEIGHTS = {"numpy": ".npz", "torch": ".safetensors"}  # beside the program


def export(
    model: Model, form: str, out: Path, precision: str = "float32", about: dict[str, str] | None = None
) -> list[Path]:
    """Write a model in a form, one of `FORMS`, and return the paths of the files.

    Raises: `InputError` for an unknown form, an ending that is not its own, a layer without a rule, or a library that
    is missing.
    """
    if form not in FORMS:
        raise InputError(f"--to must be one of {', '.join(FORMS)}, received {form!r:.60}")
    ending, writer = FORMS[form]
    if out.suffix not in (ending, _OR.get(form)):
        raise InputError(f"--out must end in {ending} for {form}, received {out}")
    check(precision, form)
    for path in {out, out.with_suffix(_WEIGHTS.get(form, ending))}:
        if path.exists():
            raise InputError(f"{path} is there already; choose another --out")
    return writer(out, model, precision, dict(about or {}))
