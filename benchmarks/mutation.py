"""Mutation testing: are our own tests able to fail? Writes records/mutation.json.

Clones the committed state, lets cosmic-ray change one operator, number or comparison at a time, and runs the tests of
the changed file: of the core all mutants, of the rooms above it a sample. A mutant that survives is either equivalent,
and explained in EXPLAINED, or a hole in the tests.

`python benchmarks/mutation.py [FILE ...]` mutates all files, or some. After tests were added and nothing else was
changed, `--survivors FILE ...` tries again only what survived.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult

from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
TESTS = {  # the tests that must notice
    "layers/dense.py": "tests/test_layers.py tests/test_network.py",
    "layers/activations.py": "tests/test_layers.py",
    "layers/flatten.py": "tests/test_layers.py",
    "context.py": "tests/test_layers.py tests/test_ownership.py",
    "parameters.py": "tests/test_network.py tests/test_ownership.py tests/test_optimizers.py",
    "layers/layer.py": "tests/test_layers.py tests/test_own_layers.py tests/test_own_layers_saved.py",
    "layers/sequential.py": "tests/test_layers.py tests/test_ownership.py tests/test_own_layers.py",
    "layers/layer_normalization.py": "tests/test_layers.py tests/test_reported.py",
    "layers/long_sums.py": "tests/test_layers.py tests/test_reported.py",
    "layers/convolution.py": "tests/test_layers.py",
    "layers/patches.py": "tests/test_layers.py",
    "layers/pooling.py": "tests/test_layers.py",
    "layers/average_pooling.py": "tests/test_layers.py",
    "layers/normalization.py": "tests/test_layers.py tests/test_workers.py tests/test_averaging.py",
    "layers/dropout.py": "tests/test_layers.py",
    "layers/noise.py": "tests/test_layers.py",
    "layers/ensemble.py": "tests/test_layers.py",
    "softmax.py": "tests/test_losses.py",
    "losses/loss.py": "tests/test_losses.py tests/test_targets.py",
    "losses/cross_entropy.py": "tests/test_losses.py",
    "losses/regression.py": "tests/test_losses.py",
    "optimizers/optimizer.py": "tests/test_optimizers.py",
    "optimizers/sgd.py": "tests/test_optimizers.py",
    "optimizers/adam.py": "tests/test_optimizers.py",
    "network.py": "tests/test_network.py tests/test_training.py -k 'not reader_s'",
    "checks/gradients/central.py": "tests/test_proof.py -k 'verdicts or relative_error or rounding or curve'",
    "checks/gradients/check.py": "tests/test_proof.py -k 'not 814090'",
    "checks/gradients/derivatives.py": "tests/test_proof.py -k 'not 814090'",
}
SAMPLE = 60  # mutants a file of the rooms below; all of the floors above
ROOMS = {  # of what users see, and the quickest tests that must notice
    "evaluation.py": "tests/test_evaluation.py",
    "shifted_views.py": "tests/test_ladder.py tests/test_what_users_see.py -k 'view or models_that or shifts'",
    "summary.py": "tests/test_notebook.py",
    "notebook.py": "tests/test_notebook.py",
    "history.py": "tests/test_notebook.py",
    "foreign/showing.py": "tests/test_saying.py",
    "foreign/checking.py": "tests/test_foreign.py",
    "foreign/opening.py": "tests/test_foreign.py",
    "sources/images.py": "tests/test_images.py",
    "cli/saying.py": "tests/test_saying.py",
    "cli/progress.py": "tests/test_progress.py",
    "records/ladder.py": "tests/test_ladder.py tests/test_what_users_see.py -k 'ladder'",
    "records/recorded_runs.py": "tests/test_records.py -k 'record or differ'",
    "records/openings.py": "tests/test_records.py",
    "runs/threads.py": "tests/test_threads.py tests/test_what_users_see.py -k 'thread'",
    **{
        f"pictures/{name}.py": "tests/test_figures.py"
        for name in (
            "augmentation_preview", "confusing_pairs", "confusion_matrix", "curves", "first_layer", "ladder",
            "recall_and_precision", "sample_predictions", "step_errors", "style", "timeline",
        )
    },
}  # fmt: skip
TESTS |= ROOMS
EXPLAINED = [
    (
        r"figsize|fontsize|linewidth|alpha=|_pad=|space=|dpi|padding|shrink|bbox_to_anchor|xytext|margins|markersize|"
        r"width_ratios|fontweight|zorder|frameon|ncols|spines|\* np\.sqrt",
        "",
        "how a picture looks, not what it says",
    ),
    (
        r"^(_[A-Z]\w*, )*_[A-Z_]+ = .*#.*columns|set_ylim|set_axisbelow|\bbottom = ",
        "",
        "how much of a picture is empty",
    ),
    (r"_text\(|size=|<circle", "", "where exactly a text or a dot stands"),
    (r"share == share", "Eq_(LtE|GtE)", "nothing is at most, or at least, what is no number"),
    (r"strict=True\)$|strict=True\):$", "TrueWithFalse", "the two are always of one length"),
    (
        r'== "plainnet"|== "__main__|absolute\(\) ==',
        "Eq_(LtE|GtE|Gt)",
        "the other names stand on one side of it in order",
    ),
    (r"^_MOST|^_LONGEST|^_DEEPEST|KINDS|Kind\(", "NumberReplacer", "a limit that nobody meets may be one more or less"),
    # what a surviving mutant's line and operator look like, and why it changes nothing that matters
    (r"len\(set\(map\(id, layers\)\)\) <", "", "a set never holds more than the list it was made of"),
    (r"== self\.in_shape\[: images\.ndim - 1\]", "BitXor", "for images of 3 and 4 dimensions the slice is the same"),
    (
        r"^def .*\*, ",
        "Mul_Div",
        "the mark of keyword-only arguments becomes that of positional-only ones: more is allowed",
    ),
    (r"-> .*: \.\.\.$", "", "the body of a protocol is never run"),
    (
        r"need_dx: bool = True",
        "TrueWithFalse",
        "a layer without parameters is only called for its dx, and always gives it",
    ),
    (r"def forward\(self, x", "FalseWithTrue", "of the base class, whose body only raises"),
    (r"dtype: np\.dtype \| type", "TrueWithFalse", "backward's own buffers have names of their own in either place"),
    (
        r"fan_in: int = 1, decay",
        "NumberReplacer|Mul_Div",
        "fan_in is only left out where the initializer does not look at it",
    ),
    (r"fan_in=in_shape\[0\]", "NumberReplacer", "the examples have one dimension: its index is 0 and -1"),
    (
        r"^_BATCH = |range\(0, len\(images\), _BATCH\)",
        "",
        "predictions do not depend on how they are batched",
    ),
    (r"index > lowest", "NotEq|IsNot", "the index never falls below the lowest"),
    (r"decay is decay", "Is_Eq", "both are truth values"),
    (r"zip\(self\.layers, self\.out_shapes, strict=True\)", "TrueWithFalse", "both have one entry a layer"),
    (r"^\*,$", "Mul_Div", "more ways to pass an argument are allowed"),
    (
        r"len\(self\.in_shape\) (>|==) 1|side \* side == size|images\.ndim (<|==) 2",
        "",
        "shapes of no dimension do not occur, and others only choose between equal words",
    ),
    (r"reshape\(len\(x\), -1\)", "", "NumPy infers any negative size, not only -1"),
    (r'== "mean"', "LtE", "there are two reductions, and sum comes after mean in the alphabet"),
    (
        r"len\(self\._inputs\[training\]\) < len\(images\)|len\(kept\) < shape",
        "",
        "a buffer is allocated more often than it needs to be",
    ),
    (
        r"if error < tolerance|strict < TOLERANCE|if worst < TOLERANCE|\[0\] < TOLERANCE",
        "Lt_LtE",
        "an error is never exactly the tolerance",
    ),
    (
        r"near\.resolution|resolution <= analytic|near\.bend",
        "Gt_GtE|LtE_Lt$|NotEq|Is",
        "measured slopes are never exactly equal",
    ),
    (
        r"(20|0\.5|2|4) \* (near|wide)|4 \* UNIT|^UNIT|_ROUNDING|_ATTEMPTS|epsilon / 10|resolution / tolerance",
        "NumberReplacer|Mul_|Div_",
        "how far beyond rounding a difference must be: chosen with room on both sides of what the tests hold",
    ),
    (r"_ROWS", "", "how many outputs are computed at a time"),
    (
        r"move\[\.\.\., :m\]|values\.ndim == 0|return (True|False)$|random\.standard_normal|"
        r"allclose\(together|0\.5 \* x",
        "",
        "the elements are then moved one at a time, which is slower and gives the same",
    ),
    (r"reshape\(-1, \*", "", "NumPy infers any negative size, not only -1"),
    (r"1j \* STEP", "NumberReplacer", "the real part moves by 1e-30, which is nothing beside it"),
    (r"_LEAST \* ", "", "what a worst error is reported relative to; no verdict depends on it"),
    (r"^@dataclass\(frozen", "", "nobody assigns to a report"),
    (r"if count > 1:", "Gt_NotEq", "a batch holds at least one number a channel"),
    (r"count\[0\]\.real", "NumberReplacer", "the count is the same for every channel"),
    (r"central: int = 200|rng: int \|", "NumberReplacer", "a default; another would do as well"),
    (r"time\.perf_counter\(\) - started", "", "seconds, which no test can know"),
    (r"replace=False, shuffle=False", "FalseWithTrue", "other elements are drawn, as they are with another seed"),
    (r"verdict (==|!=) (WRONG|UNDECIDABLE)", "GtE|Is", "three words, each one object, the compared one last or alone"),
    (r"while stop - start > 1", "Gt_NotEq", "the distance is halved until it is 1, and never below"),
    (r"(sample|judged)\[wrong\[0\]\]", "NumberReplacer", "any of the wrong elements may be named"),
    (r"return worst, None, 0\.0, True", "", "the derivative is only read where it does not fit"),
    (r"p\.name == parameter\.name", "Eq_Is", "the copy of a network shares the names of its parameters"),
    (r"forward\(x, training=True\)\.imag$", "TrueWithFalse", "no layer of ours mixes channels in training alone"),
    (r"derivatives_of\(copies\[:1\]\)", "NumberReplacer", "more copies than the first are moved, and not looked at"),
    (r"range\(0, parameter\.shape\[-1\], count\)", "NumberReplacer", "from -1 the last channel is looked at twice"),
    (r"default_rng\(0\)", "NumberReplacer", "other random numbers serve as well"),
    (r"errors if fits else strict", "AddNot", "by either measure a wrong element is the worst"),
    (r"np\.zeros\(\(4, theta\.size\)", "NumberReplacer", "a row more, which nobody uses"),
    (r"< math\.inf", "NotEq|IsNot", "of the numbers from 0, only infinity is not below infinity"),
    (r"np\.dot\(grad, grad\) <=", "", "what is left clips more often than it must, where there is nothing to clip"),
    (r"old, new = \(0, 3\)", "", "the two rows take turns in either order; before the first step both are zero"),
    (r"^if steps == 0", "LtE", "steps are never below 0"),
    (r"^steps = 0", "", "`begin` sets it before the first step"),
    (r"^self, \*, ", "Mul_Div", "more ways to pass an argument are allowed"),
    (r"len\((labels|images)\) == 0", "Eq_LtE", "a length is never below 0"),
    (
        r"^_ELEMENTS|^_SHORT|size\[1\] \* x\.shape\[3\] < _SHORT",
        "",
        "another way to copy, or other pieces: as right, and slower",
    ),
    (r"size // self\.channels", "FloorDiv_Div", "it divides without a rest"),
    (r"self\.width = in_shape\[1\]", "", "how many pixels make up a row, which decides the speed alone"),
    (r"reshape\(-1, self\.", "", "NumPy infers any negative size, not only -1"),
    (r"zip\(self\.state\.values\(\)", "TrueWithFalse", "both have two entries"),
    (
        r"if height \+ sum\(self\.rows\)",
        "Add_LShift",
        "nothing is shifted where zeros are not added; else it fits anyway",
    ),
    (r"around = self\._surround\(dy", "", "more zeros below and to the right than are looked at"),
    (r'padding == "same" else', "Eq_LtE", "there are two paddings, and valid comes after same in the alphabet"),
    (r"if high == 0 or wide == 0", "Eq_LtE", "neither is ever below 0"),
    (
        r"dx if s == 1 else|if s > 1:",
        "Eq_LtE|Gt_NotEq|Gt_GtE|NumberReplacer",
        "with a stride of 1 the part is dx itself",
    ),
    (r"reshape\(len\(matrix\), -1\)|filters\.reshape\(-1, ", "", "NumPy infers any negative size, not only -1"),
    (r"^self, x: .*\*, training: bool = True", "Mul_Div", "more ways to pass an argument are allowed"),
    (
        r"^self, x: .*\*, training: bool = True",
        "TrueWithFalse",
        "what backward surrounds it needs at once, and only once",
    ),
    (
        r"wide = self\.buffer\(f",
        "NumberReplacer",
        "the name of a buffer, or one allocated more often than it needs to be",
    ),
    (r"^i, j = \(rows\.start", "Sub_Bit", "a and b are below s: the quotient is the same without them"),
    (r"^x: np\.ndarray, size: Size.*\*, bias", "Mul_Div", "more ways to pass an argument are allowed"),
    (r"or len\(members\) == 0", "LtE", "a length is never below 0"),
    (r"len\(m\) > 0 for m|len\(set\(shapes\)\) > 1 or", "Gt_NotEq", "a length is never below 0, and there is a member"),
    (r"or len\(shapes\[0\]\) != 1", "NotEq_Gt", "no layer gives numbers without a dimension"),
    (r"shapes\[0\]|log_p\[0\]\.shape", "NumberReplacer", "all members give one shape"),
    (r"need_dx or place > 0", "Gt_|NumberReplacer", "a dx more is computed than is needed"),
    (r"zip\(self\.members, self\.recall", "TrueWithFalse", "both have one entry a member"),
    (r"length = view\[0, 0, 0\]", "NumberReplacer", "all patches have one length"),
    (r"whole = buffer\(f", "NumberReplacer", "the name of a buffer, or one allocated more often than it needs to be"),
    (r"// view\[0\]\.size", "NumberReplacer", "all images have one size"),
    (r"some\.reshape\(-1, ", "", "NumPy infers any negative size, not only -1"),
    (
        r"dwinners\[:, :, self\.columns \* self\.size :\] = 0",
        "Mul_",
        "more is set to 0 than is left over, and written to afterwards",
    ),
    (r"if self\.size == 1:", "Eq_[LG]tE", "no size is below 1, and for larger ones it stands there already"),
    (r"dplayers\[0\] = dwinner", "NumberReplacer", "the one player there is, counted from either end"),
    (r"for k in range\(1, self\.size\)", "NumberReplacer", "the first player beats itself, or does not: the same"),
    (r'< float\("inf"\)', "NotEq|IsNot", "of the numbers from 0, only infinity is not below infinity"),
]
# Annotations are text that is never evaluated: to change `int | None` there changes nothing.
CONFIG = """
[cosmic-ray]
module-path = "src/plainnet/{module}"
timeout = 40.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider {tests}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]
"""


def mutate(module: str, project: Path, only: set[tuple[str, str]] | None = None) -> tuple[list[dict[str, Any]], int]:
    """Return the surviving and killed mutants of one file, and how many were left out; `only` names some."""
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    scripts = Path(sys.executable).parent
    (project / "cr.toml").write_text(CONFIG.format(module=module, python=sys.executable, tests=TESTS[module]))
    session = f"{module.replace('/', '-')}.sqlite"
    lines = (project / "src" / "plainnet" / module).read_text().splitlines()

    def place(mutation: Any) -> tuple[str, str]:
        row = mutation["start_pos"][0] if isinstance(mutation, dict) else mutation.start_pos[0]
        name = mutation["operator_name"] if isinstance(mutation, dict) else mutation.operator_name
        return lines[row - 1].strip(), name.removeprefix("core/")

    left_out = 0
    for command in (
        ["cosmic-ray", "init", "cr.toml", session],
        ["cr-filter-operators", session, "cr.toml"],
        ["cosmic-ray", "exec", "cr.toml", session],
    ):
        if command[1] == "exec":
            with use_db(project / session, WorkDB.Mode.open) as work:
                items = sorted(
                    work.pending_work_items, key=lambda item: (item.mutations[0].start_pos, str(item.mutations))
                )
                if only is not None:
                    chosen = [item for item in items if place(item.mutations[0]) in only]
                elif module in ROOMS:
                    chosen = random.Random(0).sample(items, min(SAMPLE, len(items)))
                else:
                    chosen = items
                kept = {item.job_id for item in chosen}
                left_out = len(items) - len(kept)
                for item in items:
                    if item.job_id not in kept:
                        work.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))
        subprocess.run([scripts / command[0], *command[1:]], cwd=project, env=environment, check=True)
    dumped = subprocess.run(
        [scripts / "cosmic-ray", "dump", session],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = []
    for item, result in map(json.loads, dumped.stdout.splitlines()):
        if result is None or result["worker_outcome"] == "skipped":
            continue
        (mutation,) = item["mutations"]
        line, operator = place(mutation)
        rows.append({"line": line, "operator": operator, "killed": result["test_outcome"] != "survived"})
    return rows, left_out


def commit() -> str:
    """Return the commit that is measured."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def explanation(line: str, operator: str) -> str:
    """Return why a surviving mutant is no hole in the tests, or that nobody has said so."""
    fitting = (why for look, kind, why in EXPLAINED if re.search(look, line) and re.search(kind, operator))
    return next(fitting, "NOT EXPLAINED")


def main() -> None:
    """Mutate every file, or those named on the command line, and write the record."""
    path = ROOT / "records" / "mutation.json"
    record: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"files": {}}
    again = "--survivors" in sys.argv
    for module in [name for name in sys.argv[1:] if name != "--survivors"] or TESTS:
        before = record["files"].get(module)
        only = {(survivor["line"], survivor["operator"]) for survivor in before["survivors"]} if again else None
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder) / "project"
            subprocess.run(["git", "clone", "-q", str(ROOT), str(project)], check=True)
            rows, left_out = mutate(module, project, only)
        survivors = [{"line": row["line"], "operator": row["operator"]} for row in rows if not row["killed"]]
        total = before["mutants"] if again else len(rows)
        left_out = before["left_out"] if again else left_out
        figures = {"mutants": total, "left_out": left_out, "killed": total - len(survivors), "commit": commit()}
        record["files"][module] = figures | {"survivors": survivors}
        files = record["files"].values()
        for survivor in (survivor for file in files for survivor in file["survivors"]):
            survivor["why"] = explanation(survivor["line"], survivor["operator"])
        record["mutants"], record["killed"] = (sum(file[key] for file in files) for key in ("mutants", "killed"))
        record["unexplained"] = sum(s["why"] == "NOT EXPLAINED" for file in files for s in file["survivors"])
        write_atomically(path, to_json(record))
        print(module, len(rows), "mutants,", len(survivors), "survive", flush=True)


if __name__ == "__main__":
    main()
