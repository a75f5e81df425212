"""The ladder, the six iterations, and the ablations: the effect of each choice of a recipe on the accuracy."""

from __future__ import annotations

from typing import Any

from plainnet.recipes import available, read
from plainnet.records.iterations import DESCRIBED, ITERATIONS, RIGHT
from plainnet.records.ladder import as_table, writers_table
from plainnet.records.ladder import ladder as rungs
from tables.source import ROOT, record, table

_ENSEMBLE = "several trained networks whose predictions are averaged"
_CHANGES = {  # name in the record: name in the table
    "as it is": "nothing changed",
    "the same learning rate throughout": "constant learning rate",
    "beta1 0.9, beta2 0.999, as usual": "beta1 0.9, beta2 0.999 (usual)",
    "noise of 0.3 instead of it": "noise of 0.3 instead of dropout",
    "no dropout of pixels": "no dropout on the pixels",
}


def ladder() -> str:
    """Return the ladder."""
    return as_table(rungs(ROOT / "records"))


def writers() -> str:
    """Return the accuracy on the easier and the harder half of the test images."""
    return writers_table(rungs(ROOT / "records"))


def fashion() -> str:
    """Return the ladder of Fashion-MNIST."""
    return as_table(rungs(ROOT / "records" / "fashion"))


def short_ladder() -> str:
    """Return the ladder with fewer columns."""
    rows = []
    for row in rungs(ROOT / "records"):
        if row["runs"]:
            name, sd = row["recipe"], "" if row["sd"] is None else f" (sd {100 * row['sd']:.2f})"
            what = read(name).title if name in available() else _ENSEMBLE
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


def choices(recipe: str) -> str:
    """Return the effect of each choice of a recipe on the validation accuracy, as a table in Markdown."""
    ablated = record(f"{recipe}/ablation.json")
    figures = _figures(ablated, read(recipe).test_shifts)
    rows = [
        (name, f"{mean:.2%}", "" if name == "nothing changed" else f"{100 * difference:+.2f}")
        for name, mean, difference in figures
    ]
    return table(f"changed ({_how(ablated)}) | validation accuracy | difference", rows)


def _ablation(ablated: Any, shifts: int) -> str:
    how = _how(ablated)
    lines = [f"# Validation accuracy with one choice changed at a time, {how}."]
    if how.startswith("1 seed"):
        lines.append("# With one seed per row, a difference of 0.1 may be chance.")
    if "epochs" in ablated["shortened"]:
        lines.append("# Short training runs overfit less, so regularization may help more in the full run.")
    for name, mean, difference in _figures(ablated, shifts):
        shown = "" if name == "nothing changed" else f"{100 * difference:+.2f}"
        lines.append(f"#   {name:<34}{mean:8.2%}  {shown}".rstrip())
    return "\n".join(lines)


def _how(ablated: Any) -> str:
    """Return the number of seeds and the length of the training runs."""
    seeds = sum(row["change"] == "as it is" for row in ablated["rows"])
    length = ", ".join(f"{key} = {value}" for key, value in ablated["shortened"].items()) or "full training runs"
    return f"{seeds} seed{'s' * (seeds > 1)}, {length}"


def _figures(ablated: Any, shifts: int) -> list[tuple[str, float, float]]:
    """Return the name of each change, the mean accuracy with it, and the difference from no change."""
    figures: dict[str, list[float]] = {}
    for row in ablated["rows"]:
        figures.setdefault(row["change"], []).append(row[_seen_with(shifts)])
    usually = [row for row in ablated["rows"] if row["change"] == "as it is"]
    for fewer in reversed(range(shifts)):
        figures[f"shifts of {fewer} at test time"] = [row[_seen_with(fewer)] for row in usually]
    means = {name: sum(values) / len(values) for name, values in figures.items()}
    return [(_CHANGES.get(name, name), mean, mean - means["as it is"]) for name, mean in means.items()]


def _seen_with(shifts: int) -> str:
    """Return the key of the accuracy with answers averaged over images shifted by up to this many pixels."""
    return f"with_shifts_of_{shifts}" if shifts else "validation_accuracy"
