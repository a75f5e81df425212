"""The ladder: a comparison of all recipes, from random guessing to the ensemble, computed from the records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.metrics import mcnemar, wilson_interval
from plainnet.records.recorded_runs import runs, spread

RUNGS = (
    "chance", "softmax", "classic-summed", "classic", "minute", "mlp", "mlp-augmented", "fast99", "cnn", "ensemble",
)  # fmt: skip
_COLUMNS = "{:<15}{:>5}{:>9}{:>7}{:>17}{:>11}{:>8}{:>7}"  # 79 in all
_CLASSES = 10  # if a record does not say
_TEST_IMAGES = 10_000
_MNIST = 4000540026  # crc32 of MNIST's training images and labels, which identifies the data in records
# Test images whose labels most of five people did not confirm: Northcutt, Athalye, Mueller 2021, "Pervasive label
# errors in test sets destabilize machine learning benchmarks". They were asked about images that a model doubted.
LABEL_ERRORS = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)


def ladder(records: Path) -> list[dict[str, Any]]:
    """Return a row for each rung (recipe of the ladder) on record, from the bottom up, then for every other recipe.

    The Wilson interval is that of the mean accuracy on the test images. `halves` are the mean accuracies on the first
    and the last 5,000 test images of MNIST, and `without_label_errors` is that without the images with known label
    errors; both are None for other images. `against_below` is the two-sided p-value of McNemar's exact test between the
    runs of median accuracy of this rung and the one below, or None if that one used other images.

    Raises: `InputError` if no rung is on record.
    """
    rows: list[dict[str, Any]] = []
    others = sorted(path.name for path in records.glob("*/") if path.name not in RUNGS)
    below: set[int] = set()
    made_with_below: tuple[Any, ...] = ()
    for name in (*RUNGS[1:], *others):
        found = runs(records / name)
        if not found:
            continue
        if not rows:
            rows.append({"recipe": "chance", "runs": 0, "mean": 1 / _classes(found[0])})
        mistakes = _median_mistakes(found)
        images = found[0]["test_images"]
        made_with = (found[0]["data"], images)
        test = spread(run["test_accuracy"] for run in found)
        figures = {
            "interval_95": list(wilson_interval(round(test["mean"] * images), images)),
            "halves": _halves(found),
            "without_label_errors": _without_label_errors(found),
            "parameters": found[0]["parameters"],
            "minutes": float(np.median([run["seconds"] for run in found])) / 60,
            "against_below": None,
        }
        if made_with == made_with_below:
            figures["against_below"] = mcnemar(len(mistakes - below), len(below - mistakes))
        rows.append({"recipe": name, "runs": len(found), **test, **figures})
        below, made_with_below = mistakes, made_with
    if not rows:
        raise InputError(f"no rung of the ladder is on record in {records}; make one with: plainnet series softmax")
    return rows


def as_columns(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table of columns, for a terminal."""
    head = ("recipe", "runs", "accuracy", "sd", "95 % interval", "parameters", "minutes", "p")
    lines = [_COLUMNS.format(*head)]
    for row in rows:
        if not row["runs"]:
            lines.append(_COLUMNS.format(row["recipe"], "-", f"{row['mean']:.2%}", *5 * [""]).rstrip())
            continue
        low, high = row["interval_95"]
        deviation = "" if row["sd"] is None else f"{100 * row['sd']:.3f}"
        p = "" if row["against_below"] is None else f"{row['against_below']:.1g}"
        figures = (
            row["runs"], f"{row['mean']:.3%}", deviation, f"{100 * low:.2f} - {high:.2%}", f"{row['parameters']:,}",
            f"{row['minutes']:.1f}", p,
        )  # fmt: skip
        lines.append(_COLUMNS.format(shown(row["recipe"], 14), *figures).rstrip())
    return "\n".join([*lines, "", "p: two-sided p-value of McNemar's test against the row above"])


def as_table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| recipe | runs | test accuracy, mean | sd | least to most | 95 % interval | parameters | minutes | "
        "p, against the row above |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    below = 0.0
    for row in rows:
        if not row["runs"]:
            lines.append(f"| `{row['recipe']}` | - | {row['mean']:.2%} | | | | 0 | 0 | |")
            continue
        low, high = row["interval_95"]
        deviation = "" if row["sd"] is None else f"{100 * row['sd']:.3f}"
        p = "" if row["against_below"] is None else f"{row['against_below']:.1g}" + " (worse)" * (row["mean"] < below)
        below = row["mean"]
        lines.append(
            f"| `{row['recipe']}` | {row['runs']} | **{row['mean']:.3%}** | {deviation} | "
            f"{row['min']:.2%} to {row['max']:.2%} | {low:.2%} to {high:.2%} | "
            f"{row['parameters']:,} | {row['minutes']:.1f} | {p} |"
        )
    return "\n".join(lines)


def writers_table(rows: list[dict[str, Any]]) -> str:
    """Return the accuracy on the easier and the harder half of MNIST, and without its label errors, in Markdown."""
    lines = [
        "| recipe | first 5,000 | last 5,000 | label errors set aside | all 10,000 |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        if row.get("halves") is not None:
            figures = (*row["halves"], row["without_label_errors"], row["mean"])
            lines.append(f"| `{row['recipe']}` | {' | '.join(f'{figure:.3%}' for figure in figures)} |")
    return "\n".join(lines)


def _classes(run: dict[str, Any]) -> int:
    """Return the number of classes of a run's images."""
    return len(run["data"].get("class_counts", ())) or _CLASSES


def _median_mistakes(found: list[dict[str, Any]]) -> set[int]:
    """Return the images misclassified by the run of median accuracy (if even, the better of the middle two)."""
    ordered = sorted(found, key=lambda run: (run["test_accuracy"], run["seed"]))
    return set(ordered[len(ordered) // 2]["mistakes"])


def _tested_on_mnist(found: list[dict[str, Any]]) -> bool:
    return found[0]["data"].get("crc32") == _MNIST and found[0]["test_images"] == _TEST_IMAGES


def _halves(found: list[dict[str, Any]]) -> tuple[float, float] | None:
    """Return the mean accuracy on the first and on the last 5,000 images."""
    if not _tested_on_mnist(found):
        return None
    half = _TEST_IMAGES // 2
    wrong = np.array([np.bincount(np.array(run["mistakes"], int) // half, minlength=2) for run in found])
    first, last = (1 - wrong.mean(axis=0) / half).tolist()
    return first, last


def _without_label_errors(found: list[dict[str, Any]]) -> float | None:
    if not _tested_on_mnist(found):
        return None
    others = found[0]["test_images"] - len(LABEL_ERRORS)
    return float(np.mean([1 - len(set(run["mistakes"]) - set(LABEL_ERRORS)) / others for run in found]))
