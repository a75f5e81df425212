"""Recognizes the format of data by their content; the only module that knows all formats."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file
from plainnet.foreign.showing import shown
from plainnet.sources import archives, arrays, delimited, idx_folders, others, parquet, picture_folders, tables
from plainnet.sources.found import ALL, TRAIN, Found, Wanted, by_part, part_of
from plainnet.sources.picture_folders import Progress, is_picture

_DEEPEST = 4  # levels of folders that each hold only one other folder
_MOST_FILES = 2000  # of a folder that are examined; pictures are not counted
_TEXTS = (".csv", ".tsv", ".txt", ".data", ".dat", ".tab")
_NO_DATA = (
    "readme",
    "license",
    "licence",
    "requirements",
    "changelog",
    "names",
    "mapping",
    "class_names",
    "index",
    "sample_submission",
)


def find(path: Path, wanted: Wanted, progress: Progress | None = None) -> Found:
    """Return the data at a path: a file or a folder in any known format.

    Raises: `InputError` that says what was found, which formats can be read, and how to convert the data.
    """
    try:
        is_folder, there = path.is_dir(), path.exists()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; give the path of a file or a folder") from error
    if not there:
        near = [p.name for p in path.parent.iterdir()][:6] if path.parent.is_dir() else []
        beside = f"; its folder holds {', '.join(shown(n, 40) for n in sorted(near))}" if near else ""
        raise InputError(f"there is no {path}{beside}; --data takes a file or a folder: {others.READ}")
    try:
        return _folder(path, wanted, progress, _DEEPEST) if is_folder else _file(path, wanted, progress)
    except PermissionError as error:
        raise InputError(
            f"cannot read {error.filename or path}: permission denied; give a folder that you can read"
        ) from error


def kind_of(path: Path) -> str:
    """Return the format of a file by its content: "idx", "npy", "npz", "zip", "tar", "parquet", "text", or another."""
    head = others.head_of(path)
    with open_file(path, "data") as plain:
        start = plain.read(4)
    if idx_folders.dimensions(path) is not None:
        return "idx"
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if start == b"PAR1":
        return "parquet"
    if start[:2] == b"PK":
        return _kind_of_zip(path)
    if head[257:262] == b"ustar" or _names_tar(path):
        return "tar"
    if (known := others.known_kind(path, head)) is not None:
        return known
    if start[:3] == b"BZh" or start[:4] == b"\xfd7zX":
        return "text"
    text = head.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" not in head and _printable(head))
    return "text" if text and head else "empty" if not head else "unknown"


def _printable(head: bytes) -> bool:
    return sum(byte < 9 or 13 < byte < 32 for byte in head) <= len(head) // 100


def _names_tar(path: Path) -> bool:
    return path.name.lower().endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz"))


def _kind_of_zip(path: Path) -> str:
    try:
        with open_file(path, "data") as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return "npz" if path.suffix == ".npz" else "zip"
    if "[Content_Types].xml" in names:
        return "excel"
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"


def _file(path: Path, wanted: Wanted, progress: Progress | None) -> Found:
    kind = kind_of(path)
    if kind == "idx":
        files = [p for p in sorted(path.parent.iterdir()) if p.is_file() and idx_folders.dimensions(p) is not None]
        return idx_folders.read(files, wanted, only=path)
    if kind == "npz":
        return arrays.read_npz(path)
    if kind == "npy":
        return _one_npy_file(path)
    if kind == "parquet":
        return parquet.read({ALL: [path]}, str(path), wanted, progress)
    if kind in ("zip", "tar"):
        with archives.unpacked(path) as folder:
            try:
                return _named(_owned(_folder(folder, wanted, progress, _DEEPEST)), folder, path)
            except InputError as error:  # the message names temporary files
                raise InputError(f"{path}: {str(error).replace(str(folder), '')}".replace(": /", ": ")) from error
    if kind == "text":
        return tables.found_in({ALL: delimited.read(path)}, str(path), wanted)
    if kind == "empty":
        raise InputError(f"{path} is empty; give {others.READ}")
    if kind == "unknown":
        raise InputError(
            f"{path} has an unknown format (it begins with {others.head_of(path)[:8].hex(' ')}); give {others.READ}"
        )
    raise others.refuse(path, kind)


def _owned(found: Found) -> Found:
    """Copy arrays that are mapped from temporary files."""
    for name, part in found.parts.items():
        if isinstance(part.inputs, np.ndarray) and part.labels is not None:
            found.parts[name] = type(part)(np.array(part.inputs), np.array(part.labels), part.groups)
    return found


def _named(found: Found, folder: Path, path: Path) -> Found:
    """Replace the temporary folder by the archive in all texts."""
    found.what = found.what.replace(str(folder), str(path))
    found.notes = [note.replace(str(folder), str(path)) for note in found.notes]
    return found


def _folder(folder: Path, wanted: Wanted, progress: Progress | None, deep: int) -> Found:
    files: list[Path] = []
    folders: list[Path] = []
    pictures = False
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__MACOSX")):
            continue
        if path.is_dir():
            folders.append(path)
        elif is_picture(path):
            pictures = True
        elif path.is_file() and len(files) < _MOST_FILES:
            files.append(path)
    data = [path for path in files if not path.stem.lower().startswith(_NO_DATA) or idx_folders.dimensions(path)]
    kinds = {path: kind_of(path) for path in data}
    of_kind: Callable[[str], list[Path]] = lambda kind: [p for p in kinds if kinds[p] == kind]  # noqa: E731
    texts = [p for p in of_kind("text") if set(p.suffixes) & set(_TEXTS)]
    if idx := of_kind("idx"):
        return idx_folders.read(idx, wanted)
    if (pictures or folders) and texts and (found := _named_by_table(folder, folders, texts, wanted, progress)):
        return found
    if parts := picture_folders.labeled_by_folder(folder):
        return picture_folders.read(folder, parts, progress, of_folders=True)
    if files_of_table := of_kind("parquet"):
        return parquet.read(_by_part(files_of_table, folder), str(folder), wanted, progress)
    if npy := of_kind("npy"):
        return arrays.read_npy_files(npy)
    if npz := of_kind("npz"):
        return arrays.read_npz(npz[0]) if len(npz) == 1 else _npz_files(npz, folder)
    if texts:
        chosen = by_part([p.name for p in texts], str(folder))
        found = tables.found_in({part: delimited.read(folder / n) for part, n in chosen.items()}, str(folder), wanted)
        if beside := [shown(p.name, 60) for p in of_kind("text") if p.name not in chosen.values()]:
            found.notes.append(f"not read: {', '.join(beside[:4])}{', ...' if len(beside) > 4 else ''}")
        return found
    if packed := of_kind("zip") + of_kind("tar"):
        if len(packed) == 1:
            return _file(packed[0], wanted, progress)
        raise InputError(f"{folder} holds {len(packed)} archives; give the path of one, or unpack them")
    if len(folders) == 1 and deep > 0 and not any(map(is_picture, folders[0].iterdir())):
        return _folder(folders[0], wanted, progress, deep - 1)
    for path, kind in kinds.items():
        if kind not in ("text", "empty", "unknown"):
            raise others.refuse(path, kind)
    unread = "".join(f" ({note.removeprefix('left out: ')})" for note in picture_folders.unread(folder))
    raise InputError(
        f"{folder} holds no data that plainnet reads: it has {_content(folder, files, folders, pictures)}{unread}; "
        f"give {others.READ}"
    )


def _content(folder: Path, files: list[Path], folders: list[Path], pictures: bool) -> str:
    """Return a text that says what a folder without usable data holds."""
    if pictures:
        return "pictures without labels: put the pictures of each class into a separate folder"
    if len(folders) == 1 and any(map(is_picture, folders[0].iterdir())):
        return f"pictures of a single class, {shown(folders[0].name, 40)}: add a folder for a second class"
    names = [shown(p.name, 40) for p in [*folders, *files]]
    return (", ".join(names[:8]) + (", ..." if len(names) > 8 else "")) or "no files"


def _by_part(files: list[Path], folder: Path) -> dict[str, list[Path]]:
    """Return files by part. Several files of one part belong together; without a training part, all files do."""
    parts: dict[str, list[Path]] = {}
    for path in files:
        parts.setdefault(part_of(path.name) or ALL, []).append(path)
    return parts if TRAIN in parts else {ALL: files}


def _one_npy_file(path: Path) -> Found:
    """Return an array together with the array in the same folder that holds its labels."""
    beside = [p for p in sorted(path.parent.iterdir()) if p.suffix == ".npy" and p != path]
    found = []
    for other in beside:
        try:
            found.append(arrays.read_npy_files([path, other]))
        except InputError:
            continue
    if len(found) != 1:
        fits = (
            "no array beside it fits as its labels" if not found else f"{len(found)} arrays beside it may be its labels"
        )
        raise InputError(
            f"{path} is a single array, and {fits}; save inputs and labels in a separate folder, such as X.npy and "
            "y.npy, and give the folder"
        )
    return found[0]


def _npz_files(files: list[Path], folder: Path) -> Found:
    """Return the arrays of several .npz files that hold one array each, as in KMNIST, or one part each."""
    opened = {path: arrays.contents(path) for path in files}
    if all(len(content) == 1 for content in opened.values()):
        return arrays.paired({path.stem: next(iter(c.values())) for path, c in opened.items()}, str(folder))
    chosen = by_part([path.name for path in files], str(folder))
    found = Found(str(folder), {})
    for part, name in chosen.items():
        one = arrays.paired(opened[folder / name], str(folder / name))
        found.parts[part] = one.parts.get(ALL) or next(iter(one.parts.values()))
    return found


def _named_by_table(
    folder: Path, folders: list[Path], texts: list[Path], wanted: Wanted, progress: Progress | None
) -> Found | None:
    """Return the pictures that a table in the folder names, or None if no table does."""
    for text in texts:
        try:
            frame = delimited.read(text)
        except InputError:  # it is another file, not such a table
            continue
        for column in frame.columns[:5]:
            if frame[column].dtype.kind in "fb":
                continue
            others_ = [c for c in frame.columns if c != column]
            by_name: dict[str, Any] = {str(c).lower(): c for c in reversed(others_)}
            label = wanted.label if wanted.label in [str(c) for c in others_] else None
            label = label or next((by_name[n] for n in tables.LABELS if n in by_name), others_[0] if others_ else None)
            if label is None:
                continue
            for place in [folder, *folders]:
                notes = [f"{text.name} names the pictures: {column} the files, {label} the labels"]
                labels = tables.values_of(frame[label]).tolist()
                pairs = picture_folders.labeled_by_table(place, frame[column].astype(str), labels, notes)
                if pairs:
                    found = picture_folders.read(place, {ALL: pairs}, progress, of_folders=False)
                    found.notes += notes
                    found.label = str(label)
                    return found
    return None
