"""Write the figures of records/ into README.md, and the catalogue of faults into docs/faults.md.

`tests/test_repository.py` fails while these pages hold anything else than the records and the catalogue say.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plainnet.doctor.faults import as_page
from plainnet.doctor.run import describe, examine_file

ROOT = Path(__file__).parent.parent


def record(name: str) -> Any:
    """Return one record."""
    return json.loads((ROOT / "records" / name).read_text())


def results() -> str:
    """Return the table of the main job."""
    series, job = record("classic/summary.json"), record("main_job.json")
    test, check = series["test_accuracy"], job["check"]
    rows = [
        (
            f"test accuracy, {series['epochs']} epochs, mean of {series['runs']} seeds",
            f"**{test['mean']:.2%}** (sd {100 * test['sd']:.2f}, from {test['min']:.2%} to {test['max']:.2%})",
        ),
        ("training accuracy", f"{series['train_accuracy']['mean']:.2%}"),
        ("training time on 2 cores", f"{series['seconds']['mean'] / 60:.1f} minutes"),
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
        "what `plainnet doctor` says.\nEach trained to good accuracy, which is why nobody noticed.\n"
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
        "| iteration | claimed | summed gradient | mean gradient | largest gradient, summed | mean |",
        "|---|---|---|---|---|---|",
    ]
    rows = {(row["iteration"], row["reduction"]): row for row in record("anatomy.json")["rows"]}
    for iteration in dict.fromkeys(iteration for iteration, _ in rows):
        summed, mean = rows[iteration, "sum"], rows[iteration, "mean"]
        lines.append(
            f"| {iteration} | {summed['claimed']:g}% | {summed['test_accuracy']:.2%} | {mean['test_accuracy']:.2%} | "
            f"{summed['largest_gradient']:.1f} | {mean['largest_gradient']:.3f} |"
        )
    lines += ["", "| 128 units, 8 epochs at 0.01 | validation accuracy after epochs 1, 2, 4, 8 |", "|---|---|"]
    for name, history in record("anatomy.json")["controls"].items():
        lines.append(f"| {name} | {', '.join(f'{history[i]:.1%}' for i in (0, 1, 3, 7))} |")
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


FIGURES: dict[str, Callable[[], str]] = {"results": results, "anatomy": anatomy, "kill-table": kill_table}


PAGES = {"README.md": ("results",), "docs/anatomy.md": ("anatomy",), "docs/doctor.md": ("kill-table",)}


def rendered(page: str) -> str:
    """Return a page with everything between its markers made anew."""
    text = (ROOT / page).read_text()
    for name in PAGES[page]:
        make = FIGURES[name]
        pattern = rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(pattern, lambda found, make=make: found[1] + make() + "\n" + found[2], text, flags=re.S)
        if count != 1:
            raise SystemExit(f"{page} needs the markers of {name!r} once, has them {count} times")
    return text


if __name__ == "__main__":
    for page in PAGES:
        (ROOT / page).write_text(rendered(page))
    (ROOT / "docs" / "faults.md").write_text(as_page())
    (ROOT / "docs" / "famous-faults.md").write_text(famous_faults())
