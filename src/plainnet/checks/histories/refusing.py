"""Refuse files that look like histories but are not: experiments, folds, reports, a single row of final figures."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from plainnet.checks.histories.measures import REWARD
from plainnet.checks.histories.names import is_counter, is_index, words_of
from plainnet.checks.histories.runs import counters
from plainnet.checks.histories.table import Table
from plainnet.errors import InputError
from plainnet.foreign.showing import shown

_APART = re.compile(  # a column with such a name shows that rows are experiments, not epochs
    r"(?:(?:k ?)?fold|model|trial|seed|(?:eval )?data ?set|run|experiment|config\w*|batch size|num (?:train )?epochs|"
    r"n epochs|hidden\w*|units|(?:num |n )?layers|dropout|n estimators|max depth|optimi[sz]er|activation|season|"
    r"class(?:es)?|algorithm|method|classifier)s?(?: ?(?:name|type|id))?"
)


def refusal(path: Path, tables: list[Table]) -> str:
    """Return the error message for a file without losses and accuracies."""
    if any(REWARD.search(words_of(name)) for table in tables for name in table.columns):
        return f"{path} holds the rewards of reinforcement learning; diagnose judges only training with losses"
    names = [shown(name, 30) for table in tables for name in table.columns]
    what = "it is neither a table with a header, nor JSON, nor a log with such figures"
    if names:
        what = f"its columns are {', '.join(names[:8])}{', ...' * (len(names) > 8)}"
    return (
        f"{path} holds no losses and no accuracies of training: {what}; give a file with columns or figures such as "
        "loss, val_loss, accuracy, val_acc"
    )


def expect_history(path: Path, table: Table) -> None:
    """Raise `InputError` if the rows of a table are not epochs or steps of one training run."""
    if (what := _no_history(table)) is not None:
        raise InputError(
            f"{path} is not the history of a training run: {what}; give the losses and accuracies of each epoch"
        )


def _no_history(table: Table) -> str | None:
    """Return the reason why a table is not a history; None if there is none."""
    if len(table) == 1 and all(name.startswith("eval_") or is_counter(name) for name in table.columns):
        return "it is the result of a single evaluation"
    known = counters(table)
    if any(words_of(name) == "support" for name in table.columns):
        return "it is a report of one evaluation, class by class"
    if known.step is not None:
        return None
    if known.epoch is not None and not is_index(known.epoch) and not _of_experiments(table, known.epoch):
        return None
    for name, column in table.columns.items():
        texts = [text for text in column.texts or () if text]
        values: set[object] = set(texts) if texts else set(np.unique(column.values[column.filled]).tolist())
        told_apart = _APART.fullmatch(words_of(name)) or (
            texts and not _times(texts) and len(values) > 0.2 * len(texts)
        )
        if told_apart and len(values) > 1:
            example = texts[0] if texts else f"{column.values[column.filled][0]:g}"
            by, such_as = shown(name or "names", 40), shown(example, 40)
            return f"its rows are labeled by {by!r}, such as {such_as!r}, not by epochs"
    first = next(iter(table.columns.values()))
    if words_of(first.name) in ("lr", "learning rate") and len(np.unique(first.values)) == len(first) > 1:
        return "each row has a different learning rate: the rows are experiments, not epochs"
    if len(table) == 1:
        return "it has a single row of figures, without an epoch"
    return None


def _of_experiments(table: Table, name: str) -> bool:
    """Return whether an "epoch" is how long an experiment was: mostly the same, beside words that tell them apart."""
    values = table.columns[name].values
    steps = np.diff(values[~np.isnan(values)])
    still = len(steps) > 0 and float((steps == 0).mean()) > 0.5
    return still and any(
        column.texts is not None and _APART.fullmatch(words_of(column.name)) for column in table.columns.values()
    )


def _times(texts: list[str]) -> bool:
    """Return whether most texts are dates or times."""
    return sum(text[:1].isdecimal() and any(mark in text for mark in ":-/.") for text in texts) > len(texts) / 2
