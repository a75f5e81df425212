"""The command line in every kind of place: narrow and wide terminals, pipes that close, no standard output at all."""

import os
import pty
import subprocess
import sys

import pytest

TRAIN = ["-m", "plainnet", "train", "--epochs", "2", "--limit", "2000", "--set", "layers.1.units=16", "--out", "out"]


def in_terminal(folder, columns, *arguments):
    """Run Python in a terminal of so many columns; return its exit code and what it showed."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "LINES": "24", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(), shown.decode()


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_training_in_a_terminal_of_any_width(tmp_path, columns):
    code, shown = in_terminal(tmp_path, columns, *TRAIN)
    assert code == 0
    assert "Traceback" not in shown
    assert "test accuracy" in shown


@pytest.mark.parametrize("columns", [20, 80])
def test_mistakes_in_a_narrow_terminal(tmp_path, columns):
    for arguments in (["train", "clasic"], ["retrain"], ["evaluate", "absent"], ["diagnose", "absent"]):
        code, shown = in_terminal(tmp_path, columns, "-m", "plainnet", *arguments)
        assert code == 2
        assert "plainnet: " in shown
        assert "Traceback" not in shown


def test_without_standard_output(tmp_path):
    command = f"{sys.executable} {' '.join(TRAIN)} >&-"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "metrics.json").exists()


def test_a_reader_that_leaves_ends_the_command_but_loses_nothing(tmp_path):
    command = f"{sys.executable} {' '.join(TRAIN)} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 141)
    assert "Traceback" not in done.stderr
