"""The schema of a run's figures in metrics.json and the records: what a file must hold to be accepted."""

from __future__ import annotations

from typing import Any

from plainnet.foreign.checking import either, listed, nothing, real, table, text, whole

share = real(0, 1)
seconds = real(0, 1e12)
path = either(nothing, text(4096))

FINGERPRINT: dict[str, Any] = {  # of the training data, see `data.fingerprint`
    "pixels": text(),
    "largest": real(),
    "class_counts?": listed(whole(), least=1),  # for classes
    "targets?": text(),  # for other targets, with the number of examples
    "examples?": whole(1),
    "crc32": whole(),
}
FIGURES: dict[str, Any] = {  # of a finished run: metrics.json, and a record
    "recipe": text(),
    "seed": whole(),
    "parameters": whole(),
    "seconds": seconds,
    "data": {f"{key}?": value for key, value in FINGERPRINT.items()},  # the oldest records hold less
    "task?": text(),  # "labels" or "numbers"; classes if left out
    "test_images?": whole(1),
    "test_examples?": whole(1),  # of a table
    "test_accuracy?": share,
    "test_mean_absolute_error?": real(0),
    "mistakes?": listed(whole()),
    "settings": table,
    "limit?": either(nothing, whole(1)),
    "epochs?": whole(1),
    "train_accuracy?": share,
    "validation_accuracy?": either(nothing, share),
    "confusion_matrix?": listed(listed(whole())),
    "data_dir?": path,
}


def figures_go_together(figures: dict[str, Any]) -> bool:
    """Return whether figures that fit the schema are consistent with each other."""
    examples = figures.get("test_images") or figures.get("test_examples")
    if examples is None or not has_examples(figures["data"]):
        return False
    if "task" in figures:
        return "test_accuracy" in figures or "test_mean_absolute_error" in figures
    if "mistakes" not in figures or "test_accuracy" not in figures:
        return False
    matrix = figures.get("confusion_matrix", [])
    return (
        all(row < examples for row in figures["mistakes"])
        and abs(figures["test_accuracy"] - (1 - len(figures["mistakes"]) / examples)) < 1e-9
        and all(len(row) == len(matrix) for row in matrix)
    )


def has_examples(fingerprint: dict[str, Any]) -> bool:
    """Return whether training data with this fingerprint held any example."""
    return fingerprint.get("examples", 0) > 0 or sum(fingerprint.get("class_counts", [1])) > 0
