"""`plainnet evaluate`: judge a saved model on a test set."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.data import mnist
from plainnet.errors import InputError
from plainnet.model_file import load_model
from plainnet.writing import to_json, write_atomically


def evaluate(
    model: Path,
    /,
    *,
    data_dir: Path | None = None,
    shifts: WholeNumber | None = None,
    json: Path | None = None,
    layers: Path | None = None,
) -> None:
    """Measure a saved model on the test images.

    Parameters
    ----------
    model
        A model_final.safetensors file, or the name of a model that comes with plainnet: cnn.
    data_dir
        A folder with four IDX files to use instead of the embedded MNIST.
    shifts
        Average over the image moved by up to so many pixels in every direction; if left out, as its recipe does.
    json
        Write the figures to this file as well.
    layers
        A Python file with layers of your own that the model uses; it is run.
    """
    check_ending(json, ".json", "--json", model)
    from plainnet.evaluation import evaluate as judge
    from plainnet.runs.threads import quickest

    loaded = load_model(model, layers=read_layers(layers))
    loaded.expect_classes_of_pictures()
    if shifts is None:
        shifts = loaded.test_shifts
    if not 0 <= shifts <= 5:
        raise InputError(f"--shifts must be a whole number from 0 to 5, received {shifts}")
    test = mnist.load(data_dir).test
    if shifts:
        views = (2 * shifts + 1) ** 2
        say(f"each answer is a mean over {views} views of the image; with --shifts 0 it takes a {views}th of the time")
    with quickest(lambda: loaded.network.logits(test.images[:250])):
        result = judge(loaded.network, test, shifts=shifts)
    table = result.to_table()
    low, high = result.interval_95
    say(f"test accuracy  {result.accuracy:.2%}   (95 % interval {low:.2%} to {high:.2%}, {len(result.data):,} images)")
    for name, share in result.per_class.items():
        say(f"  {name:<12} {share:.2%}")
    say(f"best {table['best_digit']}, worst {table['worst_digit']}")
    if json is not None:
        write_atomically(json, to_json(table))
