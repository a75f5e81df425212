"""Unpacks archives (.zip and .tar.gz) into a temporary folder, with limits on size and number of files."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file
from plainnet.foreign.showing import shown

_MOST_BYTES, _MOST_FILES, _MOST_TIMES = 4_000_000_000, 500_000, 200  # unpacked; times the size of the archive
_ALWAYS = 100_000_000  # bytes that may always be unpacked, even from a small archive


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Provide a folder with the contents of an archive, without links and hidden files.

    Raises: `InputError` if it is damaged, encrypted or too large, or contains a path that leads out of it.
    """
    with tempfile.TemporaryDirectory(prefix="plainnet-") as name:
        folder = Path(name)
        try:
            with open_file(path, "data") as file:
                if zipfile.is_zipfile(file):
                    _zip(file, path, folder)
                else:
                    file.seek(0)
                    _tar(file, path, folder)
        except (
            zipfile.BadZipFile,
            tarfile.TarError,
            EOFError,
            zlib.error,
            lzma.LZMAError,
            NotImplementedError,
        ) as error:
            raise InputError(
                f"{path} is damaged: it cannot be unpacked ({shown(error, 80)}); download it again"
            ) from error
        except OSError as error:
            raise InputError(
                f"cannot unpack {path}: {error.strerror or shown(error, 80)}; unpack it yourself"
            ) from error
        except RuntimeError as error:  # encrypted
            raise InputError(
                f"cannot unpack {path}: {shown(error, 80)}; unpack it yourself, and give the folder"
            ) from error
        yield folder


def _zip(file: IO[bytes], path: Path, folder: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        room = _Room(path, len(infos))
        for info in infos:
            target = _target(info.filename, folder, path)
            if target is not None and (info.external_attr >> 28) != 0xA:  # no symbolic link
                with archive.open(info) as member:
                    room.copy(member, target)


def _tar(file: IO[bytes], path: Path, folder: Path) -> None:
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        room = _Room(path, 0)
        for info in archive:
            room.count()
            if not info.isfile():
                continue
            target = _target(info.name, folder, path)
            member = archive.extractfile(info)
            if target is not None and member is not None:
                room.copy(member, target)


def _target(name: str, folder: Path, path: Path) -> Path | None:
    """Return the path to unpack a member to, or None for a hidden one.

    Raises: `InputError` if its name leads out of the archive.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0] == "/" or ":" in parts[0]:
        raise InputError(f"{path} contains {shown(name, 80)!r}, a path that leads out of it; do not trust this archive")
    if any(part.startswith((".", "__MACOSX")) for part in parts):
        return None
    return folder.joinpath(*parts)


class _Room:
    """Counts how much may still be unpacked."""

    def __init__(self, path: Path, files: int) -> None:
        self.path, self.files = path, 0
        self.bytes = min(_MOST_BYTES, max(_ALWAYS, _MOST_TIMES * path.stat().st_size))
        self.count(files)

    def count(self, files: int = 1) -> None:
        self.files += files
        if self.files > _MOST_FILES:
            raise InputError(f"{self.path} holds more than {_MOST_FILES:,} files; unpack it, and give the folder")

    def copy(self, member: IO[bytes], target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while piece := member.read(1 << 20):
                self.bytes -= len(piece)
                if self.bytes < 0:
                    raise InputError(
                        f"{self.path} unpacks to more than "
                        f"{min(_MOST_BYTES, _MOST_TIMES * self.path.stat().st_size) / 1e6:,.0f} "
                        "MB, which is suspicious; if you trust it, unpack it, and give the folder"
                    )
                out.write(piece)
        if shutil.disk_usage(target.parent).free < 100_000_000:
            raise InputError(f"the disk is too full to unpack {self.path}; unpack it elsewhere, and give the folder")
