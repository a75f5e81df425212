"""Learning-rate schedules: pure functions from the step's number to the learning rate of that step.

A schedule is called with `step`, the number of updates made so far (from 0), and `steps_per_epoch`. Both
are whole numbers, so that "after epoch 30" is decided by integer division and never by rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plainnet.errors import InputError

Schedule = Callable[[int, int], float]


def constant(learning_rate: float) -> Schedule:
    """Return the schedule that is `learning_rate` at every step."""
    _check_learning_rate(learning_rate)
    return lambda step, steps_per_epoch: learning_rate


def step_decay(learning_rate: float, *, factor: float, at: Sequence[int]) -> Schedule:
    """Return the schedule learning_rate * factor^k, where k counts the epochs in `at` that are complete.

    `step_decay(0.01, factor=0.1, at=(30, 50, 65))` gives 0.01 in epochs 1 to 30, 0.001 in epochs 31 to 50.

    Raises: `InputError` unless learning_rate > 0, 0 < factor <= 1 and all of `at` are at least 1.
    """
    _check_learning_rate(learning_rate)
    if not 0.0 < factor <= 1.0:
        raise InputError(f"factor must be above 0 and at most 1, received {factor}; 0.1 divides by ten")
    if any(epoch < 1 for epoch in at):
        raise InputError(f"decay epochs must be at least 1, received {list(at)}; 30 means after epoch 30")

    def schedule(step: int, steps_per_epoch: int) -> float:
        completed = step // steps_per_epoch
        return learning_rate * factor ** sum(epoch <= completed for epoch in at)

    return schedule


def _check_learning_rate(learning_rate: float) -> None:
    if not 0.0 < learning_rate < float("inf"):
        raise InputError(f"the learning rate must be a positive number, received {learning_rate}; try 0.01")


SCHEDULES: dict[str, Callable[..., Schedule]] = {"constant": constant, "step_decay": step_decay}
