"""The messages of `plainnet train`: what will be trained, and the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from plainnet.cli.own_data import about
from plainnet.evaluation import examples
from plainnet.foreign.showing import counted

if TYPE_CHECKING:
    from plainnet.runs.run import Run


def introduction(run: Run, resumed: Path | None, changed: str, job: str) -> str:
    """Return what will be trained, and where an interrupted run resumes."""
    to_validate = f", {len(run.validation):,} to validate" if run.validation else ""
    found = about(run.recipe.data, run.data)
    counts = f"{len(run.train):,} {examples(run.train)} to train on{to_validate}, {len(run.data.test):,} to test"
    shared = [f"{job}, {counted(run.training.workers.number, 'worker')} for each batch"] if job else []
    lines = [run.recipe.title, *found, counts, *shared, "", run.network.summary(), ""]
    if resumed is not None:
        done = f"{counted(len(run.history), 'epoch')} and {counted(run.training.batch, 'batch')}"
        lines.append(f"resuming in {resumed} after {done}")
        if changed:
            lines.append(
                f"since then {changed}: the last bits of the result may differ from those of an uninterrupted run"
            )
        lines.append("")
    return "\n".join(lines)


def results_table(metrics: dict[str, Any], judged: list[tuple[str, str]]) -> str:
    """Return the figures of a finished run, among them `judged`, the test results, as lines of text."""
    minutes, seconds = divmod(round(metrics["seconds"]), 60)
    shifts = metrics["settings"]["test_shifts"]
    (name, figure), *rest = judged
    views = f"   with {(2 * shifts + 1) ** 2} shifted views of each image; the figures below use one" if shifts else ""
    rows = [(name, figure + views)]
    seen, trained_on = (
        metrics.get(f"{key}_images") or metrics[f"{key}_examples"] for key in ("train_accuracy", "train")
    )
    of_some = "" if seen == trained_on else f"   (of {seen:,} of them)"
    names = [key.removeprefix("train_") for key in metrics if f"validation_{key.removeprefix('train_')}" in metrics]
    for name in names:
        for part, remark in (("train", of_some), ("validation", "")):
            if (value := metrics[f"{part}_{name}"]) is not None:
                figure = f"{value:.2%}" if name == "accuracy" else f"{value:.4g}"
                rows.append((f"{part} {name.replace('_', ' ')}", figure + remark))
    if metrics.get("train_validation_gap") is not None:
        rows.append(("gap, train - validation", f"{100 * metrics['train_validation_gap']:.2f} points"))
    rows += [*rest, ("training time", f"{minutes} min {seconds} s for {counted(metrics['epochs'], 'epoch')}")]
    return "\n".join(f"{name:<26}{value}" for name, value in rows)
