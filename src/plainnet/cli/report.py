"""`plainnet report`: write the results of trainings to one HTML page."""

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
    """Write the results of a training to one HTML file, which opens from disk and needs no server.

    It holds the figures, the curves, the mistakes and the settings they come from. If the network reads handwriting,
    the page holds it too, so that you can draw digits for it.

    Parameters
    ----------
    results
        The folder of a finished training.
    more
        Folders of other trainings to compare with it.
    out
        The file to write.
    no_model
        Leave out the network.
    layers
        A Python file with your own layers, which the trainings use. It is executed.
    """
    check_ending(out, ".html", "--out", results, *more)
    from plainnet.report.gathering import gathered
    from plainnet.report.writing import page

    own = read_layers(layers)
    text = page([gathered(folder, model=not no_model, own_layers=own) for folder in (results, *more)])
    write_atomically(out, text.encode())
    say(f"{out}  {out.stat().st_size / 1e3:,.0f} kB")
