"""Data formats that cannot be read, each with a message that says how to convert it to one that can."""

from __future__ import annotations

import shlex
import zlib
from pathlib import Path

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file

_HEAD = 4096
READ = (
    "IDX files, .npz, .npy files in a folder, CSV or TSV, Parquet, folders of pictures with one folder per class, or "
    "a .zip or .tar.gz of these"
)
_PICKLE = (
    "a pickle, which can run any program when it is read. If you trust its source: "
    "python -c \"import sys, pickle; d = pickle.load(OPENED, encoding='latin1'); print(type(d))\" {0}, "
    "then save its arrays: np.savez('data.npz', x_train=..., y_train=..., x_test=..., y_test=...)"
)
_WAYS = {  # {0} is the path, quoted for a shell; the programs take it as sys.argv[1]
    "pickle": _PICKLE.replace("OPENED", "open(sys.argv[1], 'rb')"),
    "gzipped pickle": _PICKLE.replace("sys, pickle", "sys, gzip, pickle").replace("OPENED", "gzip.open(sys.argv[1])"),
    "torch": (
        'a file of PyTorch, which holds a pickle. If you trust its source: python -c "import sys, torch; '
        'print(type(torch.load(sys.argv[1], weights_only=False)))" {0}, then save its arrays: '
        "np.savez('data.npz', X=..., y=...)"
    ),
    "hdf5": (
        'an HDF5 file (as are MATLAB files of version 7.3); with h5py: python -c "import sys, h5py; '
        "print(list(h5py.File(sys.argv[1])))\" {0} names its arrays; save two: np.savez('data.npz', X=..., y=...)"
    ),
    "matlab": (
        'a MATLAB file; with SciPy: python -c "import sys, numpy as np, scipy.io; d = scipy.io.loadmat(sys.argv[1]); '
        "print(d.keys()); np.savez('data.npz', X=d['X'], y=d['y'].ravel())\" {0}"
    ),
    "excel": (
        'an Excel workbook; save the sheet as CSV, or with pandas and openpyxl: python -c "import sys, pandas; '
        "pandas.read_excel(sys.argv[1]).to_csv('data.csv', index=False)\" {0}"
    ),
    "arff": (
        'an ARFF file; with SciPy and pandas: python -c "import sys, pandas, scipy.io.arff as a; '
        "f = pandas.DataFrame(a.loadarff(sys.argv[1])[0]); f.map(lambda v: v.decode() if isinstance(v, bytes) else v)"
        ".to_csv('data.csv', index=False)\" {0}"
    ),
    "json": (
        'JSON; if it is a list of rows: python -c "import sys, pandas; '
        "pandas.read_json(sys.argv[1]).to_csv('data.csv', index=False)\" {0} (with lines=True for JSON lines)"
    ),
    "sparse": (
        'a sparse table (svmlight); with scikit-learn: python -c "import sys, numpy as np, sklearn.datasets as s; '
        "X, y = s.load_svmlight_file(sys.argv[1]); np.savez('data.npz', X=X.toarray(), y=y)\" {0}"
    ),
    "html": "a web page, not the data that its link promised; download the file itself",
    "pointer": "a Git LFS pointer, not the file itself; fetch the file with: git lfs pull",
    "7z": "a 7-Zip or RAR archive; unpack it, and give the folder",
    "sqlite": (
        "an SQLite database; python -c \"import sys, pandas, sqlite3; pandas.read_sql('SELECT * FROM ' + sys.argv[2], "
        "sqlite3.connect(sys.argv[1])).to_csv('data.csv', index=False)\" {0} NAME_OF_TABLE"
    ),
    "tfrecord": "a TFRecord file; write it as .npz with the program that reads it: np.savez('data.npz', X=..., y=...)",
    "avro": (
        'an Arrow or Feather file; python -c "import sys, pandas; '
        "pandas.read_feather(sys.argv[1]).to_parquet('data.parquet')\" {0}"
    ),
    "picture": (
        "a single picture; training needs many, in a folder for each class: data/cat/1.png. To classify this one: "
        "plainnet predict MODEL {0}"
    ),
    "model": "a trained model, not data; plainnet evaluate {0} measures it",
    "other idx": "an IDX file, but not of unsigned bytes; save it as .npz: np.savez('data.npz', X=..., y=...)",
}
_MAGICS = (
    (b"\x89HDF", "hdf5"), (b"MATLAB 5", "matlab"), (b"PK\x03\x04\x14\x00\x06\x00", "excel"),
    (b"\xd0\xcf\x11\xe0", "excel"), (b"<!DOC", "html"), (b"<htm", "html"), (b"<HTM", "html"),
    (b"version https://git-lfs", "pointer"), (b"7z\xbc\xaf", "7z"), (b"Rar!", "7z"), (b"SQLite format", "sqlite"),
    (b"ARROW1", "avro"), (b"FEA1", "avro"), (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"),
    (b"BM", "picture"), (b"II*\0", "picture"), (b"MM\0*", "picture"),
)  # fmt: skip


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked if it is gzipped and this is possible."""
    with open_file(path, "data") as plain:
        head = plain.read(_HEAD)
        if head[:2] != b"\x1f\x8b":
            return head
        packed = head + plain.read(1 << 16)
    try:
        return zlib.decompressobj(31).decompress(packed, _HEAD)  # as much as possible: the file may be cut short
    except zlib.error:
        return b""


def refuse(path: Path, kind: str) -> InputError:
    """Return the error for a file of a kind in `_WAYS`: what it is, and how to convert it."""
    return InputError(f"{path} is {_WAYS[kind].format(shlex.quote(str(path)))}")


def known_kind(path: Path, head: bytes) -> str | None:
    """Return the kind of a file that cannot be read, by its first bytes, or None if it is not in the tables here."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    with open_file(path, "data") as plain:
        gzipped = plain.read(2) == b"\x1f\x8b"
    if (head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05") or path.suffix in (".pkl", ".pickle"):
        return "gzipped pickle" if gzipped else "pickle"
    if head[:3] in (b"(dp", b"(lp", b"ccop") or head[:2] in (b"(d", b"(l"):
        return "gzipped pickle" if gzipped else "pickle"
    if head[:2] == b"\0\0" and head[2:3] in b"\x09\x0b\x0c\x0d\x0e" and len(head) > 4:
        return "other idx"
    if head[8:9] == b"{" and head[:1] != b"{" and path.suffix == ".safetensors":
        return "model"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return "json"
    if text[:9].lower() == b"@relation" or (text[:1] == b"%" and b"@relation" in head.lower()):
        return "arff"
    first = text.split(b"\n")[0].split()
    if len(first) > 1 and all(b":" in word for word in first[1:]) and first[1].split(b":")[0].isdigit():
        return "sparse"
    return "tfrecord" if path.suffix in (".tfrecord", ".tfrecords") else None
