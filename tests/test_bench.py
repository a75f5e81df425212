"""The benchmark measures what it says; how fast anything is, no test asserts."""

import json
import time
from pathlib import Path

import pytest

from plainnet import InputError
from plainnet.bench.interleave import Comparison, interleave
from plainnet.bench.neighbors import busy
from plainnet.bench.profile import step_profile
from plainnet.bench.run import COMPARISONS
from plainnet.cli.app import main

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def test_rivals_take_turns_and_the_first_rounds_do_not_count():
    calls = []
    rivals = {name: lambda name=name: calls.append(name) for name in "abc"}
    comparison = interleave("turns", rivals, rounds=3, work="nothing", dropped=2)
    assert "".join(calls) == "abc" * 5
    assert [len(values) for values in comparison.seconds.values()] == [3, 3, 3]
    sleepy = interleave("sleep", {"a": lambda: time.sleep(0.01)}, rounds=2, work="sleep", dropped=0)
    assert sleepy.median("a") >= 0.01


def test_ratios_are_taken_round_by_round():
    """The machine slows down threefold in the last round, for both: the ratio does not notice."""
    comparison = Comparison("title", {"ours": [1.0, 2.0, 9.0], "theirs": [2.0, 4.0, 18.0]}, "work")
    assert comparison.ratio("ours", "theirs") == 0.5
    table = comparison.to_table()
    assert table["ratios"]["ours / theirs"] == {"median": 0.5, "lower_quartile": 0.5, "upper_quartile": 0.5}
    assert table["seconds"]["ours"] == {"median": 2.0, "lower_quartile": 1.5, "upper_quartile": 5.5}
    assert "ours / this: 0.50" in str(comparison)


def test_a_disturbed_comparison_says_so():
    calm = Comparison("title", {"ours": [1.0, 1.01, 1.02, 1.0]}, "work")
    assert calm.to_table()["disturbed"] == []
    assert "disturbed" not in str(calm)
    wild = Comparison("title", {"ours": [1.0, 1.0, 1.0, 1.0], "theirs": [1.0, 2.0, 3.0, 1.0]}, "work")
    assert wild.to_table()["disturbed"] == ["theirs"]
    assert "not reliable: the quartiles of theirs are more than 20% apart" in str(wild)


def test_neighbors_work_as_long_as_something_is_timed():
    before = set(Path("/proc").glob("[0-9]*")) if Path("/proc").exists() else set()
    with busy(2):
        during = set(Path("/proc").glob("[0-9]*")) - before
        assert not before or len(during) >= 2
    with pytest.raises(InputError, match="neighbors must be a whole number from 0"):
        busy(-1).__enter__()


@pytest.mark.parametrize("name", ["cnn", "mlp-augmented"])
def test_comparisons_of_steps_do_the_same_work_as_pytorch(name):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    assert "plainnet / PyTorch" in str(COMPARISONS[name](1, 2).to_table())


def test_the_command_prints_and_writes(tmp_path, capsys):
    path = tmp_path / "bench.json"
    assert main(["bench", "--only", "import", "--rounds", "1", "--neighbors", "1", "--json", str(path)]) == 0
    table = json.loads(path.read_text())
    assert table["comparisons"]["import"]["ratios"]["import plainnet / import numpy"]["median"] > 0
    assert {"hardware", "threads", "versions"} <= set(table)
    assert table["neighbors"] == 1
    assert "import plainnet / this" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "gpu"], "unknown comparison 'gpu'; choose one of classic"),
        (["--rounds", "0"], "--rounds must be at least 1"),
        (["--json", "bench.txt"], ".json"),
    ],
)
def test_bad_input(arguments, sentence, capsys):
    assert main(["bench", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


def test_the_profile_names_every_part_of_a_step():
    parts = step_profile(steps=3)
    assert next(iter(parts)) == "gather the images"
    assert {"1 Dense, forward", "3 Dense, backward", "update", "loss"} <= set(parts)
    assert all(time > 0 for time in parts.values())


def test_growth_is_measured_and_drawn(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import growth

    monkeypatch.setattr(growth, "UNITS", [4, 8, 16])
    monkeypatch.setattr(growth, "BATCHES", [64, 128, 256])
    monkeypatch.setattr(growth, "_ROUNDS", 1)
    record = growth.measure([300, 600, 1200])
    assert [row[0] for row in record["images_seconds_megabytes"]] == [300, 600, 1200]
    assert growth.picture(record).startswith(b"\x89PNG")
    assert growth.slope([[1, 3], [10, 300], [100, 30000]]) == pytest.approx(2)
