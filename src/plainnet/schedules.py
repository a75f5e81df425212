"""Learning-rate schedules: pure functions from a step's number to the learning rate of that step.

A schedule is called with `step`, the number of updates made so far (from 0), `steps_per_epoch` and the number of
`epochs`. All are integers, so that exact integer division, not rounding, decides what is "after epoch 30".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plainnet.config import construct, number
from plainnet.errors import InputError

Schedule = Callable[[int, int, int], float]


class _Made:
    """A schedule with its settings; it can be pickled, and its repr shows how it was made."""

    def __init__(self, rate: Callable[..., float], made_by: str, **settings: Any) -> None:
        self.rate, self.made_by, self.settings = rate, made_by, settings

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        return self.rate(step, steps_per_epoch, epochs, **self.settings)

    def __repr__(self) -> str:
        return f"{self.made_by}({', '.join(f'{name}={value!r}' for name, value in self.settings.items())})"


def constant(learning_rate: float) -> Schedule:
    """Return the schedule that is `learning_rate` at every step."""
    _check_learning_rate(learning_rate)
    return _Made(_constant, "constant", learning_rate=learning_rate)


def _constant(step: int, steps_per_epoch: int, epochs: int, *, learning_rate: float) -> float:
    return learning_rate


def step_decay(learning_rate: float, *, factor: float, at: Sequence[int]) -> Schedule:
    """Return the schedule learning_rate * factor^k, where k counts the epochs in `at` that are complete.

    `step_decay(0.01, factor=0.1, at=(30, 50, 65))` gives 0.01 in epochs 1 to 30, 0.001 in epochs 31 to 50.

    Raises: `InputError` unless learning_rate > 0, 0 < factor <= 1 and all of `at` are at least 1.

    Example:
        >>> from plainnet import step_decay
        >>> schedule = step_decay(0.1, factor=0.1, at=(2,))  # divide by 10 after epoch 2
        >>> [round(schedule(epoch * 100, 100, 4), 3) for epoch in range(4)]  # with 100 steps per epoch
        [0.1, 0.1, 0.01, 0.01]
    """
    _check_learning_rate(learning_rate)
    if not 0.0 < number(factor, "factor") <= 1.0:
        raise InputError(f"factor must be above 0 and at most 1, received {factor}; 0.1 divides by ten")
    if not isinstance(at, Sequence) or not all(type(epoch) is int and epoch >= 1 for epoch in at):
        raise InputError(f"at must list whole numbers of at least 1, received {at!r}; [30] means after epoch 30")

    return _Made(_step_decay, "step_decay", learning_rate=learning_rate, factor=factor, at=tuple(at))


def _step_decay(
    step: int, steps_per_epoch: int, epochs: int, *, learning_rate: float, factor: float, at: tuple[int, ...]
) -> float:
    completed = step // steps_per_epoch
    return learning_rate * factor ** sum(epoch <= completed for epoch in at)


def one_cycle(learning_rate: float, *, warm_up: float = 0.3, start: float = 0.04, end: float = 0.0) -> Schedule:
    """Return the schedule that rises once to `learning_rate` and falls once, over the whole training run.

    During the first share `warm_up` of all steps it rises linearly from start * learning_rate. Then it falls along half
    a cosine (in the source, linearly) towards end * learning_rate, which it would reach one step after the last.

    Raises: `InputError` unless learning_rate > 0, warm_up is in [0, 0.99], and `start` and `end` are in [0, 1].
    Source: Smith, Topin 2018, "Super-convergence: very fast training of neural networks using large learning rates".
    """
    _check_learning_rate(learning_rate)
    for name, share, most in (("warm_up", warm_up, 0.99), ("start", start, 1.0), ("end", end, 1.0)):
        if not 0.0 <= number(share, name) <= most:
            raise InputError(f"{name} must be a share from 0 to {most}, received {share}; 0.3 means 30 %")

    return _Made(_one_cycle, "one_cycle", learning_rate=learning_rate, warm_up=warm_up, start=start, end=end)


def _one_cycle(
    step: int, steps_per_epoch: int, epochs: int, *, learning_rate: float, warm_up: float, start: float, end: float
) -> float:
    done = step / (steps_per_epoch * epochs)
    if done < warm_up:
        return learning_rate * (start + (1 - start) * done / warm_up)
    falling = (done - warm_up) / (1 - warm_up)
    return learning_rate * (end + (1 - end) * (1 + math.cos(math.pi * falling)) / 2)


def cosine(learning_rate: float, *, end: float = 0.0) -> Schedule:
    """Return the schedule that falls from learning_rate to end * learning_rate along half a cosine.

    Raises: `InputError` unless learning_rate > 0 and `end` is in [0, 1].
    Source: Loshchilov, Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", without the restarts.
    """
    return one_cycle(learning_rate, warm_up=0.0, end=end)


def exponential(learning_rate: float, *, factor: float) -> Schedule:
    """Return the schedule learning_rate * factor^(step / steps_per_epoch): each epoch multiplies it by `factor`.

    Raises: `InputError` unless learning_rate > 0 and 0 < factor <= 1.
    """
    _check_learning_rate(learning_rate)
    if not 0.0 < number(factor, "factor") <= 1.0:
        raise InputError(f"factor must be above 0 and at most 1, received {factor}; 0.95 is common")
    return _Made(_exponential, "exponential", learning_rate=learning_rate, factor=factor)


def _exponential(step: int, steps_per_epoch: int, epochs: int, *, learning_rate: float, factor: float) -> float:
    return learning_rate * factor ** (step / steps_per_epoch)


def warm_up(then: Schedule | Mapping[str, Any], *, epochs: float = 1.0) -> Schedule:
    """Return the schedule `then`, multiplied by a factor that rises linearly to 1 during the first `epochs`.

    `then` may be a table such as {"type": "cosine", "learning_rate": 0.01}.

    Raises: `InputError` unless `epochs` is a positive number and `then` is a schedule.
    Source: Goyal et al. 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour", section 2.2.
    """
    if not 0.0 < number(epochs, "epochs of warm-up") < math.inf:
        raise InputError(f"epochs of warm-up must be a positive number, received {epochs}; 1 is common")
    followed = construct(SCHEDULES, then, "schedule") if isinstance(then, Mapping) else then
    if not callable(followed):
        raise InputError(f'then must be a schedule such as {{type = "cosine", ...}}, received {then!r}')

    return _Made(_warm_up, "warm_up", then=followed, during=epochs)


def _warm_up(step: int, steps_per_epoch: int, epochs: int, *, then: Schedule, during: float) -> float:
    return then(step, steps_per_epoch, epochs) * min(1.0, (step + 1) / (during * steps_per_epoch))


def _check_learning_rate(learning_rate: float) -> None:
    if not 0.0 < number(learning_rate, "the learning rate") < math.inf:
        raise InputError(f"the learning rate must be a positive number, received {learning_rate}; try 0.01")


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "cosine": cosine,
    "exponential": exponential,
    "one_cycle": one_cycle,
    "step_decay": step_decay,
    "warm_up": warm_up,
}
