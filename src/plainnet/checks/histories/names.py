"""Names: find out from the name of a column which figure it holds, and of which part of the data."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from plainnet.checks.histories.measures import (
    ACCURACIES,
    EPOCH,
    ERRORS,
    FILLERS,
    INDEX,
    LOSSES,
    NOT_A_FIGURE,
    RATE,
    STEP,
    TIME,
)

_TRAIN = r"train(?:ing|ed)?|tr|trn|fit|learn(?:ing)?(?!.?rate)"
_VALIDATION = r"val(?:id)?(?:ation)?(?:s)?|dev|eval(?:uation)?|holdout|held.?out|cv|oov|test(?:ing)?|tst|te"
PART = re.compile(
    rf"(?<![a-z])(?:(?P<train>{_TRAIN})|(?P<validation>{_VALIDATION}))(?:[ _]?(?:set|data|dataset|\d+))?(?![a-z])"
)
TEST = re.compile(r"(?<![a-z])(?:test(?:ing)?|tst|te)(?![a-z])")
_BY_STEP = re.compile(r"(?<![a-z])(?:per.?)?(?:step|batch|iter|it|minibatch|running|current|now)(?![a-z])")
_JOINED = re.compile(
    rf"(?<![a-z])({_TRAIN}|{_VALIDATION})(?=(?:loss|acc|error|err)(?:uracy|es)?(?![a-z]))", re.IGNORECASE
)


@dataclass(frozen=True)
class Meaning:
    """The content of a column: a `figure` (loss, accuracy, rate, epoch, step, time), its part, how certain it is."""

    figure: str
    part: str | None = None  # "train" or "validation"
    rank: int = 0  # 0 for the most specific name
    by_step: bool = False
    test: bool = False
    error: bool = False  # an accuracy given as an error rate
    partial: str = ""  # its name if it is one of several losses
    measure: str = "accuracy"  # which accuracy, or which loss


def words_of(name: str) -> str:
    """Return the words of a name in lower case, separated by spaces: valLoss and VAL_LOSS become "val loss"."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", name.replace("'s ", " "))
    name = _JOINED.sub(r"\1 ", name)
    name = re.sub(r"(?<=[a-z])(?=(?:Loss|Acc|IoU|AUC|LR)\b)", " ", name)
    name = re.sub(r"[^\w.%]+|_|(?<!\d)\.|\.(?!\d)", " ", name).lower()
    return " ".join(name.replace("%", " percent ").replace(".", " ").split())


def is_index(name: str) -> bool:
    """Return whether a column has a name that pandas gives row numbers, or no name."""
    return INDEX.fullmatch(words_of(name)) is not None


def is_counter(name: str) -> bool:
    """Return whether a column counts epochs, steps or rows, or tells the time."""
    return any(pattern.fullmatch(words_of(name)) for pattern in (EPOCH, STEP, INDEX, TIME))


@lru_cache(maxsize=20_000)
def meaning(name: str) -> Meaning | None:
    """Return the meaning of a column of this name; None if it is not used.

    The name may begin with the name of a run and " - ", as in files of Weights & Biases.
    """
    found = _meaning(name)
    return found if found is not None or " - " not in name else _meaning(name.rpartition(" - ")[2])


def _meaning(name: str) -> Meaning | None:
    words = words_of(name)
    for pattern, figure in ((EPOCH, "epoch"), (STEP, "step"), (INDEX, "step"), (RATE, "rate"), (TIME, "time")):
        if pattern.fullmatch(words):
            return Meaning(figure)
    part, rest = _part(words)
    about = Meaning("", part, by_step=bool(_BY_STEP.search(words)), test=bool(TEST.search(words)))
    plain = " ".join(FILLERS.sub(" ", rest).split())
    if NOT_A_FIGURE.search(plain):
        return None
    if ERRORS.fullmatch(plain):
        of_words = plain in ("wer", "cer")
        return replace(
            about,
            figure="accuracy",
            rank=len(ACCURACIES),
            error=True,
            measure=f"1 - {plain}" if of_words else "accuracy",
        )
    for rank, (title, named) in enumerate(ACCURACIES):
        if named.fullmatch(plain):
            return replace(about, figure="accuracy", rank=rank, measure=title)
    for rank, (title, named) in enumerate(LOSSES):
        if (found := named.fullmatch(plain)) is not None:
            if title == "other" and re.search(r"/\s*loss\s*$", name, re.I):
                return replace(
                    about, figure="loss", rank=rank, measure="loss"
                )  # seen/loss: of other examples, not a part
            if title == "other":
                return replace(
                    about, figure="loss", rank=rank, partial=found["before"] or found["after"], measure="loss"
                )
            return replace(about, figure="loss", rank=rank, partial=plain if rank == 2 else "", measure=title)
    return None


def _part(words: str) -> tuple[str | None, str]:
    """Return the part of the data that words name, the most specific if there are several, and the words without it."""
    if (letter := re.fullmatch(r"([tv]) (loss|acc(?:uracy)?)", words)) is not None:
        return ("train" if letter[1] == "t" else "validation"), letter[2]
    found = list(PART.finditer(words))
    if not found:
        return None, words
    return ("validation" if any(part["validation"] for part in found) else "train"), PART.sub(" ", words)
