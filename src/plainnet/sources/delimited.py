"""Reads CSV and TSV files with pandas: any separator, with or without a header, compressed or not.

Separator, decimal comma, header and encoding are determined here and passed to pandas, which would guess silently.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file
from plainnet.foreign.showing import shown
from plainnet.sources.extras import pandas

_MOST_BYTES = 1_500_000_000  # of text
_MOST_COLUMNS = 20_000
_SAMPLE = 1 << 20  # bytes to examine to find out the format of a file
_LONGEST_LINE = 1 << 22
_SEPARATORS = ",\t;|"
ROW_NAMES = "(row names)"  # R writes this column without a name
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?\d+,\d+")
GAPS = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "n/a", "#N/A")
_MOST_TIMES, _ALWAYS = 60, 100_000_000  # the most that a file may grow when unpacked; bytes that are always allowed
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


class Form(NamedTuple):
    """The format of a file of delimited values."""

    separator: str
    decimal: str
    header: bool
    encoding: str
    unnamed_first: tuple[str, ...] = ()  # the names of all columns except the first, which has none


def read(path: Path, words: Iterable[str] = ()) -> Any:
    """Return the table in a CSV or TSV file as a pandas frame; without a header, the columns are called 0, 1, 2.

    The columns named in `words` are read as text, whatever they look like.

    Raises: `InputError` if it is empty or ragged, if two columns have the same name, if it is not text, or if pandas is
    not installed.
    """
    pd = pandas("CSV files")
    with open_file(path, "data") as plain, unpacked(plain) as file:
        sample = _read(file, _SAMPLE, path)
        while b"\n" not in sample and len(sample) < _LONGEST_LINE and (more := _read(file, _SAMPLE, path)):
            sample += more
        if b"\n" not in sample and len(sample) >= _LONGEST_LINE:
            raise InputError(f"{path} is not a table: its first line is longer than {_LONGEST_LINE / 1e6:.0f} MB")
        form = form_of(sample, path)
        most = _MOST_BYTES if file is plain else min(_MOST_BYTES, max(_ALWAYS, _MOST_TIMES * path.stat().st_size))
        rest = io.BufferedReader(_Rest(sample, file, path, most))
        options: dict[str, Any] = {
            "sep": form.separator, "decimal": form.decimal, "header": 0 if form.header else None,
            "encoding": form.encoding, "na_values": list(GAPS), "keep_default_na": False, "low_memory": False,
            "skipinitialspace": True, "index_col": False, "encoding_errors": "strict",
            "dtype": dict.fromkeys(words, str),
        }  # fmt: skip
        if form.unnamed_first:
            options |= {"header": None, "skiprows": 1, "names": [ROW_NAMES, *form.unnamed_first]}
        try:
            frame = pd.read_csv(rest, **options)
        except InputError:
            raise
        except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError, csv.Error) as error:
            raise InputError(f"cannot read {path} as a table: {_reason(error)}") from error
    if form.header and not form.unnamed_first:
        _expect_names(frame, sample, form, path)
    if len(frame) == 0 or frame.shape[1] == 0:
        raise InputError(f"{path} holds no rows; give one example per row")
    return frame


def form_of(sample: bytes, path: Path) -> Form:
    """Return the format of the file that begins with `sample`.

    Raises: `InputError` if it is empty or not text.
    """
    encoding = next(
        (e for mark, e in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")) if sample.startswith(mark)), "utf-8-sig"
    )
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start > len(sample) - 4:
            text = sample[: error.start].decode(encoding)
        else:
            encoding, text = "latin-1", sample.decode("latin-1")
    if "\0" in text:
        raise InputError(f"{path} is not text: it contains null characters; give a CSV file, or data in another format")
    whole = text.splitlines()[: -1 if len(sample) >= _SAMPLE and text.count("\n") > 1 else None]
    lines = [line for line in whole if line.strip()][:200]
    if not lines:
        raise InputError(f"{path} is empty; give one example per row")
    separator = max(_SEPARATORS, key=lambda mark: _fits(lines, mark))
    if _fits(lines, separator) == (0, 0) and all(re.search(r"\S\s+\S", line) for line in lines):
        separator = r"\s+"
    rows = [re.split(r"\s+", line.strip()) for line in lines] if separator == r"\s+" else list(_rows(lines, separator))
    if (widest := max(map(len, rows))) > _MOST_COLUMNS:
        raise InputError(
            f"{path} has {widest:,} columns, but at most {_MOST_COLUMNS:,} can be read; save it as .npz instead"
        )
    decimal = "," if separator != "," and any(_COMMA.fullmatch(f.strip()) for row in rows[1:] for f in row) else "."
    header = _has_header(rows, decimal)
    lacks_one = header and len(rows) > 1 and all(len(row) == len(rows[0]) + 1 for row in rows[1:])
    return Form(separator, decimal, header, encoding, _names(rows[0], separator) if lacks_one else ())


def _names(fields: list[str], separator: str) -> tuple[str, ...]:
    quoted = (field.strip() for field in fields)
    return tuple(field.strip("\"'") if separator == r"\s+" else field for field in quoted)


def _rows(lines: list[str], separator: str) -> Any:
    try:
        yield from csv.reader(lines, delimiter=separator, skipinitialspace=True)
    except csv.Error:
        return


def _fits(lines: list[str], separator: str) -> tuple[int, int]:
    """Return how well a separator fits: how many rows have the most common width, and this width; zeros if it is 1."""
    widths = [len(row) for row in _rows(lines, separator)]
    usual = max(set(widths), key=widths.count, default=0)
    return (widths.count(usual), usual) if usual > 1 else (0, 0)


def _has_header(rows: list[list[str]], decimal: str) -> bool:
    """Return whether the first row names the columns: words above numbers, or words that do not occur below."""

    def is_number(field: str) -> bool:
        return _NUMBER.fullmatch(field.strip().replace(decimal, ".")) is not None

    first, below = rows[0], rows[1:]
    if len(below) > 1 and all(len(row) == len(first) + 1 for row in below):
        return True  # as R writes it: the column of row names has no name
    if any(is_number(field) for field in first if field.strip()):
        return _numbers_as_names(first, below)
    columns = [[row[place] for row in below if place < len(row)] for place in range(len(first))]
    if any(column and sum(map(is_number, column)) > len(column) / 2 for column in columns):
        return True
    return len(set(first)) == len(first) and not any(f in column for f, column in zip(first, columns, strict=True))


def _numbers_as_names(first: list[str], below: list[list[str]]) -> bool:
    """Return whether a first row with numbers names the columns after all: label,0,1,2,... as in exported arrays."""
    names = [field.strip() for field in first]
    counted = [name for name in names if name.isdecimal()]
    words = [name for name in names if not name.isdecimal()]
    runs = counted == [str(n) for n in range(int(counted[0]), int(counted[0]) + len(counted))] if counted else False
    return (
        runs
        and (bool(words) or counted[0] in "01")
        and len(counted) > 2
        and all(map(_is_word, words))
        and len(below) > 0
    )


def _is_word(name: str) -> bool:
    return _NUMBER.fullmatch(name) is None


def _expect_names(frame: Any, sample: bytes, form: Form, path: Path) -> None:
    """Raise `InputError` if two columns have the same name, which pandas would change."""
    text = sample.decode(form.encoding, errors="replace").lstrip()
    first: list[str] = next(iter(_rows([text.split("\n")[0]], form.separator)), []) if form.separator != r"\s+" else []
    names = [name.strip() for name in first]
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise InputError(f"{path} has two columns called {shown(twice, 60)!r}; rename one of them")
    if len(frame.columns) < len(names):
        raise InputError(f"{path}: the rows have fewer values than the header has names; fix the file")


def _reason(error: Exception) -> str:
    said = str(error).strip().removeprefix("Error tokenizing data. C error: ")
    if ragged := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", said):
        return f"line {int(ragged[2]):,} has {ragged[3]} values, but the lines above have {ragged[1]}; fix this line"
    if "codec" in said:
        return f"{shown(said, 80)}; save it as UTF-8"
    return f"{shown(said, 120)}; save it again as a CSV file in UTF-8"


def unpacked(file: BinaryIO) -> Any:
    """Return a file to read from; it decompresses gzip, bzip2 and xz."""
    head = file.read(6)
    file.seek(0)
    return next((opener(file) for magic, opener in _OPENERS.items() if head.startswith(magic)), file)


def _read(file: Any, count: int, path: Path) -> bytes:
    try:
        return bytes(file.read(count))
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"{path} is damaged: it cannot be decompressed ({shown(error, 80)}); download it again"
        ) from error


class _Rest(io.RawIOBase):
    """A file that starts with bytes already read, and that may be read up to a limit."""

    def __init__(self, beginning: bytes, file: Any, path: Path, most: int) -> None:
        self.beginning, self.file, self.path, self.most, self.count = beginning, file, path, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.beginning[: len(buffer)] if self.beginning else _read(self.file, len(buffer), self.path)
        self.beginning = self.beginning[len(buffer) :]
        self.count += len(piece)
        if self.count > self.most:
            raise InputError(
                f"{self.path} holds more than {self.most / 1e6:,.0f} MB of text, which is suspicious for its size; if "
                "you trust it, unpack it, or save it as .npy files"
            )
        buffer[: len(piece)] = piece
        return len(piece)
