"""The progress of a training on a terminal: a bar, the time left from the first batch on, figures that fit."""

import io
import re
import sys

import pytest
from rich.console import Console

from plainnet import Batch, Epoch
from plainnet.cli import progress
from plainnet.cli.progress import TimeLeft


def events(validated=True):
    """One epoch of two batches of a second each, out of three."""
    validation = {"accuracy": 0.4} if validated else None
    yield "2 threads for matrix products"
    for number in (1, 2):
        yield Batch(1, number, 2, 0.5, 0.1, 1.0)
    yield Epoch(1, 0.51234, {"accuracy": 0.7654}, 0.6 if validated else None, validation, 0.05, 2.0)


def shown(columns, **options):
    """What stands on a terminal of so many columns, each state on a line of its own."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=columns, color_system=None)
    progress._live(events(**options), 3, console)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n")
    return [line.rstrip() for line in plain.split("\n") if line.strip()]


@pytest.mark.parametrize(
    ("columns", "figures"),
    [
        (60, "loss 0.512  validation 40.00%"),
        (99, "loss 0.512  validation 40.00%"),
        (100, "loss 0.5123  train 76.54%  validation 40.00%  rate 0.05"),
        (160, "loss 0.5123  train 76.54%  validation 40.00%  rate 0.05"),
    ],
)
def test_figures_fit_the_terminal(columns, figures):
    lines = shown(columns)
    assert "2 threads for matrix products" in lines
    assert all(len(line) <= columns for line in lines)
    last = lines[-1]
    assert last.startswith("epoch 1/3 ")
    assert last.endswith(f"{figures} 0:04 left")
    assert (len(last) > 110) == (columns > 110)  # the bar takes what there is


def test_without_validation_the_training_figure_is_shown():
    assert shown(80, validated=False)[-1].endswith("loss 0.512  train 76.54% 0:04 left")
    assert shown(120, validated=False)[-1].endswith("train 76.54%    rate 0.05 0:04 left")


def test_a_bar_where_it_fits_and_lines_elsewhere(monkeypatch):
    called = []
    monkeypatch.setattr(progress, "_live", lambda events, total, console: called.append(console.width))
    monkeypatch.setattr(progress, "_lines", lambda events, total: called.append("lines"))
    for terminal, columns in ((True, 60), (True, 59), (True, 300), (False, 300)):
        monkeypatch.setattr(sys.stdout, "isatty", lambda terminal=terminal: terminal, raising=False)
        monkeypatch.setattr(progress, "width", lambda stream, columns=columns: columns)
        progress.show(events(), 3)
    assert called == [60, "lines", 300, "lines"]


@pytest.mark.parametrize(
    ("seconds", "batches", "said"),
    [
        (1.0, 11, "0:10"),
        (6.0, 11, "1:00"),
        (6.1, 11, "1:01"),
        (359.9, 11, "59:59"),
        (360.0, 11, "1:00:00"),
        (1.0, 1, "0:00"),
    ],
)
def test_the_time_left(seconds, batches, said):
    left = TimeLeft(1)
    assert str(left) == "0:00"
    left.add(Batch(1, 1, batches, 0.5, 0.1, seconds))
    assert str(left) == said


def test_a_first_word_comes_before_a_long_epoch_ends(capsys):
    long = [Batch(1, n, 4, 0.5, 0.1, 2.0) for n in range(1, 5)]
    progress._lines(iter([*long, Epoch(1, 0.5, {"accuracy": 0.5}, None, None, 0.1, 8.0), "a stop"]), 2)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "epoch 1 of 2 is running, 0:10 left"
    assert said[1].startswith("epoch   1  loss 0.5000")
    assert said[2:] == ["a stop", ""]
    progress._lines(iter([long[0]]), 2)
    assert capsys.readouterr().out == "\n"
