"""Feed the readers of files with mutated bytes: whatever they get, they succeed or raise `InputError`, nothing else.

`python benchmarks/fuzz.py RUNS` fuzzes both readers, side by side, and writes `records/fuzz.json`;
`python benchmarks/fuzz.py model|idx -runs=N` fuzzes one (the options are those of libFuzzer). Needs atheris, which
`make fuzz` installs; it watches which branches an input reaches and goes on from the inputs that reach new ones.
"""

import contextlib
import gzip
import importlib.metadata
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["plainnet"]):
    import numpy as np

    from plainnet import Dense, InputError, Model, Network, load_model, read_idx, save_model
    from plainnet.runs.environment import hardware, versions
    from plainnet.writing import to_json, write_atomically

LONGEST = {"model": 2048, "idx": 256}  # bytes of an input
RECORD = Path(__file__).parent.parent / "records" / "fuzz.json"
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


def fuzz(target: str, options: list[str]) -> None:
    """Fuzz one reader; never returns."""
    np.seterr(all="ignore")
    atheris.Setup([sys.argv[0], *options, str(seeds())], {"model": model, "idx": idx}[target])
    atheris.Fuzz()


def record(runs: int) -> None:
    """Fuzz both readers at once, each in a process of its own, and write what came of it."""
    fuzzers = {
        target: subprocess.Popen(
            [sys.executable, __file__, target, f"-runs={runs}", f"-max_len={longest}"],
            stderr=subprocess.PIPE, text=True,
        )
        for target, longest in LONGEST.items()
    }  # fmt: skip
    said = {target: fuzzer.communicate()[1] for target, fuzzer in fuzzers.items()}
    rows = []
    for target, text in said.items():
        done = re.search(r"^Done (\d+) runs in (\d+) second", text, re.MULTILINE)
        if fuzzers[target].returncode != 0 or done is None:
            raise SystemExit(f"{target} failed:\n{text[-4000:]}")
        rows.append({"reader": target, "executions": int(done[1]), "seconds": int(done[2]), "crashes": 0})
    environment = {"hardware": hardware(), "versions": versions() | {"atheris": importlib.metadata.version("atheris")}}
    write_atomically(RECORD, to_json({"rows": rows} | environment))


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        record(int(sys.argv[1]))
    else:
        fuzz(sys.argv[1], sys.argv[2:])
