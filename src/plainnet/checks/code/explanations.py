"""From wrong numbers to the name of the fault: the one that, put into right code, gives just these numbers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.checks.code.faults import CATALOGUE
from plainnet.checks.code.right_layers import FAULTS, SHAPES, Backward, Options
from plainnet.checks.code.right_networks import faulty_networks
from plainnet.checks.code.subject import Arrays, Setting, Subject

Found = tuple["str | None", "str | None", str]  # array, diagnosis, evidence
_CLOSE = 1e-5  # relative: as near as central differences and rounding let numbers be


@dataclass
class Wrong:
    """What is wrong in one setting: the gradients that are, and what central differences say all of them are."""

    setting: Setting
    kind: tuple[Backward, Options] | None
    bad: Arrays
    truth: Arrays
    gradients: Arrays = field(default_factory=dict)
    dy: Any = 1.0
    error: str | None = None

    @property
    def batch(self) -> int:
        """The number of examples."""
        x = self.setting.inputs.get("x")
        return len(x) if x is not None else len(self.setting.labels) if self.setting.labels is not None else 1


def diagnose(subject: Subject, wrongs: list[Wrong]) -> list[Found]:
    """Return a finding for each wrong gradient, gradients with one cause together, named where a name holds.

    A name holds if in every setting where the gradient is wrong the fault explains its numbers, and nowhere says
    that a right gradient should be wrong. Batches of one example cannot tell a mean from a sum, and are heard only
    where nothing else is wrong.
    """
    failed = [wrong for wrong in wrongs if wrong.error]
    numeric = [wrong for wrong in wrongs if not wrong.error]
    larger = [wrong for wrong in numeric if wrong.batch > 1] or numeric
    findings: list[Found] = []
    remaining = sorted({name for wrong in larger for name in wrong.bad}, key=lambda name: (name != "x", name))
    while remaining:
        array = remaining[0]
        cases = [wrong for wrong in larger if array in wrong.bad]
        names = _common([list(_explanations(wrong, array)) for wrong in cases])
        if not names:
            findings.append((array, None, _unknown(subject, cases[0], array)))
            remaining.remove(array)
            continue
        slug, arrays, evidence = names[0]
        if slug.startswith("relu-mask-") and slug != "relu-mask-from-wrong-array":
            inclusive = ">=" in _source(subject, "backward")
            slug = "relu-mask-inclusive-on-output" if inclusive else "relu-mask-missing"
        findings.append((array, slug, evidence))
        remaining = [name for name in remaining if name not in arrays]
    if failed and not findings:
        findings.append((None, None, f"backward raised {failed[0].error} ({failed[0].setting.label})"))
    return findings


def _common(cases: list[list[tuple[str, frozenset[str], str]]]) -> list[tuple[str, frozenset[str], str]]:
    """Return the explanations whose slug occurs in every case, those that explain most gradients first."""
    shared = set.intersection(*({slug for slug, _, _ in case} for case in cases)) if cases else set()
    return sorted((found for found in cases[0] if found[0] in shared), key=lambda found: -len(found[1]))


def _explanations(wrong: Wrong, array: str) -> Iterator[tuple[str, frozenset[str], str]]:
    """Yield the faults that give the numbers of one setting: slug, the gradients explained, evidence."""
    yield from _by_kind(wrong, array)
    yield from _by_network(wrong, array)
    yield from _by_factor(wrong, array)
    yield from _by_penalty(wrong, array)
    yield from _by_mask(wrong, array)


def _by_kind(wrong: Wrong, array: str) -> Iterator[tuple[str, frozenset[str], str]]:
    if wrong.kind is None:
        return
    backward, options = wrong.kind
    right = backward(wrong.setting.inputs, wrong.dy, options, None)
    if array not in right or not close(right[array], wrong.truth[array]):
        return
    for slug in FAULTS[backward]:
        for shape in SHAPES.get(slug, ({},)):
            faulty = backward(wrong.setting.inputs, wrong.dy, options | shape, slug)
            yield from _if_it_explains(wrong, array, slug, faulty, right, backward.__name__.replace("_", " "))


def _by_network(wrong: Wrong, array: str) -> Iterator[tuple[str, frozenset[str], str]]:
    if "x" in wrong.setting.inputs or wrong.setting.labels is None:
        return
    for slug, faulty, right in faulty_networks(wrong.setting):
        if close(right[array], wrong.truth[array]):
            yield from _if_it_explains(wrong, array, slug, faulty, right, "network")


def _if_it_explains(
    wrong: Wrong, array: str, slug: str, faulty: Arrays, right: Arrays, what: str
) -> Iterator[tuple[str, frozenset[str], str]]:
    """Yield the fault if it gives the wrong numbers, and leaves right what is right."""
    touched = {name for name in faulty if name in wrong.gradients and not close(faulty[name], right[name])}
    if array in touched and all(name in wrong.bad and close(faulty[name], wrong.bad[name]) for name in touched):
        agreed = digits_of_agreement(wrong.bad[array], faulty[array])
        evidence = (
            f"a right {what} with this one fault gives your numbers, to {agreed} digits; without it they agree with "
            "central differences"
        )
        yield slug, frozenset(touched), evidence


def _by_factor(wrong: Wrong, array: str) -> Iterator[tuple[str, frozenset[str], str]]:
    n = wrong.batch
    factors = [(-1.0, "sign-flipped", "the opposite sign")]
    if n > 1:
        factors += [
            (float(n), "gradient-not-divided-by-the-batch", "the batch size"),
            (1.0 / n, "gradient-divided-twice", "one over the batch size"),
        ]
    for factor, slug, meaning in factors:
        same = frozenset(name for name, bad in wrong.bad.items() if close(bad, factor * wrong.truth[name]))
        if array not in same:
            continue
        only_biases = all(wrong.setting.inputs[name].ndim == 1 for name in same)
        weights_too = any(wrong.setting.inputs[name].ndim > 1 for name in wrong.gradients)
        if factor == 1 / n and only_biases and weights_too:
            slug = "bias-gradient-averaged"
        agreed = digits_of_agreement(wrong.bad[array], factor * wrong.truth[array])
        yield (
            slug,
            same,
            f"your gradient is {factor:.6g} times the right one, everywhere, to {agreed} digits: {meaning}",
        )


def _by_penalty(wrong: Wrong, array: str) -> Iterator[tuple[str, frozenset[str], str]]:
    """Look for an error proportional to the weights: the L2 penalty, too much of it or too little."""
    make = wrong.setting.options.get("make")
    if make is None:
        return
    weight = wrong.setting.inputs[array]
    excess = wrong.bad[array] - wrong.truth[array] if wrong.bad[array].shape == weight.shape else np.zeros(1)
    factor = float(np.sum(excess * weight) / np.sum(weight * weight)) if excess.shape == weight.shape else 0.0
    if abs(factor) < 1e-9 or not close(excess, factor * weight):
        return
    strength = next((float(v) for k, v in vars(make()).items() if _is_strength(k) and isinstance(v, float | int)), None)
    if not strength:
        return
    ratio = factor / strength
    if weight.ndim == 1 and ratio > 0:
        slug = "l2-applied-to-biases"
    elif close(np.array(ratio), np.array(-1.0)) or close(np.array(ratio), np.array(-2.0)):
        slug = "l2-missing-in-the-gradient"
    elif close(np.array(abs(ratio)), np.array(1.0)) or close(np.array(abs(ratio)), np.array(0.5)):
        slug = "l2-factor-wrong"
    else:
        return
    evidence = (
        f"your gradient is the right one {ratio:+.6g} times the penalty's strength {strength:g} times the weights"
    )
    same = frozenset(
        name
        for name, bad in wrong.bad.items()
        if close(bad - wrong.truth[name], factor * wrong.setting.inputs[name])
        and (wrong.setting.inputs[name].ndim == 1) == (weight.ndim == 1)
    )
    yield slug, same, evidence


def _is_strength(name: str) -> bool:
    return any(word in name.lower() for word in ("reg", "lambda", "l2", "decay"))


def _by_mask(wrong: Wrong, array: str) -> Iterator[tuple[str, frozenset[str], str]]:
    if wrong.kind is None or "ratio" not in wrong.kind[1]:
        return
    ratio, given = wrong.kind[1]["ratio"], wrong.bad["x"] / wrong.dy
    scale = ratio[ratio != 0][0]
    elsewhere = int(np.sum((given == 0) != (ratio == 0)))
    if elsewhere and (close(given[given != 0], np.full(np.sum(given != 0), scale)) or close(given[given != 0], 1.0)):
        evidence = f"of {ratio.size} places, {elsewhere} are dropped in one pass and not in the other"
        yield "dropout-mask-redrawn", frozenset({"x"}), evidence


def _unknown(subject: Subject, wrong: Wrong, array: str) -> str:
    """Say what is measured where no name holds."""
    bad, truth, name = wrong.bad[array], wrong.truth[array], subject.gradient_names.get(array, f"d{array}")
    if bad.shape != truth.shape:
        return f"cause unknown; {name} has shape {bad.shape}, it should have {truth.shape}"
    place = np.unravel_index(int(np.argmax(np.abs(bad - truth))), truth.shape)
    where = ", ".join(map(str, map(int, place)))
    share = float(np.mean(np.abs(bad - truth) > _CLOSE * np.abs(truth).max()))
    return (
        f"cause unknown; {share:.0%} of {name} is off, most at [{where}]: it says {bad[place]:.6g}, central differences "
        f"say {truth[place]:.6g} ({wrong.setting.label})"
    )


def close(a: np.ndarray | float, b: np.ndarray | float) -> bool:
    """Tell whether two arrays are equal as far as central differences can tell, and of one shape."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if b.ndim == 0:
        b = np.broadcast_to(b, a.shape)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.abs(a - b).max(initial=0) <= _CLOSE * max(np.abs(b).max(initial=0), 1e-9))


def digits_of_agreement(a: np.ndarray, b: np.ndarray) -> int:
    """Return to how many significant digits two arrays agree, at most 15."""
    error = float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-300))
    return 15 if error < 1e-15 else int(-np.log10(error))


def _source(subject: Subject, function: str) -> str:
    try:
        return inspect.getsource(subject.functions[function])
    except (OSError, TypeError):
        return ""


assert all(slug in CATALOGUE for slugs in FAULTS.values() for slug in slugs)
