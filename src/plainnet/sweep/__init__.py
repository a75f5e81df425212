"""Sweeps: a recipe trained with many settings, and the one that validates best.

`space` says what varies, `search` asks Optuna what to try and tells it what came of it, `trial` trains, `crews` say
where, and `sweeping` goes from the first to the best. The test set plays no part in it.
"""

from plainnet.sweep.sweeping import Sweep, sweep

__all__ = ["Sweep", "sweep"]
