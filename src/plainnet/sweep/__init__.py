"""Sweeps: train a recipe with many settings, and find those with the best validation result.

`space` defines what varies, `search` asks Optuna what to try and reports the results to it, `trial` trains, `crews`
distribute the trials over processes or machines, and `sweeping` runs the whole. The test set is never used.
"""

try:
    from plainnet.sweep.sweeping import Sweep, sweep
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("joblib", "loky", "optuna", "tomlkit"):
        raise
    raise ImportError("sweeps need Optuna: pip install 'plainnet[sweep]'") from error

__all__ = ["Sweep", "sweep"]
