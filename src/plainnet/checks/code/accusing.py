"""Verdict "wrong": check that a gradient may be called wrong, name the fault, and write the finding."""

from __future__ import annotations

import inspect
import time
from typing import Any

import numpy as np

from plainnet.checks.code.binding import REPLAYED
from plainnet.checks.code.cases import Case
from plainnet.checks.code.choosing import Search
from plainnet.checks.code.claims import fits
from plainnet.checks.code.conventions import left_to_the_caller
from plainnet.checks.code.episode import RETURNED, Deadline, OutOfTime
from plainnet.checks.code.explanations import explain, explained_whole
from plainnet.checks.code.locate import locate
from plainnet.checks.code.matching import KINKS, MISSING, WRONG, Held, Judgment
from plainnet.checks.code.parting import line_where_they_part
from plainnet.checks.code.presuming import clips, is_no_call, is_unfinished, may_accuse
from plainnet.checks.code.subject import Subject
from plainnet.checks.code.values import spelled
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import UNDECIDABLE

_CASES = 3
_SECONDS = 5.0  # to look for a fault that also proves the loss
_NEARLY = 0.01  # a smaller error without a known cause may be intended


def accused(subject: Subject, search: Search) -> list[CodeFinding]:
    """Return findings of what is wrong, or one undecidable finding if the conditions for a verdict "wrong" do not hold."""
    wrongs = [j for j in search.best if j.count(WRONG, MISSING)] or search.best
    best = max(wrongs, key=lambda j: (j.episode.batch != 1, j.share_right))
    name = subject.name
    wrong = [h for h in best.held if h.verdict == WRONG]
    missing = [h for h in best.held if h.verdict == MISSING]
    if not best.held:
        return [open_finding(name, "no gradient was found for any number that its forward pass depends on")]
    if all(h.verdict == KINKS for h in best.held):
        return [open_finding(name, "every gradient is at a kink, where there is no derivative to compare with")]
    if not may_accuse(best):
        if (proven := _proven_by_a_fault(subject, search)) is not None:
            return [proven]
        said = ", ".join(spelled(h.path) for h in missing or wrong)
        if any(is_no_call(best, h) for h in wrong):
            return [open_finding(name, f"it could not be run on an input of the right shape: {search.trouble}")]
        if missing:
            return [open_finding(name, f"no gradient was found for {said}; tried {search.ran} ways to call it")]
        loss = (
            "these gradients belong to no loss that the doctor knows"
            if best.inferred
            else f"the gradients of {said} do not fit {best.loss}"
        )
        return [open_finding(name, f"{loss}; tried {search.ran} ways to call it")]
    if any(is_unfinished(best, h) for h in wrong):
        return [
            open_finding(name, "its gradient is zero everywhere, and its body holds pass or TODO: it looks unfinished")
        ]
    if clips(best):
        return [open_finding(name, "it clips gradients on the way, so they are not the derivatives of its loss")]
    unlike = _unlike_in_columns(best)
    if unlike is not None:
        evidence = (
            f"cause unknown; {unlike[1].claim.spelled if unlike[1].claim else ''} is a mean over the batch, {unlike[0].claim.spelled if unlike[0].claim else ''} is a sum: "
            "they cannot both be gradients of one loss"
        )
        return [wrong_finding(subject, best, key_in(best, unlike[0]), None, evidence)]
    if all(h.path[0][1] in best.episode.inputs for h in best.held if not _is_a_mean(best, h)):  # those are a convention
        wrong = [h for h in wrong if h.path[0][1] in best.episode.inputs]
    cases = [Case(j, _files(j), j.factor) for j in _alike(best, search.best)[:_CASES]]
    sizes = [np.size(h.claim.value) for h in wrong if h.claim is not None]
    fitting = [size in (1, int(np.prod(h.probes.shape))) for size, h in zip(sizes, wrong, strict=False)]
    if best.upstream is None and not all(fitting):
        said = ", ".join(spelled(h.path) for h in wrong)
        return [
            open_finding(
                name, f"its gradient of {said} differs in shape from {said}; it may be meant for one example at a time"
            )
        ]
    findings: list[CodeFinding] = []
    remaining = list(wrong)
    if remaining:
        explanations = explain(cases)
        for h in wrong:
            if h not in remaining:
                continue
            one = next((e for e in explanations if h.path in e.leaves), None)
            if one is None and best.episode.adds_a_little and best.episode.way[:1] == (REPLAYED,):
                why = f"{h.claim.spelled if h.claim else ''} does not fit, but a small number that its loss adds may be the cause"
                return [open_finding(name, why)]
            if one is None and best.upstream is None and (off := _share_off(best, h)) < _NEARLY:
                why = (
                    f"{h.claim.spelled if h.claim else ''} is off by at most {off:.1%} of the largest derivative, up to a factor; the cause is unknown, but "
                    "adding a small number inside a logarithm, or truncating a sequence, has such an effect"
                )
                return [open_finding(name, why)]
            if one is not None and (call := left_to_the_caller(best, one.slug)) is not None:
                why = f"it leaves out the derivative of its activation: right if the gradient from above already contains it, as after {call}"
                return [open_finding(name, why)]
            if one is None:
                findings.append(
                    wrong_finding(subject, best, key_in(best, h), None, _unknown(best, h), _line_in_a_loop(cases[0], h))
                )
                remaining.remove(h)
            else:
                findings.append(
                    wrong_finding(
                        subject,
                        best,
                        key_in(best, h),
                        _as_written(subject, one.slug),
                        one.evidence,
                        _line_in_a_loop(cases[0], h),
                    )
                )
                remaining = [other for other in remaining if other.path not in one.leaves]
    for h in missing:
        slug: str | None = (
            "input-gradient-missing" if h.path[0][1] in best.episode.inputs else "parameter-gradient-missing"
        )
        evidence = f"no array that backward returns or stores is the gradient of {spelled(h.path)}"
        if any(np.size(value) == 0 for value in returned(best)):
            slug, evidence = None, "cause unknown; an array that backward returns is empty"
        findings.append(wrong_finding(subject, best, key_in(best, h), slug, evidence))
    return findings


def _proven_by_a_fault(subject: Subject, search: Search) -> CodeFinding | None:
    """Return the fault that explains every gradient under a supposed loss, up to a usual factor; None if there is none."""
    same_way = [group[0] for group in search.groups if group[0].episode.way == search.best[0].episode.way]
    fitting = [j for j in same_way if j.inferred and j.says_all and 2 <= len(j.held) == j.count(WRONG)]
    Deadline.at = time.monotonic() + _SECONDS
    try:
        for supposed in fitting:
            if (one := explained_whole(Case(supposed, _files(supposed)))) is not None:
                evidence, slug = f"with {supposed.loss} as the loss, {one.evidence}", _as_written(subject, one.slug)
                return wrong_finding(subject, supposed, key_in(supposed, supposed.held[0]), slug, evidence)
    except OutOfTime:
        return None
    finally:
        Deadline.at = float("inf")
    return None


def _unlike_in_columns(judgment: Judgment) -> tuple[Held, Held] | None:
    """Return a gradient that is a sum and one that is a mean over the batch, for examples in columns; None if all are alike.

    With examples in columns, means for all parameters are a convention, so the gradient that is a sum is the wrong one.
    """
    episode, n = judgment.episode, judgment.episode.batch
    x = next((episode.names[key] for key in episode.inputs if key in episode.names), None)
    if judgment.upstream is None or not n or not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] != n:
        return None
    learned = [
        h
        for h in judgment.held
        if h.path[0][1] not in episode.inputs and h.claim is not None and fits(h.claim, h.probes.shape)
    ]
    sums, means = [h for h in learned if h.is_times(1.0)], [h for h in learned if h.is_times(1 / n)]
    return (sums[0], means[0]) if sums and means and len(sums) + len(means) == len(learned) else None


def _is_a_mean(judgment: Judgment, h: Held) -> bool:
    """Return whether the gradient of a parameter of a layer is a mean over the batch."""
    n, known = judgment.episode.batch, h.claim is not None and fits(h.claim, h.probes.shape)
    return judgment.upstream is not None and known and n is not None and n > 1 and h.is_times(1 / n)


def returned(judgment: Judgment) -> list[Any]:
    """Return the arrays that backward returned."""
    value = judgment.names.get(RETURNED)
    values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
    return [one for one in values if isinstance(one, np.ndarray)]


def _as_written(subject: Subject, slug: str) -> str:
    """Use the text of the code to tell a missing mask from a mask that masks nothing: their numbers are the same."""
    try:
        inclusive = ">=" in inspect.getsource(subject.functions["backward"])
    except (OSError, TypeError, KeyError):
        inclusive = False
    return "relu-mask-inclusive-on-output" if inclusive and slug == "relu-mask-missing" else slug


def _alike(best: Judgment, group: list[Judgment]) -> list[Judgment]:
    """Return the judgments in which the same arrays are wrong; if some have larger batches, return only those."""
    wrong = {h.path for h in best.held if h.verdict == WRONG}
    alike = [j for j in group if {h.path for h in j.held if h.verdict == WRONG} == wrong]
    larger = [j for j in alike if j.episode.batch != 1]
    return larger or alike


def _share_off(judgment: Judgment, h: Held) -> float:
    """Return the largest error of a claim, up to one factor, relative to the largest derivative; infinity for the wrong size.

    The factor is free if a small number in the loss keeps it from being exact.
    """
    if h.claim is None or np.size(h.claim.value) != int(np.prod(h.probes.shape)):
        return np.inf
    sure = np.isfinite(h.errors)
    truth = h.truth[sure]
    factor = judgment.factor
    if judgment.episode.adds_a_little:
        factor = float(h.given[sure] @ truth) / max(float(truth @ truth), 1e-300)
    return float(
        np.abs(h.given[sure] - factor * truth).max(initial=0.0) / max(np.abs(factor * truth).max(initial=0.0), 1e-300)
    )


def _unknown(judgment: Judgment, h: Held) -> str:
    """Describe a wrong gradient that no fault of the catalogue explains."""
    assert h.claim is not None
    name = h.claim.spelled
    if np.size(h.claim.value) != int(np.prod(h.probes.shape)):
        return f"cause unknown; {name} has shape {np.shape(h.claim.value)}, but should have {h.probes.shape}"
    truth = judgment.factor * h.truth
    off = np.abs(h.given - truth)
    off[~np.isfinite(h.errors)] = 0
    share = float(np.mean(off > 1e-5 * np.abs(truth).max()))
    i = int(np.argmax(off[: len(h.probes.places)] if len(h.probes.places) else off))
    where = ", ".join(str(int(n)) for n in np.unravel_index(h.probes.places[i], h.probes.shape))
    return (
        f"cause unknown; {share:.0%} of {name} is wrong, most at [{where}]: there it is {h.given[i]:.6g}, but central differences "
        f"give {truth[i]:.6g} ({judgment.episode.label})"
    )


def key_in(judgment: Judgment, h: Held) -> str:
    """Return the name of a leaf: x for an input."""
    return "x" if h.path[0][1] in judgment.episode.inputs else spelled(h.path)


def names_of(judgment: Judgment) -> dict[str, str]:
    """Return, for every leaf, the name that the author gave its gradient."""
    return {
        key_in(judgment, h): h.claim.spelled
        if h.claim is not None and not h.claim.spelled.startswith("what it returns")
        else f"d{key_in(judgment, h)}"
        for h in judgment.held
    }


def _files(judgment: Judgment) -> frozenset[str]:
    found = set()
    for function in judgment.episode.functions.values():
        try:
            found.add(inspect.unwrap(function).__code__.co_filename)
        except AttributeError:
            continue
    if judgment.episode.module is not None:
        found.add(str(judgment.episode.module.__file__))
    return frozenset(found)


def _line_in_a_loop(case: Case, h: Held) -> int | None:
    """Return the line of a training loop at which a gradient goes wrong; None for other forms of code."""
    body = case.judgment.episode.options.get("body")
    try:
        return None if body is None else line_where_they_part(case, h, body)
    except Exception:
        return None


def wrong_finding(
    subject: Subject, judgment: Judgment, array: str, slug: str | None, evidence: str, line: int | None = None
) -> CodeFinding:
    """Return a verdict "wrong"."""
    return CodeFinding(
        name=subject.name, verdict=WRONG, array=subject.gradient_names.get(array, f"d{array}"), diagnosis=slug,
        evidence=evidence, line=line or locate(subject, array, slug),
    )  # fmt: skip


def open_finding(name: str, why: str) -> CodeFinding:
    """Return a verdict "undecidable"."""
    return CodeFinding(name=name, verdict=UNDECIDABLE, evidence=why)
