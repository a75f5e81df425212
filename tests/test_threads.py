"""The threads of matrix products: asked for, or chosen by timing."""

import pytest

from plainnet import (
    SoftmaxCrossEntropy,
)
from plainnet.events import Epoch
from plainnet.runs.threads import MatrixThreads, timed

LOSS = SoftmaxCrossEntropy()
NAMES = tuple("0123456789")


@pytest.mark.parametrize("given", [1, 2, 3, 8])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_threads_that_are_given_are_obeyed(given, workers):
    """They are shared among the workers, of which each needs one; what is noted is what is used."""
    threads = MatrixThreads(given, workers)
    with threads.in_force():
        choice = threads.begin(None)
        blas = {pool["num_threads"] for pool in threads._blas.info() if pool["user_api"] == "blas"}
    each = max(1, given // workers)
    assert blas == {each}
    assert choice.threads == each * workers
    assert threads.choices == [[0, 0, each * workers]]
    assert threads.begin(None) is None  # a run that goes on has chosen


def test_threads_are_chosen_by_what_is_quicker(monkeypatch):
    """With clocks of the test's own: the choice is made, kept, and made anew when an epoch takes another time."""
    monkeypatch.setattr("plainnet.runs.threads.threads_of_blas", lambda: 4)
    monkeypatch.setattr("plainnet.runs.threads.available_cores", lambda: 4)
    times = {1: 0.004, 4: 0.002}
    monkeypatch.setattr("plainnet.runs.threads.timed", lambda step, numbers, use: {n: times[n] for n in numbers})
    threads = MatrixThreads()
    with threads.in_force():
        choice = threads.begin(lambda: None)
        assert (choice.threads, str(choice)) == (
            4, "4 threads for matrix products: a step takes 4 ms with 1, 2 ms with 4"
        )  # fmt: skip

        def epoch(number, seconds):
            return threads.after(Epoch(number, 1.0, {}, None, None, 0.1, seconds), 100, lambda: None)

        assert epoch(1, 0.2) is None
        assert epoch(2, 0.25) is None
        assert epoch(3, 5.0) is None  # much slower, but four threads are still quicker
        times[4] = 0.1
        assert epoch(4, 5.0) is None  # the new measure
        assert epoch(5, 20.0).threads == 1
        assert threads.choices == [[0, 0, 4], [5, 0, 1]]
        resumed = MatrixThreads()
        resumed.repeat(threads.choices)
        assert resumed.begin(lambda: None) is None
        times[4] = 0.0039
        assert MatrixThreads().begin(lambda: None).threads == 1  # not worth it
        assert MatrixThreads().begin(None).why == "the products are small"
        assert MatrixThreads(workers=4).begin(lambda: None).why == "one per worker"


def test_timing_takes_turns_and_ends():
    used, made = [], []
    found = timed(lambda: made.append(used[-1]), (1, 2), used.append)
    assert set(found) == {1, 2}
    assert used[:4] == [1, 2, 1, 2]
    assert made.count(1) > 1
    assert made.count(2) > 1
