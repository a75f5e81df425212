"""Tables about plainnet in other programs, and about how far its answers can be trusted."""

from __future__ import annotations

import statistics

from tables.source import record, table


def estimator() -> str:
    """Return how many of scikit-learn's own tests pass, and the time of `fit` relative to scikit-learn's."""
    tests, speed = record("sklearn_tests.json"), record("estimator.json")
    lines = [
        f"The file `test_mlp.py` of scikit-learn {tests['scikit-learn']} has {tests['functions']} test functions. With "
        f"plainnet's classes in place of scikit-learn's, {tests['passed']} of them pass. A function passes only if all "
        "its cases pass."
    ]
    for name, why in tests["not passed"].items():
        lines.append(f"`{name}` fails: {why.replace('proves gradients', 'verifies gradients')}.")
    ratios = [
        f"{one['ratio']['median']:.2f} ({one['ratio']['quartiles'][0]:.2f} to {one['ratio']['quartiles'][1]:.2f}) in "
        f"{name}"
        for name, one in speed["types"].items()
    ]
    lines.append(
        f"`fit` of a 784-100-10 network on {speed['examples']:,} images for {speed['epochs']} epochs takes the same "
        f"steps as `MLPClassifier`. Its time, divided by that of `MLPClassifier`, is {' and '.join(ratios)} (median of "
        f"{speed['rounds']} rounds, quartiles in parentheses)."
    )
    return "\n\n".join(lines)


def agreement() -> str:
    """Return how well exported models agree with plainnet."""
    found = record("agreement.json")
    ways = list(next(iter(found["models"].values())))
    rows = []
    for name, one in found["models"].items():
        cells = [f"{w['different']} of {w['images']:,}, {w['largest_difference']:.0e}" for w in one.values()]
        rows.append((name.replace("two of", "ensemble of two"), *cells))
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    heads = "model | " + " | ".join(ways)
    about = (
        "Each cell gives the number of different answers, and the largest difference between two probabilities. One "
        "view uses each image unchanged; all views average over shifted images, if the model does."
    )
    return f"{table(heads, rows)}\n\n{about} {versions}."


def trust() -> str:
    """Return calibration, certain answers and sets of classes of the models on record."""
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
        "model | accuracy | log loss | calibration error before | after | fraction answered with 99.9 % certainty | "
        "guarantee held | 99.9 % sets that contain the right class | classes per set",
        rows,
    )


def strangers() -> str:
    """Return how well several scores separate digits from other images."""
    found = record("trust.json")
    best, rows = f"both, familiarity {found['weight']:g}", []
    for name in ("cnn", "fast99-0", "classic"):
        scores = found["models"][name]["strangers"]
        for score, called in (
            ("probability", "largest probability"), ("log-sum-exp", "log-sum-exp of the logits"),
            ("both, familiarity 0", "with the second network"), (best, "with the second network and familiarity"),
        ):  # fmt: skip
            cells = [f"{one['auroc']:.3f}, {one['let_in_at_95']:.0%}" for one in scores[score].values()]
            rows.append((f"`{name.removesuffix('-0')}`", called, *cells))
    kinds = " | ".join(found["models"]["cnn"]["strangers"]["probability"])
    return (
        f"{table(f'model | score | {kinds}', rows)}\n\nEach cell gives the area under the ROC curve, and the share of "
        f"these images that is accepted when 95 % of the digits are accepted. The letters come from {found['fonts']} "
        "fonts that no network here was trained on."
    )


def stressed() -> str:
    """Return how well the model that comes with plainnet does under stress."""
    found = record("trust.json")["stress"]
    attacks = "; ".join(
        f"{name}, {', '.join(f'{share:.1%} at {limit}' for limit, share in row.items())}"
        for name, row in found["attacks"].items()
    )
    return (
        f"Accuracy of `cnn`, without averaging over shifted images, on {found['examples']:,} test images: "
        f"{found['accuracy']:.1%} on unchanged images; {found['mean_corrupted_accuracy']:.1%} on average over all "
        f"corruptions and severities. Under attack: {attacks}."
    )


def label_errors() -> str:
    """Return how many known label errors are found."""
    found = record("trust.json")["label_errors"]
    return (
        f"In the test part of MNIST, at least three of five people judged {found['known']} images to be labeled "
        f"wrongly (Northcutt, Athalye, Mueller 2021). `look` lists {found['found']} of them among its first "
        f"{found['suspects']}."
    )


def pictures() -> str:
    """Return the accuracy of recipe `pictures` and of its peers."""
    found = record("picture_peers.json")
    rows = []
    for name, one in found["sets"].items():
        means = {peer: statistics.mean(scores) for peer, scores in one["scores"].items()}
        best = max(means.values())
        cells = [f"**{mean:.1%}**" if mean == best else f"{mean:.1%}" for mean in means.values()]
        rows.append((name, f"{one['examples']:,} of {'x'.join(map(str, one['shape']))}", *cells))
    peers = list(next(iter(found["sets"].values()))["scores"])[1:]
    return (
        f"Mean test accuracy over {found['seeds']} seeds, each with a different split; the best value is bold.\n\n"
        f"{table('pictures | examples | `pictures` | ' + ' | '.join(peers), rows)}"
    )
