"""Tables of distributed training: measurements, predictions of a model, and the cost of larger batches."""

from __future__ import annotations

import statistics

from tables.source import record, table

_LINKS = {"memory": "shared memory", "tcp": "TCP, loopback"}
_RULES = {
    "the rate of 128": "SGD, rate for batch 128",
    "as many times larger": "SGD, rate scaled with the batch",
    "half of that": "SGD, half the scaled rate",
    "LARS": "LARS",
}


def mpi() -> str:
    """Return what `benchmarks/mpi.py` measured."""
    found = record("mpi.json")
    rows: list[tuple[object, ...]] = []
    for by, name in _LINKS.items():
        two = found["reductions"][f"2 {by}"]
        rows.append((f"one reduction of 814,090 gradients, 2 ranks, {name}: `allreduce`, `ordered`",
                     f"{two['allreduce']:.2f}, {two['ordered']:.2f} ms"))  # fmt: skip
    rows.append(
        (
            "a step of `classic`: time on one rank with MPI / time without MPI",
            f"{found['one_rank']['ratio']:.3f}",
        )
    )
    for name in ("classic", "cnn", "wide"):
        steps = found["steps"]
        told = [f"one rank {steps[f'{name} 1 memory']['ms']['threads']['median']:.1f}"]
        if f"{name} threads" in steps:
            told.append(f"two threads {steps[f'{name} threads']['ms']['threads:2']['median']:.1f}")
        told += [
            f"2 ranks, {link}, {steps[f'{name} 2 {by}']['ms']['ordered']['median']:.1f}" for by, link in _LINKS.items()
        ]
        title = "a dense network with 98,747,402 weights" if name == "wide" else f"`{name}`"
        rows.append((f"a step of {title}, batch 128", "; ".join(told) + " ms"))
    for dtype in ("float64", "float32"):
        worst = [
            f"{name} {max(found['gradients'][n][f'{name} {dtype}'] for n in '24'):.0e}"
            for name in ("classic", "fast99", "cnn")
        ]
        rows.append(
            (
                f"relative difference of the gradient of 128 images, 2 and 4 ranks against one process, {dtype}",
                ", ".join(worst),
            )
        )
    rounding = max(found["gradients"][n]["cnn rounding"] for n in "24")
    rows.append(("the same difference of one process in float32 from one in float64", f"cnn {rounding:.0e}"))
    for count, one in found["accuracy"].items():
        rows.append((f"validation accuracy of `fast99`, {count} rank{'s' * (count != '1')}, 5 seeds",
                     f"{one['mean']:.2%}, sd {100 * one['sd']:.2f} points"))  # fmt: skip
    return table("what | measured", rows)


def held() -> str:
    """Return the measured times of steps beside the predicted ones."""
    rows = [
        (
            "dense" if row["network"] == "wide" else f"`{row['network']}`", row["ranks"], _LINKS[row["by"]],
            f"{row['measured_ms']:.1f}", f"{row['predicted_ms']:.1f}", f"{row['off']:+.0%}",
        )
        for row in record("cluster.json")["held_against"]
    ]  # fmt: skip
    return table("network | ranks on 2 cores | exchange | measured, ms | predicted, ms | error of the prediction", rows)


def needed() -> str:
    """Return how many examples per rank are needed."""
    rows = record("cluster.json")["needed"]
    counts = sorted({row["ranks"] for row in rows})
    found = {(row["network"], row["link"], row["ranks"]): row["examples a rank"] for row in rows}
    lines = [
        (
            "dense" if name == "wide" else f"`{name}`",
            link,
            *(found[name, link, n] or "more than 16,384" for n in counts),
        )
        for name, link in dict.fromkeys((row["network"], row["link"]) for row in rows)
    ]
    return table(" | ".join(["network", "connection between ranks", *(f"{n:,} ranks" for n in counts)]), lines)


def large_batches() -> str:
    """Return how much accuracy larger batches cost."""
    found = record("large_batches.json")
    rules = list(dict.fromkeys(run["rule"] for run in sorted(found["runs"], key=lambda run: run["rule"] == "LARS")))
    rows = []
    for batch in sorted({run["batch"] for run in found["runs"]}):
        cells = []
        for rule in rules:
            runs = [run for run in found["runs"] if (run["rule"], run["batch"]) == (rule, batch)]
            values = [run["validation_accuracy"] for run in runs]
            if None in values or min(values) < 0.5:
                cells.append("fails")
            else:
                cells.append(f"{statistics.mean(values):.2%} ({runs[0]['rate']:g})")
        rows.append((f"{batch:,}", -(-50_000 // batch) * found["epochs"], *cells))
    return table(" | ".join(["batch", "steps", *(_RULES[rule] for rule in rules)]), rows)
