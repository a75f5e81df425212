"""The original's six iterations."""

import pytest

from plainnet import (
    InputError,
)
from plainnet.records import iterations as six
from plainnet.writing import to_json, write_atomically


def test_the_six_iterations(tmp_path, digits, monkeypatch):
    """Shortened, to see that rows are kept, the fault ends in NaN, and the picture is drawn."""
    short = [(name, 8, rate, 1, claimed) for name, _, rate, _, claimed in six.ITERATIONS[:2]]
    monkeypatch.setattr(six, "ITERATIONS", short)
    small = type(digits).of(digits.train[:2000], digits.validation[:500], digits.test[:500])
    rows = list(six.iterations(small, tmp_path))
    assert [row["form"] for row in rows] == [six.DESCRIBED, six.RIGHT] * 2
    assert rows[0]["test_accuracy"] is None
    assert "the loss is nan" in rows[0]["stopped"]
    assert rows[1]["test_accuracy"] == rows[3]["test_accuracy"] > 0.2
    assert rows[2]["largest_gradient"] > 20 * rows[3]["largest_gradient"]
    before = (tmp_path / "iterations.json").read_bytes()
    assert list(six.iterations(small, tmp_path)) == rows
    assert (tmp_path / "iterations.json").read_bytes() == before
    assert (tmp_path / "iterations_timeline.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "damage",
    [{"test_accuracy": "x"}, {"iteration": [1]}, {"validation_by_epoch": [2.0]}, {"validation_by_epoch": None}],
)
def test_damaged_rows_of_iterations_are_refused(damage, tmp_path, digits):
    row = {"iteration": "a", "form": "b", "claimed": None, "test_accuracy": 0.5, "validation_by_epoch": [0.5]}
    write_atomically(tmp_path / "iterations.json", to_json({"rows": [row | damage]}))
    with pytest.raises(InputError, match="does not hold iterations"):
        next(six.iterations(digits, tmp_path))


def test_the_timeline_of_a_last_iteration_that_diverged():
    rows = [
        {"iteration": name, "form": form, "claimed": claimed, "test_accuracy": None, "validation_by_epoch": []}
        for name, *_, claimed in six.ITERATIONS
        for form in (six.DESCRIBED, six.RIGHT)
    ]
    left, right = six.timeline(rows, [name for name, *_ in six.ITERATIONS]).axes
    assert {text.get_text() for text in left.texts} >= {"NaN", "94.25"}
    assert not right.lines
