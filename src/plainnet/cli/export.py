"""`plainnet export`: a model for other programs."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.own_data import OwnData
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.model import Model
from plainnet.model_file import load_model


def export(
    model: Path,
    /,
    *,
    to: str,
    out: Path,
    precision: str = "float32",
    own_data: OwnData | None = None,
    layers: Path | None = None,
) -> None:
    """Write a saved model for other programs: ONNX, PyTorch, NumPy alone or JavaScript.

    The files answer as the model does: they take what it takes, bytes of images or the columns of a table, and give
    probabilities.

    Parameters
    ----------
    model
        A model_final.safetensors file, a results folder, or the name of a model that comes with plainnet: cnn.
    to
        The form: onnx, torch, numpy or js.
    out
        The file to write: .onnx, .js, or .py, beside which the weights are written.
    precision
        How weights are stored: float32, float16, or, for ONNX, int8. What fewer bits cost is measured on the test part
        of the data, and said in the file.
    own_data
        Data of your own to measure that on.
    layers
        A Python file with layers of your own that the model uses; it is run.
    """
    from plainnet.export.forms import export as write
    from plainnet.export.precision import check

    loaded = load_model(model, layers=read_layers(layers))
    check(precision, to)
    about: dict[str, str] = {}
    if precision != "float32":
        about = _measured(loaded, precision, own_data)
    for path in write(loaded, to, out, precision, about):
        say(f"{path}  {path.stat().st_size / 1e3:,.0f} kB")


def _measured(loaded: Model, precision: str, own_data: OwnData | None) -> dict[str, str]:
    """Return what a precision costs on the test part of the data, and say it."""
    from plainnet.cli.judged_data import test_part
    from plainnet.export.precision import cost

    try:
        about = cost(loaded, precision, test_part(loaded, own_data))
    except InputError as error:
        say(f"what {precision} costs is not measured: {error}")
        return {"measured": "nothing"}
    say(
        f"{about['measured']} on {int(about['examples']):,} test examples: {float(about['float32']):.2%} with float32, "
        f"{float(about[precision]):.2%} with {precision}"
    )
    return about
