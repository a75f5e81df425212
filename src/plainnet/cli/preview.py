"""`plainnet preview`: show how a recipe's augmentation (random changes of the images) alters the images."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_data import OwnData, load_data
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError
from plainnet.writing import write_atomically


def preview(
    recipe: str, /, *, out: Path = Path("augmentation.png"), seed: WholeNumber = 0, own_data: OwnData | None = None
) -> None:
    """Draw images before and after a recipe's augmentation.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists, or the path of a .toml file.
    out
        The PNG file to write.
    seed
        Seed of the random changes.
    own_data
        Your own data.
    """
    check_ending(out, ".png", "--out")
    if seed < 0:
        raise InputError(f"the seed must be at least 0, received {seed}")
    from plainnet.pictures.augmentation_preview import augmentation_preview
    from plainnet.pictures.style import png
    from plainnet.recipes import read

    chosen = read(recipe, (own_data or OwnData()).overrides(path_known=True))
    change, train = chosen.make_augmentation(), load_data(chosen.data).train
    if change is None:
        raise InputError(f"recipe {recipe} has no augmentation; mlp-augmented, cnn and fashion have one")
    write_atomically(out, png(augmentation_preview(change, train, seed)))
    say(f"wrote {out}")
