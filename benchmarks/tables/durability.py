"""Durability: training runs that were killed, and readers that were given mutated files."""

from __future__ import annotations

from tables.source import record, table

_RUNS = {  # name in the record: name in the table
    "classic": "a short run of `classic`",
    "everything": "a short run of a recipe that uses many features",
}


def kill_test() -> str:
    """Return how many killed runs were resumed and finished with the same weights."""
    head = "run | times killed | times resumed | runs that finished | ... with identical weights"
    return table(
        head,
        (
            (_RUNS.get(name, name), row["killed"], row["resumed"], row["finished"], row["same_weights"])
            for name, row in record("kill_test.json")["trainings"].items()
        ),
    )


def fuzz() -> str:
    """Return how often each reader of files was given mutated bytes, and how often it crashed."""
    rows = record("fuzz.json")["rows"]
    return table(
        "reader | executions | crashes",
        ((row["reader"], f"{row['executions']:,}", row["crashes"]) for row in rows),
    )
