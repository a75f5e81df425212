"""What the command line says, in any terminal: words whole, nothing invisible, advice that works where it is read."""

import io
import os
import sys

import pytest

from plainnet.cli.saying import advice, called_by, folded, say, width
from plainnet.foreign.showing import lines_shown, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a plain text", "a plain text"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("two\nlines\ttab", "two\\nlines\\ttab"),
        ("right \u202eto left", "right \\u202eto left"),
        ("half \ud800", "half \\ud800"),
        ("\u0437\u0435\u0431\u0440\u0430 \u4e2d \U0001f600", "\u0437\u0435\u0431\u0440\u0430 \u4e2d \U0001f600"),
        ("x" * 300 + "y" * 50, "x" * 150 + " \u2026 (350 characters) \u2026 " + "y" * 50),
        ("x" * 200, "x" * 200),
        (None, "None"),
    ],
)
def test_foreign_texts_are_shown(text, expected):
    assert shown(text) == expected


def test_lines_stay_lines():
    assert lines_shown("one\n\x1b two\r") == "one\n\\x1b two\\r"
    assert lines_shown("x" * 20_000) == "x" * 20_000
    assert lines_shown("ab\ncd", 5) == "ab\ncd"
    assert lines_shown("ab\ncd\n", 5) == "ab\ncd\u2026"
    assert len(lines_shown("x" * 50_000)) < 20_100


def test_long_lines_are_folded_between_words():
    text = "  indented " + "words " * 20 + "\nshort\n" + "unbreakable" * 10
    lines = folded(text, 40).split("\n")
    assert all(len(line) <= 40 for line in lines[:-1])
    assert lines[0].startswith("  indented words")
    assert lines[1].startswith("  words")
    assert lines[-2:] == ["short", "unbreakable" * 10]
    assert " ".join("\n".join(lines).split()) == " ".join(text.split())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_words_stay_whole_in_a_terminal_and_lines_stay_lines_in_a_file(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys, "argv", ["plainnet"])
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        say("the quick brown fox jumps over the lazy dog \x1b[31m", to=stream)
    assert terminal.getvalue() == "the quick brown fox jumps over\nthe lazy dog \\x1b[31m\n"
    assert file.getvalue() == "the quick brown fox jumps over the lazy dog \\x1b[31m\n"
    assert width(terminal) == 30


@pytest.mark.parametrize(
    ("columns", "expected"), [("", 80), ("x", 80), ("0", 80), ("1", 1), ("120", 120), ("99999", 99999), ("123456", 80)]
)
def test_the_width_of_what_is_no_terminal(columns, expected, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert width(io.StringIO()) == expected
    with open(os.devnull) as device:  # noqa: PTH123  (it has a descriptor and no width)
        assert width(device) == expected


def test_a_line_that_just_fits_stays():
    assert folded("ab cd", 5) == "ab cd"
    assert folded("ab cd", 4) == "ab\ncd"
    assert folded("left-handed people", 8) == "left-handed\npeople"


@pytest.mark.parametrize(
    ("indent", "columns", "second"),
    [
        (4, 12, "    words"),
        (5, 12, "     words"),
        (6, 12, "words"),
        (7, 12, "words"),
        (0, 12, "words"),
        (4, 13, "    words"),
    ],
)
def test_lines_go_on_where_their_text_began(indent, columns, second):
    lines = folded("name    some words", columns, indent).split("\n")
    assert lines[-1] == second


def test_what_is_to_be_copied_is_not_folded(monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    terminal = Terminal()
    say("a line that is longer", to=terminal, fold=False)
    say("abc   some words", to=terminal, indent=3)
    assert terminal.getvalue() == "a line that is longer\nabc   some\n   words\n"


def test_advice_names_the_program_as_it_was_called(monkeypatch, tmp_path):
    sentence = "go on with: plainnet train --resume out; plainnet is not plainnet.py or my/plainnet train"
    program = tmp_path / "bin" / "plainnet"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(program.parent))
    assert advice(sentence) == sentence  # the path finds it
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert called_by() == "bin/plainnet"
    assert advice(sentence).startswith(
        "go on with: bin/plainnet train --resume out; plainnet is not plainnet.py or my/pl"
    )
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py")])
    assert called_by().endswith(" -m plainnet")
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert called_by() == "plainnet"
