"""JSON as programs and pandas write it: rows, columns, columns by row number, one object per line, nested."""

from __future__ import annotations

import ast
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from plainnet.checks.histories.names import PART
from plainnet.checks.histories.table import Table, of_columns, of_rows
from plainnet.foreign.opening import parse_json

_MOST_TABLES = 200
_LONGEST_LITERAL = 2_000_000
_HISTORY = ("history", "log_history", "logs", "log", "data", "results", "metrics", "records")


def read(text: str) -> list[Table] | None:
    """Return the tables in a JSON text, or in lines of JSON objects; None if it is neither."""
    first = text.lstrip()[:1]
    if first not in ("{", "["):
        return None
    try:
        value = parse_json(text)
    except ValueError:
        table = of_rows(_in_lines(text))
        if len(table):
            return [table]
        value = _literal(text)
        if value is None:
            return None
    return [table for table in _tables(value, "") if len(table) and table.columns][:_MOST_TABLES]


def _literal(text: str) -> Any:
    """Return the value of a Python literal, which may have single quotes and None; None if the text is no literal."""
    if len(text) > _LONGEST_LITERAL:
        return None
    try:
        value = json.loads(json.dumps(ast.literal_eval(text.strip())))  # with names as text, and tuples as lists
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return value if isinstance(value, dict | list) else None


def _in_lines(text: str) -> Iterable[Mapping[str, Any]]:
    """Return the objects of a text with one object per line: all at once if each line is whole, else line by line."""
    try:
        rows = parse_json("[" + text.replace("}\n{", "},\n{") + "]")
    except ValueError:
        return _lines(text)
    return _all_flat(rows) if all(isinstance(row, dict) for row in rows) else _lines(text)


def _lines(text: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a text with one object per line; invalid lines are skipped if most lines are valid."""
    read, broken = 0, 0
    for line in io.StringIO(text):
        if not (line := line.strip().rstrip(",")):
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            read += 1
            yield _flat(row)
        else:
            broken += 1
            if broken > max(2, read):
                return


def _all_flat(rows: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Return rows without nested tables."""
    kinds = set(map(type, chain.from_iterable(row.values() for row in rows)))
    return rows if kinds.isdisjoint((dict, list)) else map(_flat, rows)


def _flat(row: Mapping[str, Any], prefix: str = "") -> Mapping[str, Any]:
    """Return a row without nested tables: {"train": {"loss": 1}} becomes {"train/loss": 1}."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}/")
        elif not isinstance(value, list) or len(value) == 1:
            flat[f"{prefix}{key}"] = value[0] if isinstance(value, list) else value
    return flat


def _tables(value: Any, title: str) -> Iterator[Table]:
    """Yield the tables in a JSON value."""
    if isinstance(value, list):
        yield from _of_list(value, title)
    elif isinstance(value, dict):
        if (split := _split(value)) is not None:
            yield of_columns(split, title)
            return
        if boosted := _catboost(value):
            yield of_rows(boosted, title)
            return
        if rows := _numbered(value):
            yield of_rows(_all_flat(rows), title)
            return
        if points := _points(value):
            yield of_rows(points, title)
            return
        columns, rest = _columns(value)
        if columns:
            yield from _by_length(columns, title)
        elif not rest:
            yield of_rows([value], title)  # a single row
        for key, part in sorted(rest.items(), key=lambda item: item[0] not in _HISTORY):
            yield from _tables(part, title if key in _HISTORY else f"{title}/{key}".strip("/"))


def _of_list(value: list[Any], title: str) -> Iterator[Table]:
    if value and all(isinstance(row, dict) for row in value):
        whole = [row for row in value if not any(isinstance(part, list) and len(part) > 1 for part in row.values())]
        if len(whole) >= len(value) / 2:
            yield of_rows(_all_flat(value), title)
        else:
            for place, row in enumerate(value, start=1):
                yield from _tables(row, f"{title}/{row.get('name', place)}".strip("/"))
    elif len(value) > 1 and all(isinstance(row, list) and len(row) == 3 for row in value) and _plain(value[0]):
        yield of_columns(dict(zip(("Wall time", "Step", "Value"), zip(*value, strict=True), strict=True)), title)
    elif len(value) > 1 and _plain(value):
        yield of_columns({title.rpartition("/")[2] or "Value": value}, title)


def _split(value: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Return the columns of a frame that pandas wrote with orient="split" or "table"."""
    names, data = value.get("columns"), value.get("data")
    if not isinstance(data, list) or not data:
        return None
    if isinstance(names, list) and all(isinstance(row, list) and len(row) == len(names) for row in data):
        return {str(name): [row[place] for row in data] for place, name in enumerate(names)}
    if "schema" in value and all(isinstance(row, dict) for row in data):
        return {name: [row.get(name) for row in data] for name in data[0]}
    return None


def _points(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of {"loss": [[1, 0.5], [2, 0.4]]}, in which each figure has its own steps."""
    rows: dict[float, dict[str, Any]] = {}
    for name, points in value.items():
        if (
            isinstance(points, dict)
            and isinstance(points.get("steps"), list)
            and isinstance(points.get("values"), list)
        ):
            points = [list(pair) for pair in zip(points["steps"], points["values"], strict=False)]  # the form of Sacred
        if (
            not isinstance(points, list)
            or not points
            or not all(isinstance(p, list) and len(p) == 2 and _plain(p) for p in points)
        ):
            return []
        for step, figure in points:
            if not isinstance(step, int | float):
                return []
            rows.setdefault(step, {"step": step})[str(name)] = figure
    return [rows[step] for step in sorted(rows)]


def _catboost(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of CatBoost's file, which keeps the names of figures in another place."""
    rows, about = value.get("iterations"), value.get("meta")
    if not isinstance(rows, list) or not isinstance(about, dict) or not all(isinstance(row, dict) for row in rows):
        return []
    named: list[dict[str, Any]] = []
    for row in rows:
        figures = {"iteration": row.get("iteration")}
        for part in ("learn", "test"):
            metrics, values = about.get(f"{part}_metrics"), row.get(part)
            if isinstance(metrics, list) and isinstance(values, list):
                for metric, figure in zip(metrics, values, strict=False):
                    figures[f"{part}_{metric.get('name') if isinstance(metric, dict) else metric}"] = figure
        named.append(figures)
    return named


def _numbered(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows of {"0": {"loss": 1}, "1": ...} and of {"epoch_1": {...}, ...}, in the order of their numbers."""
    if len(value) < 2 or not all(isinstance(row, dict) for row in value.values()):
        return []
    numbers = [re.fullmatch(r"(?:epoch|ep|step|iter|iteration)?[ _-]?(\d{1,9})", str(key), re.I) for key in value]
    if not all(numbers):
        return []
    rows: list[Mapping[str, Any]] = []
    for number, key in sorted((int(found[1]), key) for found, key in zip(numbers, value, strict=True) if found):
        row = value[key]
        rows.append(row if any("epoch" in str(name).lower() for name in row) else {"epoch": number} | row)
    return rows


def _columns(value: Mapping[str, Any]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Return the columns in a table, including those one level deeper, and the entries that are not columns."""
    columns: dict[str, list[Any]] = {}
    rest: dict[str, Any] = {}
    for key, part in value.items():
        if (cells := _cells(part)) is not None:
            columns[str(key)] = cells
        elif (
            isinstance(part, dict) and part and all(_cells(inner) is not None for inner in part.values())
        ) or isinstance(part, dict | list):
            rest[key] = part
    if turned := _by_part(rest):  # {"box_loss": {"train": [...], "validation": [...]}, ...}
        used = {name.partition("/")[2] for name in turned}
        return columns | turned, {key: part for key, part in rest.items() if key not in used}
    parts = {key: part for key, part in rest.items() if _is_part(key, part)}
    if not columns and 1 <= len(parts) <= 4:  # {"train": {"logloss": [...]}, "valid": {...}}
        columns = {f"{key}/{name}": _cells(inner) or [] for key, part in parts.items() for name, inner in part.items()}
        rest = {key: part for key, part in rest.items() if key not in parts}
    return columns, rest


def _by_part(rest: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the columns of figures that each hold a list for the training and one for the validation data."""
    of_parts = {
        key: part for key, part in rest.items()
        if isinstance(part, dict) and 0 < len(part) <= 3 and all(PART.fullmatch(str(name).lower()) for name in part)
    }  # fmt: skip
    return {
        f"{name}/{key}": cells
        for key, part in of_parts.items()
        for name, inner in part.items()
        if (cells := _cells(inner))
    }


def _is_part(key: str, part: Any) -> bool:
    """Return whether a table holds the columns for one part of the data, as in `evals_result`."""
    named = PART.search(str(key).lower()) is not None and isinstance(part, dict) and bool(part)
    return named and all(_cells(inner) is not None for inner in part.values())


def _cells(part: Any) -> list[Any] | None:
    """Return the cells of a column, given as a list of plain values or as a table of values by row number."""
    if isinstance(part, list) and part and _plain(part):
        return part
    if isinstance(part, list) and part and all(isinstance(cell, list) and len(cell) == 1 for cell in part):
        return [cell[0] for cell in part]
    by_row = isinstance(part, dict) and part and all(str(key).isdecimal() and len(str(key)) < 10 for key in part)
    if by_row and _plain(list(part.values())):
        return [part[key] for key in sorted(part, key=int)]
    return None


def _plain(values: list[Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in values)


def _by_length(columns: dict[str, list[Any]], title: str) -> Iterator[Table]:
    """Yield one table of the columns of about the same length, and one table for each very different length."""
    lengths = sorted({len(column) for column in columns.values()}, reverse=True)
    while lengths:
        longest = lengths[0]
        near = [length for length in lengths if length > 0.5 * longest or longest - length < 3]
        yield of_columns({name: column for name, column in columns.items() if len(column) in near}, title)
        lengths = [length for length in lengths if length not in near]
