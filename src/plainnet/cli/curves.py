"""`plainnet curves`: compare the training curves of several runs in one image."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.writing import write_atomically


def curves(*runs: Path, out: Path = Path("curves.png")) -> None:
    """Plot the training curves of several runs in one image.

    Parameters
    ----------
    runs
        Results folders, or files with losses and accuracies from any program.
    out
        The PNG file to write.
    """
    check_ending(out, ".png", "--out", *runs)
    from plainnet.checks.histories.reading import read_history
    from plainnet.pictures.curves import compared_curves
    from plainnet.pictures.style import png

    if not runs:
        raise InputError("no run was given; give the results folders of one or more runs")
    files = {str(run): run / "training_history.json" if run.is_dir() else run for run in runs}
    write_atomically(
        out, png(compared_curves({name: read_history(path).curves.to_table() for name, path in files.items()}))
    )
    say(f"wrote {out}")
