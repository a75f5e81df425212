"""Checks of `he-initialization`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="how weights begin",
    place="Initializing the weights",
    needs=("initial",),
    tolerance=0.03,
    hints=(
        "Numbers from a normal distribution; the lesson says how large their standard deviation is.",
        "The standard deviation is sqrt(2 / D), where D is the number of inputs of a neuron.",
        "rng.normal(scale=np.sqrt(2 / D), size=(D, M)), np.zeros(M)",
    ),
    faults=(
        Fault("spread-1", "scale=np.sqrt(2 / D), ", "", "The standard deviation is 1; it must shrink with the number of inputs, sqrt(2 / D)."),
        Fault("fan-out", "np.sqrt(2 / D)", "np.sqrt(2 / M)", "The standard deviation depends on the inputs of a neuron, D, not on the number of neurons."),
        Fault("no-root", "np.sqrt(2 / D)", "2 / D", "2 / D is the variance; the standard deviation is its square root."),
        Fault("without-2", "np.sqrt(2 / D)", "np.sqrt(1 / D)", "sqrt(1 / D) is for layers without ReLU. The ReLU stops half of the numbers, hence the 2."),
        Fault("zeros", "rng.normal(scale=np.sqrt(2 / D), size=(D, M))", "np.zeros((D, M))", "All weights are 0: then all neurons stay the same for ever."),
        Fault("all-positive", "rng.normal(scale=np.sqrt(2 / D), size=(D, M))", "rng.uniform(size=(D, M)) * np.sqrt(24 / D)", "All weights are positive: their mean should be 0."),
        Fault("bias-random", "np.zeros(M)", "rng.normal(size=M)", "The biases begin at 0."),
        Fault("bias-ones", "np.zeros(M)", "np.ones(M)", "The biases begin at 0."),
        Fault('another-generator', 'rng.normal(scale', 'np.random.default_rng().normal(scale', 'W is not drawn from the rng that is given, so the same rng gives other weights.'),
        Fault('fixed-generator', 'rng.normal(scale', 'np.random.default_rng(0).normal(scale', 'W is always the same: draw it from the rng that is given.'),
        Fault('root-of-2-over-D', 'np.sqrt(2 / D)', 'np.sqrt(2) / D', 'The standard deviation is sqrt(2 / D): the root goes over the whole fraction.'),
        Fault('glorot', 'np.sqrt(2 / D)', 'np.sqrt(2 / (D + M))', 'This is the Glorot initialization, for layers without ReLU; use sqrt(2 / D).'),
        Fault('small', 'np.sqrt(2 / D)', '0.01', 'The standard deviation is 0.01 for every layer; it must depend on the number of inputs, sqrt(2 / D).'),
    ),
)


def observe(answer, rng):
    for D, M in ((400, 300), (90, 700)):
        def drawn(seed=5):
            return answer.initial(D, M, np.random.default_rng(seed))

        yield f"shape of W for D = {D}, M = {M}", lambda: np.shape(drawn()[0])
        yield f"standard deviation of W for D = {D}, M = {M}", lambda: np.std(drawn()[0])
        yield f"mean of W is about 0, for D = {D}", lambda: bool(abs(np.mean(drawn()[0])) < 0.1 * (np.std(drawn()[0]) + 1e-9) or np.std(drawn()[0]) == 0)
        yield f"the same rng gives the same W, for D = {D}", lambda: bool((drawn()[0] == drawn()[0]).all())
        yield f"another rng gives another W, for D = {D}", lambda: bool((drawn()[0] != drawn(6)[0]).any())
        yield f"b for D = {D}, M = {M}", lambda: drawn()[1]
