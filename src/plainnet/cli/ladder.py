"""`plainnet ladder`: compare the recipes on record, from softmax regression to an ensemble."""

from __future__ import annotations

import sys
from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.writing import to_json, write_atomically


def ladder(*, records: Path = Path("records"), json: Path | None = None, plot: Path | None = None) -> None:
    """Print the accuracy, spread, size and training time of every recipe on record.

    Parameters
    ----------
    records
        The folder with the records.
    json
        Also write the results to this file.
    plot
        Plot the accuracy against the minutes of training to this PNG file.
    """
    check_ending(json, ".json", "--json")
    check_ending(plot, ".png", "--plot")
    from plainnet.pictures.ladder import ladder as draw
    from plainnet.pictures.style import png
    from plainnet.records.ladder import as_columns, as_table
    from plainnet.records.ladder import ladder as rungs

    rows = rungs(records)
    say(as_columns(rows) if sys.stdout.isatty() else as_table(rows))
    if json is not None:
        write_atomically(json, to_json({"rows": rows}))
    if plot is not None:
        write_atomically(plot, png(draw(rows)))
