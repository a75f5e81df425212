"""The main job: `make train`."""

from __future__ import annotations

from tables.source import record, table


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
    versions = f"{job['hardware']}; Python {job['versions']['python']}, NumPy {job['versions']['numpy']}"
    machine = f"Measured on {versions}, {job['versions']['blas']}, {job['threads']} threads."
    return f"{table('what | measured', rows)}\n\n{machine}"
