"""Try the doctor on public code: judge a folder of fetched files by the verdicts that a person reached on them.

The files are not part of the repository. `--labels` is a table of them: repository, commit, path, SHA-256 and, for
every backward pass, its name, its form and a person's verdict: right, convention (right up to a convention), wrong, or
cannot tell. `--files` is a folder with one folder for each repository, owner__name. Half of the files were there to
choose by (`choosing`), the other half was examined at the end (`reporting`). Writes records/public_code.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from plainnet.doctor import Examination, examination
from plainnet.errors import InputError
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "records" / "public_code.json"
WANTED = {"right": "right", "convention": "right", "wrong": "wrong", "cannot tell": "undecidable"}


def examined(path: Path) -> Examination:
    """Examine one file; one that cannot be examined says why."""
    try:
        return examination(path, timeout=90)
    except InputError as error:
        return Examination(path, error=str(error))


def said(found: Examination, name: str, form: str) -> str:
    """Return what the doctor says of a backward pass, by its name: right, wrong, undecidable, or absent."""
    findings, name = found.findings, name.partition("(")[0].strip()  # without (deriv=True)
    first, last = (name.split(".")[i] for i in (0, -1))
    if name.startswith("script"):
        fitting = [f for f in findings if f["name"].startswith(("loop", "lines"))]
    else:
        fitting = [f for f in findings if f["name"] == name]
        if not fitting and ("autograd" not in form or "." not in name):
            fitting = (
                [f for f in findings if f["name"] == first]
                or [f for f in findings if f["name"].split(".")[-1] == last]
                or [f for f in findings if f["name"].split(".")[0] == first]
            )
    verdicts = {f["verdict"] for f in fitting}
    return (
        "absent"
        if not verdicts
        else "wrong"
        if "wrong" in verdicts
        else "right"
        if verdicts == {"right"}
        else "undecidable"
    )


def judged(entry: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """Return an entry with what the doctor says; None if the file is not there, or is another one."""
    path = folder / entry["repository"].replace("/", "__") / entry["path"]
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
        return None
    found = examined(path)
    passes = [
        {
            "name": p["name"],
            "line": p["line"],
            "form": p["form"],
            "person": p["verdict"],
            "doctor": said(found, p["name"], p["form"]),
        }
        for p in entry["passes"]
    ]
    kept = {key: entry[key] for key in ("repository", "commit", "path", "sha256")}
    return kept | {"exit_code": found.code, "passes": passes}


def summary(files: list[dict[str, Any]]) -> dict[str, Any]:
    """Count what agrees."""
    pairs = Counter((WANTED[p["person"]], p["doctor"]) for file in files for p in file["passes"])
    able = sum(count for (person, _), count in pairs.items() if person != "undecidable")
    right = sum(count for (person, doctor), count in pairs.items() if person == doctor != "undecidable")
    passed = sum(file["exit_code"] == 0 and any(p["person"] == "wrong" for p in file["passes"]) for file in files)
    return {
        "files": len(files),
        "repositories": len({file["repository"] for file in files}),
        "passes_a_person_could_judge": able,
        "judged_rightly": right,
        "share": round(right / max(able, 1), 4),
        "called_wrong_falsely": pairs["right", "wrong"],
        "bugs": sum(count for (person, _), count in pairs.items() if person == "wrong"),
        "bugs_found": pairs["wrong", "wrong"],
        "bugs_called_right": pairs["wrong", "right"],
        "files_with_a_bug_and_exit_code_0": passed,
    }


def main() -> None:
    """Judge one half and write it to the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, required=True, help="the table of files and verdicts")
    parser.add_argument("--files", type=Path, required=True, help="the folder with the files")
    parser.add_argument("--half", choices=("choosing", "reporting"), required=True)
    arguments = parser.parse_args()
    entries = json.loads(arguments.labels.read_text())
    with ThreadPoolExecutor(2) as threads:
        files = [one for one in threads.map(lambda entry: judged(entry, arguments.files), entries) if one is not None]
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    record[arguments.half] = summary(files) | {"entries": files}
    write_atomically(RECORD, to_json(record))
    print(json.dumps(summary(files), indent=2))


if __name__ == "__main__":
    main()
