"""`plainnet check`: prove the gradients of a recipe or a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data import mnist
from plainnet.files import to_json, write_atomically
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.model_file import load_model
from plainnet.proof import Report, check_gradients
from plainnet.proof.miniature import miniature
from plainnet.recipes import read

_IMAGES = 32


def check(target: str = "classic", *, json: Path | None = None) -> int:
    """Verify every gradient numerically: exit code 0 if all are right, 1 if one is wrong.

    The whole network is checked on real digits by the complex step along random directions, and a small one of
    the same layers element by element, by the complex step and by central differences.

    Parameters
    ----------
    target
        A recipe, or a model file.
    json
        Write the report to this file as well.
    """
    is_model = Path(target).suffix in (".safetensors", ".pkl")
    network = load_model(target).network if is_model else read(target).network()
    loss = SoftmaxCrossEntropy() if is_model else read(target).loss_function()
    digits = mnist.load().train[:_IMAGES]
    whole = check_gradients(network, loss, digits.images, digits.labels)
    small = miniature(network)
    noise = np.random.default_rng(0).random((8, *small.in_shape))
    each = check_gradients(small, loss, noise, digits.labels[:8])

    print(f"{target}: {whole.parameters:,} parameters, {_IMAGES} digits, float64, {whole.seconds:.1f} s")
    print(whole.table)
    print(f"\na small network of the same layers: {each.parameters:,} parameters, {each.seconds:.1f} s")
    print(each.table)
    report = each if whole.right else whole
    print(f"\n{report.verdict}")
    if json is not None:
        write_atomically(json, to_json(_merged(whole, each)))
    return 0 if report.right else 1


def _merged(whole: Report, each: Report) -> dict[str, Any]:
    """Return both reports as one table, the small network's within that of the whole."""
    table, small = whole.to_table(), each.to_table()
    worst = max(table["max_relative_error_complex"], small["max_relative_error_complex"])
    return table | {
        "verdict": "right" if whole.right and each.right else "wrong",
        "max_relative_error_complex": worst,
        "max_relative_error_central": small["max_relative_error_central"],
        "fault": whole.fault or each.fault,
        "small_network": small,
    }
