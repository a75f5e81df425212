"""Submissions: what students hand in, a file, a folder or a zip, laid out in a folder of its own.

Nothing of a submission is trusted: links are left out, zips are unpacked within limits, and no submission sees another.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from plainnet.course.exercise import Assigned
from plainnet.course.lessons import MARK, code_parts
from plainnet.errors import InputError
from plainnet.foreign.opening import open_file
from plainnet.foreign.showing import shown

ENDINGS = (".py", ".ipynb")
_MOST_FILES, _MOST_BYTES = 500, 50_000_000
_SKIPPED = ("__pycache__", "__MACOSX", ".git", ".ipynb_checkpoints", ".venv", "node_modules")


@dataclass(frozen=True)
class Submission:
    """What one student handed in: a name, and where it lies."""

    name: str
    path: Path


def submissions_in(folder: Path) -> list[Submission]:
    """Return the submissions in a folder: each file, folder or zip in it is one.

    Raises: `InputError` if there is no folder, or nothing in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder that holds the submissions")
    found = [
        Submission(path.stem if path.is_file() else path.name, path)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
        and path.name not in _SKIPPED
        and not path.is_symlink()
        and (path.is_dir() or path.suffix in (*ENDINGS, ".zip"))
    ]
    if not found:
        raise InputError(f"{folder} holds no submissions: files that end in .py, .ipynb or .zip, or folders of them")
    names = [one.name for one in found]
    return [Submission(one.path.name, one.path) if names.count(one.name) > 1 else one for one in found]


def laid_out(submission: Submission, place: Path) -> list[Path]:
    """Copy a submission into an empty folder and return its Python files and notebooks.

    Raises: `InputError` if it is damaged, or larger than a submission may be.
    """
    total, files = 0, []
    for count, (name, content) in enumerate(_contents(submission.path), 1):
        total += len(content)
        if count > _MOST_FILES or total > _MOST_BYTES:
            raise InputError(f"it has more than {_MOST_FILES} files or {_MOST_BYTES // 10**6} MB")
        path = place / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise InputError(f"it has a file that cannot be written: {shown(name, 100)}") from error
        if path.suffix in ENDINGS:
            files.append(path)
    return sorted(files)


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        yield from _of_folder(path)
    elif path.suffix == ".zip":
        yield from _of_zip(path)
    else:
        with open_file(path, "submission") as file:
            yield path.name, file.read()


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            path = Path(parent) / name
            if stat.S_ISREG(path.lstat().st_mode):  # not a link, which may lead anywhere
                with open_file(path, "submission") as file:
                    yield str(path.relative_to(folder)), file.read()


def _of_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    left = _MOST_BYTES
    try:
        with open_file(path, "submission") as file, zipfile.ZipFile(file) as archive:
            for info in archive.infolist()[: 10 * _MOST_FILES]:
                parts = PurePosixPath(info.filename.replace("\\", "/")).parts
                link = stat.S_ISLNK(info.external_attr >> 16)
                if info.is_dir() or link or any(part in (*_SKIPPED, "..", "/") or ":" in part for part in parts):
                    continue
                with archive.open(info) as inside:
                    content = inside.read(left + 1)  # whatever its header says
                left -= len(content)
                if left < 0:
                    raise InputError(f"it unpacks to more than {_MOST_BYTES // 10**6} MB")
                yield str(PurePosixPath(*parts)), content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise InputError(f"the zip cannot be read: {shown(error, 200)}") from error


def answers(files: list[Path], exercises: list[Assigned]) -> dict[str, tuple[str, Path]]:
    """Return the answer to each exercise that is there: its text, and its file.

    An answer is found by its first line, `# plainnet course: NAME`, or by the name of its file.
    """
    marked: dict[str, tuple[str, Path]] = {}
    named: dict[str, tuple[str, Path]] = {}
    for path in files:
        try:
            parts = code_parts(path)
        except InputError:
            parts = [path.read_text(encoding="utf-8", errors="replace")]
        for part in parts:
            if (mark := MARK.search(part)) is not None:
                marked.setdefault(mark[1].lower(), (part, path))
        named.setdefault(path.stem, ("\n\n".join(parts), path))
    found = {one.name: marked.get(one.name.lower()) or named.get(one.name) for one in exercises}
    only = [value for value in named.values() if not MARK.search(value[0])]
    if len(exercises) == len(files) == len(only) == 1:  # there is nothing else that it could be
        found = {exercises[0].name: only[0]}
    return {name: answer for name, answer in found.items() if answer is not None}


def fingerprint(place: Path) -> str:
    """Return a checksum of all files of a submission and their names."""
    found = hashlib.sha256()
    for path in sorted(place.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(place)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()
