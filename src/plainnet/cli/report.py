"""`plainnet report`: what came of trainings, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.writing import write_atomically


def report(
    results: Path,
    /,
    *more: Path,
    out: Path = Path("report.html"),
    no_model: Annotated[bool, Parameter(negative=())] = False,
    layers: Path | None = None,
) -> None:
    """Write what came of a training to one HTML file, which opens from disk and asks nothing of any server.

    It holds the figures, curves, mistakes and where all comes from; and the network itself, to draw for, if it reads
    handwriting.

    Parameters
    ----------
    results
        The folder of a finished training.
    more
        Folders of others, to be compared with it.
    out
        The file to write.
    no_model
        Leave the network out.
    layers
        A Python file with layers of your own that the trainings use; it is run.
    """
    check_ending(out, ".html", "--out", results, *more)
    from plainnet.report.gathering import gathered
    from plainnet.report.writing import page

    own = read_layers(layers)
    text = page([gathered(folder, model=not no_model, own_layers=own) for folder in (results, *more)])
    write_atomically(out, text.encode())
    say(f"{out}  {out.stat().st_size / 1e3:,.0f} kB")
