"""Feed the readers of files with mutated bytes: whatever they get, they succeed or raise `InputError`, nothing else.

`python benchmarks/fuzz.py model|idx -runs=N` (the options are those of libFuzzer). Needs atheris, which `make fuzz`
installs; it watches which branches an input reaches and goes on from the inputs that reach new ones.
"""

import contextlib
import gzip
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["plainnet"]):
    import numpy as np

    from plainnet import Dense, InputError, Model, Network, load_model, read_idx, save_model

MEMORY = Path("/dev/shm")  # noqa: S108  (files in memory, where there are some)
FOLDER = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))


def model(content: bytes) -> None:
    """Read the bytes as a model file."""
    path = FOLDER / "f.safetensors"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        load_model(path)


def idx(content: bytes) -> None:
    """Read the bytes as an IDX file, compressed if they look so."""
    path = FOLDER / "f"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        read_idx(path, dimensions=1 + len(content) % 3)


def seeds() -> Path:
    """Return a folder with a sound file of each kind, to begin from."""
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    network = Network(Dense(2)).build((3,))
    save_model(corpus / "m.safetensors", Model(network, ("a", "b"), {}))
    raw = bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3])
    (corpus / "idx").write_bytes(raw)
    (corpus / "idx.gz").write_bytes(gzip.compress(raw))
    return corpus


def main() -> None:
    """Fuzz the reader named first among the arguments."""
    np.seterr(all="ignore")
    target = {"model": model, "idx": idx}[sys.argv.pop(1)]
    atheris.Setup([*sys.argv, str(seeds())], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
