"""Workers that are processes give what threads give, to the last bit, and leave nothing behind, whatever happens."""

import contextlib
import copy
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from plainnet import (
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    InputError,
    MaxPool,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Training,
    mnist,
)  # fmt: skip
from plainnet.data.augmentation import Augmentation
from plainnet.layers import GaussianNoise, Layer
from plainnet.recipes import read
from plainnet.runs.run import Run
from plainnet.workers import Processes, Threads, quickest
from plainnet.workers.meeting import Meeting

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="processes are forked on Linux, x86-64 only"
)
LOSS = SoftmaxCrossEntropy(label_smoothing=0.1)


def network(*layers, dtype=np.float32):
    stack = Conv2D(4, 3), BatchNorm(), MaxPool(4), ReLU(), Flatten(), *layers, Dense(10)
    return Network(*stack).build((28, 28), rng=0, dtype=dtype)


def training(kind, net, data, number=2, **options):
    options = {"batch_size": 25, "epochs": 3, "learning_rate": 0.01, "rng": 5} | options
    return Training(
        net, LOSS, options.pop("optimizer", Adam()), data, workers=kind(net, LOSS, number, rng=5), **options
    )


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("optimizer", [Adam, lambda: SGD(momentum=0.9)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_as_threads(number, optimizer, dtype, digits):
    """With running averages, dropped units, changed images, averaged weights, and a last batch of one image."""
    found = []
    for kind in (Threads, Processes):
        net = network(Dropout(0.2), dtype=dtype)
        options = {"augmentation": Augmentation(rotation=10), "clean_epochs": 1, "averaging": 0.9}
        run = training(kind, net, digits.train[:101], number, optimizer=optimizer(), **options)
        losses = [epoch.train_loss for epoch in run if hasattr(epoch, "train_loss")]
        found.append((net.tensors(), losses, [g.bit_generator.state for g in run.workers.generators]))
    for name, tensor in found[0][0].items():
        np.testing.assert_array_equal(found[1][0][name], tensor, err_msg=name)
    assert found[0][1:] == found[1][1:]


def test_what_is_written_to_the_weights_between_batches_counts(digits):
    found = []
    for kind in (Threads, Processes):
        net = network()
        events = iter(training(kind, net, digits.train[:100]))
        next(events)
        net.theta[:] *= 0.5
        net.layers[1].state["running_mean"][:] = 7
        next(events)
        found.append(net.tensors())
        events.close()
    for name, tensor in found[0].items():
        np.testing.assert_array_equal(found[1][name], tensor, err_msg=name)


def test_they_go_on_from_a_state_like_threads(digits):
    whole = training(Processes, network(Dropout(0.2)), digits.train[:100])
    for _ in whole:
        pass
    first = training(Processes, network(Dropout(0.2)), digits.train[:100])
    events = iter(first)
    for _ in range(6):
        next(events)
    arrays, values = first.state()
    events.close()
    second = training(Threads, network(Dropout(0.2)), digits.train[:100])
    second.restore(arrays, values)
    for _ in second:
        pass
    np.testing.assert_array_equal(second.network.theta, whole.network.theta)


def test_processes_end_with_the_training(digits):
    run = training(Processes, network(), digits.train[:50], number=3)
    events = iter(run)
    next(events)
    processes = [fork.process for fork in run.workers._team.others]
    assert len(processes) == 2
    assert all(map(lives, processes))
    events.close()
    assert not any(map(lives, processes))
    with pytest.raises(ChildProcessError):
        os.waitpid(processes[0], os.WNOHANG)


class Failing(Layer):
    """Fails where it is told to: in the process it was made in, or in another one."""

    def __init__(self, where, error):
        super().__init__()
        self.where, self.error, self.home = where, error, os.getpid()

    def forward(self, x, *, training=False):
        if training and self.error is not None and (os.getpid() == self.home) == (self.where == "here"):
            raise self.error
        self.remember()
        return x

    def backward(self, dy, *, need_dx=True):
        self.recall()
        return dy


class CannotBeSentError(Exception):
    def __init__(self):
        super().__init__("cannot be sent")
        self.what = threading.Lock()


@pytest.mark.parametrize("where", ["here", "there"])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (InputError("this is wrong"), InputError),
        (ZeroDivisionError("nothing"), ZeroDivisionError),
        (CannotBeSentError(), Exception),
    ],
)
def test_an_error_in_one_process_is_raised_and_nobody_waits(where, before, error, raised, digits):
    """Also while the other one waits for the sums of batch normalization; afterwards the training can go on."""
    failing = Failing(where, error)
    layers = (failing, BatchNorm()) if before else (BatchNorm(), failing)
    net = Network(Flatten(), Dense(5), *layers, Dense(10)).build((28, 28), rng=0)
    run = training(Processes, net, digits.train[:100])
    generators = [g.bit_generator.state for g in run.workers.generators]
    with pytest.raises(raised, match=r"this is wrong|nothing|cannot be sent"):
        next(iter(run))
    assert [g.bit_generator.state for g in run.workers.generators] == generators
    failing.error = None
    assert len([event for event in run if hasattr(event, "train_loss")]) == 3


def test_a_process_that_was_killed_is_missed(digits):
    run = training(Processes, network(), digits.train[:100])
    events = iter(run)
    next(events)
    os.kill(run.workers._team.others[0].process, signal.SIGKILL)
    with pytest.raises(
        InputError,
        match=r"a worker process was killed, perhaps because memory ran out.*--resume",
    ):
        next(events)
    reference = training(Threads, network(), digits.train[:100])
    for _ in reference:
        pass
    for _ in run:
        pass
    np.testing.assert_array_equal(run.network.theta, reference.network.theta)


def test_without_processes_threads_do_the_same(digits, monkeypatch):
    def refuse():
        raise BlockingIOError("no more processes")

    expected, net = network(), network()
    for _ in training(Threads, expected, digits.train[:100]):
        pass
    monkeypatch.setattr(os, "fork", refuse)
    for _ in training(Processes, net, digits.train[:100]):
        pass
    np.testing.assert_array_equal(net.theta, expected.theta)


class Keeping(Layer):
    def forward(self, x, *, training=False):
        self.kept = x
        return x

    def backward(self, dy, *, need_dx=True):
        return dy * self.kept


def test_a_layer_that_keeps_something_of_a_pass_is_refused(digits):
    net = Network(Flatten(), Keeping(), Dense(10)).build((28, 28), rng=0)
    with pytest.raises(InputError, match=r"Keeping keeps self\.kept from a pass.*or train with one worker"):
        next(iter(training(Processes, net, digits.train[:100])))


def test_other_data_and_other_parameters_get_other_processes(digits):
    net = network(GaussianNoise(0.1))
    with Processes(net, LOSS, 2, rng=0) as workers, Threads(copy.deepcopy(net), LOSS, 2, rng=0) as threads:
        for data in (digits.train[:50], digits.train[50:100], digits.train[:50]):
            for each in (workers, threads):
                each.gradient(data, np.arange(20))
            np.testing.assert_array_equal(workers.network.grad, threads.network.grad)
        for each in (workers, threads):
            each.network.build((28, 28), rng=1)
            each.gradient(data, np.arange(20))
        np.testing.assert_array_equal(workers.network.grad, threads.network.grad)


def test_copies_have_no_processes(digits):
    run = training(Processes, network(), digits.train[:100])
    events = iter(run)
    next(events)
    twin = copy.deepcopy(run)
    assert twin.workers._team is None
    for each in (events, twin):
        for _ in each:
            pass
    np.testing.assert_array_equal(run.network.theta, twin.network.theta)


def test_processes_do_not_outlive_the_one_they_were_forked_from(tmp_path):
    program = (
        "import numpy as np, time\nfrom plainnet import *\nfrom plainnet.workers import Processes\n"
        "data = DataSet(np.zeros((40, 4, 4), np.uint8), np.arange(40) % 2, ('a', 'b'))\n"
        "net = Network(Flatten(), Dense(2)).build((4, 4))\nloss = SoftmaxCrossEntropy()\n"
        "events = iter(Training(net, loss, SGD(), data, batch_size=4, epochs=9, learning_rate=0.1, "
        "workers=(team := Processes(net, loss, 2))))\nnext(events)\n"
        "print(team._team.others[0].process, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGTERM)  # which is for the parent to answer
        time.sleep(0.1)
        assert lives(child)
        parent.kill()
    end = time.monotonic() + 5
    while lives(child) and Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.05)


def test_a_program_ends_though_its_training_was_left(tmp_path):
    """The interpreter does not wait for processes that wait for it."""
    program = (
        "import numpy as np\nfrom plainnet import *\nfrom plainnet.workers import Processes\n"
        "data = DataSet(np.zeros((40, 4, 4), np.uint8), np.arange(40) % 2, ('a', 'b'))\n"
        "net = Network(Flatten(), Dense(2)).build((4, 4))\nloss = SoftmaxCrossEntropy()\n"
        "events = iter(Training(net, loss, SGD(), data, batch_size=4, epochs=9, learning_rate=0.1, "
        "workers=Processes(net, loss, 2)))\nnext(events)\nprint('left')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "left\n", "")


def test_a_meeting_adds_up_what_each_brings():
    alone = Meeting(1)
    alone.begin(1, 1, lambda: True)
    sums = np.array([[1.0, 2.0], [3.0, 4.0]])
    total = alone.total(0, sums)
    np.testing.assert_array_equal(total, sums)
    assert not np.shares_memory(total, sums)
    with pytest.raises(InputError, match="a layer sums 8,000,000 bytes over all workers"):
        alone.total(0, np.zeros(1_000_000))


@pytest.mark.parametrize("why", ["failed", "gone"])
def test_nobody_waits_for_one_that_will_not_come(why):
    meeting = Meeting(2)
    meeting.begin(1, 2, lambda: why != "gone")
    if why == "failed":
        meeting.fail()
    with pytest.raises(threading.BrokenBarrierError):
        meeting.total(0, np.zeros(3))


def test_the_quickest_workers():
    net = network()
    assert type(quickest(net, LOSS, 2)) is Processes
    assert type(quickest(net, LOSS, 1)) is Threads
    for number in (0, -1, 1.5, "2"):
        with pytest.raises(InputError, match="workers must be"):
            quickest(net, LOSS, number)


def test_nothing_is_forked_beside_a_thread_of_somebody_else():
    """A copy would have the locks that the thread holds, and wait for them for ever."""
    run = Run(read("fast99", {"epochs": 1}), mnist.load(), limit=600)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        events = iter(run.training)
        next(events)
        assert run.training.workers._team is None
    finally:
        stop.set()
        thread.join()
    next(events)
    assert run.training.workers._team is not None
    events.close()


def test_a_team_of_a_thread_that_has_ended_is_made_anew():
    run = Run(read("fast99", {"epochs": 1}), mnist.load(), limit=600)
    events = iter(run.training)
    first = threading.Thread(target=lambda: next(events))
    first.start()
    first.join()
    for _ in range(2):
        next(events)
    assert run.training.workers._team.is_of_this_thread()
    events.close()


def test_a_process_of_the_user_s_own_leaves_the_others_alone():
    """It inherits the team, and must neither use nor end it."""
    run = Run(read("fast99", {"epochs": 1}), mnist.load(), limit=600)
    events = iter(run.training)
    next(events)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            events.close()
        os._exit(0)
    os.waitpid(child, 0)
    for _ in range(2):
        next(events)
    assert all(fork.lives() for fork in run.training.workers._team.others)
    events.close()
