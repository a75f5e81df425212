"""`plainnet series`: a recipe with several seeds, one record a run."""

from __future__ import annotations

from pathlib import Path

from plainnet.errors import InputError


def series(recipe: str, /, *, seeds: str = "0:3", out: Path = Path("records"), threads: int | None = None) -> None:
    """Train a recipe with several seeds and keep a record of each; finished seeds are not trained again.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists.
    seeds
        FIRST:END, the end not included: 0:3 means 0, 1 and 2.
    out
        The folder for the records; this recipe's go to a folder of its name in it.
    threads
        Threads for matrix products; all cores if left out.
    """
    from plainnet.application.records import record_run, summarize
    from plainnet.cli.threads import blas_threads
    from plainnet.data import mnist
    from plainnet.recipes import read

    chosen = read(recipe)
    first, _, end = seeds.partition(":")
    if not (first.isdecimal() and end.isdecimal() and int(first) < int(end)):
        raise InputError(f"--seeds must be FIRST:END such as 0:3, received {seeds!r}")
    data = mnist.load()
    with blas_threads(threads, chosen.workers):
        for seed in range(int(first), int(end)):
            table = record_run(chosen, data, seed, out)
            print(f"{chosen.name} seed {seed}: test {table['test_accuracy']:.2%}", flush=True)
    summary = summarize(chosen.name, out)
    print(f"{summary['runs']} runs: mean {summary['test_accuracy']['mean']:.3%}")
