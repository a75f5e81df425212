"""Nothing lost: trainings spoiled, trainings killed, files mutated."""

from __future__ import annotations

from tables.source import record, table


def kill_test() -> str:
    """Return what came of killing trainings."""
    head = "training | killed | gone on with | finished | ... with the weights of an uninterrupted one"
    return table(
        head,
        (
            (name, row["killed"], row["resumed"], row["finished"], row["same_weights"])
            for name, row in record("kill_test.json")["trainings"].items()
        ),
    )


def fuzz() -> str:
    """Return how often the readers of files were fed mutated bytes."""
    rows = record("fuzz.json")["rows"]
    return table(
        "reader fuzzed | executions | crashes",
        ((row["reader"], f"{row['executions']:,}", row["crashes"]) for row in rows),
    )
