"""Checks of `minute-network`."""

import functools
import time

import numpy as np

from plainnet import mnist
from plainnet.course.exercise import AtLeast, Exercise

EXERCISE = Exercise(
    title="design: 98.5 % in a minute",
    place="A whole network",
    needs=("trained",),
    points=3,
    seconds=150,
    hints=(
        "A dense layer cannot do it in this time. What can?",
        "Two convolutions with pooling, two dense layers, momentum or Adam, one to three epochs.",
        "Begin with the network of the lesson and give it all 50,000 pictures; or look at plainnet recipes fast99.",
    ),
)


def observe(answer, rng):
    data = mnist.load()

    @functools.cache
    def measured():
        began = time.process_time()
        network = answer.trained(data.train)
        seconds = time.process_time() - began
        if network is None:
            raise ValueError("trained returned None; is a return missing?")
        answers = np.concatenate([network.predict(part) for part in np.array_split(data.validation.inputs, 20)])
        right = answers.argmax(axis=1) if answers.ndim == 2 else answers
        return float((right == data.validation.targets).mean()), 60 - seconds

    yield "accuracy on 10,000 pictures it has not seen", lambda: measured()[0], AtLeast(0.985)
    yield "seconds of processor time left of 60", lambda: measured()[1], AtLeast(0.0)
