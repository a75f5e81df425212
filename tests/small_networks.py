"""Small networks, and how to compare them."""

import numpy as np

from plainnet import (
    Dense,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
)

LOSS = SoftmaxCrossEntropy()
OPTIONS = {"batch_size": 50, "epochs": 2, "learning_rate": 0.05}


def small(*layers, **options):
    return Network(*(layers or (Dense(24), ReLU(), Dense(10)))).build((784,), rng=0, **options)


def weights(network):
    return {name: tensor.copy() for name, tensor in network.tensors().items()}


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor, second[name], err_msg=name)
