"""Reads folders of pictures: one folder per class, perhaps within train, validation and test; or named by a table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from plainnet.data.targets import meaning
from plainnet.errors import InputError
from plainnet.foreign.showing import counted, shown
from plainnet.sources import cache
from plainnet.sources.found import ALL, Found, Part, part_of
from plainnet.sources.picture_files import ENDINGS, as_stored, is_gray, layers, opened

MOST_SIDE = 64  # pixels: larger pictures are reduced, otherwise training would take days
_LOOKED_AT = 300  # pictures to examine for their size and colors
_MOST_FILES = 2_000_000
_NOT_READ = (".heic", ".heif", ".avif", ".svg", ".jp2", ".jxl", ".psd", ".raw", ".dng", ".cr2", ".nef", ".arw", ".dcm")
Progress = Callable[[int, int], None]


def is_picture(path: str | Path) -> bool:
    """Return whether a file is a picture, by its name."""
    return str(path).lower().endswith(ENDINGS) and not Path(path).name.startswith(".")


def labeled_by_folder(folder: Path) -> dict[str, list[tuple[Path, str]]] | None:
    """Return the pictures of each part with their classes, or None if the folder has another form."""
    folders = _folders(folder)
    if folders and all(part_of(sub.name) for sub in folders):
        parts = {}
        for sub in folders:
            part = part_of(sub.name)
            assert part is not None
            if part in parts:
                raise InputError(f"{folder} holds two folders for the {part} part, one of them {sub.name}; remove one")
            pictures = [(path, cls.name) for cls in _folders(sub) for path in _pictures(cls)]
            if pictures:
                parts[part] = pictures
        return parts or None
    pictures = [(path, cls.name) for cls in folders for path in _pictures(cls)]
    return {ALL: pictures} if len({label for _, label in pictures}) > 1 else None


def _folders(folder: Path) -> list[Path]:
    here = folder.resolve()
    found = (p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__MACOSX")))
    return sorted(p for p in found if not (p.is_symlink() and here.is_relative_to(p.resolve())))


def unread(folder: Path) -> list[str]:
    """Return a note on files that look like pictures but cannot be read."""
    files = [p for p in folder.rglob("*") if p.suffix.lower() in _NOT_READ and not p.name.startswith(".")]
    if not files:
        return []
    endings = ", ".join(sorted({p.suffix.lower() for p in files}))
    return [f"left out: {counted(len(files), 'file')} in a format that cannot be read ({endings}); convert them to PNG"]


def _pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder and in the folders directly below it, sorted by name."""
    found = []
    for entry in os.scandir(folder):
        if entry.is_dir():
            found += [Path(e.path) for e in os.scandir(entry.path) if is_picture(e.name) and e.is_file()]
        elif is_picture(entry.name) and entry.is_file():
            found.append(Path(entry.path))
        if len(found) > _MOST_FILES:
            raise InputError(f"{folder} holds more than {_MOST_FILES:,} pictures; give a smaller folder")
    return sorted(found)


def read(
    folder: Path, parts: Mapping[str, Sequence[tuple[Path, object]]], progress: Progress | None, *, of_folders: bool
) -> Found:
    """Return the pictures of each part as arrays of one size, with their labels from folders (`of_folders`) or a table.

    Raises: `InputError` if no picture can be read.
    """
    listed = [(path, label) for pictures in parts.values() for path, label in pictures]
    found = Found(f"the pictures in {folder}", {})
    paths = [path for path, _ in listed]
    stored = cache.load(paths)
    if stored is None:
        images, readable, form = as_arrays([(path, str(path)) for path in paths], progress)
        cache.save(paths, images, readable, form)
    else:
        images, readable, form = stored
    found.notes += form
    lost = [path for path, fine in zip(paths, readable, strict=True) if not fine]
    if lost:
        examples = ", ".join(shown(path, 80) for path in lost[:3])
        found.notes.append(f"left out: {counted(len(lost), 'file')} that cannot be read as pictures ({examples})")
    if of_folders:
        found.meaning = meaning(np.array(sorted({str(label) for _, label in listed}), object))
        found.notes += unread(folder)
    start = 0
    for part, pictures in parts.items():
        rows = np.flatnonzero(readable[start : start + len(pictures)]) + start
        labels = np.array([label for _, label in listed], object if of_folders else None)[rows]
        whole = start == 0 and len(rows) == len(images)
        found.parts[part] = Part(images if whole else images[rows], labels)
        start += len(pictures)
    return found


def as_arrays(
    sources: Sequence[tuple[Path | bytes, str]], progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return pictures as bytes (N, H, W) or (N, H, W, 3), which of them could be read, and notes on how they changed.

    Each source is a file or its content, with a name. All pictures get one size: their own if they share it and it is
    at most 64 x 64, otherwise their median size, reduced if necessary.

    Raises: `InputError` if no picture can be read.
    """
    size, channels, notes = _form(sources)
    images = np.zeros((len(sources), *size, *((3,) if channels == 3 else ())), np.uint8)
    readable = np.zeros(len(sources), bool)
    for place, (source, name) in enumerate(sources):
        try:
            with opened(source, name) as picture:
                images[place] = as_stored(picture, size, channels)
                readable[place] = True
        except InputError:
            continue
        if progress is not None and place % 500 == 0:
            progress(place, len(sources))
    return images, readable, notes


def _form(sources: Sequence[tuple[Path | bytes, str]]) -> tuple[tuple[int, int], int, list[str]]:
    """Return the size and the number of channels for all pictures, and notes on how they change."""
    sizes, gray = [], True
    for place in np.unique(np.linspace(0, len(sources) - 1, _LOOKED_AT).astype(int)):
        source, name = sources[place]
        try:
            with opened(source, name) as picture:
                sizes.append((picture.height, picture.width))
                gray = gray and (picture.mode in ("L", "1", "LA") or is_gray(layers(_small(picture))[0]))
        except InputError as error:
            last = error
            continue
    if not sizes:
        raise InputError(f"none of the {len(sources):,} pictures can be read; {last}") from last
    usual = (int(np.median([h for h, _ in sizes])), int(np.median([w for _, w in sizes])))
    scale = min(1.0, MOST_SIDE / max(usual))
    size = (max(1, round(usual[0] * scale)), max(1, round(usual[1] * scale)))
    notes = []
    if len(set(sizes)) > 1 or size != usual:
        how = "of several sizes" if len(set(sizes)) > 1 else f"of {usual[0]}x{usual[1]}"
        notes.append(f"the pictures, {how}, are resized to {size[0]}x{size[1]} pixels")
    return size, 1 if gray else 3, notes


def _small(picture: Image.Image) -> Image.Image:
    return picture.resize((64, 64), Image.Resampling.NEAREST) if max(picture.size) > 128 else picture


def labeled_by_table(
    folder: Path, names: Iterable[str], labels: Iterable[object], notes: list[str]
) -> list[tuple[Path, object]] | None:
    """Return the pictures in a folder with their labels from a table, or None if the table names too few of them.

    Notes are added for rows without a picture and for pictures without a row.
    """
    there = {path.name: path for path in _pictures(folder)}
    by_stem = {path.stem: path for path in there.values()}
    pairs, lacking = [], []
    for name, label in zip(names, labels, strict=True):
        base = Path(str(name)).name
        path = there.get(base) or by_stem.get(base)
        if path is None:
            lacking.append(base)
        else:
            pairs.append((path, label))
    if not pairs or len(pairs) < len(lacking):
        return None
    unnamed = sorted(path.name for path in {*there.values()} - {path for path, _ in pairs})
    for left, what in ((lacking, "row without a picture"), (unnamed, "picture that the table does not name")):
        if left:
            some = ", ".join(shown(name, 60) for name in left[:3])
            notes.append(f"left out: {len(left):,} {what if len(left) == 1 else _plural(what)} ({some})")
    return pairs


def _plural(what: str) -> str:
    first, rest = what.split(" ", 1)
    return f"{first}s {rest}"
