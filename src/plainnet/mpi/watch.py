"""A watch: ends the job if this rank waits too long for the others, instead of waiting forever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 20.0  # seconds; in a normal step the ranks wait milliseconds for each other
_LOOKS = 0.5  # seconds between two checks


class Watch:
    """Calls `give_up` from a separate thread if this rank waits for longer than `patience` seconds."""

    def __init__(self, give_up: Callable[[], object], patience: float = PATIENCE) -> None:
        self._since: float | None = None
        self._give_up, self._patience = give_up, patience
        threading.Thread(target=self._look, name="plainnet-watch", daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time in this `with` block as waiting."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def _look(self) -> None:
        while True:
            time.sleep(_LOOKS)
            since = self._since
            if since is not None and time.monotonic() - since > self._patience:
                self._give_up()
                return
