"""Another user account for foreign code: root becomes the user `nobody` before it runs such code.

This is possible if `nobody` can read what the code needs. Otherwise the code keeps the account of root, and only the
other limits of the sandbox apply.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

NOBODY = 65534  # the number of the user and of its group
_DUMPABLE = 4  # option of prctl


def is_root() -> bool:
    """Return whether this process may become another user."""
    return sys.platform == "linux" and os.geteuid() == 0


def let_read(folder: Path) -> None:
    """Let `nobody` read a temporary folder that root has made; others cannot."""
    if is_root():
        with contextlib.suppress(OSError):  # without this right, root stays root
            os.chown(folder, -1, NOBODY)
            folder.chmod(0o750)


def can_read(paths: Iterable[Path]) -> bool:
    """Return whether this process is root, may become `nobody`, and could then read these files and folders."""
    if not is_root():
        return False
    there = [(path, os.R_OK | (os.X_OK if path.is_dir() else 0)) for path in paths if path.exists()]
    groups = os.getgroups()
    try:
        os.setgroups([])
    except OSError:  # root of a user namespace without this right
        return False
    try:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        return all(os.access(path, mode, effective_ids=True) for path, mode in there)
    except OSError:  # a container without this user
        return False
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
        _stay_visible()


def give(folder: Path) -> bool:
    """Give `folder` and all that it holds to `nobody`; return whether that was possible."""
    try:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    except OSError:
        return False
    return True


def become_nobody() -> None:
    """Continue as `nobody`."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    _stay_visible()


def _stay_visible() -> None:
    """Let the watcher measure this process: the kernel hides a process that has changed its user."""
    ctypes.CDLL(None).prctl(_DUMPABLE, 1, 0, 0, 0)
