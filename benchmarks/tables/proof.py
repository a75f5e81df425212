"""Proof and doctor: what the checks find, and how well their tests guard them."""

from __future__ import annotations

import ast

from plainnet.checks.code.sandboxed import describe, examine_file
from tables.source import ROOT, record, table


def famous_faults() -> str:
    """Return the page of famous faults: what each file says of itself, and what the doctor says of it."""
    parts = [
        "# Famous faults, examined\n\nWrong gradients that many people copied, rebuilt in a few words of our own, with "
        "what `plainnet doctor` says.\nMost trained well enough that nobody noticed.\n"
    ]
    for path in sorted((ROOT / "examples" / "wrong").glob("*.py")):
        title = (ast.get_docstring(ast.parse(path.read_text())) or "").replace("\n", " ")
        parts.append(f"## examples/wrong/{path.name}\n\n{title}\n")
        if "check" not in path.name:
            name = f"examples/wrong/{path.name}"
            said = "\n".join(describe(finding, name) for finding in examine_file(path))
            parts.append(f"```\n$ plainnet doctor {name}\n{said}\n```\n")
    return "\n".join(parts)


def kill_table() -> str:
    """Return what the doctor finds, and what it does not."""
    figures = record("kill_table.json")
    catalogue, outside, right = (figures[key] for key in ("catalogue", "outside_the_catalogue", "right_networks"))
    rows = [
        (f"faults of the catalogue ({figures['faults']}, in up to two forms): found", catalogue["found"]),
        ("... rightly named", catalogue["named"]),
        ("... and the line is the one that was changed", catalogue["line"]),
        (
            "mutants outside the catalogue that change a gradient and do not raise: found",
            f"{outside['found']} of {outside['mutants_that_change_a_gradient']}",
        ),
        ("false alarms among random right networks", f"{right['false_alarms']} of {right['networks']:,}"),
    ]
    return table("what | result", rows)


def public_code() -> str:
    """Return how the doctor fares on public code, for the half it was chosen by and the half it was not."""
    halves = record("public_code.json")
    keys = {
        "files": "files",
        "repositories": "repositories",
        "passes_a_person_could_judge": "backward passes that a person with the file could judge",
        "judged_rightly": "... judged rightly",
        "called_wrong_falsely": "... called wrong, falsely",
        "bugs": "wrong passes among them",
        "bugs_found": "... found",
        "bugs_called_right": "... called right",
        "files_with_a_bug_and_exit_code_0": "files with a wrong pass and exit code 0",
    }
    first, second = halves["choosing"], halves["reporting"]
    rows = [(said, _share(first, key), _share(second, key)) for key, said in keys.items()]
    return table("public code | to choose by | unseen", rows)


def _share(half: dict[str, int], key: str) -> str:
    whole = half["passes_a_person_could_judge"]
    return f"{half[key]} ({half[key] / whole:.0%})" if key == "judged_rightly" else str(half[key])


def mutation() -> str:
    """Return the score of the mutation tests."""
    figures = record("mutation.json")
    rows = []
    for name, row in figures["files"].items():
        unexplained = sum(survivor["why"] == "NOT EXPLAINED" for survivor in row["survivors"])
        sample = f"{row['mutants']} of {row['mutants'] + row['left_out']}" if row["left_out"] else row["mutants"]
        rows.append((f"`{name}`", row["commit"], sample, row["killed"], len(row["survivors"]), unexplained))
    killed, mutants = figures["killed"], figures["mutants"]
    together = f"Together {killed:,} of {mutants:,} killed, {killed / mutants:.0%}."
    return f"{table('file | measured at | mutants | killed | survive | of them unexplained', rows)}\n\n{together}"
