"""Spoil trainings in every known way, and see whether `plainnet diagnose` names the cause.

`python benchmarks/sabotage.py [--keep FOLDER] [--half HALF] [--only CAUSE] [--verify] [--record FILE]`.
Each cause of `spoiling/causes.py` is put at three strengths into four kinds of network; trainings of
`spoiling/healthy.py` must give no error. Each is judged with all it left behind, and by its history alone, in the forms
of `spoiling/forms.py`, whole and cut after 3, 5 and 10 epochs. Half of the trainings are there to choose thresholds by,
the other half is reported. Trainings that are in FOLDER already are judged without training anew. `--shares SEEDS`
trains the first half with further seeds and writes which causes make the same curves into the package.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.histories.reading import read_history
from plainnet.checks.trainings.causes import SHARES, TELLING
from plainnet.diagnosis import Case, TrainingFinding, findings, read_case, verify
from plainnet.runs.environment import hardware, versions
from plainnet.writing import to_json, write_atomically
from spoiling.causes import CAUSES
from spoiling.change import Subject
from spoiling.forms import FORMS
from spoiling.healthy import healthy
from spoiling.subjects import KINDS

HALVES = ("choose", "report")
DRAW = 2  # of the half that is reported: after it has been looked at, it is drawn anew, with other data and seeds
CUTS = (3, 5, 10, None)


class Row(NamedTuple):
    """One training of the matrix."""

    cause: str  # empty for a healthy one
    strength: int
    subject: Subject
    half: str

    @property
    def name(self) -> str:
        """The name of its folder."""
        drawn = f"-{DRAW}" if self.half == "report" else ""
        return f"{self.cause or 'healthy'}-{self.strength}-{self.subject.kind}-{self.subject.data}{drawn}"


def rows(healthy_ones: int) -> Iterator[Row]:
    """Yield every training of the matrix, and the healthy ones."""
    for number, (name, cause) in enumerate(CAUSES.items()):
        rng = np.random.default_rng(number)  # each cause with every data set and in both halves alike
        data, half = rng.permutation(np.resize(cause.data, 12)), rng.permutation(np.repeat(HALVES, 6))
        again = np.random.default_rng((number, DRAW)).permutation(np.resize(cause.data, 12))
        for place, (strength, kind) in enumerate(product(range(3), KINDS)):
            if kind in cause.kinds:
                new = half[place] == "report"
                seed = 100 * number + place + new * DRAW * 1_000_000
                subject = Subject(kind, str((again if new else data)[place]), cause.changes[strength], seed)
                yield Row(name, strength, subject, str(half[place]))
    for number, subject in enumerate(healthy(healthy_ones, DRAW * 1_000_000)):
        yield Row("", number, subject, HALVES[number // 16 % 2])


def case_of(row: Row, keep: Path) -> Case:
    """Return what is known of a training, which is made if it is not there yet."""
    folder = keep / row.name
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        row.subject.train(folder)
        (folder / "done").touch()
    case = read_case(folder)
    vars(case)["data"] = row.subject.splits()
    return case


def history_of(case: Case, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of its history."""
    path = folder / "training_history.json"
    if path.exists():
        table: list[dict[str, Any]] = json.loads(path.read_text())
        return table
    curves = {
        name: getattr(case.curves, name)
        for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    }
    epochs = case.curves.epochs
    figures = [{name: curve[epoch] for name, curve in curves.items()} for epoch in range(epochs)]
    return figures + [dict.fromkeys(curves, float("nan"))] * bool(case.diverged)  # as a program without a check goes on


def said(found: list[TrainingFinding]) -> dict[str, Any]:
    """Return what was said, as a record keeps it: the first cause, all that are named, and how bad each finding is."""
    first = found[0].causes[0].name if found and found[0].causes else found[0].name if found else None
    named = [name for finding in found for name in (finding.name, *(cause.name for cause in finding.causes))]
    return {
        "found": [finding.name for finding in found],
        "severities": [finding.severity for finding in found],
        "first": first,
        "named": list(dict.fromkeys(named)),
    }


def alone(history: list[dict[str, Any]], turn: int, place: Path) -> dict[str, Any]:
    """Return what is said of a history alone, cut after so many epochs, each time in another form."""
    told: dict[str, Any] = {}
    for number, cut in enumerate(CUTS):
        form = list(FORMS)[(turn + number) % len(FORMS)]
        if history:
            (place / form).write_text(FORMS[form](history[:cut]))
            read = read_history(place / form)
            told[str(cut or "all")] = {"form": form, **said(findings(Case(read.curves, history=read)))}
            if cut is not None:  # of which the record keeps less
                del told[str(cut)]["named"], told[str(cut)]["first"]
    return told


def judged(row: Row, keep: Path, turn: int, *, tried: bool) -> dict[str, Any]:
    """Return what is said of a training."""
    case = case_of(row, keep)
    found = findings(case)
    result = verify(case, found[0]) if tried and row.cause and found else None
    return {
        "cause": row.cause, "strength": row.strength, "kind": row.subject.kind, "data": row.subject.data,
        "half": row.half, **said(found), "helped": result and result["helped"],
        "alone": alone(history_of(case, keep / row.name), turn, keep / row.name),
    }  # fmt: skip


def summary(table: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of the rows of one half."""
    spoiled = [r for r in table if r["cause"]]
    well = [r for r in table if not r["cause"] and r["learned"]]  # a recipe that was drawn may not suit its data
    shown = [r for r in spoiled if r["alone"]]
    cut = {str(c or "all"): [r["alone"][str(c or "all")] for r in well] for c in CUTS}
    verified = [r["helped"] for r in spoiled if r["helped"] is not None]
    return {
        "spoiled": len(spoiled),
        "named_first": sum(r["cause"] in (r["first"], r["found"][0] if r["found"] else None) for r in spoiled),
        "named": sum(r["cause"] in r["named"] for r in spoiled),
        "healthy": len(well),
        "false_errors": sum("error" in r["severities"] for r in well),
        "false_warnings": sum("warning" in r["severities"] for r in well),
        "alone_named": sum(r["cause"] in r["alone"]["all"]["named"] for r in shown),
        "alone": len(shown),
        "false_errors_alone": {name: sum("error" in one["severities"] for one in told) for name, told in cut.items()},
        "false_warnings_alone": {
            name: sum("warning" in one["severities"] for one in told) for name, told in cut.items()
        },
        "verified": len(verified),
        "helped": sum(verified),
    }


def counts(rows_: list[Row], rounds: int) -> dict[str, dict[str, int]]:
    """Return, by finding, how often each cause gives it where the history is all there is, over so many seeds."""
    found: dict[str, Counter[str]] = {}
    for row, turn in product(rows_, range(1, rounds + 1)):
        if row.cause not in TELLING:
            continue
        subject = replace(row.subject, seed=row.subject.seed + 10_000 * turn)
        with tempfile.TemporaryDirectory() as place:
            subject.train(Path(place))
            history = history_of(read_case(Path(place)), Path(place))
            told = alone(history, turn, Path(place)).get("all")
        if told and told["found"]:
            found.setdefault(told["found"][0], Counter())[row.cause] += 1
            print(row.name, turn, told["found"], flush=True)
    return {name: dict(causes.most_common()) for name, causes in sorted(found.items()) if set(causes) != {name}}


def main() -> None:
    """Make the matrix, print it, and fail if too few causes are named or a healthy training is accused."""
    parser = argparse.ArgumentParser(description="Spoil trainings and see whether the cause is named.")
    parser.add_argument("--healthy", type=int, default=224)
    parser.add_argument("--only")
    parser.add_argument("--half", choices=HALVES)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--part", type=int, choices=(0, 1), help="every second training only, for two processes")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument(
        "--shares", type=int, metavar="SEEDS", help="write which causes make the same curves, and do no more"
    )
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    if arguments.shares:
        chosen = [row for row in rows(0) if row.half == "choose"]
        write_atomically(SHARES, to_json(counts(chosen, arguments.shares)))
        return
    table: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        keep = arguments.keep or Path(place)
        chosen = [row for row in rows(arguments.healthy) if arguments.half in (None, row.half)]
        for turn, row in enumerate(chosen):
            if arguments.part in (None, turn % 2) and arguments.only in (None, row.cause):
                told = judged(row, keep, turn, tried=arguments.verify)
                table.append(told | {"learned": ends_well(keep / row.name)})
                print(json.dumps(table[-1]), flush=True)
    halves = {half: summary([row for row in table if row["half"] == half]) for half in HALVES}
    print(json.dumps(halves, indent=1))
    if arguments.record:
        record = {"halves": halves, "rows": table, "hardware": hardware(), "versions": versions()}
        write_atomically(arguments.record, to_json(record))
    figures = halves["report"]
    sys.exit(figures["named_first"] < 0.9 * figures["spoiled"] or figures["false_errors"] > 0)


def ends_well(folder: Path) -> bool:
    """Tell whether a training ended far above chance."""
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text()) if path.exists() else {}
    return bool(metrics) and metrics["validation_accuracy"] > 3 / len(metrics["data"]["class_counts"])


if __name__ == "__main__":
    main()
