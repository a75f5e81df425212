"""Feed the readers of files with mutated bytes: whatever they get, they succeed or raise `InputError`, nothing else.

`python benchmarks/fuzz.py RUNS` fuzzes all readers, two at a time, and writes `records/fuzz.json` as each ends: models
and IDX files, which are bytes, RUNS times, the others, which are JSON, CSV or TOML inside, a tenth of that.
`python benchmarks/fuzz.py READER -runs=N` fuzzes one (the options are those of libFuzzer). Needs atheris, which
`make fuzz` installs; it watches which branches an input reaches and goes on from the inputs that reach new ones.
"""

import contextlib
import gzip
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["plainnet"]):
    import numpy as np

    from plainnet import (
        SGD,
        DataSet,
        Dense,
        InputError,
        Model,
        Network,
        SoftmaxCrossEntropy,
        Training,
        load_model,
        read_idx,
        save_model,
    )
    from plainnet import checkpoint as checkpoints
    from plainnet.checks.histories.reading import read_history
    from plainnet.recipes import read, source
    from plainnet.records.openings import openings
    from plainnet.records.recorded_runs import runs
    from plainnet.runs.environment import hardware, versions
    from plainnet.runs.saving import read_checkpoint
    from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "records" / "fuzz.json"
MEMORY = Path("/dev/shm")  # noqa: S108  (files in memory, where there are some)
FOLDER = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))


def training() -> Training:
    """Return the training whose checkpoints are fuzzed."""
    data = DataSet(np.arange(8, dtype=np.float32).reshape(4, 2), np.array([0, 1, 0, 1]), ("a", "b"))
    network = Network(Dense(2)).build((2,))
    return Training(network, SoftmaxCrossEntropy(), SGD(momentum=0.9), data, batch_size=2, epochs=3, learning_rate=0.1)


def model(content: bytes) -> None:
    """Read the bytes as a model file."""
    path = FOLDER / "f.safetensors"
    path.write_bytes(content)
    load_model(path)


def idx(content: bytes) -> None:
    """Read the bytes as an IDX file, compressed if they look so."""
    path = FOLDER / "f"
    path.write_bytes(content)
    read_idx(path, dimensions=1 + len(content) % 3)


def recipe(content: bytes) -> None:
    """Read the bytes as a recipe."""
    path = FOLDER / "f.toml"
    path.write_bytes(content)
    read(str(path))


def history(content: bytes) -> None:
    """Read the bytes as a history: JSON if they look so, CSV otherwise."""
    path = FOLDER / ("h.json" if content.lstrip()[:1] in (b"{", b"[") else "h.csv")
    path.write_bytes(content)
    read_history(path)


def checkpoint(content: bytes) -> None:
    """Read the bytes as a checkpoint, and go on from it."""
    (FOLDER / checkpoints.NEWEST).write_bytes(content)
    found = read_checkpoint(FOLDER)
    found.history()
    found.restore(training())


def record(content: bytes) -> None:
    """Read the bytes as the record of a run, or as the openings of the test set."""
    records = FOLDER / "records"
    records.mkdir(exist_ok=True)
    if content.lstrip()[:1] == b"[":
        (records / "openings.json").write_bytes(content)
        openings(records)
    else:
        (records / "seed-0.json").write_bytes(content)
        runs(records)


READERS = {  # the reader, and the longest input in bytes
    "model": (model, 2048), "idx": (idx, 256), "recipe": (recipe, 4096), "history": (history, 1024),
    "checkpoint": (checkpoint, 4096), "record": (record, 4096),
}  # fmt: skip


def seeds(reader: str) -> Path:
    """Return a folder with sound files of one kind, to begin from."""
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    if reader == "model":
        network = Network(Dense(2)).build((3,))
        save_model(corpus / "m.safetensors", Model(network, ("a", "b"), {}))
    elif reader == "idx":
        raw = bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3])
        (corpus / "idx").write_bytes(raw)
        (corpus / "idx.gz").write_bytes(gzip.compress(raw))
    elif reader == "recipe":
        for name in ("softmax", "cnn", "minute"):
            (corpus / name).write_text(re.sub(r"#.*", "", source(name)))
    elif reader == "history":
        rows = [epoch.to_table() for epoch in training() if hasattr(epoch, "to_table")]
        (corpus / "a").write_bytes(to_json(rows))
        (corpus / "b").write_text('{"loss": [1, 0.5], "val_acc": [0.1, "nan"]}')
        (corpus / "c").write_text("epoch,loss,val_loss,acc\n1,2.3,2.2,0.1\n2,1.5,,0.5\n")
    elif reader == "checkpoint":
        under_way = training()
        for _ in zip(range(4), under_way, strict=False):
            pass
        fingerprint = {"pixels": "numbers", "largest": 7.0, "class_counts": [2, 2], "crc32": 1}
        run = {"recipe": {}, "seed": 0, "limit": None, "data": fingerprint}
        checkpoints.save(FOLDER, under_way, {"run": run, "made_with": {"versions": {}}, "data_dir": None})
        content = (FOLDER / checkpoints.NEWEST).read_bytes()
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        del header["__metadata__"]["sha256"]  # with it, no changed byte would get far
        text = json.dumps(header).encode()
        (corpus / "c").write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    else:
        run = json.loads((ROOT / "records" / "softmax" / "seed-0.json").read_text())
        run = {key: value for key, value in run.items() if key not in ("history", "confusion_matrix")}
        run |= {"mistakes": [3], "test_images": 4, "test_accuracy": 0.75}
        (corpus / "r").write_text(json.dumps(run))
        (corpus / "o").write_text(
            (ROOT / "records" / "softmax" / "openings.json").read_text()[:200].rsplit("},", 1)[0] + "}]"
        )
    return corpus


def fuzz(reader: str, options: list[str]) -> None:
    """Fuzz one reader; never returns."""
    np.seterr(all="ignore")
    function = READERS[reader][0]

    def test(content: bytes) -> None:
        with contextlib.suppress(InputError):
            function(content)

    atheris.Setup([sys.argv[0], *options, str(seeds(reader))], test)
    atheris.Fuzz()


def fuzzed(reader: str, number: int) -> None:
    """Fuzz one reader in a process of its own, and put what came of it on record."""
    command = [sys.executable, __file__, reader, f"-runs={number}", f"-max_len={READERS[reader][1]}"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"^Done (\d+) runs in (\d+) second", done.stderr, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise SystemExit(f"{reader} failed:\n{done.stderr[-4000:]}")
    row = {"reader": reader, "executions": int(found[1]), "seconds": int(found[2]), "crashes": 0}
    print(row, flush=True)
    before = json.loads(RECORD.read_text())["rows"] if RECORD.exists() else []
    rows = {row["reader"]: row for row in [*before, row]}
    environment = {"hardware": hardware(), "versions": versions() | {"atheris": importlib.metadata.version("atheris")}}
    write_atomically(RECORD, to_json({"rows": [rows[name] for name in READERS if name in rows]} | environment))


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        number = int(sys.argv[1])
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: fuzzed(name, number if name in ("model", "idx") else number // 10), READERS))
    else:
        try:
            fuzz(sys.argv[1], sys.argv[2:])
        finally:
            shutil.rmtree(FOLDER, ignore_errors=True)
