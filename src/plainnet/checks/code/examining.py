"""From judgments to a verdict: right, wrong, or undecidable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from plainnet.checks.code.accusing import accused, key_in, names_of, open_finding, returned, wrong_finding
from plainnet.checks.code.built import REBOUND
from plainnet.checks.code.choosing import Search, counts_examples
from plainnet.checks.code.claims import fits
from plainnet.checks.code.common_losses import completes_softmax
from plainnet.checks.code.conventions import (
    for_one_example,
    goes_uphill,
    is_a_network,
    is_diagonal,
    may_be_no_gradient,
    of_the_first_layer,
    says_first_layer,
)
from plainnet.checks.code.differences import results_of
from plainnet.checks.code.locate import locate
from plainnet.checks.code.losses import divided_elsewhere, faults_of_loss, fused_with
from plainnet.checks.code.matching import MISSING, RIGHT, WRONG, Judgment
from plainnet.checks.code.short_batches import kept_batch_size
from plainnet.checks.code.state import clears, faults_of_state
from plainnet.checks.code.subject import Subject
from plainnet.checks.code.values import Path, follow, spelled
from plainnet.checks.code.verdicts import CodeFinding, Remark


def verdict_of(name: str, search: Search, form: str) -> list[CodeFinding]:
    """Return the findings on one subject."""
    return [replace(finding, form=form) for finding in _verdict(name, search, form)]


def _verdict(name: str, search: Search, form: str) -> list[CodeFinding]:
    group = search.best
    if not group and any(REBOUND in said for said in search.raised):
        evidence = next(said for said in search.raised if REBOUND in said).partition(": ")[2]
        return [CodeFinding(name=name, verdict=WRONG, array="grad", diagnosis="gradient-rebound", evidence=evidence)]
    if not group:
        return [open_finding(name, f"it could not be run: {search.trouble}")]
    empty = [j for j in group if _returns_nothing(j)] if form == "functions" else []
    if empty and any(j.right for j in group):  # dx[pad:-pad] is empty without padding
        group = [j for j in group if j not in empty]
        search.groups[0] = group
    if _is_unexplained(group[0]):  # one output fits several losses, each with another factor
        group = next((g for g in search.groups if g[0].right and not _is_unexplained(g[0])), group)
    first = max(group, key=lambda j: j.rank)
    subject = Subject(name, form, [key_in(first, h) for h in first.held], first.episode.functions, names_of(first))
    if not _repeats(first):
        return [open_finding(name, "it draws random numbers that np.random.seed does not govern")]
    if first.single and not any(j.right for j in group):
        return [
            open_finding(name, "it computes in float32, in which rounding hides faults; make it compute in float64")
        ]
    state = faults_of_state(first)
    if state and not state[0].remark:
        return [wrong_finding(subject, first, _leaf_key(first, state[0].leaf), state[0].slug, state[0].evidence)]
    of_the_loss = faults_of_loss(first)
    if of_the_loss and of_the_loss[0].slug == "softmax-over-the-whole-batch" and not counts_examples(first.episode):
        return [
            open_finding(
                name, "its softmax is over the whole array: this is right for one example, but wrong for a batch"
            )
        ]
    if of_the_loss and not of_the_loss[0].remark:  # a wrong loss explains why the gradient does not fit it
        return [wrong_finding(subject, first, "loss", of_the_loss[0].slug, of_the_loss[0].evidence)]
    remarks = [
        Remark(name=found.slug, evidence=found.evidence, line=locate(subject, _leaf_key(first, found.leaf), found.slug))
        for found in state
    ] + [
        Remark(name=found.slug, evidence=found.evidence, line=locate(subject, "loss", found.slug))
        for found in of_the_loss
    ]
    if first.right and first.factor < 0 and "that it returns" in first.loss and not any(c.step for c in first.claims):
        evidence = f"it is {first.factor:.6g} times the gradient of {first.loss}: it has the wrong sign"
        return [wrong_finding(subject, first, key_in(first, first.held[0]), "sign-flipped", evidence)]
    if _is_unexplained(first):
        why = (
            f"it is {first.factor:.6g} times the gradient of {first.loss}, and nothing in the code explains this factor"
        )
        return [open_finding(name, why)]
    if all(j.right or not j.count(WRONG, MISSING) for j in group) and any(j.right for j in group):
        if unseen := _always_at_kinks([j for j in group if j.right]):
            return [
                open_finding(
                    name, f"every gradient of {unseen} is at a kink, where there is no derivative to compare with"
                )
            ]
        if size := kept_batch_size(first):
            evidence = f"a smaller last batch is still divided by {size}"
            remarks.append(Remark(name="short-batch-divided-by-the-full-size", evidence=evidence, line=None))
        return [replace(_right(name, [j for j in group if j.right]), remarks=tuple(remarks))]
    if says_first_layer(first):
        evidence = "it returns no gradient with respect to its input, and a comment says that it is the first layer"
        return [replace(_right(name, [first]), remarks=(Remark(name="input-gradient-missing", evidence=evidence),))]
    if is_a_network(first):
        evidence = "it returns no gradient with respect to its input: this is right if no layer lies below the network"
        return [replace(_right(name, [first]), remarks=(Remark(name="input-gradient-missing", evidence=evidence),))]
    if form == "functions" and (caller := of_the_first_layer(first)) is not None:
        remark = Remark(
            name="input-gradient-missing",
            evidence=f"it returns no gradient with respect to its input, and {caller}, which calls it, uses none: this is right only for a first layer",
        )
        return [replace(_right(name, [first]), remarks=(remark,))]
    below = next((found for other in search.groups if (found := fused_with(other[0])) is not None), None)
    if below is not None:  # two readings fit; the layer below decides which is right
        return [
            open_finding(
                name,
                f"its gradient is with respect to the logits: right if {below} lies below and passes the gradient on unchanged, "
                "but wrong if the layer below multiplies it by the derivative of its activation",
            )
        ]
    if (factor := _reported_loss_differs(first)) is not None:
        remark = Remark(
            name="reported-loss-not-descended",
            evidence=f"every element of the gradient is {factor:.6g} times the derivative of the loss in the same "
            "function",
        )
        said = (
            "as if the loss were not divided by this number; other code divides by it"
            if factor > 1
            else "as if the loss were a mean, not a sum"
        )
        evidence = f"{_arrays(first)} with central differences up to one factor, {factor:.6g}, {said}"
        return [CodeFinding(name=name, verdict=RIGHT, evidence=evidence, remarks=(remark,))]
    if goes_uphill(first):
        return [
            open_finding(
                name,
                "its step adds the gradient: right if what comes from above is target - output, the negative gradient",
            )
        ]
    if may_be_no_gradient(first):
        return [
            open_finding(name, "it returns an array before the loss that is not its gradient, and may be meant as none")
        ]
    accusations = accused(subject, search)
    if first.episode.module and is_diagonal(first) and (loss := completes_softmax(first.episode.module)):
        evidence = f"only the diagonal of the Jacobian, but its product with {loss} is p - y, which is right"
        remark = Remark(name="softmax-jacobian-diagonal-only", evidence=evidence, line=accusations[0].line)
        return [CodeFinding(name=name, verdict=RIGHT, evidence=f"right together with {loss}", remarks=(remark,))]
    if for_one_example(first) and not any(finding.diagnosis for finding in accusations):
        return [
            open_finding(name, "it does not use the gradients of several examples: it may be meant for one example")
        ]
    return accusations


def _always_at_kinks(right: list[Judgment]) -> str:
    """Return the name of an array with a gradient that could not be judged in any setting."""
    judged = {h.path for j in right for h in j.held if h.verdict == RIGHT}
    return next((spelled(h.path) for h in right[0].held if h.path not in judged), "")


def _is_unexplained(judgment: Judgment) -> bool:
    """Return whether few gradients fit a loss that the doctor supposes, and only up to an odd factor."""
    return judgment.right and judgment.inferred and len(judgment.held) < 3 and not _is_natural(judgment)


def _is_natural(judgment: Judgment) -> bool:
    """Return whether the factor of an inferred loss is plausible: a number of few digits, divided by a product of sizes."""
    sizes = {
        1,
        *(n for path in judgment.results for n in np.shape(follow(judgment.names, path))),
        judgment.episode.batch or 1,
    }
    counts = {float(a * b) for a in sizes for b in sizes}
    return any(np.isclose(k, float(f"{k:.2g}"), rtol=5e-5) for k in (judgment.factor * count for count in counts))


def _returns_nothing(judgment: Judgment) -> bool:
    """Return whether backward returned an empty array."""
    return any(np.size(claim.value) == 0 for claim in judgment.claims) or any(
        np.size(v) == 0 for v in returned(judgment)
    )


def _repeats(judgment: Judgment) -> bool:
    """Return whether two forward passes with the same numbers agree."""
    one, other = (results_of(judgment.episode.replay(), judgment.results) for _ in range(2))
    return all(np.array_equal(one[path], other[path], equal_nan=True) for path in judgment.results)


def _leaf_key(judgment: Judgment, leaf: Path | None) -> str:
    return "x" if leaf is None or leaf[0][1] in judgment.episode.inputs else spelled(leaf)


def _reported_loss_differs(judgment: Judgment) -> float | None:
    """Return the factor between the gradient of a loss and its derivative, if a count of numbers explains it."""
    episode = judgment.episode
    if judgment.inferred or judgment.upstream is not None or len(judgment.held) != 1:
        return None
    h = judgment.held[0]
    if h.path[0][1] not in episode.inputs or h.claim is None or not fits(h.claim, h.probes.shape):
        return None
    sure = np.isfinite(h.errors)
    factor = float(h.given[sure] @ h.truth[sure] / (h.truth[sure] @ h.truth[sure])) if sure.any() else 0.0
    if not h.is_times(factor):
        return None
    shape, batch = h.probes.shape, episode.batch or 1
    counts = {float(np.prod(shape)), *(float(n) for n in shape)} - {1.0}
    means = [axis for axis, n in enumerate(shape) if np.isclose(factor, 1 / n) or np.isclose(factor, 0.5 / n)]
    if any(_is_a_sum(judgment, h.path, axis) for axis in means):
        return factor
    counts -= {float(batch)}
    if episode.backward is None:
        return None
    if any(np.isclose(factor, k * count) for count in counts for k in (1.0, 0.5)):  # a mean over more than the examples
        return factor
    return factor if np.isclose(factor, batch) and batch > 1 and divided_elsewhere(episode) else None


def _is_a_sum(judgment: Judgment, path: Path, axis: int) -> bool:
    """Return whether a loss doubles if every example comes twice: it is a sum over them, not a mean."""
    episode = judgment.episode

    def change(names: dict[str, Any]) -> None:
        shape = np.shape(follow(names, path))
        for key in {path[0][1], *episode.given}:
            if np.shape(names.get(key, 0.0))[: axis + 1] == shape[: axis + 1]:
                names[key] = np.repeat(names[key], 2, axis=axis)

    try:
        once, twice = (
            judgment.functional({p: np.array(follow(names, p), float) for p in judgment.results})
            for names in (episode.replay(), episode.replay(change))
        )
    except Exception:
        return False
    return bool(np.isclose(twice, 2 * once))


def _right(name: str, rights: list[Judgment]) -> CodeFinding:
    best = rights[0]
    settings = len({(j.episode.label, j.episode.batch) for j in rights})
    evidence = f"{_arrays(best)} with central differences in {settings} {'settings' if settings > 1 else 'setting'}"
    if best.means:
        evidence += "; the gradients of the parameters are means over the batch: right if the upstream gradient is not divided by the batch size"
    if best.loss.startswith("one element"):
        evidence += "; this holds if only one element of the upstream gradient is not 0, as cross-entropy gives it"
    if best.per_example:
        evidence += "; there is one gradient for each example: add them up"
    if best.inferred:
        evidence += f"; they are gradients of this loss: {best.loss}"
        if not np.isclose(best.factor, 1):
            evidence += f", times {best.factor:.6g}"
        if best.decay:
            evidence += f", and a penalty of {best.decay:.6g} / 2 times the squared weights"
    if (method := clears(best.episode, best.names)) is not None:
        evidence += f"; call {method}() before each batch" if "zero" in method else ""
    return CodeFinding(name=name, verdict=RIGHT, evidence=evidence)


def _arrays(judgment: Judgment) -> str:
    count = judgment.count(RIGHT) or len(judgment.held)
    return f"{count} gradient arrays agree" if count > 1 else "1 gradient array agrees"
