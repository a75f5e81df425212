"""The ladder, the six iterations, and the ablations: the effect of each choice of a recipe on the accuracy."""

from __future__ import annotations

from typing import Any

from plainnet.recipes import available, read
from plainnet.records.iterations import DESCRIBED, ITERATIONS, RIGHT
from plainnet.records.ladder import as_table
from plainnet.records.ladder import ladder as rungs
from tables.source import ROOT, record, table

_CHANGES = {  # name in the record: name in the table
    "as it is": "nothing changed",
    "the same learning rate throughout": "constant learning rate",
    "beta1 0.9, beta2 0.999, as usual": "beta1 0.9, beta2 0.999 (usual)",
    "noise of 0.3 instead of it": "noise of 0.3 instead of dropout",
    "dropout of a fifth of the pixels": "dropout of 0.2 on the pixels",
    "no dropout of pixels": "no dropout on the pixels",
}


def ladder() -> str:
    """Return the ladder."""
    return as_table(rungs(ROOT / "records"))


def fashion() -> str:
    """Return the ladder of Fashion-MNIST."""
    return as_table(rungs(ROOT / "records" / "fashion"))


def short_ladder() -> str:
    """Return the ladder with fewer columns."""
    rows = []
    for row in rungs(ROOT / "records"):
        if row["runs"]:
            name, sd = row["recipe"], "" if row["sd"] is None else f" (sd {100 * row['sd']:.2f})"
            what = read(name).title if name in available() else "several trained networks that answer together"
            rows.append((f"`{name}`", what, row["runs"], f"**{row['mean']:.2%}**{sd}", f"{row['minutes']:.1f}"))
    return table(
        "recipe | description | runs | test accuracy | minutes per run, median (ensemble: sum of its members)", rows
    )


def anatomy() -> str:
    """Return the tables of the six iterations of the report."""
    rows = {(row["iteration"], row["form"]): row for row in record("iterations/iterations.json")["rows"]}
    six = []
    for number, (iteration, *_) in enumerate(ITERATIONS, start=1):
        summed, mean = rows[iteration, DESCRIBED], rows[iteration, RIGHT]
        claimed, reproduced = (
            "NaN" if figure is None else f"{figure:.2%}" for figure in (mean["claimed"], summed["test_accuracy"])
        )
        largest = f"{summed['largest_gradient']:.1f}" if "largest_gradient" in summed else ""
        right = f"{mean['test_accuracy']:.2%}"
        six.append((f"{number}. {iteration}", claimed, reproduced, right, largest, f"{mean['largest_gradient']:.3f}"))
    controls = [
        (name, ", ".join(f"{history[i]:.1%}" for i in (0, 1, 3, 7)))
        for name, history in record("iterations/controls.json")["controls"].items()
    ]
    last = []
    for recipe, form in (("classic-summed", "summed"), ("classic", "mean")):
        series = record(f"{recipe}/summary.json")
        figures = (f"{series['test_accuracy'][name]:.2%}" for name in ("mean", "min", "max"))
        last.append((f"{form} (`{recipe}`)", series["runs"], *figures))
    head = (
        "iteration | claimed | reproduced: summed gradients | corrected: mean gradients | largest gradient, summed | "
        "largest gradient, mean"
    )
    parts = [
        table(head, six),
        table("128 units, 8 epochs, learning rate 0.01 | validation accuracy after epochs 1, 2, 4, 8", controls),
        table("the last iteration, on all 60,000 images | runs | test accuracy, mean | lowest | highest", last),
    ]
    return "\n\n".join(parts)


def ablation(recipe: str) -> str:
    """Return the effect of each choice of a recipe on the validation accuracy, as comments of its TOML file."""
    whole = f"{recipe}/ablation_whole.json"
    tables = [f"{recipe}/ablation.json"] + [whole] * (ROOT / "records" / whole).exists()
    return "\n".join(_ablation(record(name), read(recipe).test_shifts) for name in tables)


def _ablation(ablated: Any, shifts: int) -> str:
    figures: dict[str, list[float]] = {}
    for row in ablated["rows"]:
        figures.setdefault(row["change"], []).append(row[_seen_with(shifts)])
    usually = [row for row in ablated["rows"] if row["change"] == "as it is"]
    for fewer in reversed(range(shifts)):
        figures[f"shifts of {fewer} at test time"] = [row[_seen_with(fewer)] for row in usually]
    seeds = len(usually)
    usual = sum(figures["as it is"]) / seeds
    length = ", ".join(f"{key} = {value}" for key, value in ablated["shortened"].items()) or "full trainings"
    how = f"{seeds} seed{'s' * (seeds > 1)}, {length}"
    lines = [f"# Validation accuracy with one choice changed at a time, {how}."]
    if seeds == 1:
        lines.append("# With one seed per row, a difference of 0.1 may be chance.")
    if "epochs" in ablated["shortened"]:
        lines.append(
            "# Short trainings overfit less, so choices against overfitting may help more in the full training."
        )
    for change, values in figures.items():
        mean = sum(values) / len(values)
        difference = "" if change == "as it is" else f"{100 * (mean - usual):+.2f}"
        lines.append(f"#   {_CHANGES.get(change, change):<34}{mean:8.2%}  {difference}".rstrip())
    return "\n".join(lines)


def _seen_with(shifts: int) -> str:
    """Return the key of the accuracy with answers averaged over images shifted by up to this many pixels."""
    return f"with_shifts_of_{shifts}" if shifts else "validation_accuracy"
