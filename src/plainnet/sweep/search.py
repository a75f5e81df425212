"""The search: asks Optuna which settings to try next, reports the results to it, and keeps all in a database."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from itertools import product
from typing import Any, Literal

import optuna
from optuna.trial import TrialState

from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.runs.saving import differences
from plainnet.sweep.space import Dimension

_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
SAMPLERS = ("tpe", "random", "grid")
_MOST_OF_A_GRID = 10_000


class Search:
    """An Optuna study with a number of trials over a space.

    `sampler` is "tpe", "random" or "grid". What random and grid search try depends only on the seed and the number of
    the trial, so it is the same wherever trials run. `settings` are everything that decides the result of a trial; a
    database that was begun with other settings is rejected.

    Raises: `InputError` for a database that cannot be used, or for a grid with ranges.
    """

    def __init__(
        self,
        storage: str,
        space: Mapping[str, Dimension],
        *,
        name: str,
        sampler: str,
        trials: int,
        seed: int,
        direction: Literal["maximize", "minimize"],
        settings: Mapping[str, Any],
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        if sampler not in SAMPLERS:
            raise InputError(f"the sampler must be one of {', '.join(SAMPLERS)}, received {sampler!r:.40}")
        self.space, self.sampler, self.seed, self.storage, self.name = space, sampler, seed, storage, name
        self.distributions = {key: one.distribution() for key, one in space.items()}
        self.study = _opened(storage, name, direction)
        self.renewed = not self._expect(dict(settings))  # replace an earlier study that has no complete trial
        if self.renewed:
            optuna.delete_study(study_name=name, storage=_kept_in(storage))
            self.study = _opened(storage, name, direction)
            self._expect(dict(settings))
        grid = self._grid() if sampler == "grid" else []
        self.trials = min(trials, len(grid)) if grid else trials
        for chosen in grid[len(self.study.trials) : self.trials]:
            self.study.enqueue_trial(chosen)

    def _expect(self, settings: dict[str, Any]) -> bool:
        """Return whether the study has these settings. A study with others but no complete trial may be replaced."""
        known, now = self.study.user_attrs.get("settings"), json.loads(json.dumps(settings))
        if known is None:
            self.study.set_user_attr("settings", now)
        elif other := differences(known, now):
            if any(trial.state == TrialState.COMPLETE for trial in self.study.get_trials(deepcopy=False)):
                raise InputError(
                    f"the sweep in {_masked(self.storage)} was begun with other settings: {other:.300}; repeat the "
                    "original command, or choose another --out"
                )
            return False
        return True

    def _grid(self) -> list[dict[str, Any]]:
        for one in self.space.values():
            if one.kind != "choice":
                raise InputError(f"a grid needs lists of choices, received {one.key}={one}; list the values to try")
        choices = [self.distributions[key].choices for key in self.space]
        count = 1
        for some in choices:
            count *= len(some)
        if count > _MOST_OF_A_GRID:
            raise InputError(f"the grid has {count:,} points, but at most {_MOST_OF_A_GRID:,} can be tried; use random")
        return [dict(zip(self.space, chosen, strict=True)) for chosen in product(*choices)]

    def ask(self, records: Container[int]) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield number, identity and overrides of the trials to run, beginning with interrupted ones.

        All values of a trial are drawn before it is written to the database, in one step. So a trial that is
        interrupted while its values are written is tried again with the same values.
        """
        for trial in self.study.get_trials(deepcopy=False):
            if trial.number in records or trial.state == TrialState.WAITING:
                continue
            yield trial.number, trial._trial_id, self.overrides(self._begun(trial))
        while (number := self._count(waiting=False)) < self.trials:
            seed = (self.seed * 1_000_003 + number) % 2**32
            self.study.sampler = optuna.samplers.TPESampler(seed=seed)
            if self.sampler != "tpe" and not self._count(waiting=True):
                alone = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
                self.study.enqueue_trial(alone.ask(self.distributions).params)
            asked = self.study.ask(self.distributions)
            yield asked.number, asked._trial_id, self.overrides(asked.params)

    def _begun(self, trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
        """Return the values of a trial that has begun; some of them may not have been written."""
        drawn = dict(trial.system_attrs.get("fixed_params", trial.params))
        if len(drawn) < len(self.distributions):
            drawn = {}
            again = optuna.trial.Trial(self.study, trial._trial_id)
            for key, one in self.distributions.items():
                drawn[key] = again._suggest(key, one)
        return {key: drawn[key] for key in self.distributions}

    def _count(self, *, waiting: bool) -> int:
        """Return how many trials are waiting, or how many have begun."""
        trials = self.study.get_trials(deepcopy=False)
        return sum((trial.state == TrialState.WAITING) == waiting for trial in trials)

    def overrides(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that a trial replaces in the recipe."""
        return {key: self.space[key].value(chosen) for key, chosen in params.items()}

    def tell(self, record: Mapping[str, Any]) -> None:
        """Store the result of a trial.

        Raises: `InputError` if the database cannot be written to.
        """
        state = _STATES.get(record["state"], TrialState.FAIL)
        value = record["value"] if state == TrialState.COMPLETE else None
        try:
            self.study.tell(record["number"], value, state=state, skip_if_finished=True)
        except optuna.exceptions.StorageInternalError as error:
            raise InputError(
                f"cannot write to the database {_masked(self.storage)}: {_reason(error)}; fix this, and resume with "
                "the same command"
            ) from error

    def ended(self) -> set[int]:
        """Return the numbers of the trials that have ended."""
        return {trial.number for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()}


class Reporter:
    """Reports the epochs of a trial to the database, and asks whether to end the trial early."""

    def __init__(self, storage: str, name: str, identity: int) -> None:
        self.storage, self.name, self.identity = storage, name, identity

    def __call__(self, epoch: int, figure: float) -> bool:
        """Return whether the trial is worse, after this epoch, than the median of the earlier trials."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.load_study(
            study_name=self.name, storage=_kept_in(self.storage), pruner=optuna.pruners.MedianPruner(n_startup_trials=4)
        )
        trial = optuna.trial.Trial(study, self.identity)
        trial.report(figure, epoch)
        return trial.should_prune()


def _kept_in(storage: str) -> optuna.storages.RDBStorage:
    waits = {"connect_args": {"timeout": 60}} if storage.startswith("sqlite") else {}
    return optuna.storages.RDBStorage(storage, engine_kwargs=waits)


def _opened(storage: str, name: str, direction: Literal["maximize", "minimize"]) -> optuna.Study:
    try:
        return optuna.create_study(study_name=name, storage=_kept_in(storage), direction=direction, load_if_exists=True)
    except Exception as error:  # databases raise many kinds of errors
        raise InputError(
            f"cannot use the database {_masked(storage)}: {_reason(error)}; give another --storage, such as "
            "sqlite:///PATH or, with its driver installed, postgresql://HOST/NAME"
        ) from error


def _reason(error: BaseException) -> str:
    """Return the first line of the error of a database."""
    first = error.__cause__ or error
    return _masked(shown(str(first).strip().partition("\n")[0] or type(first).__name__, 200))


def _masked(text: str) -> str:
    """Return the text with the passwords in addresses hidden."""
    return re.sub(r"://([^:/@\s]+):[^@/\s]+@", r"://\1:***@", text)
