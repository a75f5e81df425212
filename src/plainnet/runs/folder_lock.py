"""The lock on a results folder, which keeps two trainings from writing to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from plainnet.errors import InputError
from plainnet.writing import LEFT_OVER


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other trainings out of the folder; the system opens the lock when a process dies, however it does.

    Raises: `InputError` if another training holds it.
    """
    lock = FileLock(folder / ".lock", blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"another training is writing to {folder}; wait for it, or choose another --out") from error
    except OSError as error:
        raise InputError(f"cannot lock the folder {folder}: {error.strerror}; choose another with --out") from error
    try:
        for path in folder.iterdir():
            if LEFT_OVER.fullmatch(path.name):  # by a process that was killed while it wrote
                path.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
