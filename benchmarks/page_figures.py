"""Write the figures of records/ into README.md, and the catalogue of faults into docs/faults.md.

`tests/test_repository.py` fails while these pages hold anything else than the records and the catalogue say.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from plainnet.application.iterations import DESCRIBED, ITERATIONS, RIGHT
from plainnet.application.ladder import as_table, ladder
from plainnet.bench.growth import slope
from plainnet.doctor.faults import as_page
from plainnet.doctor.run import describe, examine_file
from plainnet.recipes import available, read

ROOT = Path(__file__).parent.parent
ABLATED = tuple(sorted(path.parent.name for path in (ROOT / "records").glob("*/ablation.json")))


def record(name: str) -> Any:
    """Return one record."""
    return json.loads((ROOT / "records" / name).read_text())


def results() -> str:
    """Return the table of the main job."""
    series, job = record("classic/summary.json"), record("main_job.json")
    test, check = series["test_accuracy"], job["check"]
    rows = [
        (
            f"test accuracy, {series['epochs']} epochs on 60,000 images, mean of {series['runs']} seeds",
            f"**{test['mean']:.2%}** (sd {100 * test['sd']:.2f}, from {test['min']:.2%} to {test['max']:.2%})",
        ),
        ("training accuracy", f"{series['train_accuracy']['mean']:.2%}"),
        ("training time of a run, mean", f"{series['seconds']['mean'] / 60:.1f} minutes"),
        ("`make train` from an empty clone, installation included", f"{job['make_train']['seconds'] / 60:.1f} minutes"),
        ("peak memory of `plainnet train`", f"{job['train']['peak_memory_mb']:.0f} MB"),
        ("`import plainnet` / `import numpy`", f"{job['import']['ratio']:.2f}"),
        (
            "worst error of a gradient, complex step, relative to it or to 1/1000 of the largest",
            f"{check['max_relative_error_complex']:.0e} ({check['checked']:,} gradients, {check['seconds']:.0f} s)",
        ),
        (
            "worst error of a gradient, central differences on a sample of 610, relative to it or to 5e-4",
            f"{check['max_relative_error_central']:.0e}",
        ),
    ]
    lines = ["| what | measured |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows)]
    versions = f"{job['hardware']}; Python {job['versions']['python']}, NumPy {job['versions']['numpy']}"
    return "\n".join([*lines, "", f"Measured on {versions}, {job['versions']['blas']}, {job['threads']} threads."])


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


def anatomy() -> str:
    """Return the table of the original's iterations."""
    lines = [
        "| iteration | claimed | as described: summed | done right: mean | largest gradient, summed | mean |",
        "|---|---|---|---|---|---|",
    ]
    rows = {(row["iteration"], row["form"]): row for row in record("iterations/iterations.json")["rows"]}
    for number, (iteration, *_) in enumerate(ITERATIONS, start=1):
        summed, mean = rows[iteration, DESCRIBED], rows[iteration, RIGHT]
        claimed, reproduced = (
            "NaN" if figure is None else f"{figure:.2%}" for figure in (mean["claimed"], summed["test_accuracy"])
        )
        largest = f"{summed['largest_gradient']:.1f}" if "largest_gradient" in summed else ""
        lines.append(
            f"| {number}. {iteration} | {claimed} | {reproduced} | {mean['test_accuracy']:.2%} | "
            f"{largest} | {mean['largest_gradient']:.3f} |"
        )
    lines += ["", "| 128 units, 8 epochs at 0.01 | validation accuracy after epochs 1, 2, 4, 8 |", "|---|---|"]
    for name, history in record("iterations/controls.json")["controls"].items():
        lines.append(f"| {name} | {', '.join(f'{history[i]:.1%}' for i in (0, 1, 3, 7))} |")
    lines += ["", "| the last iteration, on all 60,000 images | runs | test accuracy, mean | least | most |"]
    lines += ["|---|---|---|---|---|"]
    for recipe, form in (("classic-summed", "summed"), ("classic", "mean")):
        series = record(f"{recipe}/summary.json")
        figures = " | ".join(f"{series['test_accuracy'][name]:.2%}" for name in ("mean", "min", "max"))
        lines.append(f"| {form} (`{recipe}`) | {series['runs']} | {figures} |")
    return "\n".join(lines)


def kill_table() -> str:
    """Return what the doctor finds, and what it does not."""
    table = record("kill_table.json")
    catalogue, outside, right = (table[key] for key in ("catalogue", "outside_the_catalogue", "right_networks"))
    rows = [
        (f"faults of the catalogue ({table['faults']}, in up to two forms): found", catalogue["found"]),
        ("... rightly named", catalogue["named"]),
        ("... and the line is the one that was changed", catalogue["line"]),
        (
            "mutants outside the catalogue that change a gradient: found",
            f"{outside['found']} of {outside['mutants_that_change_a_gradient']}",
        ),
        ("false alarms among random right networks", f"{right['false_alarms']} of {right['networks']:,}"),
    ]
    return "\n".join(["| what | result |", "|---|---|", *(f"| {what} | {result} |" for what, result in rows)])


def measured_with(table: Any) -> str:
    """Return what the figures of a record hold for."""
    versions = ", ".join(f"{name} {number}" for name, number in table["versions"].items() if name != "plainnet")
    return f"Measured on {table['hardware']}, {table['threads']} threads; {versions}."


TARGETS: list[tuple[str, str, str, float | None]] = [  # work, comparison, rival, the ratio we want at most
    ("an epoch of the classic network / its matrix products alone", "classic", "its matrix products alone", 1.25),
    ("... / PyTorch", "classic", "PyTorch", 0.80),
    ("... / PyTorch, fused update", "classic", "PyTorch, fused update", 0.95),
    ("... / scikit-learn MLPClassifier", "classic", "scikit-learn MLPClassifier", 0.45),
    ("an epoch of `fast99` / PyTorch, channels last", "fast99", "PyTorch, channels last", 1.0),
    ("... / PyTorch as it comes", "fast99", "PyTorch", 0.65),
    ("a step of the small convolutional network / PyTorch, channels last", "small-cnn", "PyTorch, channels last", 1.25),
    ("... / PyTorch as it comes", "small-cnn", "PyTorch", None),
    ("augmentation of the images / an epoch of 1024-1024-1024", "augmentation", "an epoch of 1024-1024-1024", 0.15),
    ("one image through the classic network / ONNX Runtime", "one-image", "ONNX Runtime", 1.2),
    ("10,000 images / ONNX Runtime", "10000-images", "ONNX Runtime", 1.1),
    ("10,000 images / PyTorch", "10000-images", "PyTorch", 1.1),
    ("`import plainnet` / `import numpy`", "import", "import numpy", 1.3),
]


def speed() -> str:
    """Return the ratios of our times to those of our peers, with the targets we set ourselves."""
    table = record("bench.json")
    lines = ["| work | ratio of times, median (quartiles) | target, at most |", "|---|---|---|"]
    for work, name, other, target in TARGETS:
        ratios = table["comparisons"][name]["ratios"]
        found = next(ratio for key, ratio in ratios.items() if key.endswith(f" / {other}"))
        spread = f"{found['lower_quartile']:.2f} to {found['upper_quartile']:.2f}"
        lines.append(f"| {work} | **{found['median']:.2f}** ({spread}) | {'' if target is None else f'{target:.2f}'} |")
    lines += [
        "",
        "| from the shell, with data, results and pictures | validation | seconds | target |",
        "|---|---|---|---|",
    ]
    for row, target in zip(table["whole_commands"], (3, 6, 12), strict=True):
        lines.append(f"| `{row['command']}` | {row['validation_accuracy']:.2%} | {row['seconds']:.1f} | {target} |")
    memory = (
        f"Peak memory of an epoch of the classic recipe: {table['peak_memory_mb']:.0f} MB (target: at most 350 MB)."
    )
    return "\n".join([*lines, "", memory, "", measured_with(table)])


def profile() -> str:
    """Return the parts of a step of the classic network."""
    parts = record("bench.json")["step_profile"]
    total = sum(parts.values())
    lines = ["| part of a step of the classic network | microseconds | share |", "|---|---|---|"]
    lines += [f"| {part} | {time:,.0f} | {time / total:.0%} |" for part, time in parts.items()]
    return "\n".join([*lines, f"| together | {total:,.0f} | |"])


def tried() -> str:
    """Return what was tried, each beside what was kept."""
    lines = ["| what | median | ours / this, round by round |", "|---|---|---|"]
    for comparison in record("tried.json").values():
        if isinstance(comparison, dict) and "rounds" in comparison:
            lines.append(f"| **{comparison['title']}**, {comparison['work']} | | |")
            first = next(iter(comparison["seconds"]))
            for name, seconds in comparison["seconds"].items():
                ratio = "" if name == first else f"{comparison['ratios'][f'{first} / {name}']['median']:.2f}"
                lines.append(f"| {name} | {seconds['median'] * 1e6:,.0f} us | {ratio} |")
    return "\n".join(lines)


def growth() -> str:
    """Return the slopes of the growth curves, and memory by the number of images."""
    table = record("growth.json")
    lines = ["| microseconds an image by | from | to | exponent |", "|---|---|---|---|"]
    for threads, curves in table["microseconds_an_image"].items():
        for name, points in curves.items():
            said = f"{'hidden units' if name == 'units' else 'batch size'}, {threads} thread{'s' * (threads != '1')}"
            for part in (points[:4], points[-4:]):
                lines.append(f"| {said} | {part[0][0]:,} | {part[-1][0]:,} | {slope(part):.2f} |")
    lines += ["", "| images in the file | seconds an epoch | microseconds an image | MB |", "|---|---|---|---|"]
    for images, seconds, megabytes in table["images_seconds_megabytes"]:
        lines.append(f"| {images:,} | {seconds:.2f} | {seconds / images * 1e6:.1f} | {megabytes:.0f} |")
    return "\n".join([*lines, "", measured_with(table)])


def mutation() -> str:
    """Return the score of the mutation tests."""
    table = record("mutation.json")
    lines = ["| file | mutants | killed | survive | of them unexplained |", "|---|---|---|---|---|"]
    for name, row in table["files"].items():
        unexplained = sum(survivor["why"] == "NOT EXPLAINED" for survivor in row["survivors"])
        lines.append(f"| `{name}` | {row['mutants']} | {row['killed']} | {len(row['survivors'])} | {unexplained} |")
    killed, mutants = table["killed"], table["mutants"]
    return "\n".join([*lines, "", f"Together {killed:,} of {mutants:,} killed, {killed / mutants:.0%}."])


def sabotage() -> str:
    """Return what `plainnet diagnose` says of each way to spoil a training."""
    table = record("sabotage.json")
    lines = ["| spoiled by | what should be found | named first | what else was named first | its suggestion helps |"]
    lines.append("|---|---|---|---|---|")
    for name in dict.fromkeys(row["sabotage"] for row in table["rows"]):
        rows = [row for row in table["rows"] if row["sabotage"] == name]
        first = [row["found"][0] if row["found"] else "nothing" for row in rows]
        expected = rows[0]["expected"]
        others = ", ".join(sorted({found for found in first if found != expected}))
        helps = {True: "yes", False: "no", None: "(not by the recipe)"}[rows[0]["helped"]]
        lines.append(f"| {name} | `{expected}` | {first.count(expected)} of {len(rows)} | {others} | {helps} |")
    named = f"Named first: {table['named_first']} of {table['runs']}."
    return "\n".join(
        [*lines, "", f"{named} Healthy trainings accused of an error: {table['accused']} of {table['healthy']}."]
    )


def kill_test() -> str:
    """Return what came of killing trainings."""
    table = record("kill_test.json")
    lines = [
        "| training | killed | gone on with | finished | ... with the weights of an uninterrupted one |",
        "|---|---|---|---|---|",
    ]
    for name, row in table["trainings"].items():
        lines.append(f"| {name} | {row['killed']} | {row['resumed']} | {row['finished']} | {row['same_weights']} |")
    return "\n".join(lines)


def comparison() -> str:
    """Return the ladder."""
    return as_table(ladder(ROOT / "records"))


def fashion() -> str:
    """Return the ladder of Fashion-MNIST."""
    return as_table(ladder(ROOT / "records" / "fashion"))


def fuzz() -> str:
    """Return how often the readers of files were fed mutated bytes."""
    table = record("fuzz.json")
    rows = [f"| {row['reader']} | {row['executions']:,} | {row['crashes']} |" for row in table["rows"]]
    return "\n".join(["| reader fuzzed | executions | crashes |", "|---|---|---|", *rows])


def short_comparison() -> str:
    """Return the ladder in few words."""
    lines = ["| recipe | what | runs | test accuracy | minutes a run, median |", "|---|---|---|---|---|"]
    for row in ladder(ROOT / "records"):
        if row["runs"]:
            name, sd = row["recipe"], "" if row["sd"] is None else f" (sd {100 * row['sd']:.2f})"
            what = read(name).title if name in available() else "several of them, answering together"
            lines.append(f"| `{name}` | {what} | {row['runs']} | **{row['mean']:.2%}**{sd} | {row['minutes']:.1f} |")
    return "\n".join(lines)


def ablation(recipe: str) -> str:
    """Return what each choice of a recipe earned on the validation images, as comments of its TOML file."""
    table = record(f"{recipe}/ablation.json")
    shifted = read(recipe).test_shifts
    figures: dict[str, list[float]] = {}
    for row in table["rows"]:
        figures.setdefault(row["change"], []).append(row["with_shifts_of_1" if shifted else "validation_accuracy"])
    if shifted:
        usually = [row for row in table["rows"] if row["change"] == "as it is"]
        figures["no shifts at test time"] = [row["validation_accuracy"] for row in usually]
    usual = sum(figures["as it is"]) / len(figures["as it is"])
    seeds = len(figures["as it is"])
    how = "".join(
        [f"{seeds} seed{'s' * (seeds > 1)}", *(f", {value} {key}" for key, value in table["shortened"].items())]
    )
    lines = [f"# What each choice earns: validation accuracy, {how}; the rest as it is."]
    for change, values in figures.items():
        mean = sum(values) / len(values)
        difference = "" if change == "as it is" else f"{100 * (mean - usual):+.2f}"
        lines.append(f"#   {change:<34}{mean:8.2%}  {difference}".rstrip())
    return "\n".join(lines)


FIGURES: dict[str, Callable[[], str]] = {
    "results": results,
    "anatomy": anatomy,
    "kill-table": kill_table,
    "speed": speed,
    "profile": profile,
    "tried": tried,
    "growth": growth,
    "mutation": mutation,
    "sabotage": sabotage,
    "kill-test": kill_test,
    "fuzz": fuzz,
    "ladder": comparison,
    "short ladder": short_comparison,
    "fashion": fashion,
    **{f"ablation {name}": partial(ablation, name) for name in ABLATED},
}


PAGES = {
    "README.md": ("results", "short ladder", "speed"),
    "docs/anatomy.md": ("anatomy",),
    "docs/doctor.md": ("kill-table", "mutation"),
    "docs/diagnose.md": ("sabotage", "kill-test"),
    "docs/speed.md": ("speed", "profile", "tried", "growth"),
    "docs/ladder.md": ("ladder", "fashion"),
    "SECURITY.md": ("fuzz",),
    **{f"src/plainnet/recipes/{name}.toml": (f"ablation {name}",) for name in ABLATED},
}


def rendered(page: str) -> str:
    """Return a page with everything between its markers made anew."""
    text = (ROOT / page).read_text()
    for name in PAGES[page]:
        make = FIGURES[name]
        pattern = rf"((?:<!-- |# )figures: {name}(?: -->)?\n).*?((?:<!-- |# )end\b)"
        text, count = re.subn(pattern, lambda found, make=make: found[1] + make() + "\n" + found[2], text, flags=re.S)
        if count != 1:
            raise SystemExit(f"{page} needs the markers of {name!r} once, has them {count} times")
    return text


if __name__ == "__main__":
    for page in PAGES:
        (ROOT / page).write_text(rendered(page))
    (ROOT / "docs" / "faults.md").write_text(as_page())
    (ROOT / "docs" / "famous-faults.md").write_text(famous_faults())
