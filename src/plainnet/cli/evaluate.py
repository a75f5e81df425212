"""`plainnet evaluate`: judge a saved model on a test set."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.outputs import named
from plainnet.data import mnist
from plainnet.files import to_json, write_atomically
from plainnet.model_file import load_model


def evaluate(model: Path, *, data_dir: Path | None = None, json: Path | None = None) -> None:
    """Measure a saved model on the test images.

    Parameters
    ----------
    model
        A model_final.safetensors file.
    data_dir
        A folder with four IDX files to use instead of the embedded MNIST.
    json
        Write the figures to this file as well.
    """
    named(json, ".json", "--json")
    from plainnet.application.evaluation import evaluate as judge

    network = load_model(model).network
    result = judge(network, mnist.load(data_dir).test)
    table = result.to_table()
    low, high = result.interval_95
    print(
        f"test accuracy  {result.accuracy:.2%}   (95 % interval {low:.2%} to {high:.2%}, {len(result.data):,} images)"
    )
    for name, share in result.per_class.items():
        print(f"  {name:<12} {share:.2%}")
    print(f"best {table['best_digit']}, worst {table['worst_digit']}")
    if json is not None:
        write_atomically(json, to_json(table))
