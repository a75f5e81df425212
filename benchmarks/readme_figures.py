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
            "worst relative error of a gradient, complex step",
            f"{check['max_relative_error_complex']:.0e} ({check['checked']:,} gradients, {check['seconds']:.0f} s)",
        ),
        (
            "worst relative error of a gradient, central differences",
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


FIGURES: dict[str, Callable[[], str]] = {"results": results}


def rendered(text: str) -> str:
    """Return `text` with everything between its markers made anew."""
    for name, make in FIGURES.items():
        pattern = rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(pattern, lambda found, make=make: found[1] + make() + "\n" + found[2], text, flags=re.S)
        if count != 1:
            raise SystemExit(f"README.md needs the markers of {name!r} once, has them {count} times")
    return text


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(rendered(readme.read_text()))
    (ROOT / "docs" / "faults.md").write_text(as_page())
    (ROOT / "docs" / "famous-faults.md").write_text(famous_faults())
