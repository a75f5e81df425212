"""From wrong numbers to the name of a fault: the fault that gives exactly these numbers when put into correct code.

A fault is named only if it explains every wrong gradient that it affects, leaves the right ones right, and does so in
every episode in which the gradient is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.cases import Case, key_of, strengths_of
from plainnet.checks.code.factors import plain_factors
from plainnet.checks.code.faults import CATALOGUE
from plainnet.checks.code.matching import WRONG, Held
from plainnet.checks.code.right_layers import FAULTS, SHAPES, max_pool
from plainnet.checks.code.sites import INPUT, LOSS, Site
from plainnet.checks.code.square_images import with_square_images
from plainnet.checks.code.too_soon import with_a_tiny_step
from plainnet.checks.code.values import Path, follow, put

_CLOSE = 1e-5  # relative; central differences and rounding allow no more


class Explanation(NamedTuple):
    """A fault, the leaves with gradients that it explains, and the evidence."""

    slug: str
    leaves: frozenset[Path]
    evidence: str


def explain(cases: list[Case]) -> list[Explanation]:
    """Return the faults that hold in all of these cases, those that explain most gradients first."""
    known = [case for case in cases if case.sites] or cases
    found = [list(_explanations(case)) for case in known]
    shared = set.intersection(*({one.slug for one in case} for case in found)) if found else set()
    first = [one for one in (found[0] if found else []) if one.slug in shared]
    return sorted(first, key=lambda one: -len(one.leaves))


def explained_whole(case: Case) -> Explanation | None:
    """Return a fault of a layer that explains every gradient, up to a usual factor: it then also proves a supposed loss."""
    case.factor = None
    wanted = {h.path for h in case.judged}
    return next((one for one in _by_site(case) if one.leaves == wanted), None)


def _explanations(case: Case) -> Iterator[Explanation]:
    yield from _by_factor(case)
    yield from _by_penalty(case)
    yield from _by_site(case)
    yield from _by_mask(case)
    if leaves := with_a_tiny_step(case):
        evidence = "with a step a thousand times smaller the gradient is right: it is computed with weights that the step has already changed"
        yield Explanation("weights-already-updated", leaves, evidence)
    if leaves := with_square_images(case):
        evidence = "with square images the gradient is right: height and width are exchanged"
        yield Explanation("height-and-width-exchanged", leaves, evidence)


def _by_site(case: Case) -> Iterator[Explanation]:
    """Put each fault into each layer, and into all layers of a kind, and compare the resulting gradients."""
    kinds = list(dict.fromkeys(site.kind for site in case.sites))
    for kind in kinds:
        sites = [site for site in case.sites if site.kind is kind]
        apart = list({site.source: site for site in sites}.values())  # no site inside another
        groups = [[site] for site in sites] + ([apart] if len(apart) > 1 else [])
        for slug in FAULTS[kind]:
            for shape in SHAPES.get(slug, ({},)):
                for group in groups:
                    if slug == "softmax-applied-twice" and not _below_a_softmax(case, group[0]):
                        continue
                    try:
                        touched = _with_fault(case, group, slug, shape)
                    except Exception:
                        continue
                    if touched:
                        agreed = min(digits_of_agreement(h.given, predicted) for h, predicted in touched)
                        what = kind.__name__.replace("_", " ")
                        yield Explanation(
                            slug,
                            frozenset(h.path for h, _ in touched),
                            f"correct code for {what} with this one fault gives your numbers, to {agreed} digits; without the fault, it "
                            "agrees with central differences",
                        )


def _below_a_softmax(case: Case, site: Site) -> bool:
    return any(other.target == LOSS and other.source == site.target for other in case.sites)


def _with_fault(case: Case, group: list[Site], slug: str, shape: dict[str, Any]) -> list[tuple[Held, np.ndarray]]:
    """Return the gradients that a fault in these layers would change, if exactly these are wrong in exactly this way."""
    added: list[tuple[int, np.ndarray]] = []
    direct: dict[str, np.ndarray] = {}
    for site in group:
        dy: Any = 1.0
        if site.target != LOSS:
            dy = case.gradient_at(site.target, added)
            if dy is None:
                return []
        right, faulty = site.gradients(dy, None, {}), site.gradients(dy, slug, shape)
        if right["x"].shape == faulty["x"].shape and not close(faulty["x"], right["x"]):
            added.append((site.source, faulty["x"] - right["x"]))
        for name, gradient in right.items():
            if name != "x" and not close(faulty[name], gradient):
                if faulty[name].shape != gradient.shape:
                    direct[name] = faulty[name]
                else:
                    direct[name] = direct.get(name, 0) + faulty[name] - gradient
    if not added and not direct:
        return []
    touched, k = [], case.factor
    for h in case.judged:
        change = direct.get(key_of(h.path))
        if change is not None and np.shape(change) != h.probes.shape:
            if not close(np.asarray(h.claim.value), change):  # type: ignore[union-attr]
                return []
            touched.append((h, np.ravel(change)))
            continue
        predicted, errors = case.slopes(h, added) if added else (h.truth, h.errors)
        if change is not None:
            predicted = predicted + h.probes.project(change)
        sure = np.isfinite(errors) & np.isfinite(h.errors)
        k = _plain_factor(case, h.given[sure], predicted[sure]) if k is None else k
        if k is None:
            return []
        same = _near(h.given[sure], k * predicted[sure])
        changed = not _near(predicted[sure], h.truth[sure])
        if (changed and not same) or (not changed and h.verdict == WRONG and len(group) == 0):
            return []
        if changed and h.verdict == WRONG:
            touched.append((h, k * predicted))
        elif changed:
            return []
    return touched


def _plain_factor(case: Case, given: np.ndarray, predicted: np.ndarray) -> float | None:
    """Return the usual factor that turns what a fault predicts into what is given; None if there is none."""
    return next((k for k in plain_factors(case.judgment) if close(given, k * predicted)), None)


def _by_factor(case: Case) -> Iterator[Explanation]:
    n = case.judgment.episode.batch or 1
    factors = [(-1.0, "sign-flipped", "the sign is wrong")]
    if n > 1:
        factors += [
            (float(n), "gradient-not-divided-by-the-batch", "this factor is the batch size"),
            (1.0 / n, "gradient-divided-twice", "this factor is one divided by the batch size"),
        ]
    k = case.judgment.factor
    for factor, slug, meaning in factors:
        same = [h for h in case.wrong if _full(h) and _near(h.given, factor * k * h.truth, h)]
        if not same:
            continue
        only_biases = all(_is_bias(h) for h in same)
        weights_too = any(not _is_bias(h) and h.path[0][1] not in case.judgment.episode.given for h in case.judged)
        name = "bias-gradient-averaged" if factor == 1 / n and only_biases and weights_too else slug
        agreed = min(digits_of_agreement(h.given, factor * k * h.truth) for h in same)
        yield Explanation(
            name,
            frozenset(h.path for h in same),
            f"every element of your gradient is {factor:.6g} times the right one, to {agreed} digits; {meaning}",
        )
    for h in case.wrong:
        value = np.ravel(np.array(h.claim.value, dtype=np.float64))  # type: ignore[union-attr]
        size = int(np.prod(h.probes.shape))
        if value.size == 1 and size > 1 and h.probes.all and np.isfinite(h.errors).all():
            total = k * float(h.truth.sum())
            for divisor in (1.0, float(n), float(size), float(n * size)):
                if _near(value, np.array([total / divisor])):
                    evidence = f"it is one number, {value[0]:.6g}, the sum of all {size}: a sum without axis adds up the units too"
                    yield Explanation("bias-gradient-summed-over-units", frozenset({h.path}), evidence)
                    break


def _is_bias(h: Held) -> bool:
    return sum(n != 1 for n in h.probes.shape) <= 1


def _full(h: Held) -> bool:
    return np.size(h.claim.value) == int(np.prod(h.probes.shape))  # type: ignore[union-attr]


def _by_penalty(case: Case) -> Iterator[Explanation]:
    """Look for an error proportional to the weights: the L2 penalty, too much of it or too little."""
    names = case.judgment.episode.names
    for path, strength in strengths_of(case.judgment.episode):
        penalty = _penalty(case, path, strength)
        groups: dict[str, list[tuple[Held, float]]] = {}
        for h in case.wrong if penalty else ():
            weight = h.probes.project(follow(names, h.path))
            excess = h.given - case.judgment.factor * h.truth
            factor = float(excess @ weight / (weight @ weight))
            if (
                _full(h)
                and abs(factor) > 1e-9
                and np.abs(excess - factor * weight).max() < _CLOSE * np.abs(excess).max()
            ):
                slug = _named_ratio(factor / (penalty or 1.0), bias=_is_bias(h))
                if slug:
                    groups.setdefault(slug, []).append((h, factor))
        for slug, group in groups.items():
            factor = group[0][1]
            evidence = f"your gradient is the right one {factor:+.6g} times the weights; the gradient of the penalty is {penalty:.6g} times the weights"
            yield Explanation(slug, frozenset(h.path for h, _ in group), evidence)


def _penalty(case: Case, path: Path, strength: float) -> float | None:
    """Return k if the loss has a penalty of k/2 times the squared weights, found by changing its strength."""
    episode = case.judgment.episode
    value = [
        case.judgment.functional({p: np.array(follow(n, p), float) for p in case.judgment.results})
        for n in (episode.replay(partial(put, path=path, value=s)) for s in (0.0, strength, 2 * strength))
    ]
    squares = sum(
        float(np.sum(follow(episode.names, h.path) ** 2))
        for h in case.judgment.held
        if np.size(h.truth) and not _is_bias(h)
    )
    grown = value[1] - value[0]
    return 2 * grown / squares if grown > 0 and squares and np.isclose(value[2] - value[1], grown, rtol=1e-6) else None


def _named_ratio(ratio: float, *, bias: bool) -> str | None:
    """Return the fault for an error that is `ratio` times the gradient of the penalty, or None."""
    if bias:
        return "l2-applied-to-biases" if ratio > 0 else None
    if abs(ratio + 1) < 1e-5:
        return "l2-missing-in-the-gradient"
    return "l2-factor-wrong" if any(abs(ratio - k) < 1e-5 for k in (-0.5, 1.0, -2.0, 3.0)) else None


def _by_mask(case: Case) -> Iterator[Explanation]:
    """Look for a dropout mask that differs from the mask of forward."""
    for site in case.sites:
        if "ratio" not in site.options or site.source != INPUT or case.judgment.upstream is None:
            continue
        h = next((h for h in case.wrong if h.path[0][1] in case.judgment.episode.inputs), None)
        if h is None or not _full(h):
            continue
        ratio = site.options["ratio"]
        upstream = case.judgment.upstream.T if site.flipped else case.judgment.upstream
        if np.shape(h.claim.value) != upstream.shape:  # type: ignore[union-attr]
            continue
        given = np.asarray(h.claim.value) / upstream  # type: ignore[union-attr]
        scale = ratio[ratio != 0][0]
        elsewhere = int(np.sum((given == 0) != (ratio == 0)))
        kept = given[given != 0]
        if elsewhere and (close(kept, np.full(kept.shape, scale)) or close(kept, np.ones(kept.shape))):
            evidence = f"{elsewhere} of {ratio.size} places are dropped in one pass but not in the other"
            yield Explanation("dropout-mask-redrawn", frozenset({h.path}), evidence)


def _near(a: np.ndarray, b: np.ndarray, h: Held | None = None) -> bool:
    if h is not None:
        a, b = a[np.isfinite(h.errors)], b[np.isfinite(h.errors)]
    return close(a, b)


def close(a: np.ndarray | float, b: np.ndarray | float) -> bool:
    """Return whether two arrays have the same shape and are equal within the accuracy of central differences."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if b.ndim == 0:
        b = np.broadcast_to(b, a.shape)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.abs(a - b).max(initial=0) <= _CLOSE * max(np.abs(b).max(initial=0), 1e-9))


def digits_of_agreement(a: np.ndarray, b: np.ndarray) -> int:
    """Return the number of significant digits to which two arrays agree, at most 15."""
    if a.shape != b.shape:
        return 0
    error = float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-300))
    return 15 if error < 1e-15 else int(-np.log10(error))


assert all(slug in CATALOGUE for slug in chain(*FAULTS.values()))
_ = max_pool
