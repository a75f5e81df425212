"""The table of what a sweep costs."""

from __future__ import annotations

from tables.source import record, table


def sweep() -> str:
    """Return what `benchmarks/sweep.py` measured."""
    found = record("sweep.json")
    what = f"{found['trainings']} trainings of `minute` on {found['images']:,} images, two at a time"
    rows = [
        (f"{what}: trainings an hour, by a sweep / by two processes started by hand", f"{found['throughput']:.3f}"),
        ("memory of all processes at most, by a sweep / by hand", f"{found['memory']:.2f}"),
    ]
    return table("what | ratio, median of rounds", rows)
