"""The sandbox: confines a process before it runs foreign code, so that the code does no harm and does not keep running.

The process continues in a child and watches it. If it runs as root, it becomes another user first. The child has no
network, can read only the files that Python needs and the folder of the code, can write to a single folder, and has
limits on its resources. When it ends, everything that it has started ends as well. On systems that cannot do this, an
audit hook (PEP 578) blocks such actions within Python: it prevents accidents, but does not protect against malice.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from plainnet.foreign.another_user import become_nobody, can_read, give
from plainnet.foreign.landlock import allow_only

PARENT = "PLAINNET_PARENT"  # the environment variable with the process that started this one
_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK, _NEW_MESSAGES = 0x10000000, 0x20000000, 0x40000000, 0x08000000
_SUBREAPER, _DIE_WITH_PARENT = 36, 1  # options of prctl
_OF_THE_SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/opt", "/proc", "/dev", "/etc/ld.so.cache", "/etc/localtime", "/etc/passwd",
    "/etc/nsswitch.conf", "/etc/ssl", "/etc/mime.types", "/System", "/Library", "/private/var/db/timezone",
)  # fmt: skip
_DEVICES = ("/dev/null",)
_MOST_LINKED = 1000  # files of the folder of the code


class Limits(NamedTuple):
    """Limits of a confined program: bytes of memory, of one file, of all files and of output; processes; open files."""

    memory: int = 900_000_000
    file: int = 50_000_000
    disk: int = 200_000_000
    output: int = 10_000_000
    processes: int = 32
    files: int = 256


def confine(readable: Path, writable: Path, limits: Limits, more: Iterable[Path] = ()) -> list[str]:
    """Continue in a confined child, and return there what this system cannot restrict.

    The child may read the folder `readable` and those in `more`, and write to `writable`, its working folder. The
    parent does not return: it exits with the code of the child.
    """
    asked: list[int] = []  # signals that ask to end
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    python = [Path(path) for path in (sys.prefix, sys.base_prefix, *sys.path) if path]
    linked = itertools.islice(readable.iterdir(), _MOST_LINKED)
    another = can_read([readable, *linked, *more, *python, writable.parent.parent]) and give(writable.parent)
    apart = another and _unshare(0)
    if another:
        become_nobody()
    apart = apart or _unshare(_NEW_USER)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)  # orphans of the child become children of this process
    if _left_alone():
        shutil.rmtree(writable.parent, ignore_errors=True)
        sys.exit(1)
    if hasattr(os, "fork"):
        child = os.fork()
        if child:
            _watch(child, writable, limits, asked)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "nice"):
        os.nice(5)  # so that the watcher always gets processor time
    os.chdir(writable)
    _link(readable, writable)
    missing = [] if _limit(limits) else ["memory and files"]
    allowed = [readable, *more, writable, *python, *map(Path, _OF_THE_SYSTEM)]
    files = allow_only(allowed, [writable, *map(Path, _DEVICES)])
    if not (apart and files):
        missing += ["network"] * (not apart) + ["other files"] * (not files)
        _refuse_in_python(writable, network=not apart)
    _let_writes_land(writable)
    return missing


def _left_alone() -> bool:
    """Return whether the process that started this one has ended, so that no one waits for the result."""
    return os.getppid() != int(os.environ.get(PARENT, os.getppid()))


def _unshare(user: int) -> bool:
    """Enter a network namespace, and a process namespace for children; return whether that was possible.

    Without rights this also needs a user namespace, `user`.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    return unshare(user | _NEW_PROCESSES | _NEW_NETWORK | _NEW_MESSAGES) == 0


def _limit(limits: Limits) -> bool:
    """Limit the memory and the files of this process; return whether the system enforces the limits."""
    try:
        import resource
    except ImportError:  # Windows
        return False
    for kind, most in (
        (resource.RLIMIT_DATA, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (value, value))
    return sys.platform == "linux"  # other systems accept a limit on memory but do not enforce it


def _watch(child: int, writable: Path, limits: Limits, asked: list[int]) -> None:
    """Wait until the child ends, exceeds a limit, or is not needed any more; end its processes, and exit as it did."""
    status = 0
    try:
        while not asked and not _left_alone():
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            family = list(itertools.islice(_descendants(child), limits.processes + 1))
            if (
                len(family) > limits.processes
                or sum(map(_memory, [child, *family])) > limits.memory
                or sum(_size(path) for path in writable.rglob("*")) > limits.disk
            ):
                os.kill(child, signal.SIGKILL)
                for other in family:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(other, signal.SIGKILL)
            time.sleep(0.004)
    finally:
        _end_all()
        if _left_alone():
            shutil.rmtree(writable.parent, ignore_errors=True)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _end_all() -> None:
    """Kill all remaining descendants of this process."""
    for _ in range(100):
        left = list(_descendants(os.getpid()))
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        time.sleep(0.01)


def _descendants(process: int) -> Iterator[int]:
    """Yield all descendants of a process; none on systems without /proc."""
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, tasks.read_text().split()):
                yield child
                yield from _descendants(child)


def _memory(process: int) -> int:
    """Return the bytes of memory that a process uses, including shared memory but not files mapped from disk."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        resident = sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
        files = (path for path in Path(f"/proc/{process}/fd").iterdir() if str(path.readlink()).startswith("/memfd:"))
        return 1024 * resident + sum(path.stat().st_size for path in files)
    return 0


def _size(path: Path) -> int:
    """Return the size of a file in bytes; 0 for a link."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    return 0


def _link(readable: Path, writable: Path) -> None:
    """Link the files of `readable` into `writable`, so that relative names find them."""
    for number, path in enumerate(sorted(readable.iterdir())):
        if number == _MOST_LINKED:
            return
        with contextlib.suppress(OSError):
            (writable / path.name).symlink_to(path)


def _let_writes_land(writable: Path) -> None:
    """Make `open` for writing replace a link into the examined folder by a separate file in the writable folder."""
    import builtins
    import io

    right = builtins.open

    def open_here(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if isinstance(file, str | os.PathLike) and set(mode) & set("wax+"):
            path = Path(os.fsdecode(os.fspath(file)))
            if path.parent.resolve() == writable.resolve() and path.is_symlink():
                content = path.read_bytes() if "a" in mode or "r" in mode else None
                path.unlink()
                if content is not None:
                    path.write_bytes(content)
        return right(file, mode, *arguments, **options)

    def open_by_name(file: Any, *arguments: Any, **options: Any) -> Any:
        if hasattr(file, "__index__") and file:  # closing it would close a file of the sandbox; 0 is stdin
            raise PermissionError(f"examined code may not open file number {file}")
        return open_here(file, *arguments, **options)

    builtins.open, io.open = open_by_name, open_here  # subprocesses open their pipes by number, with io.open


def _refuse_in_python(writable: Path, *, network: bool) -> None:
    """Install an audit hook that blocks writing elsewhere and, unless the system does, the use of the network."""
    here = str(writable.resolve())
    changing = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.link", "os.symlink")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if network and event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
            raise PermissionError("examined code may not use the network")
        writing = event == "open" and (
            bool(set(str(arguments[1])) & set("wax+")) or bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        )
        if (writing or event in changing) and isinstance(arguments[0], str | bytes):
            target = os.path.realpath(os.fsdecode(arguments[0]))
            if not (target + os.sep).startswith(here + os.sep) and target != os.devnull:
                raise PermissionError(f"examined code may write only to its own temporary folder, not to {target}")

    sys.addaudithook(hook)
