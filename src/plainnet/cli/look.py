"""`plainnet look`: show what is in your own data before you train on them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_data import OwnData, about, load_data
from plainnet.cli.saying import say
from plainnet.recipes import override, recipe_for
from plainnet.writing import to_json, write_atomically


def look(
    data: Path,
    /,
    *,
    out: Path | None = None,
    json: Path | None = None,
    quick: Annotated[bool, Parameter(negative=())] = False,
    own_data: OwnData | None = None,
) -> None:
    """Show what is in your data: counts, classes, ranges, duplicates, imbalance, labels that are probably wrong.

    Parameters
    ----------
    data
        A file or a folder, as `plainnet train --data` takes it.
    out
        Draw the data to this PNG file.
    json
        Write the findings to this file.
    quick
        Skip the search for wrong labels, which trains three small networks.
    own_data
        Options about the data.
    """
    check_ending(out, ".png", "--out", data)
    check_ending(json, ".json", "--json", data)
    options = replace(own_data or OwnData(), data=data)
    described = override({}, options.overrides())["data"]
    splits = load_data(described)
    from plainnet.sources.overview import overview

    found = overview(splits, quick=quick)
    for line in [*about(described, splits), *found.lines()]:
        say(line)
    told = [f"--{key} {shlex.quote(str(v))}" for key, v in described.items() if key != "path" and v is not True]
    told += [f"--{key}" for key, value in described.items() if value is True]
    say(f"\nplainnet train --data {shlex.quote(str(data))} {' '.join(told)}".rstrip())
    say(f"  trains recipe {recipe_for(splits.examples)} on these data")
    if json is not None:
        write_atomically(json, to_json(found.to_table()))
    if out is not None:
        from plainnet.pictures.overview import overview_drawn
        from plainnet.pictures.style import png

        write_atomically(out, png(overview_drawn(found)))
