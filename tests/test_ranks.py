"""Ranks without MPI: threads take their place, each with a network of its own; and what watches over a job."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from plainnet import SGD, BatchNorm, Dense, Dropout, Flatten, InputError, Network, ReLU, SoftmaxCrossEntropy
from plainnet.mpi import ranks as ranks_module
from plainnet.mpi.job import Alone
from plainnet.mpi.ranks import Ranks
from plainnet.mpi.watch import Watch
from plainnet.resuming import for_other_workers
from plainnet.stopping import Stop, Stopping
from plainnet.training import Training
from plainnet.workers import Threads, Workers

LOSS = SoftmaxCrossEntropy()


class Meeting:
    """Where as many threads as there are ranks exchange what they have; one meeting for the first 1, 2, ... of them."""

    def __init__(self, size):
        self.slots, self.barrier = [None] * size, threading.Barrier(size, timeout=30)
        self.smaller = [Meeting(count) for count in range(1, size)] if size > 1 else []


class Group:
    """What `plainnet.mpi.Group` is, among threads."""

    def __init__(self, meeting, rank):
        self.meeting, self.rank, self.size, self.leads = meeting, rank, len(meeting.slots), rank == 0

    def all(self, told):
        self.meeting.slots[self.rank] = told
        self.meeting.barrier.wait()
        found = list(self.meeting.slots)
        self.meeting.barrier.wait()
        return found

    def first(self, count):
        return self if count == self.size else Group(self.meeting.smaller[count - 1], self.rank)

    def total(self, array):
        brought = self.all(array.copy())
        return sum(brought[1:], brought[0])

    def take_from_first(self, array):
        array[...] = self.all(array.copy())[0]

    def largest(self, values):
        return tuple(map(max, zip(*self.all(values), strict=True)))

    def rest(self, at_most=None):
        self.all(None)
        return True


def added(group):
    def reduce(vector):
        vector[:] = group.total(vector)

    return reduce


@pytest.fixture(autouse=True)
def no_mpi(monkeypatch):
    monkeypatch.setattr(ranks_module, "REDUCTIONS", {"ordered": added})


def in_ranks(size, task):
    """Return what the task gives in each of so many ranks."""
    meeting, found, failed = Meeting(size), [None] * size, []

    def run(rank):
        try:
            with np.errstate(all="ignore"):
                found[rank] = task(Group(meeting, rank))
        except BaseException as error:
            failed.append(error)
            meeting.barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found


def network(rng=0, dtype=np.float64):
    return Network(Flatten(), Dense(12), BatchNorm(), ReLU(), Dropout(0.2), Dense(10)).build(
        (28, 28), rng=rng, dtype=dtype
    )


def training(net, workers, data, **more):
    settings = {"batch_size": 40, "epochs": 2, "learning_rate": 0.05, "rng": 0} | more
    return Training(net, LOSS, SGD(momentum=0.9), data.train[:203], data.validation[:31], workers=workers, **settings)


def figures(trained):
    return [epoch.to_table() | {"seconds": 0} for epoch in trained.history]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ranks_train_as_so_many_threads_do(size, digits):
    """203 images in batches of 40: of the last three, a rank has one, or none."""

    def trained(group):
        net = network()
        one = training(net, Ranks(net, LOSS, group=group), digits)
        assert isinstance(one.workers, Workers)
        for _ in one:
            pass
        return net.theta.copy(), figures(one), one.workers.leads

    found, net = in_ranks(size, trained), network()
    alone = training(net, Threads(net, LOSS, size), digits)
    for _ in alone:
        pass
    for theta, history, _ in found:
        np.testing.assert_array_equal(theta, net.theta)
        assert history == figures(alone)
    assert [leads for *_, leads in found] == [True] + [False] * (size - 1)


@pytest.mark.parametrize("rows", [64, 5, 1])
def test_ranks_of_several_threads_find_the_gradient(rows, digits):
    def gradient(group):
        net = Network(Flatten(), Dense(12), BatchNorm(), ReLU(), Dense(10)).build((28, 28), rng=0, dtype=np.float64)
        with Ranks(net, LOSS, 2, group=group) as workers:
            told = workers.gradient(digits.train, np.arange(rows))
        return net.grad.copy(), told, {name: array.copy() for name, array in net.tensors().items()}

    ((alone, expected, tensors),) = in_ranks(1, gradient)
    for grad, told, state in in_ranks(2, gradient):
        np.testing.assert_allclose(grad, alone, rtol=1e-10, atol=1e-14)
        assert (told.metrics, told.weight) == (expected.metrics, expected.weight)
        assert told.loss == pytest.approx(expected.loss, rel=1e-12)
        for name, array in tensors.items():
            np.testing.assert_allclose(state[name], array, rtol=1e-10, atol=1e-14, err_msg=name)


def test_weights_that_differ_are_brought_together(digits, monkeypatch):
    monkeypatch.setattr(ranks_module, "_COMPARED", 3)

    def task(group):
        net = network(rng=group.rank)
        with Ranks(net, LOSS, group=group) as workers:
            for step in range(4):
                workers.gradient(digits.train, np.arange(8))
                net.theta[5] += 1.0 * group.rank * (step < 3)
        return net.theta.copy(), workers.drifted

    (one, drifted), (two, _) = in_ranks(2, task)
    np.testing.assert_array_equal(one, two)
    assert drifted == 1


def test_a_training_by_ranks_goes_on_by_as_many_or_others(digits):
    def begun(group):
        net = network()
        one = training(net, Ranks(net, LOSS, group=group), digits)
        events = iter(one)
        for _ in range(3):
            next(events)
        state = one.state()
        for _ in events:
            pass
        return state, net.theta.copy()

    def goes_on(group):
        net = network()
        one = training(net, Ranks(net, LOSS, group=group), digits)
        (arrays, values), _ = found[0]
        one.restore(arrays, for_other_workers(values, one))
        for _ in one:
            pass
        return net.theta.copy(), figures(one)

    found = in_ranks(2, begun)
    assert found[0][0][1]["generators"] == found[1][0][1]["generators"]
    for theta, _ in in_ranks(2, goes_on):
        np.testing.assert_array_equal(theta, found[0][1])
    for size in (1, 3):
        for theta, _ in in_ranks(size, goes_on):
            distance = np.linalg.norm(theta - found[0][1]) / np.linalg.norm(found[0][1])
            assert 0 < distance < 0.2  # other units are dropped


def test_one_rank_out_of_time_ends_the_training_of_all(digits):
    def task(group):
        net = network()
        one = training(net, Ranks(net, LOSS, group=group), digits, epochs=1000, stop=Stopping(seconds=1000.0))
        stop = None
        for number, event in enumerate(one):
            if number == 7 and group.rank == 1:
                one._seconds += 1e6
            stop = event if isinstance(event, Stop) else None
        return len(one.history), stop is not None

    assert in_ranks(2, task) == [(2, True), (2, True)]


def test_refusals():
    group = Group(Meeting(1), 0)
    with pytest.raises(InputError, match="reduction must be ordered, received 'ring'"):
        Ranks(network(), LOSS, group=group, reduction="ring")
    with pytest.raises(InputError, match="workers must be a whole number"):
        Ranks(network(), LOSS, 0, group=group)
    with pytest.raises(InputError, match="`Ranks` cannot be copied"):
        Ranks(network(), LOSS, group=group).__getstate__()


def test_more_outputs_than_there_are_inputs(digits):
    def task(group):
        workers = Ranks(network(), LOSS, group=group)
        with workers:
            return workers.outputs(digits.test.inputs[:2])

    expected = network().logits(digits.test.inputs[:2])
    for outputs in in_ranks(3, task):
        np.testing.assert_allclose(outputs, expected, rtol=1e-12)


def test_who_waits_too_long_gives_up():
    gave_up = threading.Event()
    watch = Watch(gave_up.set, patience=0.2)
    with watch.waiting():
        time.sleep(0.01)
    assert not gave_up.wait(1.2)
    with watch.waiting():
        assert gave_up.wait(5)


SURVIVED = """
import os, signal, sys
from plainnet.mpi.survivor import Survivor
survivor = Survivor()
survivor.last_words("what to do\\nnow")
{then}
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
@pytest.mark.parametrize(
    ("then", "code", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "what to do now\n"),
        ("survivor.last_words('another'); os._exit(3)", 3, "another\n"),
        ("survivor.leave()", 0, ""),
    ],
)
def test_a_survivor_says_the_last_words(then, code, said):
    done = subprocess.run(
        [sys.executable, "-c", SURVIVED.format(then=then)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (code, said)


def test_alone_a_job_is_nothing_special():
    job = Alone("plainnet train --resume out")
    assert (job.leads, str(job), job.same(lambda: 1), job.together(lambda: 2)) == (True, "", 1, 2)
    assert job.resume_with == "resume with: plainnet train --resume out"
    job.expect_same(1, "what")
    with pytest.raises(InputError, match="no"):
        job.refuse("no")
