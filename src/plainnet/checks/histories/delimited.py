"""Delimited tables: CSV with any separator and file extension, with a header, or columns separated by spaces."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from plainnet.checks.histories.cells import Column, number
from plainnet.checks.histories.table import Table

_SEPARATORS = (",", "\t", ";", "|")
_LARGE = 1_000_000  # characters
_LONGEST_TITLE, _MOST_BLOCKS = 80, 20
_FOOTERS = {"best", "mean", "average", "avg", "median", "std", "min", "max", "total", "final"}  # no epochs
_CHUNK = 20_000  # rows converted at once
_LOOKED_AT = 60  # lines from which the format is recognized
_MOST_COLUMNS = 2_000


def read(text: str) -> list[Table]:
    """Return the table in a text of delimited values as a list; the list is empty for any other text.

    Tables with different headers, one below the other, are joined side by side if they have the same first column.
    """
    blocks = _blocks(text) if len(text) < _LARGE else []
    if 1 < len(blocks) < _MOST_BLOCKS:
        tables = [table for block in blocks for table in _read_whole(block) if table.columns]
        first = [next(iter(table.columns.values())) for table in tables]
        alike = {(column.name, column.values.tobytes()) for column in first}
        names = [name for table in tables for name in list(table.columns)[1:]]
        if len(tables) == len(blocks) and len(alike) == 1 and len(set(names)) == len(names) > 0:
            return [Table({name: column for table in tables for name, column in table.columns.items()})]
    return _read_whole(text)


def _blocks(text: str) -> list[str]:
    """Return the parts of a text that blank lines separate, and that begin with a letter, as a header does."""
    blocks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if blocks[-1] and not blocks[-1][-1].strip() and line[:1].isalpha():
            blocks.append([])
        blocks[-1].append(line)
    return ["\n".join(block) for block in blocks]


def _read_whole(text: str) -> list[Table]:
    start = _start(text)
    while start is not None:
        if tables := _read_from(text, start):
            return tables
        end = text.find("\n", start, start + _LONGEST_TITLE) + 1  # perhaps the first line is a title
        start = _start(text, end) if end and start < _LONGEST_TITLE else None
    return []


def _read_from(text: str, start: int) -> list[Table]:
    lines = io.TextIOWrapper(io.BytesIO(text[start:].encode()), "utf-8", newline="\n")  # smaller than a StringIO
    head = [line for line in islice(lines, _LOOKED_AT) if line.strip()]
    separator = _separator(head)
    if separator is None:
        return []
    lines.seek(0)
    rows = _rows(lines, separator, quoted=text.count('"', start) % 2 == 0)
    names = [name.strip().strip("#").strip() for name in next(rows, [])]
    if not names:
        return []
    below = _cells(head[1], separator) if len(head) > 1 else []
    if (unnamed := _names_of_none(names, below)) is not None:
        return [_table(unnamed, chain([names], rows))]
    if len(names) > _MOST_COLUMNS or not _names_columns(names, below, all_words=separator == " "):
        return []
    if (
        len(text) > _LARGE
        and len(below) == len(names)
        and (table := _of_numbers(text[start:], names, separator)) is not None
    ):
        return [table]
    return [_table(names, rows)]


def _of_numbers(text: str, names: list[str], separator: str) -> Table | None:
    """Return the table of a large text with only finite numbers below its header, parsed at once; None for others."""
    body = text[text.index("\n") + 1 :].rstrip("\n")
    if separator == " " or body.count(separator) + body.count("\n") + 1 != len(names) * (body.count("\n") + 1):
        return None
    try:
        with warnings.catch_warnings(action="error"):  # NumPy warns about what is no number
            cells = np.fromstring(body.replace("\n", separator), sep=separator).reshape(-1, len(names))
    except (ValueError, DeprecationWarning):
        return None
    if not np.isfinite(cells).all():
        return None  # gaps and figures that are not finite are told apart by their text
    return Table({name: Column(name, cells[:, place]) for place, name in enumerate(_all_names(names, iter(()))[0])})


def _start(text: str, place: int = 0) -> int | None:
    """Return the start of the first line after a place that is neither a comment nor a horizontal rule."""
    for line in io.StringIO(text[place : place + 100_000]):
        if (named := _header_behind_a_mark(line, text[place + len(line) : place + len(line) + 2_000])) is not None:
            return place + named
        if line.strip() and not re.match(r"\s*(#[^,;\t]*$|//|={3,}|-{3,}|\+-)", line):
            return place
        place += len(line)
    return None


def _header_behind_a_mark(line: str, rest: str) -> int | None:
    """Return where the names begin in a line such as "# epoch loss", as NumPy writes a header; None for comments."""
    if not line.startswith("#") or len(words := line.strip("#\n ").split()) < 2:
        return None
    below = rest.partition("\n")[0].split()
    numbers = len(below) == len(words) and all(number(cell) is not None for cell in below)
    return line.index(words[0]) if numbers else None


def _separator(head: list[str]) -> str | None:
    """Return the separator that splits all lines into the same number of cells; None if there is none."""
    for separator, short in (*((one, 0) for one in _SEPARATORS), *((one, 1) for one in (*_SEPARATORS, " "))):
        widths = [len(_cells(line, separator)) for line in head]
        usual = max(set(widths), key=widths.count, default=0)
        if usual > 1 and usual - short <= widths[0] <= usual and widths.count(usual) >= 0.7 * len(widths):
            return separator
    widths = [len(_cells(line, ",")) for line in head]
    if len(head) > 2 and set(widths) == {1} and all(number(line.strip()) is not None for line in head[1:]):
        return ","  # a single column
    return None


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _rows(lines: Iterator[str], separator: str, *, quoted: bool) -> Iterator[list[str]]:
    """Yield the rows that are not empty; a table drawn with rules has bars at both ends, and lines of dashes.

    `quoted` tells whether quotation marks come in pairs; a single one does not close a cell.
    """
    if separator == " ":
        yield from (line.split() for line in lines if line.strip())
        return
    try:
        options: dict[str, Any] = {} if quoted else {"quoting": csv.QUOTE_NONE}
        for row in csv.reader(lines, delimiter=separator, skipinitialspace=True, **options):
            if separator == "|":
                row = [cell.strip().strip("*_`") for cell in row]  # a cell in bold is a cell
                row = row[1:] if row and not row[0] else row
                row = row[:-1] if row and not row[-1] else row
                if all(re.fullmatch(r":?-+:?(\+-+)*\+?", cell) for cell in row):
                    continue
            if row:
                yield row
    except csv.Error:
        return


def _names_of_none(first: list[str], second: list[str]) -> list[str] | None:
    """Return names for one or two columns of numbers without a header: a curve, and its horizontal axis.

    Three are a file of MLflow (the time in milliseconds, the figure and the step), or a counter and two curves.
    """
    if len(first) > 3 or not all(number(cell) is not None and cell for cell in first):
        return None
    if len(first) == 3:
        if re.fullmatch(r"1\d{12}", first[0]):
            return ["timestamp", "Value", "Step"]
        counts = first[0] in ("0", "1") and second[:1] == [str(int(first[0]) + 1)]
        return ["Step", "Value", "val_Value"] if counts else None
    return ["Step", "Value"][-len(first) :]


def _names_columns(names: list[str], first: list[str], *, all_words: bool) -> bool:
    """Return whether a row names columns: it is mostly words, and the row below holds numbers."""
    words = sum(bool(re.search(r"[^\W\d]", name)) and number(name) is None for name in names)
    numbers = sum(number(cell) is not None for cell in first)
    return words >= max(1, len(names) if all_words else 0.5 * len(names)) and numbers > 0


def _table(names: list[str], rows: Iterator[list[str]]) -> Table:
    """Return the table of the rows; a repeated header starts a new run."""
    names, shifted = _all_names(names, rows)
    header, width = [name.lower() for name in names], len(names)
    parts: list[list[Column]] = []
    starts, done = [], 0
    rows = chain(shifted, rows)
    while chunk := list(islice(rows, _CHUNK)):
        kept: list[list[str]] = []
        for row in chunk:
            if len(row) != width or (row[0] and row[0][0].isalpha()):
                if [cell.strip().strip("#").strip().lower() for cell in row] == header[: len(row)]:
                    starts.append(done + len(kept))
                    continue
                if row[0].strip().lower() in _FOOTERS:
                    continue
                row = (row + [""] * width)[:width]
            kept.append(row)
        done += len(kept)
        if kept:
            parts.append([Column(name, cells) for name, cells in zip(names, zip(*kept, strict=True), strict=True)])
    columns = {name: _joined([part[place] for part in parts]) for place, name in enumerate(names)} if parts else {}
    return Table(columns, starts=tuple(start for start in starts if start))


def _all_names(names: list[str], rows: Iterator[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return unique names for all columns, and the first row: R and pandas leave the first column without a name."""
    first = list(islice(rows, 1))
    if first and len(first[0]) == len(names) + 1 and first[0][-1].strip():
        names = ["", *names]
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        unique.append(f"{name} (again {seen[name]})" if seen[name] else name)
        seen[name] += 1
    return unique, first


def _joined(parts: list[Column]) -> Column:
    if len(parts) == 1:
        return parts[0]
    if any(part.texts is not None for part in parts):
        texts = [part.texts if part.texts is not None else [f"{value:g}" for value in part.values] for part in parts]
        return Column(parts[0].name, [text for part in texts for text in part])
    joined = Column(parts[0].name, np.concatenate([part.values for part in parts]))
    joined.percent = any(part.percent for part in parts)
    return joined
