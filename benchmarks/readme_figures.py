"""Write the figures of records/ into README.md, between its markers: python benchmarks/readme_figures.py.

`tests/test_repository.py` fails while README.md holds other figures than the records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
