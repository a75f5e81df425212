"""`plainnet preview`: what a recipe's augmentation makes of the images."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError
from plainnet.writing import write_atomically


def preview(
    recipe: str, /, *, out: Path = Path("augmentation.png"), seed: WholeNumber = 0, data_dir: Path | None = None
) -> None:
    """Draw images as a recipe's augmentation changes them.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists, or the path of a .toml file.
    out
        The PNG file to write.
    seed
        Decides the changes.
    data_dir
        A folder with four IDX files to use instead of the embedded MNIST.
    """
    check_ending(out, ".png", "--out")
    if seed < 0:
        raise InputError(f"the seed must be at least 0, received {seed}")
    from plainnet.data import mnist
    from plainnet.pictures.augmentation_preview import augmentation_preview
    from plainnet.pictures.style import png
    from plainnet.recipes import read

    change = read(recipe).make_augmentation()
    train = mnist.load(data_dir).train
    if change is None:
        raise InputError(f"recipe {recipe} has no augmentation; mlp-augmented and cnn have one")
    write_atomically(out, png(augmentation_preview(change, train, seed)))
    say(f"wrote {out}")
