"""What was tried to make plainnet faster, kept or not, each against its rivals in turns; writes records/tried.json."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from plainnet import SGD, Adam, SoftmaxCrossEntropy, epochs, mnist
from plainnet.bench.interleave import interleave
from plainnet.bench.run import conditions
from plainnet.layers import patches as windows
from plainnet.layers.patches import patches
from plainnet.parameters import in_blocks
from plainnet.recipes import read
from plainnet.workers import Processes, Threads
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
ROUNDS = 60
WIDE = {"layers.0.filters": 32, "layers.2.filters": 64, "layers.6.units": 256}
RATE, DECAY, MOMENTUM, CLIP = 0.01, 1e-4, 0.9, 5.0


def update():
    """Time the update of 814,090 parameters, each time after the two large matrix products of a step."""
    network = read("classic").network()
    size, decayed = network.theta.size, network.parameters.groups["decayed"].stop
    sgd = SGD(momentum=0.9, weight_decay=1e-4, clip=5.0)
    sgd.attach(network.parameters)
    network.grad[:] = np.random.default_rng(0).standard_normal(size) * 1e-3
    velocity, theta, grad = np.zeros(size, np.float32), network.theta, network.grad
    scratch, pool = np.empty_like(theta), ThreadPoolExecutor(1)

    def passes(start, stop):
        v, w, g, s = (vector[start:stop] for vector in (velocity, theta, grad, scratch))
        v *= MOMENTUM
        if start < decayed:
            np.multiply(w, RATE * DECAY, out=s)
            v -= s
        np.clip(g, -CLIP, CLIP, out=s)
        s *= RATE
        v -= s
        w += v

    def blocks(length):
        for start in range(0, size, length):
            passes(start, min(start + length, size))

    def two_threads():
        other = pool.submit(passes, size // 2, size)
        passes(0, size // 2)
        other.result()

    x, dh = np.ones((128, 784), np.float32), np.ones((128, 1024), np.float32)
    W, dW = network.parameters[0].value, np.empty((784, 1024), np.float32)

    def after_the_products(function):
        def rival():
            np.matmul(x, W, out=dh)
            np.matmul(x.T, dh, out=dW)
            function()

        return rival

    rivals = {
        "one matrix product (ours)": lambda: sgd.step(RATE),
        "seven elementwise passes": lambda: passes(0, size),
        "the same in blocks of 64 k": lambda: blocks(1 << 16),
        "the same in blocks of 16 k": lambda: blocks(1 << 14),
        "the same in two threads": two_threads,
        "no update": lambda: None,
    }
    named = {name: after_the_products(function) for name, function in rivals.items()}
    return interleave("update", named, rounds=ROUNDS, work="with the two large products of a step before it")


def relu():
    """Time the activation of a batch."""
    x = np.random.default_rng(0).standard_normal((128, 1024)).astype(np.float32)
    y = np.empty_like(x)
    rivals = {
        "np.clip(x, 0, inf) (ours)": lambda: np.clip(x, 0, np.inf, out=y),
        "np.maximum(x, 0)": lambda: np.maximum(x, 0, out=y),
        "x * (x > 0)": lambda: np.multiply(x, x > 0, out=y),
    }
    return interleave("ReLU", rivals, rounds=10 * ROUNDS, work="128 x 1024")


def gather():
    """Time the choice of a batch."""
    images, rows = mnist.load().train.images, np.random.default_rng(0).permutation(50_000)[:128]
    rivals = {
        'images.take(rows, axis=0, mode="clip") (ours)': lambda: images.take(rows, axis=0, mode="clip"),
        "images[rows]": lambda: images[rows],
    }
    return interleave("gather", rivals, rounds=10 * ROUNDS, work="128 of 50,000 images")


def first_convolution():
    """Time the patches of images with one channel, copied by columns or directly."""
    x, kept = np.random.default_rng(0).random((128, 28, 28, 1), np.float32), {}

    def buffer(name, shape, dtype):
        return kept.setdefault((name, shape[1:]), np.empty(shape, dtype))[: shape[0]]

    def copy(short):
        windows._SHORT = short
        for _ in patches(x, (5, 5), 1, buffer, bias=True):
            pass
        windows._SHORT = 16

    rivals = {"by columns first (ours)": lambda: copy(16), "directly": lambda: copy(0)}
    return interleave("patches of one channel", rivals, rounds=ROUNDS, work="128 images, 5x5")


def adam():
    """Time the update of fast99's parameters by Adam: in parts that fit the cache, at once, and as it is written."""
    network, optimizer = read("fast99", WIDE).network(), Adam()
    optimizer.attach(network.parameters)
    gradient = np.random.default_rng(0).standard_normal(network.theta.size).astype(np.float32)
    theta, grad, pool = network.theta, network.grad, ThreadPoolExecutor(1)
    mean, square, scratch = (np.zeros_like(theta) for _ in range(3))

    def as_written():
        np.multiply(mean, 0.9, out=mean)
        mean[:] += np.multiply(grad, 0.1, out=scratch)
        np.multiply(square, 0.999, out=square)
        np.multiply(grad, grad, out=grad)
        np.multiply(grad, 0.001, out=grad)
        square[:] += grad
        np.sqrt(square, out=scratch)
        scratch[:] += 1e-8
        np.divide(mean, scratch, out=scratch)
        np.multiply(scratch, RATE, out=scratch)
        theta[:] -= scratch

    def by(workers):
        def step():
            network.parameters.by_workers = workers
            optimizer.step(RATE)

        return step

    def in_two_threads(task):
        half = theta.size // 2
        other = pool.submit(in_blocks, task, half, theta.size)
        in_blocks(task, 0, half)
        other.result()

    def with_gradient(function):
        def rival():
            grad[:] = gradient
            function()

        return rival

    rivals = {
        "in parts, in two threads (ours)": by(in_two_threads),
        "in parts": by(None),
        "at once": by(lambda task: task(slice(0, theta.size))),
        "with means instead of sums, at once": as_written,
    }
    named = {name: with_gradient(function) for name, function in rivals.items()}
    return interleave("Adam", named, rounds=ROUNDS, work=f"{theta.size:,} parameters")


def team():
    """Time a convolutional recipe by processes or threads with half of each batch, and in one thread."""
    recipe, data = read("fast99", WIDE), mnist.load().train[: 20 * 256]

    def rival(kind, number):
        network, optimizer, loss = recipe.network(), recipe.make_optimizer(), SoftmaxCrossEntropy()
        workers = kind(network, loss, number).__enter__()

        def epoch():
            with threadpool_limits(3 - number, user_api="blas"):
                options = {"batch_size": 256, "epochs": 1, "learning_rate": 0.001}
                next(epochs(network, loss, optimizer, data, workers=workers, **options))

        return epoch

    rivals = {
        "two processes, half a batch each (ours)": rival(Processes, 2),
        "two threads, half a batch each": rival(Threads, 2),
        "one worker, two BLAS threads": rival(Threads, 1),
    }
    return interleave("two convolutions", rivals, rounds=12, work="20 steps of 256 images")


if __name__ == "__main__":
    record = conditions()
    for measure in (update, adam, relu, gather, first_convolution, team):
        comparison = measure()
        print(comparison, flush=True)
        record[measure.__name__] = comparison.to_table()
    write_atomically(ROOT / "records" / "tried.json", to_json(record))
