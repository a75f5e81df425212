"""Who checks the checker: put faults into right code and see what the doctor says. Writes records/kill_table.json.

Three parts: the faults of the catalogue, injected into right implementations in two forms (found? rightly named? line
right?); random right networks (false alarms); and mutants outside the catalogue, made by changing operators, constants,
axes and names in the backward passes of our own layers and of the specimens (found? and under which name?).
"""

from __future__ import annotations

import argparse
import inspect
import json
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
from plainnet.checks.code.choosing import search
from plainnet.checks.code.functions import episodes_of_function, passes_of_module
from plainnet.checks.code.loading import load
from plainnet.checks.code.looks import own_classes, passes_of
from plainnet.checks.code.objects import episodes_of_class
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.code.worker import examine_path
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
    findings = examine_text(wrong)
    said = [(finding.diagnosis, finding.line) for finding in findings if finding.verdict == "wrong"]
    remarks = [(remark.name, remark.line) for finding in findings for remark in finding.remarks]
    told = said or remarks
    named = bool(told) and all(name == fault.slug for name, _ in told)
    return {
        "fault": fault.slug,
        "form": form,
        "subject": fault.subject,
        "found": bool(told),
        "named": named,
        "remark": not said and bool(remarks),
        "line": named and told[0][1] in lines,
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
    equivalent = raising = 0
    files: list[tuple[str, str]] = [(name, source(CLASSES, name)) for name in CLASSES if name not in ("SGD", "Dropout")]
    files += [(name, source(FUNCTIONS, name)) for name in FUNCTIONS if name not in ("sgd_momentum", "dropout")]
    files += [(module.__name__, inspect.getsource(module)) for module in (dense, activations)]
    for name, text in files:
        for change, mutant in mutants_of(text):
            said = examine_text(mutant)
            findings = [finding for finding in said if finding.verdict == "wrong"]
            if not findings and any("could not be run" in f.evidence for f in said):
                raising += 1  # it gives no gradient, and is not passed either
                continue
            names = sorted({str(finding.diagnosis) for finding in findings})
            if not findings and gradients(mutant) == gradients(text):
                equivalent += 1
            else:
                rows.append({"source": name, "change": change, "found": bool(findings), "names": names})
    named = [row for row in rows if row["names"] not in ([], ["None"])]
    return {
        "mutants_that_change_a_gradient": len(rows),
        "mutants_that_change_nothing": equivalent,
        "mutants_that_raise": raising,
        "found": sum(row["found"] for row in rows),
        "not_found": [row for row in rows if not row["found"]],
        "named": named,
    }


def gradients(text: str) -> list[bytes]:
    """Return all that the backward passes of a file claim, in the settings that count, to the last bit."""
    found: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        path = Path(folder) / "specimen.py"
        path.write_text(text)
        module = load(path).module
        ways = [
            episodes_of_class(kind, module, back) for kind in own_classes(module).values() for back in passes_of(kind)
        ]
        ways += [episodes_of_function(module, back) for back in passes_of_module(module)]
        for way in ways:
            for judgment in search(way).best:
                found += [np.asarray(claim.value, float).tobytes() for claim in judgment.claims]
    return found


def share(rows: list[dict[str, Any]], key: str) -> str:
    """Return how many rows have `key`, as a count of all."""
    return f"{sum(row[key] for row in rows)} of {len(rows)}"


def catalogue() -> dict[str, Any]:
    """Examine every fault of the catalogue in every form."""
    rows = [kill("class", fault) for fault in CLASS_FAULTS] + [kill("functions", fault) for fault in FUNCTION_FAULTS]
    counts = {key: share(rows, key) for key in ("found", "named", "line")}
    return {"catalogue": counts, "faults": len({row["fault"] for row in rows}), "rows": rows}


def main() -> None:
    """Run the parts, and write each into the record as it ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=1000, help="random right networks to examine")
    parser.add_argument("--part", choices=("catalogue", "outside", "networks"), help="only this part")
    arguments = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "catalogue": catalogue,
        "networks": lambda: {"right_networks": false_alarms(arguments.networks)},
        "outside": lambda: {"outside_the_catalogue": outside()},
    }
    path = ROOT / "records" / "kill_table.json"
    for name, run in parts.items():
        if arguments.part in (None, name):
            result = run()
            write_atomically(path, to_json(json.loads(path.read_text()) | result))
            print(name, {key: value for key, value in result.items() if key != "rows"})


if __name__ == "__main__":
    main()
