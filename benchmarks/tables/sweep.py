"""The table of the cost of a sweep."""

from __future__ import annotations

from tables.source import record, table


def sweep() -> str:
    """Return what `benchmarks/sweep.py` measured."""
    found = record("sweep.json")
    what = f"{found['trainings']} runs of `minute` on {found['images']:,} images, two at a time"
    rows = [
        (f"{what}: runs per hour in a sweep / in two processes started by hand", f"{found['throughput']:.3f}"),
        ("peak memory of all processes in a sweep / started by hand", f"{found['memory']:.2f}"),
    ]
    return table("what | ratio, median of rounds", rows)
