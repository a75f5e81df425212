"""`plainnet check`: prove the gradients of a recipe or a model."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from plainnet.checks.gradients import check_gradients
from plainnet.cli.output_files import check_ending
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.data import mnist
from plainnet.data.preparation import scaled
from plainnet.errors import InputError
from plainnet.losses import Loss, SoftmaxCrossEntropy
from plainnet.model_file import load_model
from plainnet.network import Network
from plainnet.recipes import read
from plainnet.writing import to_json, write_atomically

_IMAGES = 3


def _quickest_threads(network: Network, images: np.ndarray) -> AbstractContextManager[None]:
    """Return what lets the products of a check use the quickest number of threads; nothing where NumPy is alone."""
    try:
        from plainnet.runs.threads import quickest
    except ImportError:
        return nullcontext()
    probe = network.astype(np.complex128)
    return quickest(lambda: probe.logits(images))


def check(
    target: str = "classic",
    /,
    *,
    directions: int = 0,
    seed: int = 0,
    json: Path | None = None,
    plot: Path | None = None,
    layers: Path | None = None,
) -> int:
    """Verify every gradient numerically: exit code 0 if all are right, 1 if one is wrong.

    Each gradient is compared with the complex step, and a random sample of 200 a parameter with central differences,
    in float64, on real digits with noise laid over them so that no pixel is zero and no gradient trivially right.

    Parameters
    ----------
    target
        A recipe, or a model file.
    directions
        Look along this many random directions instead of at each gradient: a quick answer, in seconds.
    seed
        Decides the noise, the sample, the directions, and the first weights of a recipe.
    json
        Write the report to this file as well.
    plot
        Draw the relative error against epsilon to this PNG file.
    layers
        A Python file with layers of your own that the target uses; it is run.
    """
    check_ending(json, ".json", "--json")
    check_ending(plot, ".png", "--plot")
    if seed < 0 or directions < 0:
        raise InputError(f"--seed and --directions must be at least 0, received {seed} and {directions}")
    own = read_layers(layers)
    loss: Loss = SoftmaxCrossEntropy()
    if Path(target).suffix in (".safetensors", ".pkl"):
        network = load_model(target, layers=own).network
    else:
        recipe = read(target, own_layers=own)
        network, loss = recipe.network(rng=seed), recipe.loss_function()
    digits = mnist.load().train[:_IMAGES]
    labels = (
        digits.labels.astype(int) % network.out_shapes[-1][0]
    )  # a network may know fewer classes than there are digits
    noise = np.random.default_rng(seed).random(digits.images.shape)
    images = 0.5 * scaled(digits.images, np.empty(noise.shape)) + 0.5 * noise

    with _quickest_threads(network, images):
        report = check_gradients(network, loss, images, labels, directions=directions, rng=seed)
    say(f"{target}: {report.parameters:,} parameters, {_IMAGES} digits, float64, {report.seconds:.1f} s\n")
    say(report)
    if json is not None:
        write_atomically(json, to_json(report.to_table()))
    if plot is not None:
        from plainnet.checks.gradients.central import TOLERANCE
        from plainnet.checks.gradients.derivatives import EPSILON
        from plainnet.checks.gradients.step_errors import step_errors
        from plainnet.pictures.step_errors import step_errors as draw
        from plainnet.pictures.style import png

        errors = step_errors(network, loss, images, labels)
        write_atomically(plot, png(draw(*errors, tolerance=TOLERANCE, epsilon=EPSILON)))
    return 0 if report.right else 1
