"""Record which of the author's functions run in the passes that are right: what cannot run alone may be judged by them."""

from __future__ import annotations

import contextlib
import time
from types import CodeType

import numpy as np

from plainnet.checks.code.calls import recorded_calls
from plainnet.checks.code.looks import OWN
from plainnet.checks.code.matching import Judgment

_MOST, _SECONDS = 6, 2.0  # judgments that run again, and for how long


def executed(judgments: list[Judgment]) -> tuple[str, ...]:
    """Return the qualified names of the functions of the author that run in the right judgments and in no other."""
    until = time.monotonic() + _SECONDS
    right = _run([j for j in judgments if j.right], until)
    ran = right - _run([j for j in judgments if not j.right], until) if right else right
    return tuple(sorted(code.co_qualname for code in ran))


def _run(judgments: list[Judgment], until: float) -> set[CodeType]:
    ran: set[CodeType] = set()
    for judgment in judgments[:_MOST]:
        if time.monotonic() > until:
            break
        upstream = None if judgment.upstream is None else np.copy(judgment.upstream)
        with (  # an exception is no matter here: it ran before
            contextlib.suppress(Exception),
            recorded_calls(lambda frame: OWN in frame.f_globals, ran),
            np.errstate(all="ignore"),
        ):
            table = judgment.episode.replay()
            if judgment.episode.backward is not None:
                judgment.episode.run_back(table, upstream)
    return ran
