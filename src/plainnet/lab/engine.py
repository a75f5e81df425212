"""The engine: one thread that trains one network, or two in turn, and publishes snapshots of their state.

The page asks for a snapshot that is newer than its last one. The engine makes one only if somebody has asked since the
last one, and at most a few times a second, so that a slow viewer delays nothing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data.splits import Splits
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.lab.stories import Start
from plainnet.lab.trial import Trial
from plainnet.runs import saving

MOST_TRIALS = 2
_EVERY = 0.25  # seconds between snapshots
Intent = Callable[[], None]


class Engine:
    """Trains in a thread; `ask` runs something in it between two batches; `snapshot` is the newest state.

    On closing, a checkpoint is saved to `folder`.
    """

    def __init__(self, data: Splits, folder: Path | None = None) -> None:
        self.data, self.folder = data, folder
        self.trials: list[Trial] = []
        self.running = False
        self.story: str | None = None  # the current story
        self.drawing: np.ndarray | None = None
        self._intents: queue.Queue[tuple[Intent, queue.Queue[BaseException | None]] | None] = queue.Queue()
        self.number = 0
        self.snapshot: dict[str, Any] = {"number": 0, "running": False, "story": None, "trials": []}
        self._wanted, self._made = False, 0.0
        self._left = 0  # remaining batches, if a number of batches was asked for
        self._thread = threading.Thread(target=self._work, name="lab", daemon=True)
        self._thread.start()

    # Called by the server's threads

    def ask(self, intent: Intent, wait: float = 60.0) -> None:
        """Run `intent` in the thread between two batches, and wait until it is done.

        Raises: whatever it raises; `InputError` if the thread is busy for too long.
        """
        done: queue.Queue[BaseException | None] = queue.Queue()
        self._intents.put((intent, done))
        try:
            error = done.get(timeout=wait)
        except queue.Empty:
            raise InputError("the training is busy; try again in a moment") from None
        if error is not None:
            raise error

    def newer(self, than: int) -> bool:
        """Return whether there is a snapshot with a greater number; the call also requests the next one."""
        self._wanted = True
        return self.number > than

    def close(self) -> bool:
        """Stop, save an unfinished training run, and return whether there was one."""
        self.running = False
        self._intents.put(None)
        self._thread.join(30)
        # A checkpoint does not store the order of the images, so a training run on sorted images cannot be resumed.
        under_way = [one for one in self.trials[:1] if one.training.steps and not one.done and not one.start.in_order]
        if self.folder is None:
            return False
        for trial in under_way:
            self.folder.mkdir(parents=True, exist_ok=True)
            saving.save(trial.run, self.folder)
        return bool(under_way)

    # Intents: run by the thread

    def begin(self, starts: tuple[Start, ...], story: str | None = None) -> None:
        """Replace the current training runs with new ones, which may belong to a story.

        Raises: `InputError` if one of them cannot be made.
        """
        self.trials = [Trial(start, self.data) for start in starts[:MOST_TRIALS]]
        self.running, self._left, self.story = True, 0, story

    def go(self, on: bool, batches: int = 0) -> None:
        """Resume, or pause; with `batches`, resume for this many batches."""
        if on and not self.trials:
            raise InputError("there is no training; choose a recipe or a story first")
        if on and all(trial.done for trial in self.trials):
            raise InputError("all epochs are done; go back to an earlier state, or start another training run")
        self.running, self._left = on, batches

    # The thread

    def _work(self) -> None:
        with np.errstate(all="ignore"):
            while True:
                active = [trial for trial in self.trials if not trial.done] if self.running else []
                try:
                    given = self._intents.get(block=not active)
                    if given is None:
                        return
                    self._do(*given)
                    continue
                except queue.Empty:
                    pass
                due = self._due() or self._left == 1
                for trial in active:
                    self._step(trial, measure=due)
                if self._left:
                    self._left -= 1
                    self.running = self._left > 0
                if all(trial.done for trial in self.trials):
                    self.running = False
                if due or not self.running:
                    self._publish()

    def _do(self, intent: Intent, done: queue.Queue[BaseException | None]) -> None:
        try:
            intent()
            self._publish()
            done.put(None)
        except BaseException as error:  # it is raised where the caller waits
            done.put(error)

    def _step(self, trial: Trial, *, measure: bool) -> None:
        try:
            trial.step(measure=measure)
        except TrainingDivergedError as error:
            trial.end(str(error))
        except Exception as error:  # an error in one training run must not end the lab
            trial.ended = f"the training failed: {error}"

    def _due(self) -> bool:
        return self._wanted and time.monotonic() - self._made >= _EVERY

    def _publish(self) -> None:
        self._made = time.monotonic()
        tables = [trial.to_table(self.drawing) for trial in self.trials]
        self.snapshot = {"number": self.number + 1, "running": self.running, "story": self.story, "trials": tables}
        self.number += 1
        self._wanted = False
