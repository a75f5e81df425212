"""Hostile files: each is answered in a sentence, at once, in little memory, and nothing raw reaches the terminal."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = Path(__file__).parent / "faults"
NOTHING_RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
limited = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by Linux")


def plainnet(*arguments, folder, encoding=None, seconds=600):
    """Run a command with at most 6 GB; return its exit code, output, errors, and peak memory in MB."""
    environment = os.environ | ({} if encoding is None else {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    program = (
        "import resource, subprocess, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (6 * 10**9, 6 * 10**9))\n"
        "done = subprocess.run([sys.executable, '-m', 'plainnet', *sys.argv[1:]])\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024\n"
        "sys.stderr.write(f'\\nPEAK {peak} {done.returncode}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, timeout=seconds, check=True,
    )  # fmt: skip
    said, _, figures = done.stderr.decode(encoding or "utf-8").rpartition("\nPEAK ")
    peak, code = map(int, figures.split())
    return code, done.stdout.decode(encoding or "utf-8"), said, peak


@limited
@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (["evaluate", "control.safetensors"], 0, "test accuracy"),
        (["evaluate", "int64_weights.safetensors"], 2, "dense_1.W must hold floating-point numbers, received int64"),
        (["predict", "surrogate_names.safetensors", "one.png"], 2, "must be valid Unicode text"),
        (["predict", "escape_names.safetensors", "one.png"], 0, r"\x1b[31m"),
        (["predict", "overflowing_weights.safetensors", "one.png"], 2, "not finite numbers"),
        (["evaluate", "overflowing_weights.safetensors"], 2, "not finite numbers"),
        (["train", "recipe_deep.toml", "--out", "OUT"], 2, "nested more than 50 deep"),
        (["train", "recipe_title_escapes.toml", "--limit", "500", "--out", "OUT"], 0, r"\x1b[2J\x1b]0;owned\x07x"),
        (["predict", "control.safetensors", "bomb_169_megapixels.png"], 2, "at most 150,000,000 can be read"),
        (["predict", "control.safetensors", "FIFO"], 2, "it is a pipe or a device"),
        (["predict", "FIFO", "one.png"], 2, "it is a pipe or a device"),
        (["diagnose", "FIFO"], 2, "it is a pipe or a device"),
        (["train", "FIFO.toml", "--out", "OUT"], 2, "it is a pipe or a device"),
        (["diagnose", "ZERO"], 2, "it is a pipe or a device"),
        (["doctor", "doctor_raises_escapes.py"], 2, "defines nothing to examine"),
        (["doctor", "doctor_prints_for_ever.py", "--timeout", "120"], 2, "defines nothing to examine"),
        (["doctor", "doctor_child_holds_stdout.py", "--timeout", "120"], 0, "ReLU: right"),
    ],
)
def test_examples_of_every_kind(command, code, says, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "fifo.toml")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    places = {"OUT": tmp_path / "out", "FIFO": tmp_path / "fifo", "FIFO.toml": tmp_path / "fifo.toml"}
    places["ZERO"] = tmp_path / "zero.json"
    result, printed, said, peak = plainnet(*(places.get(part, part) for part in command), folder=FAULTS)
    assert result == code, said
    assert says in (printed if code == 0 else said)
    assert peak < 400
    assert NOTHING_RAW.search(printed + said) is None
    if code:
        assert said.count("\n") <= 1
        assert "Traceback" not in said
        assert not (tmp_path / "out").exists()


@limited
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_of_any_encoding(encoding, tmp_path):
    name = "ziffer-\u0435\u4e2d\u00fc.png"
    (tmp_path / name).write_bytes((FAULTS / "one.png").read_bytes())
    code, printed, said, _ = plainnet(
        "predict", FAULTS / "control.safetensors", name, folder=tmp_path, encoding=encoding
    )
    assert (code, said) == (0, "")
    assert printed.startswith("ziffer-")
    code, _, said, _ = plainnet(
        "predict", FAULTS / "control.safetensors", f"no-{name}", folder=tmp_path, encoding=encoding
    )
    assert code == 2
    assert said.startswith("plainnet: cannot read the image no-ziffer-")


def test_a_fault_of_our_own_is_one_sentence_and_a_file(monkeypatch, capsys, tmp_path):
    import tempfile

    from plainnet.cli.app import main

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken():
        raise ZeroDivisionError("\x1b[2J")

    monkeypatch.setattr("plainnet.recipes.available", broken)
    assert main(["recipes"]) == 70
    said = capsys.readouterr().err
    assert said.startswith("plainnet: this is a bug in plainnet: ZeroDivisionError: \\x1b[2J; please report it with ")
    report = Path(said.split()[-1]).read_text()
    assert "Traceback" in report
    assert "ZeroDivisionError" in report
