"""Breaks of what a user sees, put into a copy of the source one at a time: does a test notice? Writes records/breaks.json.

A break is a small change that leaves the program running and makes it say or do something wrong: a label exchanged, an
option ignored. `python benchmarks/breaks.py` tries all, `python benchmarks/breaks.py PART` those with PART in their name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
TESTS = [
    f"tests/test_{name}.py"
    for name in ("figures", "what_users_see", "images", "saying", "trust", "said_of_data", "export", "handwriting")
]


class Break(NamedTuple):
    """What is broken, in which file, and the text there before and after."""

    name: str
    file: str
    before: str
    after: str


BREAKS = [
    # Those that passed all tests once
    Break("the axes of the confusion matrix are swapped", "pictures/confusion_matrix.py",
          'xlabel="predicted", ylabel="true"', 'xlabel="true", ylabel="predicted"'),
    Break("training and validation curves have each other's names", "pictures/curves.py",
          'if part == "train" else', 'if part != "train" else'),
    Break("--threads is ignored", "runs/run.py", "MatrixThreads(threads, ", "MatrixThreads(None, "),
    Break("checkpoints by time are never saved", "runs/saving.py",
          "late = time.monotonic() - saved >= every", "late = False"),
    Break("best and worst class are swapped on the screen", "evaluation/classes.py",
          "for pick in (max, min)", "for pick in (min, max)"),
    Break("time left counts from the first epoch after a training goes on", "cli/progress.py",
          "self.seconds / max(self._batches, 1)", "self.seconds / max(self.epochs, 1)"),
    Break("the surest mistakes stand last among the samples", "pictures/sample_predictions.py",
          "np.argsort(-confidence[test.mistakes]", "np.argsort(confidence[test.mistakes]"),
    Break("the surest mistakes stand last among the confusing pairs", "pictures/confusing_pairs.py",
          "np.argsort(-test.probabilities[rows, guess]", "np.argsort(test.probabilities[rows, guess]"),
    Break("two colors are exchanged", "pictures/curves.py",
          '(("train", BLUE), ("validation", ORANGE))', '(("train", ORANGE), ("validation", BLUE))'),
    Break("the second answer has the first one's percentage", "cli/predict.py",
          'as_percent(said.shares[k])}" for k in others', 'as_percent(said.shares[first])}" for k in others'),
    Break("--force leaves old checkpoints", "cli/train.py", "checkpoint.remove(folder)", "pass"),
    # Pictures
    Break("the confusion matrix is transposed", "pictures/confusion_matrix.py", "mistakes = counts.astype(float)",
          "mistakes = counts.T.astype(float)"),
    Break("recall and precision are exchanged", "pictures/recall_and_precision.py",
          "(BLUE, per_class_accuracy(test.confusion))", "(BLUE, precision(test.confusion))"),
    Break("the learning rate falls an epoch late", "pictures/curves.py", "before.number + 0.5", "after.number + 0.5"),
    Break("dashed and full lines are exchanged", "pictures/curves.py",
          '(("train", "--", "white"), ("validation", "-", color))', '(("train", "-", "white"), ("validation", "--", color))'),
    Break("accuracies are drawn where errors should be", "pictures/curves.py", "100 * (1 - values)", "100 * values"),
    Break("samples are drawn in blue where they are mistaken", "pictures/sample_predictions.py",
          "list(wrong), test, ORANGE", "list(wrong), test, BLUE"),
    Break("a mistake is said to be what it was read as", "pictures/sample_predictions.py",
          'is {names[label]}', 'is {names[guess]}'),
    Break("the least frequent pairs come first", "pictures/confusing_pairs.py", "np.argsort(-mistakes", "np.argsort(mistakes"),
    Break("units that have changed least are shown", "pictures/first_layer.py", "np.argsort(-lengths", "np.argsort(lengths"),
    Break("weights are shown instead of their change", "pictures/first_layer.py",
          "first.W.value - before.W.value", "first.W.value"),
    Break("the better recipes are drawn below", "pictures/ladder.py", "axes.invert_yaxis()", "pass"),
    Break("described and right are exchanged in the timeline", "pictures/timeline.py",
          "described, right_form = dict", "right_form, described = dict"),
    Break("the two methods of derivatives have each other's names", "pictures/step_errors.py",
          '(complex_step, BLUE, "complex step")', '(complex_step, BLUE, "central differences")'),
    Break("the augmented image stands where the original should", "pictures/augmentation_preview.py",
          "[as_they_are, *(augmentation(images, rng) for _ in range(_VARIANTS))]",
          "[*(augmentation(images, rng) for _ in range(_VARIANTS)), as_they_are]"),
    # Figures
    Break("the gap is validation minus train", "runs/run.py", 'trained["accuracy"] - before',
          'before - trained["accuracy"]'),
    Break("the validation accuracy is that of the first epoch", "runs/run.py", "self.history[kept - 1]", "self.history[0]"),
    Break("minutes and seconds are exchanged", "cli/told_of_training.py", "minutes, seconds = divmod", "seconds, minutes = divmod"),
    Break("the interval is printed from its upper end", "cli/evaluate.py", "(low, high), table = result", "(high, low), table = result"),
    Break("certainty is rounded up", "evaluation/classes.py", "share >= 0.9995", "share >= 1.5"),
    Break("mistakes are listed where the answers are right", "evaluation/classes.py",
          "np.flatnonzero(self.predicted != self.data.labels)", "np.flatnonzero(self.predicted == self.data.labels)"),
    Break("views are moved downwards only", "shifted_views.py", "for right in range(2 * shifts + 1)", "for right in [shifts]"),
    Break("the ladder compares every rung with itself", "records/ladder.py", "below, made_with_below = mistakes, made_with",
          "made_with_below = made_with"),
    Break("openings are counted as runs", "cli/records.py", "{len(opened):>17}", "{len(made):>17}"),
    # Options
    Break("--seed is ignored", "cli/train.py", "seed=seed or 0", "seed=0"),
    Break("--limit is ignored", "cli/train.py", "limit=limit, threads", "limit=None, threads"),
    Break("--epochs is ignored", "cli/train.py", '({} if epochs is None else {"epochs": epochs})', "{}"),
    Break("--quiet is ignored", "cli/train.py", "if quiet:", "if False:"),
    Break("--checkpoint-every is ignored", "cli/train.py", "every=checkpoint_every", "every=60.0"),
    Break("--shifts is ignored", "cli/evaluate.py", "shifts=shifts, **trust", "shifts=0, **trust"),
    Break("--data-dir is ignored", "cli/evaluate.py", "test_part(loaded, own_data)", "test_part(loaded, None)"),
    Break("a training that goes on forgets its seed", "cli/train.py", 'stored["seed"] if seed is None', "0 if seed is None"),
    Break("the last seed is trained as well", "cli/series.py", "range(int(first), int(end))", "range(int(first), int(end) + 1)"),
    Break("a model's class names are not used", "cli/predict.py", "told = shown(said.answer, 60)",
          'told = shown(f"{said.answer}1", 60)'),
    Break("a row of sure digits is not read", "sources/answers.py", "fine = all(sure)", "fine = not all(sure)"),
    Break("a promise is ignored", "cli/predict.py", "loaded.sure_of(certain)", "0.0"),
    Break("several labels are answered as one class", "model.py", 'if self.kind == "labels":', "if False:"),
    Break("the temperature is taken twice", "evaluation/classes.py", "tempered(self.probabilities, self.temperature)",
          "tempered(self.probabilities, self.temperature**2)"),
    Break("exported bytes are not scaled", "export/onnx_file.py", "_SCALE = np.float32(1 / 255)", "_SCALE = np.float32(1)"),
    # Exit codes and sentences
    Break("a warning counts as an error", "cli/diagnose.py", 'finding.severity == "error"', 'finding.severity != "note"'),
    Break("what cannot be judged passes", "checks/code/sandboxed.py",
          'or self.names("undecidable") else 0', "else 0"),
    Break("a training that diverged ends like bad input", "cli/app.py", "str(error), DIVERGED", "str(error), BAD_INPUT"),
    Break("advice does not use the name we were called by", "cli/saying.py", "return text if name ==", "return text if name !="),
    Break("words are broken at the edge of the terminal", "cli/saying.py", "len(line) <= columns", "True"),
    Break("control characters reach the terminal", "cli/saying.py", "advice(lines_shown(text, 10_000_000))", "advice(str(text))"),
]  # fmt: skip


def noticed(broken: Break) -> str | None:
    """Put the break into a copy of the source, run the tests there, and return the first one that fails, if any."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        for name in ("src", "tests", "examples", "records", "benchmarks", "pyproject.toml"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        file = copy / "src" / "plainnet" / broken.file
        text = file.read_text()
        if text.count(broken.before) < 1:
            raise SystemExit(f"{broken.file} no longer holds {broken.before!r}; mend the break: {broken.name}")
        file.write_text(text.replace(broken.before, broken.after))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS]
        environment = os.environ | {"PYTHONPATH": str(copy / "src"), "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return failed[0].split(" - ")[0] if failed else None


def main() -> None:
    """Try all breaks, or those that were asked for, and write the record if all were tried."""
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    rows = []
    for broken in BREAKS:
        if part in broken.name:
            by = noticed(broken)
            rows.append({"break": broken.name, "file": broken.file, "noticed_by": by})
            print(f"{'noticed' if by else 'NOT NOTICED':<12} {broken.name}", flush=True)
    unnoticed = [row["break"] for row in rows if row["noticed_by"] is None]
    print(f"{len(rows) - len(unnoticed)} of {len(rows)} noticed")
    if not part:
        write_atomically(
            ROOT / "records" / "breaks.json", to_json({"noticed": len(rows) - len(unnoticed), "breaks": rows})
        )
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
