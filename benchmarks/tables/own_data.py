"""The tables of data of one's own: `table` beside scikit-learn, and how handwriting is read."""

from __future__ import annotations

import statistics

from tables.source import record, table


def tables() -> str:
    """Return the accuracy, or R^2, of recipe `table` and its peers on each table."""
    found = record("table_peers.json")
    peers = list(next(iter(found["tables"].values()))["scores"])
    rows, better, worse = [], [], []
    for name, one in found["tables"].items():
        means = {peer: statistics.mean(scores) for peer, scores in one["scores"].items()}
        best = max(means.values())
        ours, mlp = one["scores"]["table"], one["scores"]["MLP as it comes"]
        differences = [a - b for a, b in zip(ours, mlp, strict=True)]
        error = statistics.stdev(differences) / len(differences) ** 0.5
        better += [name] * (statistics.mean(differences) > 2 * error)
        worse += [name] * (statistics.mean(differences) < -2 * error)
        figures = []
        for peer in peers:
            mean, deviation = means[peer], statistics.stdev(one["scores"][peer])
            told = f"{mean:.1%}" if one["task"] == "classes" else f"{mean:.3f}"
            spread = f"{100 * deviation:.1f}" if one["task"] == "classes" else f"{deviation:.3f}"
            figures.append(f"**{told}** ({spread})" if mean == best else f"{told} ({spread})")
        rows.append((name, f"{one['examples']:,} x {one['inputs']}", *figures))
    regressions = ", ".join(name for name, one in found["tables"].items() if one["task"] == "numbers")
    losses = f" ({', '.join(worse)})" if worse else ""
    intro = (
        f"Mean over {found['seeds']} seeds (standard deviation), each with another split: test accuracy, or R squared "
        f"for {regressions}; the best in bold. Beside scikit-learn's `MLPClassifier` and `MLPRegressor` as they come, "
        f"`table` is better on {len(better)} of {len(rows)}, worse on {len(worse)}{losses}, by over two standard "
        "errors."
    )
    return f"{intro}\n\n{table('table | examples x inputs | `table` | ' + ' | '.join(peers[1:]), rows)}"


def handwriting() -> str:
    """Return how pictures of handwriting are read."""
    found = record("handwriting.json")
    rows = []
    for what, called in (("rendered", "rendered, the part for testing"), ("real", "real, the half kept for reporting")):
        for model, one in found[what].items():
            shares = (f"**{one['right']:.1%}**", f"{one['wrong']:.1%}", f"{one['refused']:.1%}")
            rows.append(
                (called, model, f"{one['digits']:,}", *shares, f"{one['others']:,}", f"{one['others_fine']:.1%}")
            )
    png = [
        f"{name}: {one['stored']:.2%} as stored, {one['as_png']:.2%} as PNG files"
        for name, one in found["as_png"].items()
    ]
    heads = "pictures | model | of one digit | right | wrong | refused | others | refused, or read as their number"
    about = f"\n\nReal pictures: {found['real_pictures']}." if found.get("real_pictures") else ""
    return f"{table(heads, rows)}{about}\n\nTest images through `predict`: {'; '.join(png)}."
