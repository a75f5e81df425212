"""The tables of what plainnet is in other people's programs, and of how far its answers are to be trusted."""

from __future__ import annotations

import statistics

from tables.source import record, table


def estimator() -> str:
    """Return how many of scikit-learn's own tests pass, and how long a fit takes beside its own."""
    tests, speed = record("sklearn_tests.json"), record("estimator.json")
    lines = [
        f"Of the {tests['functions']} test functions of scikit-learn {tests['scikit-learn']}'s own `test_mlp.py`, run "
        f"with these classes in place of its own, {tests['passed']} pass, a function only if all its cases do."
    ]
    lines += [f"`{name}` does not: {why}." for name, why in tests["not passed"].items()]
    ratios = [
        f"{one['ratio']['median']:.2f} ({one['ratio']['quartiles'][0]:.2f} to {one['ratio']['quartiles'][1]:.2f}) in "
        f"{name}"
        for name, one in speed["types"].items()
    ]
    lines.append(
        f"`fit` of 784-100-10 on {speed['examples']:,} images for {speed['epochs']} epochs takes, beside "
        f"`MLPClassifier`, which makes the same steps, {' and '.join(ratios)} of the time (median of {speed['rounds']} "
        f"rounds, quartiles)."
    )
    return "\n\n".join(lines)


def agreement() -> str:
    """Return how exported models agree with plainnet."""
    found = record("agreement.json")
    ways = list(next(iter(found["models"].values())))
    rows = []
    for name, one in found["models"].items():
        cells = [f"{w['different']} of {w['images']:,}, {w['largest_difference']:.0e}" for w in one.values()]
        rows.append((name, *cells))
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    heads = "model | " + " | ".join(ways)
    return f"{table(heads, rows)}\n\nDifferent answers, and the largest difference of a probability. {versions}."


def trust() -> str:
    """Return calibration, promises and sets of the models on record."""
    models = record("trust.json")["models"]
    fast = [one for name, one in models.items() if name.startswith("fast99")]
    rows = []
    for name, ones in (
        ("`cnn`", [models["cnn"]]),
        ("`classic`, 20 epochs", [models["classic"]]),
        ("`fast99`, 10 runs", fast),
    ):
        sets, sure = ([one[key]["0.999"] for one in ones] for key in ("sets", "certain"))
        kept = sum(one["accuracy"] >= 0.999 for one in sure)
        before = statistics.mean(one["before"]["calibration_error"] for one in ones)
        means = {
            key: statistics.mean(one[key] for one in ones) for key in ("accuracy", "log_loss", "calibration_error")
        }
        rows.append((
            name, f"{means['accuracy']:.2%}", f"{means['log_loss']:.4f}", f"{before:.2%}",
            f"{means['calibration_error']:.2%}", f"{statistics.mean(one['coverage'] for one in sure):.1%}",
            f"{kept} of {len(ones)}", f"{statistics.mean(one['holds_the_truth'] for one in sets):.2%}",
            f"{statistics.mean(one['mean_size'] for one in sets):.2f}",
        ))  # fmt: skip
    return table(
        "model | accuracy | log loss | calibration error before | after | answers certain of 99.9 % | promise kept | "
        "sets of 99.9 % hold the truth | classes in one",
        rows,
    )


def strangers() -> str:
    """Return how well digits are told from other things, by several scores."""
    found = record("trust.json")
    best, rows = f"both, familiarity {found['weight']:g}", []
    for name in ("cnn", "fast99-0", "classic"):
        scores = found["models"][name]["strangers"]
        for score, called in (
            ("probability", "largest probability"), ("log-sum-exp", "log-sum-exp of the logits"),
            ("both, familiarity 0", "with the second network"), (best, "and with familiarity"),
        ):  # fmt: skip
            cells = [f"{one['auroc']:.3f}, {one['let_in_at_95']:.0%}" for one in scores[score].values()]
            rows.append((f"`{name.removesuffix('-0')}`", called, *cells))
    kinds = " | ".join(found["models"]["cnn"]["strangers"]["probability"])
    return (
        f"{table(f'model | score | {kinds}', rows)}\n\nArea under the curve, and the share let in where 95 % of the "
        f"digits are; letters in {found['fonts']} fonts that nothing here has learned from."
    )


def stressed() -> str:
    """Return how the model that comes along fares under stress."""
    found = record("trust.json")["stress"]
    attacks = "; ".join(
        f"{name}: {', '.join(f'{share:.1%} at {limit}' for limit, share in row.items())}"
        for name, row in found["attacks"].items()
    )
    return (
        f"`cnn`, one view: {found['accuracy']:.1%} of {found['examples']:,} test images as they are, "
        f"{found['mean_corrupted_accuracy']:.1%} on the mean over all corruptions and severities. Attacked, {attacks}."
    )


def label_errors() -> str:
    """Return how many known label errors are found."""
    found = record("trust.json")["label_errors"]
    return (
        f"Of the {found['known']} test images of MNIST that at least three of five people judged to be labeled wrongly "
        f"(Northcutt, Athalye, Mueller 2021), {found['found']} are among the first {found['suspects']}."
    )


def pictures() -> str:
    """Return recipe `pictures` beside its peers."""
    found = record("picture_peers.json")
    rows = []
    for name, one in found["sets"].items():
        means = {peer: statistics.mean(scores) for peer, scores in one["scores"].items()}
        best = max(means.values())
        cells = [f"**{mean:.1%}**" if mean == best else f"{mean:.1%}" for mean in means.values()]
        rows.append((name, f"{one['examples']:,} of {'x'.join(map(str, one['shape']))}", *cells))
    peers = list(next(iter(found["sets"].values()))["scores"])[1:]
    return (
        f"Mean test accuracy over {found['seeds']} seeds, each with another split; the best in bold.\n\n"
        f"{table('pictures | examples | `pictures` | ' + ' | '.join(peers), rows)}"
    )
