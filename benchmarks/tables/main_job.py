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
        ("mean training time per run", f"{series['seconds']['mean'] / 60:.1f} minutes"),
        ("`make train` from a fresh clone, installation included", f"{job['make_train']['seconds'] / 60:.1f} minutes"),
        ("peak memory of `plainnet train`", f"{job['train']['peak_memory_mb']:.0f} MB"),
        ("time of `import plainnet` / time of `import numpy`", f"{job['import']['ratio']:.2f}"),
        (
            f"largest relative error among all {check['checked']:,} gradients "
            "(checked by the complex step, a very accurate numerical derivative)",
            f"{check['max_relative_error_complex']:.0e} ({check['seconds']:.0f} s)",
        ),
        (
            "largest relative error among a sample of 610 gradients (central differences)",
            f"{check['max_relative_error_central']:.0e}",
        ),
    ]
    versions = f"{job['hardware']}; Python {job['versions']['python']}, NumPy {job['versions']['numpy']}"
    machine = f"Measured on {versions}, {job['versions']['blas']}, {job['threads']} threads."
    return f"{table('what | measured', rows)}\n\n{machine}"
