"""`plainnet convert`: data from one form to another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plainnet.cli.own_data import OwnData, about, load_data
from plainnet.cli.saying import say
from plainnet.recipes import override


def convert(data: Path, /, *, to: str, out: Path, own_data: OwnData | None = None) -> None:
    """Write data in another form, split in parts for training, validation and test.

    Parameters
    ----------
    data
        A file or a folder, as `plainnet train --data` takes it.
    to
        The form: idx, npz, folder (of pictures) or csv.
    out
        The folder to write to, or a file for npz.
    own_data
        What to know about the data.
    """
    from plainnet.sources.writers import convert as write

    described = override({}, replace(own_data or OwnData(), data=data).overrides())["data"]
    splits = load_data(described)
    for line in about(described, splits):
        say(line)
    names = write(splits, to, out)
    say(f"{out} holds {', '.join(names)}")
