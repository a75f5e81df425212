"""Tables about the doctor and the mutation tests: what they find, and what they miss."""

from __future__ import annotations

import ast

from plainnet.checks.code.sandboxed import describe, examine_file
from tables.source import ROOT, record, table


def famous_faults() -> str:
    """Return the page of famous faults: the docstring of each file, and the report of the doctor."""
    parts = [
        "# Famous faults, examined\n\nThis page rebuilds famous faulty programs in a few lines each. Many people "
        "copied the originals. `plainnet doctor`\nreports the wrong gradients. Only the first program has no gradients "
        "of its own, because it is a gradient check. Most of\nthe other programs trained so well that nobody noticed "
        "the fault.\n"
    ]
    for path in sorted((ROOT / "examples" / "wrong").glob("*.py")):
        title = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
        parts.append(f"## examples/wrong/{path.name}\n\n{title}\n")
        if "check" not in path.name:
            name = f"examples/wrong/{path.name}"
            said = "\n".join(describe(finding, name) for finding in examine_file(path))
            parts.append(f"```\n$ plainnet doctor {name}\n{said}\n```\n")
    return "\n".join(parts)


def kill_table() -> str:
    """Return which faults the doctor finds."""
    figures = record("kill_table.json")
    catalogue, outside, right = (figures[key] for key in ("catalogue", "outside_the_catalogue", "right_networks"))
    rows = [
        (f"mutants with one of {figures['faults']} catalogue faults: found", catalogue["found"]),
        ("... with the right name", catalogue["named"]),
        ("... with the line that was changed", catalogue["line"]),
        (
            "other mutants that change a gradient and raise no exception: found",
            f"{outside['found']} of {outside['mutants_that_change_a_gradient']}",
        ),
        ("false alarms on random networks without a fault", f"{right['false_alarms']} of {right['networks']:,}"),
    ]
    return table("what | result", rows)


def public_code() -> str:
    """Return how well the doctor judges public code, in the part used to choose rules and in the unseen part."""
    halves = record("public_code.json")
    keys = {
        "files": "files",
        "repositories": "repositories",
        "passes_a_person_could_judge": "backward passes that a person could judge from the file",
        "judged_rightly": "... judged correctly",
        "called_wrong_falsely": "... falsely called wrong",
        "bugs": "wrong backward passes among them",
        "bugs_found": "... found",
        "bugs_called_right": "... called right",
        "files_with_a_bug_and_exit_code_0": "files with a wrong backward pass but exit code 0",
    }
    first, second = halves["choosing"], halves["reporting"]
    rows = [(said, _share(first, key), _share(second, key)) for key, said in keys.items()]
    return table("public code | used to choose rules | unseen", rows)


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
    together = f"In total, {killed:,} of {mutants:,} mutants were killed ({killed / mutants:.0%})."
    head = "file | measured at | mutants | killed | survived | survived without explanation"
    return f"{table(head, rows)}\n\n{together}"
