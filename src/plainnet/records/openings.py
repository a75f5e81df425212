"""Openings: a line for every time the test set was used for a recipe.

Runs may be removed and repeated, but the openings stay, so that nobody can select by the test set unnoticed.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from plainnet.errors import InputError
from plainnet.foreign.checking import listed, text, whole
from plainnet.foreign.opening import read_json
from plainnet.records.recorded_runs import comparable
from plainnet.writing import to_json, write_atomically

OPENINGS = "openings.json"
_OPENINGS = listed({"settings_crc32": whole(), "seed": whole(), "when": text()})


def note_opening(folder: Path, settings: dict[str, Any], seed: int, **more: Any) -> None:
    """Record, beforehand, that the test set will be opened for a run with these settings, with `more` details."""
    checksum = zlib.crc32(json.dumps(comparable(settings), sort_keys=True).encode())
    line = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed, "settings_crc32": checksum} | more
    with FileLock(folder / ".openings.lock"):
        write_atomically(folder / OPENINGS, to_json([*openings(folder), line]))


def openings(folder: Path) -> list[dict[str, Any]]:
    """Return when, for which seed and with which settings the test set was opened for a recipe.

    Raises: `InputError` if the file is damaged.
    """
    path = folder / OPENINGS
    lines = read_json(path, "record") if path.exists() else []
    if not _OPENINGS(lines):
        raise InputError(f"{path} is not a list of openings; restore the committed file")
    return lines
