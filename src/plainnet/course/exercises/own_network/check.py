"""Checks of `own-network`."""

import functools

import numpy as np

from plainnet import mnist
from plainnet.course.exercise import AtLeast, Exercise

EXERCISE = Exercise(
    title="design: a network of your own at 98 %",
    place="What to do next",
    needs=("initial", "forward", "loss_and_gradients", "train"),
    forbids=("plainnet", "torch", "sklearn", "tensorflow", "keras", "jax"),
    points=5,
    seconds=240,
    doctor=True,
    hints=(
        "All the parts are in lessons 3 to 7. Check the gradients by central differences before you train.",
        "300 hidden units, momentum 0.9, batches of 100 and a learning rate that decays reach 98 % in about ten epochs. Convert to float32 to save time.",
        "Begin with lesson 5, add momentum and decay, and let it see all the pictures: plainnet course solution own-network.",
    ),
)


def observe(answer, rng):
    data = mnist.load()

    @functools.cache
    def shares():
        x = (data.train.inputs.reshape(-1, 784) / 255).astype(np.float32)
        parameters = answer.train(x, data.train.targets.copy(), np.random.default_rng(0))
        new = data.validation.inputs.reshape(-1, 784) / 255
        return np.concatenate([answer.forward(*parameters, part) for part in np.array_split(new, 20)])

    def small():
        return [np.array(value, dtype=float) for value in answer.initial(np.random.default_rng(0))]

    x, labels = data.train.inputs[:20].reshape(20, 784) / 255, data.train.targets[:20]
    yield "probabilities sum to 1", lambda: bool(np.allclose(answer.forward(*small(), x).sum(axis=1), 1)), True
    yield "the loss of a fresh network is near log(10)", lambda: bool(abs(answer.loss_and_gradients(*small(), x, labels)[0] - np.log(10)) < 1.5), True
    for k, name in enumerate(("dW1", "db1", "dW2", "db2")):

        def agrees():
            parameters = small()
            parameters[1] += 0.01 * rng.normal(size=parameters[1].shape)
            direction = rng.normal(size=parameters[k].shape)
            direction *= 1e-6 / np.abs(direction).max()
            sides = [[value + sign * direction if j == k else value for j, value in enumerate(parameters)] for sign in (1, -1)]
            above, below = (answer.loss_and_gradients(*side, x, labels)[0] for side in sides)
            slope = (answer.loss_and_gradients(*parameters, x, labels)[1][k] * direction).sum()
            return bool(abs((above - below) / 2 - slope) < 1e-4 * abs(slope) + 1e-15)

        yield f"{name} agrees with central differences", agrees, True
    yield "accuracy on 10,000 pictures it has not seen", lambda: float((shares().argmax(axis=1) == data.validation.targets).mean()), AtLeast(0.98)
