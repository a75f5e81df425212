"""Time this working tree against an earlier commit, in turns, by steps of several recipes.

`python benchmarks/versus.py COMMIT [ROUNDS] [--record FILE]`. Each version runs in a process of its own, and waits
while the other one works. Of each training the second epoch is timed, when memory is allocated; the ratio is taken
round by round. `make versus COMMIT=...` does so and keeps the record.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from plainnet.bench.interleave import Comparison
from plainnet.runs.environment import hardware, versions
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
WORKS = {"classic": 200, "fast99": 50, "small-cnn": 8, "cnn": 20}  # steps in each round
CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from threadpoolctl import threadpool_limits
from plainnet.bench import training
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.recipes import Recipe, read
try:
    from plainnet.shortcuts import epochs
except ImportError:
    from plainnet.training import epochs
try:
    from plainnet.workers import quickest
except ImportError:
    quickest = lambda network, loss, number: number
if sys.argv[2] in ("fast99", "small-cnn"):
    wide = {"layers.0.filters": 32, "layers.2.filters": 64, "layers.6.units": 256, "loss.label_smoothing": 0.0}
    table = read("fast99", wide).to_table()
    if sys.argv[2] == "small-cnn":
        table |= {"layers": training.SMALL_CNN, "schedule": {"type": "constant", "learning_rate": 0.001}}
    recipe = Recipe.from_table(table)
else:
    recipe = read(sys.argv[2])
data = training.Work(recipe, int(sys.argv[3])).data
threadpool_limits(max(1, 2 // recipe.workers), user_api="blas")
for _ in sys.stdin:  # each time from the first weights on: later, when few images are known by heart, numbers get tiny
    network, loss = recipe.network(rng=0), SoftmaxCrossEntropy()
    loop = epochs(
        network, loss, recipe.make_optimizer(), data, batch_size=recipe.batch_size, epochs=3,
        learning_rate=recipe.learning_rate(), workers=quickest(network, loss, recipe.workers),
        augmentation=recipe.make_augmentation(), averaging=recipe.averaging,
    )
    next(loop)
    started = time.perf_counter()
    next(loop)
    print(time.perf_counter() - started, flush=True)
    loop.close()
"""


def main() -> None:
    """Compare, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit")
    parser.add_argument("rounds", type=int, nargs="?", default=31)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    record = {"commit": options.commit, "hardware": hardware(), "versions": versions(), "comparisons": {}}
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", options.commit, "src"], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        subprocess.run(["tar", "x"], cwd=folder, input=archive.stdout, check=True)
        sources = {"now": ROOT / "src", f"at {options.commit}": Path(folder) / "src"}
        for name, steps in WORKS.items():
            comparison = compare(name, steps, sources, options.rounds)
            print(comparison, flush=True)
            record["comparisons"][name] = comparison.to_table()
    if options.record:
        write_atomically(options.record, to_json(record))


def compare(name: str, steps: int, sources: dict[str, Path], rounds: int) -> Comparison:
    """Return the seconds of both versions; the first two rounds do not count, and each round has another order."""
    children = {
        label: subprocess.Popen(
            [sys.executable, "-c", CHILD, str(source), name, str(steps)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for label, source in sources.items()
    }  # fmt: skip
    seconds = {label: [] for label in sources}
    for number in range(rounds + 2):
        for label in sorted(sources, reverse=number % 2 == 0):
            child = children[label]
            child.stdin.write("go\n")
            child.stdin.flush()
            elapsed = float(child.stdout.readline())
            if number >= 2:
                seconds[label].append(elapsed)
    for child in children.values():
        child.stdin.close()
        child.wait()
    return Comparison(name, seconds, f"{steps} steps in each round")


if __name__ == "__main__":
    main()
