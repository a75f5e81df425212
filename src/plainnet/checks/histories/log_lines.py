"""Logs: lines of text with figures, as Keras, PyTorch scripts, tqdm, XGBoost, Caffe and others print them.

Most lines of a log differ only in their numbers. So a line is analyzed once. The result is a `Plan`, which says which
number is which figure, and it is used to read every line of the same shape.
"""

from __future__ import annotations

import re
from array import array

import numpy as np

from plainnet.checks.histories.cells import Column, number
from plainnet.checks.histories.line_plans import SPLIT, Plan, plan_of
from plainnet.checks.histories.line_runs import numbers_after
from plainnet.checks.histories.names import meaning
from plainnet.checks.histories.rewriting import BEGINNING, rewritten
from plainnet.checks.histories.table import Table

_AT_LEAST = 2  # lines with figures; a text with fewer is not a log
_HOLDS = 5  # lines without figures after which nothing is left of an announcement
_LONGEST, _MOST_SHAPES, _MOST_NAMES = 20_000, 50_000, 300
_EXPERIMENTS = re.compile(
    r"^[^\w\n]{0,9}(?:config(?:uration)?|experiment|trial|fold)s?[^\w\n]{0,3}\d+", re.I | re.MULTILINE
)
_SPACY_TABLE = re.compile(r"^\s*E +# +LOSS ")
_REWARDS = re.compile(r"\b(?:reward|return)s?\b[^\n:=\d]{0,20}[:=]\s*-?\d", re.I)
_STAMP = re.compile(
    r"^\s*(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]?|\[?I?\d{4} )\d\d:\d\d:\d\d[.,\d]*\]?(?: +\d+ \w+\.(?:cpp|cc|h):\d+\])?|^\[\d\d:\d\d:\d\d\]|^I?\d{4} [\d:.]+ +\d+ \w+\.(?:cpp|cc|h):\d+\]|\x1b\[[0-9;?]*[A-Za-z]"
)


def read(text: str) -> list[Table]:
    """Return the table of the figures in a log, with a row for each line that has some; none if there are too few."""
    text = rewritten(text)
    log, position, before = _Log(), 0, None
    while position < len(text):
        whole = text[position : text.find("\n", position) + 1 or len(text)]
        position += len(whole)
        line = _shown(whole)
        shape = log.add(line) if line else before
        if shape is not None and shape == before and log.settled(shape):
            numbers, position = numbers_after(text, position, whole, line)
            log.add_alike(shape, numbers)
        before = shape
    table = log.rows.table()
    beginning = text[:BEGINNING]
    table.rewards = len(_REWARDS.findall(beginning)) >= _AT_LEAST
    if len(_EXPERIMENTS.findall(beginning)) > 2 and not {"epoch", "step"} & set(table.columns):
        return []
    enough = len(table) >= _AT_LEAST or (len(table) == 1 and "epoch" in table.columns and len(table.columns) > 2)
    return [table] if enough else []


class _Log:
    """The rows so far, and what holds for the next lines: their epoch, their part of the data, the header above them."""

    def __init__(self) -> None:
        self.rows = _Rows()
        self.plans: dict[tuple[str, ...], Plan] = {}
        self.epoch: float | None = None
        self.part = ""
        self.announced = 0  # lines for which it still holds that a line before said of which part the figures are
        self.header: list[str] = []
        self.over = False

    def add(self, line: str) -> tuple[str, ...] | None:
        """Add the figures of a line; return its shape, None if it has no figures."""
        pieces = SPLIT.split(line)
        if len(pieces) == 1 and (names := _header(line)) and _heads(names):
            self.header = names
        if self.header and not pieces[0].strip() and _fits(cells := line.split(), self.header):
            first, figures = _of_table(self.header, cells)
            if (meant := meaning(self.header[0])) is not None and meant.figure == "step":
                self.rows.add(self.epoch, first, figures, bar=False)
            else:
                self.epoch = first
                self.rows.add(first, None, figures, bar=False)
            return None
        shape, numbers = tuple(pieces[::2]), pieces[1::2]
        plan = self.plans.get(shape)
        if plan is None:
            plan = plan_of(line)
            if len(self.plans) < _MOST_SHAPES:
                self.plans[shape] = plan
        if self.over or plan.over:
            self.over = plan.over  # the next line repeats the figures of the best round
            return None
        if plan.announced is not None:
            self.part, self.announced = plan.announced, _HOLDS if plan.announced else 0
            return None
        self.announced = _HOLDS if self.announced and plan.figures else max(0, self.announced - 1)
        if plan.epoch is not None:
            value = float(numbers[plan.epoch])
            if value != self.epoch and not (self.announced and self.epoch is None):
                self.part, self.announced = "", 0
            self.epoch = value
        if plan.part or (plan.part is not None and not self.announced):
            self.part = plan.part
        elif plan.step is not None and not self.announced:
            self.part = ""  # a line with its own step number belongs to the training again
        step = None if plan.step is None else float(numbers[plan.step])
        self.rows.add(self.epoch, step, _values(plan, numbers, self.part), bar=plan.bar)
        return shape if plan.figures else None

    def settled(self, shape: tuple[str, ...]) -> bool:
        """Return whether further lines of this shape are read in the same way, each as a row of its own."""
        plan = self.plans.get(shape)
        if plan is None or self.header or any(total is not None for _, _, total, _ in plan.figures):
            return False
        return not self.announced and (plan.part is not None or not self.part)

    def add_alike(self, shape: tuple[str, ...], numbers: np.ndarray) -> None:
        """Add lines of the shape of the line before, each as a row; `numbers` are theirs, of shape (lines, numbers)."""
        if not len(numbers):
            return
        plan = self.plans[shape]
        counters = {"step": plan.step, "epoch": plan.epoch}
        columns = {name: numbers[:, place] for name, place in counters.items() if place is not None}
        if plan.epoch is not None:
            self.epoch = float(numbers[-1, plan.epoch])
        elif self.epoch is not None:
            columns["epoch"] = np.full(len(numbers), self.epoch)
        step = None if plan.step is None else float(numbers[-1, plan.step])
        for name, place, _, _ in plan.figures:
            columns[plan.named(name, self.part)] = (
                numbers[:, place] if isinstance(place, int) else np.full(len(numbers), place)
            )
        self.rows.add_alike((self.epoch, step), columns, bar=plan.bar)


def _header(line: str) -> list[str]:
    """Return the words of a line; in the table of spaCy's training, E is the epoch, # the step, and names have spaces."""
    if _SPACY_TABLE.match(line) is None:
        return line.split()
    known = {"E": "epoch", "#": "step", "SCORE": "val_score"}
    return [known.get(name, name.replace(" ", "_").lower()) for name in re.split(r" {2,}", line.strip())]


def _heads(names: list[str]) -> bool:
    """Return whether words are the header of a table like fastai's: an epoch or step and at least one figure."""
    first = meaning(names[0]) if 1 < len(names) < 100 else None
    if first is None or first.figure not in ("epoch", "step"):
        return False
    return any((meant := meaning(name)) and meant.figure in ("loss", "accuracy") for name in names[1:])


def _fits(cells: list[str], header: list[str]) -> bool:
    """Return whether a line has a cell for each word of the header; fastai leaves out what it cannot compute."""
    return len(cells) == len(header) or (2 < len(cells) < len(header) and "#na#" in cells and cells[0].isdecimal())


def _of_table(header: list[str], cells: list[str]) -> tuple[float | None, list[tuple[str, float, bool]]]:
    """Return the epoch and the figures of a line of a table."""
    values = {name: found for name, cell in zip(header, cells, strict=False) if (found := number(cell)) is not None}
    first = values.pop(header[0], None)
    return first and first[0], [(name, value, percent) for name, (value, percent) in values.items()]


class _Rows:
    """The rows so far, column by column; a line that adds figures for the same epoch or step continues the row."""

    def __init__(self) -> None:
        self.columns: dict[str, tuple[array[int], array[float]]] = {}
        self.percent: set[str] = set()
        self.said: set[str] = set()  # on a line that is not a progress bar
        self.joined: set[int] = set()
        self.count = self.bars = 0
        self.last: tuple[float | None, float | None] = (None, None)
        self.filled: set[str] = set()

    def add(
        self, epoch: float | None, step: float | None, figures: list[tuple[str, float, bool]], *, bar: bool
    ) -> None:
        if not figures:
            return
        same = self.count and epoch == self.last[0] and (step is None or step == self.last[1])
        if not same or any(name in self.filled for name, _, _ in figures):
            self.count += 1
            self.last, self.filled = (epoch, step), set()
            self.bars += bar
            for name, value in (("epoch", epoch), ("step", step)):
                if value is not None:
                    self._put(name, value)
        if self.filled:
            self.joined.add(self.count - 1)
        for name, value, percent in figures:
            self._put(name, value)
            self.filled.add(name)
            if not bar:
                self.said.add(name)
            if percent:
                self.percent.add(name)

    def _put(self, name: str, value: float) -> None:
        if name not in self.columns and len(self.columns) >= _MOST_NAMES:
            return
        rows, values = self.columns.setdefault(name, (array("q"), array("d")))
        rows.append(self.count - 1)
        values.append(value)

    def add_alike(self, last: tuple[float | None, float | None], columns: dict[str, np.ndarray], *, bar: bool) -> None:
        """Add rows with the names of the row before; `last` are the epoch and the step of the last of them."""
        for name, values in columns.items():
            if name not in self.columns:
                continue  # there are too many names
            rows, known = self.columns[name]
            rows.frombytes(np.arange(self.count, self.count + len(values)).tobytes())
            known.frombytes(values.tobytes())
        self.count += len(values)
        self.bars += bar * len(values)
        self.last = last

    def table(self) -> Table:
        columns = {}
        for name, (rows, values) in self.columns.items():
            cells = np.full(self.count, np.nan)
            cells[np.array(rows)] = values
            columns[name] = Column(name, cells)
            columns[name].percent, columns[name].passing = name in self.percent, name not in self.said
        joined = np.zeros(self.count, bool)
        joined[list(self.joined)] = True
        table = Table(columns, bars=self.bars > self.count / 3, joined=joined)
        placed = np.any(
            [columns[name].filled for name in ("epoch", "step") if name in columns] or [np.zeros(0, bool)], axis=0
        )
        # if some rows have an epoch or step, rows without one are configuration or final results
        return table if placed.sum() < 2 or placed.all() else table.taken(placed)


def _shown(whole: str) -> str:
    """Return a line as a terminal finally shows it, without its time stamp: only the last state if it was overwritten."""
    line = whole[-_LONGEST:]
    if "\r" in line or "\b" in line:
        states = [state for state in re.split(r"\r|\x08+", line.rstrip("\r\n")) if state.strip()]
        line = states[-1] if states else ""
    if line[:1] in " \t[I0123456789" or "\x1b" in line:
        line = _STAMP.sub("", line)
    return line


def _values(plan: Plan, numbers: list[str], part: str) -> list[tuple[str, float, bool]]:
    """Return name, number and percent flag of each figure of a line; a name without a part gets the part of the line."""
    found = []
    for name, place, whole, percent in plan.figures:
        value = place if isinstance(place, float) else float(numbers[place])
        if whole is not None:
            value = value / float(numbers[whole]) if float(numbers[whole]) else np.nan
        found.append((plan.named(name, part), value, percent))
    return found
