"""Who checks the checker: put faults into right code and see what the doctor says. Writes records/kill_table.json.

Three parts: the faults of the catalogue, injected into right implementations in two forms (found? rightly named? line
right?); random right networks (false alarms); and mutants outside the catalogue, made by changing operators, constants,
axes and names in the backward passes of our own layers and of the specimens (found? and under which name?).
"""

from __future__ import annotations

import argparse
import inspect
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from injections import CLASS_FAULTS, FUNCTION_FAULTS, Injection, inject
from mutants import mutants_of
from plainnet.checks.code.discovery import discover
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.code.worker import examine_path, load
from plainnet.layers import activations, dense
from plainnet.writing import to_json, write_atomically
from random_networks import random_network
from specimens import CLASSES, FUNCTIONS, source


def examine_text(text: str) -> list[CodeFinding]:
    """Return the findings on a file with this content."""
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        path = Path(folder) / "specimen.py"
        path.write_text(text)
        return examine_path(path)


def kill(form: str, fault: Injection) -> dict[str, Any]:
    """Return how one fault of the catalogue fared."""
    wrong, lines = inject(CLASSES if form == "class" else FUNCTIONS, fault)
    findings = [finding for finding in examine_text(wrong) if finding.verdict == "wrong"]
    named = bool(findings) and all(finding.diagnosis == fault.slug for finding in findings)
    return {
        "fault": fault.slug,
        "form": form,
        "subject": fault.subject,
        "found": bool(findings),
        "named": named,
        "line": named and findings[0].line in lines,
    }


def false_alarms(count: int) -> dict[str, Any]:
    """Examine random right networks."""
    alarms, undecided = [], 0
    for seed in range(count):
        findings = examine_text(random_network(random.Random(seed)))
        alarms += [{"seed": seed, "evidence": f.evidence} for f in findings if f.verdict == "wrong"]
        undecided += any(finding.verdict == "undecidable" for finding in findings)
    return {"networks": count, "false_alarms": len(alarms), "undecidable": undecided, "alarms": alarms}


def outside() -> dict[str, Any]:
    """Examine mutants that change a gradient without being made after the catalogue."""
    rows = []
    equivalent = 0
    files: list[tuple[str, str]] = [(name, source(CLASSES, name)) for name in CLASSES if name not in ("SGD", "Dropout")]
    files += [(name, source(FUNCTIONS, name)) for name in FUNCTIONS if name not in ("sgd_momentum", "dropout")]
    files += [(module.__name__, inspect.getsource(module)) for module in (dense, activations)]
    for name, text in files:
        for change, mutant in mutants_of(text):
            findings = [finding for finding in examine_text(mutant) if finding.verdict == "wrong"]
            names = sorted({str(finding.diagnosis) for finding in findings})
            if not findings and gradients(mutant) == gradients(text):
                equivalent += 1
            else:
                rows.append({"source": name, "change": change, "found": bool(findings), "names": names})
    named = [row for row in rows if row["names"] not in ([], ["None"])]
    return {
        "mutants_that_change_a_gradient": len(rows),
        "mutants_that_change_nothing": equivalent,
        "found": sum(row["found"] for row in rows),
        "not_found": [row for row in rows if not row["found"]],
        "named": named,
    }


def gradients(text: str) -> list[bytes]:
    """Return all gradients of all subjects of a file, in every setting, to the last bit."""
    found: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "specimen.py"
        path.write_text(text)
        for subject in discover(load(path)):
            for setting in subject.settings:
                session = setting.start()
                y = session.forward({name: value.copy() for name, value in setting.inputs.items()})
                dy = np.random.default_rng(0).standard_normal(np.shape(y)) if np.ndim(y) else 1.0
                found += [value.tobytes() for value in session.backward(dy).values()]
    return found


def share(rows: list[dict[str, Any]], key: str) -> str:
    """Return how many rows have `key`, as a count of all."""
    return f"{sum(row[key] for row in rows)} of {len(rows)}"


def main() -> None:
    """Run all three parts and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=1000, help="random right networks to examine")
    networks = parser.parse_args().networks
    rows = [kill("class", fault) for fault in CLASS_FAULTS] + [kill("functions", fault) for fault in FUNCTION_FAULTS]
    record: dict[str, Any] = {
        "catalogue": {key: share(rows, key) for key in ("found", "named", "line")},
        "faults": len({row["fault"] for row in rows}),
    }
    print(record)
    parts: dict[str, Callable[[], Any]] = {"outside_the_catalogue": outside}
    parts["right_networks"] = lambda: false_alarms(networks)
    for name, run in parts.items():
        record[name] = run()
        print(name, {key: value for key, value in record[name].items() if isinstance(value, int)})
    record["rows"] = rows
    write_atomically(ROOT / "records" / "kill_table.json", to_json(record))


if __name__ == "__main__":
    main()
