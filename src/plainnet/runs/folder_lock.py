"""The lock on a results folder, which prevents two training runs from writing to the same folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from plainnet.errors import InputError
from plainnet.writing import LEFT_OVER


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other training runs out of the folder; the system releases the lock when a process ends, for any reason.

    Raises: `InputError` if another training run holds the lock, or the folder cannot be locked.
    """
    lock = FileLock(folder / ".lock", blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"another run is writing to {folder}; wait for it, or choose another --out") from error
    except OSError as error:
        raise InputError(f"cannot lock the folder {folder}: {error.strerror}; choose another with --out") from error
    try:
        for path in folder.iterdir():
            if LEFT_OVER.fullmatch(path.name):  # left behind by a process that was killed while writing
                path.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
