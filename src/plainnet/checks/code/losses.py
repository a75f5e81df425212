"""Faults of losses: a loss of logits may be wrong, or overflow for large logits, even if its gradient fits it."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plainnet.checks.code.episode import Episode
from plainnet.checks.code.matching import Judgment
from plainnet.checks.code.values import follow, put


class OfALoss(NamedTuple):
    """A fault of a loss; `remark` if it shows only at extreme numbers."""

    slug: str
    evidence: str
    remark: bool


def faults_of_loss(judgment: Judgment) -> list[OfALoss]:
    """Return the faults of a loss that takes logits and classes; none for other losses."""
    episode = judgment.episode
    labels = np.asarray(episode.names.get("t", 0.0))
    key = next(iter(episode.inputs), None)
    logits = episode.names.get(key) if key is not None else None
    learned = [h for h in judgment.held if h.path[0][1] not in episode.given]
    if learned or judgment.upstream is not None or not isinstance(logits, np.ndarray) or logits.ndim != 2:
        return []
    if labels.ndim == 2 and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all() and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    if labels.dtype.kind not in "iu" or labels.shape != (len(logits),) or len(labels) < 2:
        return []
    labels = labels.astype(int)

    def value(x: np.ndarray) -> float:
        def change(names: dict[str, object]) -> None:
            put(names, (("item", key),), x)

        names = episode.replay(change)
        return judgment.functional({path: np.array(follow(names, path), float) for path in judgment.results})

    try:
        with np.errstate(all="ignore"):
            usual, shifted = value(logits), value(logits + 1000)
            beside = (labels[:, None] + 1) % logits.shape[1]
            extreme = value(np.where(np.arange(logits.shape[1]) == beside, 900.0, 0.0))
    except Exception:
        return []
    return list(_named(logits, labels, usual, shifted, extreme))


def _named(logits: np.ndarray, labels: np.ndarray, usual: float, shifted: float, extreme: float) -> list[OfALoss]:
    rows = logits - logits.max(axis=1, keepdims=True)
    right = -(rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)))
    whole = np.exp(logits - logits.max())
    over_all = -np.log(whole / whole.sum())[np.arange(len(labels)), labels]
    if _either(usual, over_all):
        return [
            OfALoss(
                "softmax-over-the-whole-batch",
                "your loss is the loss of probabilities that sum to 1 over the whole batch instead of over each row",
                False,
            )
        ]
    for roll in (1, -1):
        if _either(usual, right[np.arange(len(labels)), (labels + roll) % logits.shape[1]]):
            return [OfALoss("labels-off-by-one", "the loss is that of the class one above or below the label", False)]
    if not _either(usual, right[np.arange(len(labels)), labels]):
        return []
    if not np.isfinite(shifted):
        evidence = f"the loss is {usual:.4g}, but {shifted} if 1000 is added to every logit, which should not change it"
        return [OfALoss("softmax-without-max-shift", evidence, True)]
    if not np.isfinite(extreme):
        evidence = f"with a logit of 0 for the label and 900 for another class, the loss is {extreme}; it should be 900 per example"
        return [OfALoss("log-of-zero", evidence, True)]
    return []


def _either(value: float, losses: np.ndarray) -> bool:
    return any(np.isclose(value, whole, rtol=1e-9) for whole in (losses.mean(), losses.sum()))


def fused_with(judgment: Judgment) -> str | None:
    """Return the activation through which a loss of probabilities passes its gradient on to the logits, or None."""
    episode = judgment.episode
    if judgment.inferred or judgment.upstream is not None or len(judgment.held) != 1:
        return None
    h = judgment.held[0]
    key = h.path[0][1]
    p = episode.names.get(key)
    if (
        not isinstance(p, np.ndarray)
        or key not in episode.inputs
        or h.claim is None
        or not h.probes.all
        or np.size(h.claim.value) != p.size
        or p.ndim == 0
    ):
        return None
    sure = np.isfinite(h.errors).reshape(p.shape)
    if not ((p > 0).all() and (p < 1).all()) or sure.mean() < 0.8:
        return None
    g, given = h.truth.reshape(p.shape), np.asarray(h.claim.value, float).reshape(p.shape)
    fused = {"sigmoid": g * p * (1 - p)} | {
        f"softmax over axis {axis}": p * (g - (g * p).sum(axis=axis, keepdims=True))
        for axis in range(p.ndim)
        if p.shape[axis] > 1 and np.allclose(p.sum(axis=axis), 1)
    }
    for name, right in fused.items():
        axis = int(name[-1]) if name[-1].isdigit() else None
        clear = sure if axis is None else np.broadcast_to(sure.all(axis=axis, keepdims=True), p.shape)
        mine, theirs = right[clear], given[clear]
        k = float((theirs * mine).sum() / max(float((mine * mine).sum()), 1e-300))
        counts = {1.0, *(float(n) for n in p.shape), float(p.size)}
        if any(np.isclose(k, c) or np.isclose(k, 1 / c) for c in counts) and np.allclose(
            given, k * right, rtol=1e-4, atol=1e-7
        ):
            return name
    return None


_OF_GRADIENTS = r"d_?[wbz]|grad|delta|weight|bias|update|error"
_DIVIDES = re.compile(
    r"/=? *\(? *(self\.)?((m|n|N|M|batch\w*|n_samples|num_\w+|\w+\.size)\b|len\(|\w+(\.\w+)*\.shape\[\d\])|np\.mean\(|\.mean\("
)


def divided_elsewhere(episode: Episode) -> bool:
    """Return whether other code of the author divides by the batch size: in the rest of the file, or in files beside it."""
    function = episode.functions.get("backward")
    try:
        path = Path(inspect.getsourcefile(function) or "")  # type: ignore[arg-type]
        own = inspect.getsource(sys.modules[function.__module__])
        rest = own
        for one in episode.functions.values():
            rest = rest.replace(inspect.getsource(one), "")
    except (OSError, TypeError, AttributeError, KeyError):
        return False
    if _divides(rest, rf"{_OF_GRADIENTS}|rate|\blr\b|\beta\b"):
        return True
    folders = [path.parent] + [
        folder for folder in (path.parent.parent,) if (folder / path.parent.name / "__init__.py").exists()
    ]
    others = [other for folder in folders for other in sorted(folder.glob("**/*.py"))[:40] if other != path]
    texts = [other.read_text(errors="replace")[:200_000] for other in others if other.stat().st_size < 300_000]
    names = (path.stem, path.parent.name, function.__qualname__.split(".")[0])  # type: ignore[union-attr]
    used = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
    return any(_divides(text) for text in texts if used.search(text))


def _divides(text: str, words: str = _OF_GRADIENTS) -> bool:
    return any(_DIVIDES.search(line) and re.search(words, line, re.I) for line in text.splitlines())
