"""Histories from public repositories: what `plainnet diagnose` says of them, beside what a person said who read them.

`python benchmarks/public_histories.py --labels labels.json --files FOLDER --half choosing|reporting --collection N`.
The labels are a list of objects, one a file: `repository`, `commit`, `path`, `sha256`, `file` (in FOLDER),
`is_history`, and the names of findings a person would give (`verdict`), may give (`acceptable`) and would never give
(`must_not`). The files themselves are not ours and stay outside; the record names them. A repository's name decides to
which half it belongs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from plainnet.diagnosis import findings, read_case
from plainnet.errors import InputError
from plainnet.writing import to_json, write_atomically

RECORD = Path(__file__).parent.parent / "records" / "public_histories.json"
SAME = {  # names of ours, and the names that a person may give to the same curves
    "softmax-twice": {"loss-floor"},
    "validation-at-chance": {"gap-of-distributions", "evaluation-broken"},
    "loss-constant": {"stuck-at-chance"},
    "stuck-at-chance": {"loss-constant"},
    "training-unstable": {"learning-rate-too-high"},
    "running-sum": {"loss-out-of-scale"},
    "loss-rises": {"diverged", "learning-rate-too-high"},
    "hardly-learning": {"learning-rate-too-low"},
    "training-harder": {"validation-better"},
    "not-finite-after-learning": {"diverged"},
    "validation-loss-not-finite": {"diverged"},
}
REMARKS = {"stopped-too-early", "too-short", "training-harder"}  # nobody needs to make them


def half_of(repository: str) -> str:
    """Return the half that a repository belongs to."""
    return "choosing" if int(hashlib.md5(repository.encode()).hexdigest(), 16) % 2 == 0 else "reporting"  # noqa: S324


def judged(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what is said of a file, and whether a person agrees."""
    row = {key: entry[key] for key in ("repository", "commit", "path", "sha256", "is_history", "verdict")}
    try:
        case = read_case(folder / entry["file"])
    except InputError:
        return row | {"read": False, "found": [], "agrees": not entry["is_history"]}
    found = findings(case)
    words = {finding.name: {finding.name} | SAME.get(finding.name, set()) for finding in found}
    said: set[str] = set().union(*words.values())
    fine = set(entry["verdict"]) | set(entry["acceptable"])
    false = [f for f in found if f.severity != "note" and not words[f.name] & fine]
    missed = [name for name in entry["verdict"] if name not in said | REMARKS]
    never = [name for name in words if name in entry["must_not"]]
    return row | {
        "read": True,
        "found": [finding.name for finding in found],
        "false_errors": [finding.name for finding in false if finding.severity == "error"],
        "false_warnings": [finding.name for finding in false if finding.severity == "warning"],
        "missed": missed,
        "agrees": entry["is_history"] and not (false or missed or never),
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of one half."""
    histories, others = [r for r in rows if r["is_history"]], [r for r in rows if not r["is_history"]]
    return {
        "files": len(rows),
        "repositories": len({row["repository"] for row in rows}),
        "histories": len(histories),
        "read": sum(row["read"] for row in histories),
        "judged_rightly": sum(row["agrees"] for row in histories),
        "false_errors": sum(len(row.get("false_errors", ())) for row in histories),
        "false_warnings": sum(len(row.get("false_warnings", ())) for row in histories),
        "verdicts": sum(len(set(row["verdict"]) - REMARKS) for row in histories),
        "missed": sum(len(row.get("missed", row["verdict"])) for row in histories),
        "no_histories": len(others),
        "refused": sum(not row["read"] for row in others),
        "entries": rows,
    }


def main() -> None:
    """Judge the files of one half, print the figures, and put them on record."""
    parser = argparse.ArgumentParser(description="Judge histories from public repositories.")
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument(
        "--half", choices=("choosing", "reporting", "all"), required=True, help="all: nothing is chosen"
    )
    parser.add_argument("--collection", required=True, help="first, second, ...: files that were collected together")
    arguments = parser.parse_args()
    labels = json.loads(arguments.labels.read_text())
    ours = [entry for entry in labels if arguments.half in ("all", half_of(entry["repository"]))]
    figures = summary([judged(entry, arguments.files) for entry in ours if (arguments.files / entry["file"]).is_file()])
    print(json.dumps({key: value for key, value in figures.items() if key != "entries"}, indent=1))
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    half = "reporting" if arguments.half == "all" else arguments.half
    halves = record.get(arguments.collection, {}) | {half: figures}
    write_atomically(RECORD, to_json(record | {arguments.collection: halves}))


if __name__ == "__main__":
    main()
