"""`plainnet iterations`: the original's six iterations, claimed, reproduced and done right."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.saying import say


def iterations(*, out: Path = Path("results")) -> None:
    """Train the original's six iterations, each as its text describes it and done right, and draw them.

    Takes about half an hour; what is in the folder already is not trained again.

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
