"""`plainnet check`: verify numerically that backpropagation computes the right gradients."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plainnet.checks.gradients import check_gradients
from plainnet.cli.judged_data import described
from plainnet.cli.output_files import check_ending
from plainnet.cli.own_data import OwnData, load_data
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.data import mnist
from plainnet.data.dataset import DataSet
from plainnet.data.preparation import scaled
from plainnet.errors import InputError
from plainnet.evaluation import examples
from plainnet.layers import Layer
from plainnet.losses import Loss, SoftmaxCrossEntropy
from plainnet.model_file import load_model
from plainnet.network import Network
from plainnet.recipes import Recipe, override, read, recipe_for
from plainnet.runs.threads import quickest
from plainnet.sources import load_for
from plainnet.standardizing import learn_scales
from plainnet.writing import to_json, write_atomically

_IMAGES = 3
DEFAULT = "classic"


def _target(
    target: str, own: tuple[type[Layer], ...], own_data: OwnData | None, seed: int
) -> tuple[Network, Loss, DataSet | None]:
    """Return the network to check, its loss, and examples of the data it was made for (None for digits)."""
    if Path(target).suffix in (".safetensors", ".pkl"):
        model = load_model(target, layers=own)
        where, _ = described(model, own_data)
        data = None if where is None else load_for(model, where, only_test=False)
        recipe = model.about.get("recipe")
        loss = Recipe.from_table(recipe, own).loss_function() if isinstance(recipe, dict) else SoftmaxCrossEntropy()
        return model.network, loss, data
    chosen = read(target, (own_data or OwnData()).overrides(path_known=True), own_layers=own)
    data = None if chosen.data is None else load_data(chosen.data).train
    chosen = chosen if data is None else chosen.fitted(data)
    network = chosen.network(rng=seed)
    if data is not None:
        learn_scales(network, data)
    return network, chosen.loss_function(), data


def _inputs(network: Network, data: DataSet, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a few examples in float64, each mixed half and half with noise, and their targets."""
    few = data[:_IMAGES]
    if np.prod(few.inputs.shape[1:]) != np.prod(network.in_shape):
        raise InputError(
            f"the network takes inputs of shape {network.in_shape}, but the digits are 28x28; give the data that "
            "it was made for with --data"
        )
    noise = np.random.default_rng(seed).random(few.inputs.shape)
    scale = 1.0 if few.inputs.dtype == np.uint8 else max(1.0, float(np.abs(few.inputs).max()))
    targets = few.targets
    if few.kind == "classes":  # a network may know fewer classes than there are digits
        targets = targets.astype(int) % max(2, network.out_shapes[-1][0])
    return 0.5 * scaled(few.inputs, np.empty(noise.shape)) + 0.5 * scale * noise, targets


def check(
    target: str | None = None,
    /,
    *,
    own_data: OwnData | None = None,
    directions: int = 0,
    seed: int = 0,
    json: Path | None = None,
    plot: Path | None = None,
    layers: Path | None = None,
) -> int:
    """Verify every gradient numerically: exit code 0 if all are right, 1 if one is wrong.

    Each gradient is compared with a complex-step derivative, and a random sample of 200 gradients in each parameter
    with central differences. The check runs in float64, on digits or your own data mixed with noise: no input is zero,
    so no gradient is right by accident.

    Parameters
    ----------
    target
        A recipe or a model file. Default: classic, or with --data the recipe that fits the data.
    directions
        Check along this many random directions instead of every gradient; this takes only seconds.
    seed
        Seed of all random numbers: noise, sampled gradients, directions and initial weights.
    json
        Also write the report to this file.
    plot
        Plot the relative error against the step size epsilon to this PNG file.
    layers
        A Python file with your own layers, which the recipe or model uses. It is executed.
    own_data
        Your own data.
    """
    check_ending(json, ".json", "--json")
    check_ending(plot, ".png", "--plot")
    if seed < 0 or directions < 0:
        raise InputError(f"--seed and --directions must be at least 0, received {seed} and {directions}")
    own = read_layers(layers)
    options = own_data or OwnData()
    if target is None:
        described_there = override({}, options.overrides()).get("data")
        target = DEFAULT if described_there is None else recipe_for(load_data(described_there).examples)
    network, loss, data = _target(target, own, own_data, seed)
    what = "digits" if data is None else examples(data)
    images, labels = _inputs(network, data or mnist.load().train, seed)

    probe = network.astype(np.complex128)
    with quickest(lambda: probe.logits(images)):
        report = check_gradients(network, loss, images, labels, directions=directions, rng=seed)
    say(f"{target}: {report.parameters:,} parameters, {_IMAGES} {what}, float64, {report.seconds:.1f} s\n")
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
