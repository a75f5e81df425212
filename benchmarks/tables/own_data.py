"""Tables about your own data: recipe `table` beside scikit-learn, and the reading of handwriting."""

from __future__ import annotations

import statistics

from tables.source import record, table

_PEERS = {"MLP as it comes": "MLP, default settings"}  # name in the record: name in the table


def tables() -> str:
    """Return the accuracy, or R squared, of recipe `table` and its peers on each table."""
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
        f"Mean over {found['seeds']} seeds (standard deviation in parentheses), each with a different split: test "
        f"accuracy, or R squared for {regressions}; the best value is bold. Compared with scikit-learn's "
        f"`MLPClassifier` and `MLPRegressor` in their default settings, `table` is better on {len(better)} of "
        f"{len(rows)} tables and worse on {len(worse)}{losses}, by more than two standard errors."
    )
    head = " | ".join(["table", "examples x inputs", "`table`", *(_PEERS.get(peer, peer) for peer in peers[1:])])
    return f"{intro}\n\n{table(head, rows)}"


def handwriting() -> str:
    """Return how well pictures of handwriting are read."""
    found = record("handwriting.json")
    rows = []
    for what, called in (("rendered", "rendered, test part"), ("real", "real, unseen half")):
        for model, one in found[what].items():
            shares = (f"**{one['right']:.1%}**", f"{one['wrong']:.1%}", f"{one['refused']:.1%}")
            rows.append(
                (called, model, f"{one['digits']:,}", *shares, f"{one['others']:,}", f"{one['others_fine']:.1%}")
            )
    png = [
        f"{name}: {one['stored']:.2%} as stored, {one['as_png']:.2%} as PNG files"
        for name, one in found["as_png"].items()
    ]
    heads = (
        "pictures | model | one-digit pictures | right | wrong | refused | other pictures | "
        "refused, or read as the right number"
    )
    about = ""
    if found.get("real_pictures"):
        real = found["real_pictures"].replace("read by", "labeled by").replace("pictures", "real pictures", 1)
        about = f"\n\nThe rendered pictures are drawn by a program (`tests/handwriting.py`). There are {real}."
    return f"{table(heads, rows)}{about}\n\nAccuracy of `predict` on test images: {'; '.join(png)}."
