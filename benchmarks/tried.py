"""What was tried to make plainnet faster, kept or not, each against its rivals in turns; writes records/tried.json."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from plainnet import SGD, Conv2D, Network, SoftmaxCrossEntropy, epochs, mnist
from plainnet.bench.interleave import interleave
from plainnet.bench.run import conditions
from plainnet.layers import patches as windows
from plainnet.layers.patches import patches
from plainnet.recipes import read
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
ROUNDS = 60
SHAPES = [  # of convolutions: image, channels, filters, size, stride, padding
    (12, 24, 32, 3, 1, "valid"),
    (12, 32, 64, 3, 1, "valid"),
    (26, 32, 32, 3, 1, "valid"),
    (24, 32, 32, 5, 2, "same"),
    (10, 64, 64, 3, 1, "valid"),
    (8, 64, 64, 5, 2, "same"),
]
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


def gradient_of_images(image, channels, filters, size, stride, padding):
    """Time dx of a convolution of 64 images, gathered as we do or scattered back to overlapping places (col2im)."""
    layer = Conv2D(filters, size, stride=stride, padding=padding)
    network = Network(layer).build((image, image, channels))
    dy = np.ones((64, *network.out_shapes[0]), np.float32)
    rows, columns = dy.shape[1:3]
    count = max(1, (1 << 18) // (rows * columns * size * size * channels))
    products = np.empty((count, rows, columns, size, size, channels), np.float32)
    dx = np.empty((64, image + sum(layer.rows), image + sum(layer.columns), channels), np.float32)
    turned = layer.W.value.reshape(-1, filters).T.copy()

    def scatter():
        dx[:] = 0
        for start in range(0, 64, count):
            part = dy[start : start + count]
            product = products[: len(part)]
            np.matmul(part.reshape(-1, filters), turned, out=product.reshape(-1, turned.shape[1]))
            for i, j in np.ndindex(size, size):
                last = i + stride * (rows - 1) + 1, j + stride * (columns - 1) + 1
                dx[start : start + count, i : last[0] : stride, j : last[1] : stride] += product[:, :, :, i, j]

    def in_one_thread(function):
        def rival():
            with threadpool_limits(1, user_api="blas"):
                function()

        return rival

    rivals = {"gathered (ours)": in_one_thread(lambda: layer._dx(dy)), "scattered": in_one_thread(scatter)}
    title = f"dx of {image}x{image}x{channels}, {filters} filters {size}x{size}, stride {stride}, {padding}"
    return interleave(title, rivals, rounds=20, work="64 images, one thread")


def team():
    """Time fast99 in one thread with matrix products in two, or in two threads with half of each batch."""
    recipe, data = read("fast99"), mnist.load().train[: 20 * 256]

    def rival(workers):
        network, optimizer = recipe.network(), recipe.make_optimizer()
        options = {"batch_size": 256, "epochs": 1, "learning_rate": 0.001, "workers": workers}

        def epoch():
            with threadpool_limits(3 - workers, user_api="blas"):
                next(epochs(network, SoftmaxCrossEntropy(), optimizer, data, **options))

        return epoch

    rivals = {"two workers, half a batch each (ours)": rival(2), "one worker, two BLAS threads": rival(1)}
    return interleave("fast99", rivals, rounds=12, work="20 steps of 256 images")


if __name__ == "__main__":
    record = conditions()
    for measure in (update, relu, gather, first_convolution, team):
        comparison = measure()
        print(comparison, flush=True)
        record[measure.__name__] = comparison.to_table()
    for shape in SHAPES:
        comparison = gradient_of_images(*shape)
        print(comparison, flush=True)
        record[f"dx {shape}"] = comparison.to_table()
    write_atomically(ROOT / "records" / "tried.json", to_json(record))
