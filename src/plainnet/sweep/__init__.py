"""Sweeps: a recipe trained with many settings, and the one that validates best.

`space` says what varies, `search` asks Optuna what to try and tells it what came of it, `trial` trains, `crews` say
where, and `sweeping` goes from the first to the best. The test set plays no part in it.
"""

try:
    from plainnet.sweep.sweeping import Sweep, sweep
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("joblib", "loky", "optuna", "tomlkit"):
        raise
    raise ImportError("sweeps are searched by Optuna: pip install 'plainnet[sweep]'") from error

__all__ = ["Sweep", "sweep"]
