"""The examination: gradients against central differences, state against fresh state, faults against numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from plainnet.checks.code.discovery import random
from plainnet.checks.code.explanations import Wrong, close, diagnose, digits_of_agreement
from plainnet.checks.code.locate import locate
from plainnet.checks.code.recognize import recognize
from plainnet.checks.code.right_layers import max_pool
from plainnet.checks.code.subject import Arrays, Setting, Subject
from plainnet.checks.finding import Finding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG, judge

TOLERANCE = 1e-5  # on relative errors: wide enough for any smooth right code, far below any fault


@dataclass(frozen=True, kw_only=True)
class CodeFinding(Finding):
    """One verdict on a subject, and where it is wrong, on which gradient, why, and in which line."""

    verdict: str
    array: str | None = None
    diagnosis: str | None = None
    line: int | None = None


def examine(subject: Subject) -> list[CodeFinding]:
    """Return what is wrong with a subject, one finding a fault, or one finding that says it is right."""
    if not subject.settings:
        reason = subject.trouble or "no way to call it was found"
        return [CodeFinding(name=subject.name, verdict=UNDECIDABLE, evidence=f"it could not be run: {reason}")]
    if not _repeats(subject.settings[0]):
        return [
            CodeFinding(
                name=subject.name,
                verdict=UNDECIDABLE,
                evidence="it draws random numbers that np.random.seed does not govern",
            )
        ]
    state = _state(subject)
    if state:
        return [_finding(subject, *found) for found in state]
    wrongs: list[Wrong] = []
    judged = kinks = 0
    troubles: list[str] = []
    for setting in subject.settings:
        try:
            session = setting.start()
            inputs = _copies(setting.inputs)
            y = session.forward(inputs)
            dy = random(*y.shape, seed=5) if isinstance(y, np.ndarray) and y.ndim else 1.0
            if isinstance(y, np.ndarray) and y.dtype != np.float64:
                troubles.append(f"it computes in {y.dtype}, where rounding hides any fault; make it compute in float64")
                continue
            gradients = session.backward(dy)
        except Exception as error:
            wrongs.append(Wrong(setting, None, {}, {}, error=f"{type(error).__name__}: {error}"))
            continue
        truth, verdicts = _truth(setting, y, dy, gradients)
        judged += len(verdicts)
        kinks += sum(verdict == UNDECIDABLE for verdict in verdicts.values())
        bad = {name: gradients[name] for name, verdict in verdicts.items() if verdict == WRONG}
        if bad:
            kind = recognize(setting, y)
            wrongs.append(Wrong(setting, kind, bad, truth, gradients=gradients, dy=dy))
    of_the_loss = [replace(finding, array="loss") for finding in _loss_findings(subject)]
    findings = [_finding(subject, *found) for found in diagnose(subject, wrongs)]
    if of_the_loss:  # a loss that is wrong itself explains a gradient that does not fit it
        findings = [finding for finding in findings if finding.diagnosis] + of_the_loss
    if findings:
        return findings
    if not judged:
        reason = troubles[0] if troubles else "no gradient was found; looked for " + _looked_for(subject)
        return [CodeFinding(name=subject.name, verdict=UNDECIDABLE, evidence=reason)]
    if kinks == judged:
        return [CodeFinding(name=subject.name, verdict=UNDECIDABLE, evidence="every gradient lies at a kink")]
    missing = sorted(set(subject.settings[0].inputs) - {"x"} - set(gradients))
    note = f"; no gradient was found for {', '.join(missing)}" if missing else ""
    evidence = f"{judged} gradient arrays agree with central differences in {len(subject.settings)} settings{note}"
    return [CodeFinding(name=subject.name, verdict=RIGHT, evidence=evidence)]


def _finding(subject: Subject, array: str | None, diagnosis: str | None, evidence: str) -> CodeFinding:
    shown = None if array is None else subject.gradient_names.get(array, f"d{array}")
    return CodeFinding(
        name=subject.name,
        verdict=WRONG,
        array=shown,
        diagnosis=diagnosis,
        evidence=evidence,
        line=locate(subject, array, diagnosis),
    )


def _looked_for(subject: Subject) -> str:
    parameters = [name for name in subject.settings[0].inputs if name != "x"]
    return "what backward returns" + "".join(f", d{name}, grad_{name}, grads['{name}']" for name in parameters)


def _copies(inputs: Arrays) -> Arrays:
    return {name: value.copy() for name, value in inputs.items()}


def _truth(setting: Setting, y: Any, dy: Any, gradients: Arrays) -> tuple[Arrays, dict[str, str]]:
    """Return the gradients as central differences find them, and the verdict on each one given."""
    kind = recognize(setting, y)
    if kind is not None and "ratio" in kind[1]:  # dropout: what it multiplied by is its derivative
        truth = {"x": dy * kind[1]["ratio"]}
        same = gradients["x"].shape == y.shape and np.allclose(gradients["x"], truth["x"], rtol=TOLERANCE)
        return truth, {"x": RIGHT if same else WRONG}
    truth, verdicts = {}, {}
    for name, given in gradients.items():
        value = setting.inputs[name]
        fits = given.shape == value.shape
        numeric, found = np.empty(value.shape), set()
        for place in np.ndindex(value.shape):

            def loss(distance: float, name: str = name, place: tuple[int, ...] = place) -> float:
                inputs = _copies(setting.inputs)
                inputs[name][place] += distance
                return float(np.sum(setting.start().forward(inputs) * dy))

            result = judge(loss, float(given[place]) if fits else np.nan, tolerance=TOLERANCE)
            numeric[place] = result.numeric
            found.add(result.verdict)
        truth[name] = numeric
        verdicts[name] = WRONG if WRONG in found or not fits else RIGHT if RIGHT in found else UNDECIDABLE
    return truth, verdicts


def _repeats(setting: Setting) -> bool:
    """Tell whether two fresh passes over the same inputs agree; dropout need not, its mask shows in its output."""
    try:
        first, second = (np.copy(setting.start().forward(_copies(setting.inputs))) for _ in range(2))
    except Exception:
        return True
    kind = recognize(setting, first)
    return np.array_equal(first, second) or (kind is not None and "ratio" in kind[1])


def _state(subject: Subject) -> list[tuple[str | None, str | None, str]]:
    """Find arguments that are changed, caches that are stale, gradients that add up."""
    setting = subject.settings[0]
    other = {
        name: value * 0.5 + 0.3 if name == "x" or "x" not in setting.inputs else value
        for name, value in setting.inputs.items()
    }

    def passes(*batches: Arrays) -> list[Arrays]:
        """Return the gradients of one session that sees these batches one after the other."""
        session, found = setting.start(), []
        for batch in batches:
            session.forward(_copies(batch))
            found.append({name: value.copy() for name, value in session.backward(np.copy(dy)).items()})
        return found

    try:
        session, inputs = setting.start(), _copies(setting.inputs)
        y = session.forward(inputs)
        dy = random(*y.shape, seed=5) if isinstance(y, np.ndarray) and y.ndim else 1.0
        given = np.copy(dy)
        session.backward(given)
        if "x" in inputs and not np.array_equal(inputs["x"], setting.inputs["x"]):
            return [("x", "input-edited-in-place", "x is no longer what it was after forward and backward")]
        if not np.array_equal(dy, given):
            return [("x", "input-edited-in-place", "the gradient given to backward is no longer what it was")]
        first, second, third = passes(setting.inputs, setting.inputs, setting.inputs)
        (of_other,) = passes(other)
        session = setting.start()
        session.forward(_copies(other))
        session.forward(_copies(setting.inputs))
        later = {name: value.copy() for name, value in session.backward(np.copy(dy)).items()}
    except Exception:
        return []
    for name in first:
        growth = second[name] - first[name]
        if not _same(second[name], first[name]) and _same(third[name] - second[name], growth):
            evidence = "forward and backward with the same batch again and again add the same to it each time"
            return [(name, "gradient-accumulated", evidence)]
        if not _same(later[name], first[name]) and _same(later[name], of_other[name]):
            agreed = digits_of_agreement(later[name], of_other[name])
            return [
                (name, "cached-previous-batch", f"after a second forward it is the first batch's, to {agreed} digits")
            ]
    kind = recognize(setting, y)
    if kind is not None and "x" in other and "ratio" not in kind[1]:
        here, there = (kind[0](batch, dy, kind[1], None) for batch in (setting.inputs, other))
        for name in set(first) & set(here):
            if (
                not close(here[name], there[name])
                and close(of_other[name], here[name])
                and close(first[name], here[name])
            ):
                return [(name, "cached-previous-batch", "with another batch it is still that of the first one")]
        if kind[0] is max_pool:
            return _ties(setting, kind[1], dy)
    return []


def _ties(setting: Setting, options: Any, dy: Any) -> list[tuple[str | None, str | None, str]]:
    """Find pooling that gives its gradient to every winner of a tie, which central differences cannot see."""
    tied = {"x": np.sign(setting.inputs["x"])}
    session = setting.start()
    session.forward(_copies(tied))
    given = session.backward(np.copy(dy))["x"]
    if close(given, max_pool(tied, dy, options, "max-pool-gradient-to-every-tie")["x"]):
        evidence = f"with ties in the windows the gradients sum to {given.sum():.6g}, those given to {np.sum(dy):.6g}"
        return [("x", "max-pool-gradient-to-every-tie", evidence)]
    return []


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12))


def _loss_findings(subject: Subject) -> list[CodeFinding]:
    """Find losses that are not finite where they should be, or that are not what their gradient says."""
    setting = next((s for s in subject.settings if s.labels is not None and len(s.labels) > 1), None)
    if setting is None or setting.labels is None or "x" not in setting.inputs:
        return []
    logits, labels = setting.inputs["x"], setting.labels

    def value(x: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            return float(setting.start().forward({"x": x.copy()}))

    try:
        usual, shifted = value(logits), value(logits + 1000)
        extreme = value(np.where(np.arange(logits.shape[1]) == (labels[:, None] + 1) % logits.shape[1], 900.0, 0.0))
    except Exception:
        return []
    p = np.exp(logits - logits.max())
    losses = -np.log(p / p.sum())[np.arange(len(labels)), labels]
    if any(np.isclose(usual, whole, rtol=1e-9) for whole in (losses.mean(), losses.sum())):
        evidence = "the loss is that of probabilities which sum to 1 over the whole batch"
        return [_finding(subject, "x", "softmax-over-the-whole-batch", evidence)]
    for roll in (1, -1):
        rolled = (labels + roll) % logits.shape[1]
        rows = logits - logits.max(axis=1, keepdims=True)
        right = -(rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)))[np.arange(len(labels)), rolled]
        if any(np.isclose(usual, shift, rtol=1e-9) for shift in (right.mean(), right.sum())):
            return [_finding(subject, "x", "labels-off-by-one", "the loss is that of the class beside the label")]
    if not np.isfinite(shifted) and np.isfinite(usual):
        evidence = f"the loss is {usual:.4g}, but {shifted} with 1000 added to every logit, which should change nothing"
        return [_finding(subject, "x", "softmax-without-max-shift", evidence)]
    if not np.isfinite(extreme):
        evidence = f"with a logit of 900 beside the label's 0 the loss is {extreme}; it should be 900 an example"
        return [_finding(subject, "x", "log-of-zero", evidence)]
    return []
