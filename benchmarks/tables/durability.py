"""Nothing lost: trainings spoiled, trainings killed, files mutated."""

from __future__ import annotations

from tables.source import record, table


def sabotage() -> str:
    """Return what `plainnet diagnose` says of each way to spoil a training."""
    figures = record("sabotage.json")
    rows = []
    for name in dict.fromkeys(row["sabotage"] for row in figures["rows"]):
        runs = [row for row in figures["rows"] if row["sabotage"] == name]
        first = [row["found"][0] if row["found"] else "nothing" for row in runs]
        expected = runs[0]["expected"]
        others = ", ".join(sorted({found for found in first if found != expected}))
        helps = {True: "yes", False: "no", None: "(not by the recipe)"}[runs[0]["helped"]]
        rows.append((name, f"`{expected}`", f"{first.count(expected)} of {len(runs)}", others, helps))
    head = "spoiled by | what should be found | named first | what else was named first | its suggestion helps"
    named = f"Named first: {figures['named_first']} of {figures['runs']}."
    accused = f"Healthy trainings accused of an error: {figures['accused']} of {figures['healthy']}."
    return f"{table(head, rows)}\n\n{named} {accused}"


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
