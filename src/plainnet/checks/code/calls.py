"""Which functions run inside a block."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any


@contextlib.contextmanager
def recorded_calls(wanted: Callable[[FrameType], bool], ran: set[CodeType]) -> Iterator[None]:
    """Add to `ran` the code of every function that is called in the block and whose frame is wanted."""

    def note_call(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and wanted(frame):
            ran.add(frame.f_code)

    sys.setprofile(note_call)
    try:
        yield
    finally:
        sys.setprofile(None)
