"""Record which of the author's functions run in the passes that are right: what cannot run alone may be judged by them."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from plainnet.checks.code.looks import OWN
from plainnet.checks.code.matching import Judgment

_MOST, _SECONDS = 6, 2.0  # judgments that run again, and for how long


def executed(judgments: list[Judgment]) -> tuple[str, ...]:
    """Return the qualified names of the functions of the author that run in the right judgments."""
    names: set[str] = set()
    until = time.monotonic() + _SECONDS

    def note_call(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and OWN in frame.f_globals:
            names.add(frame.f_code.co_qualname)

    for judgment in [j for j in judgments if j.right][:_MOST]:
        if time.monotonic() > until:
            break
        upstream = None if judgment.upstream is None else np.copy(judgment.upstream)
        sys.setprofile(note_call)
        try:
            with np.errstate(all="ignore"):
                table = judgment.episode.replay()
                if judgment.episode.backward is not None:
                    judgment.episode.run_back(table, upstream)
        except Exception:  # it ran before
            continue
        finally:
            sys.setprofile(None)
    return tuple(sorted(names))
