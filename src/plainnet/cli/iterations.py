"""`plainnet iterations`: repeat the six experiments behind 94.25 %, with the fault of the report and without."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.saying import say


def iterations(*, out: Path = Path("results")) -> None:
    """Repeat the six experiments of the report that claimed 94.25 %, with its fault and without, and plot the results.

    Takes about half an hour. Experiments that are already in the folder are not repeated.

    Parameters
    ----------
    out
        The folder for iterations.json and iterations_timeline.png.
    """
    from plainnet.data import mnist
    from plainnet.records.iterations import iterations as trained
    from plainnet.runs.results import check_writable

    check_writable(out)
    say(f"{'iteration':<36}{'form':<16}{'claimed':>9}{'measured':>10}")
    for row in trained(mnist.load(), out):
        claimed, measured = (
            "NaN" if value is None else f"{value:.2%}" for value in (row["claimed"], row["test_accuracy"])
        )
        say(f"{row['iteration']:<36}{row['form']:<16}{claimed:>9}{measured:>10}")
    say(f"\n{out}/ holds iterations.json and iterations_timeline.png")
