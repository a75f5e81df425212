"""`plainnet export`: write a model in a format that other programs read."""

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
    """Export a saved model to ONNX, PyTorch, plain NumPy or JavaScript.

    The exported files take the same inputs as the model, bytes of images or columns of a table, and return
    probabilities.

    Parameters
    ----------
    model
        A model_final.safetensors file, a results folder, or the name of a model that comes with plainnet: cnn.
    to
        The format: onnx, torch, numpy or js.
    out
        The file to write: .onnx, .js, or .py with the weights in a second file beside it.
    precision
        How weights are stored: float32, float16, or for ONNX also int8.
        The loss of accuracy is measured on the test part of the data, and noted in the file.
    own_data
        Your own data, to measure the loss of accuracy on.
    layers
        A Python file with your own layers, which the model uses. It is executed.
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
    """Measure the accuracy with a precision on the test part of the data, print it and return it."""
    from plainnet.cli.judged_data import test_part
    from plainnet.export.precision import cost

    try:
        about = cost(loaded, precision, test_part(loaded, own_data))
    except InputError as error:
        say(f"the accuracy with {precision} is not measured: {error}")
        return {"measured": "nothing"}
    say(
        f"{about['measured']} on {int(about['examples']):,} test examples: {float(about['float32']):.2%} with float32, "
        f"{float(about[precision]):.2%} with {precision}"
    )
    return about
