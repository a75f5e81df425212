"""Landlock: a Linux process permanently gives up access to files that it does not need (kernel 5.13 and later).

Source: "Landlock: unprivileged access control", the Linux kernel's user-space documentation.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls, with the same numbers on all processors
_PATH_BENEATH, _VERSION, _NO_NEW_PRIVILEGES = 1, 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_READ = _EXECUTE | _READ_FILE | _READ_FOLDER
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE  # the other rights apply to folders
_RIGHTS = {1: 13, 2: 14, 3: 15}  # the number of rights in each version of Landlock


def allow_only(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Let this process and its children read and execute only what is in `readable`, and write only in `writable`.

    A folder includes everything in it. Return whether the system supports this.
    """
    if sys.platform != "linux":
        return False
    system = ctypes.CDLL(None, use_errno=True)
    version = system.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    every = (1 << _RIGHTS.get(version, 15)) - 1
    handled = struct.pack("Q", every)
    rules = system.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if rules < 0:
        return False
    try:
        for rights, paths in ((_READ, readable), (every, writable)):
            for path in paths:
                _add(system, rules, path, rights & every)
        return system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and system.syscall(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)


def _add(system: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    """Allow the path and everything below it, if it exists."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", rights if path.is_dir() else rights & _OF_FILES, descriptor)
        system.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)
