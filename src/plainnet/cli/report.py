"""`plainnet report`: write the results of training runs to one HTML page."""

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
    """Write the results of a training run to one HTML file, which opens from disk and needs no server.

    It holds the metrics, the curves, the mistakes and the settings they come from. If the network reads handwriting,
    the page contains it too, so that you can draw digits and see its answers.

    Parameters
    ----------
    results
        The folder of a finished training run.
    more
        Folders of other runs to compare with it.
    out
        The file to write.
    no_model
        Leave out the network.
    layers
        A Python file with your own layers, which the runs use. It is executed.
    """
    check_ending(out, ".html", "--out", results, *more)
    from plainnet.report.gathering import gathered
    from plainnet.report.writing import page

    own = read_layers(layers)
    text = page([gathered(folder, model=not no_model, own_layers=own) for folder in (results, *more)])
    write_atomically(out, text.encode())
    say(f"{out}  {out.stat().st_size / 1e3:,.0f} kB")
