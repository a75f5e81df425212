"""The tables of docs/diagnose.md: runs with an injected fault, histories of other programs and of repositories."""

from __future__ import annotations

from typing import Any

from tables.source import record, table


def sabotage() -> str:
    """Return the findings of `plainnet diagnose` for each cause, in the half that was not used to choose thresholds."""
    figures = record("sabotage.json")
    reported = [row for row in figures["rows"] if row["half"] == "report" and row["cause"]]
    rows = []
    for cause in dict.fromkeys(row["cause"] for row in reported):
        runs = [row for row in reported if row["cause"] == cause]
        first = [row for row in runs if is_first(row)]
        others = sorted({row["found"][0] if row["found"] else "nothing" for row in runs} - {cause})
        named = sum(cause in row["named"] for row in runs)
        by_curves = sum(cause in row["alone"].get("all", {"named": []})["named"] for row in runs)
        tried = [row["helped"] for row in runs if row["helped"] is not None]
        helps = f"{sum(tried)} of {len(tried)}" if tried else ""
        rows.append((f"`{cause}`", len(runs), len(first), named, ", ".join(others), by_curves, helps))
    head = (
        "cause | runs | named first | named at all | what else was named first | named from the history alone | "
        "its suggestion helps"
    )
    return f"{table(head, rows)}\n\n{_sums(figures['halves'])}"


def is_first(row: dict[str, Any]) -> bool:
    """Return whether the first cause that the diagnosis names is the true one."""
    return row["cause"] in (row["first"], row["found"][0] if row["found"] else None)


def _sums(halves: dict[str, Any]) -> str:
    keys = {
        "spoiled": "runs with an injected fault",
        "named_first": "... with the cause named first",
        "named": "... with the cause named at all",
        "alone_named": "... with the cause named, from the history alone",
        "healthy": "healthy runs",
        "false_errors": "... with a false error",
        "false_warnings": "... with a false warning",
        "verified": "suggestions about the recipe that `--verify` tried",
        "helped": "... that helped",
    }
    rows = [(said, halves["choose"][key], halves["report"][key]) for key, said in keys.items()]
    cuts = halves["report"]["false_errors_alone"]
    for cut, count in cuts.items():
        when = "complete" if cut == "all" else f"cut after {cut} epochs"
        said = f"healthy runs, judged by the history alone, {when}: false errors"
        rows.append((said, halves["choose"]["false_errors_alone"][cut], count))
    return table(" | half used to choose thresholds | unseen half", rows)


def programs() -> str:
    """Return which programs' histories can be read, in files that these programs wrote."""
    answers = {True: "yes", False: "no", None: "not tried"}
    rows = [
        (row["form"].replace("a line an epoch", "one line per epoch"), row.get("version", ""), answers[row["read"]])
        for row in record("histories_written.json")["rows"]
    ]
    return table("written by | version | every figure read correctly", rows)


def long_histories() -> str:
    """Return how long it takes to read a history of a million steps."""
    forms = record("long_histories.json")["forms"]
    rows = [(name, f"{one['seconds']:.1f} s", f"{one['mb']:.0f} MB") for name, one in forms.items()]
    return table("a million steps, as | time | memory", rows)


def public() -> str:
    """Return how well histories from public repositories are judged."""
    said_of = {"choosing": "used to choose", "reporting": "unseen"}
    halves = {
        f"{collection}, {said_of[half]}": figures
        for collection, parts in record("public_histories.json").items()
        for half, figures in sorted(parts.items())
    }
    keys = {
        "files": "files",
        "repositories": "repositories",
        "histories": "histories among these files",
        "read": "... read",
        "judged_rightly": "... judged in the same way as by a person",
        "false_errors": "false errors",
        "false_warnings": "false warnings",
        "verdicts": "problems that a person saw",
        "missed": "... missed",
        "no_histories": "files that look like histories but are not",
        "refused": "... rejected",
    }
    rows = [(said, *(figures[key] for figures in halves.values())) for key, said in keys.items()]
    return table(" | ".join(["public histories", *halves]), rows)
