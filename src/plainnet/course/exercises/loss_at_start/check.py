"""Checks of `loss-at-start`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="predict the loss of a fresh network",
    place="Why p - t",
    needs=("loss", "dz_right", "dz_other"),
    tells=False,
    tolerance=0.003,
    hints=(
        "What probability does each of 26 classes get? What is its -log?",
        "dz = (p - t) / N, with t = 1 for the right class and 0 for the others.",
        "loss = log 26; p = 1/4 for each class, and N = 8.",
    ),
    faults=(
        Fault("of-ten-classes", "math.log(26)", "math.log(10)", "log 10 is for 10 classes; here are 26."),
        Fault("log2", "math.log(26)", "math.log2(26)", "This logarithm has base 2; the loss uses the natural one, in nats."),
        Fault("log10", "math.log(26)", "math.log10(26)", "This logarithm has base 10; the loss uses the natural one."),
        Fault("probability", "math.log(26)", "1 / 26", "This is the probability; the loss is its negative logarithm."),
        Fault("not-divided", "(0.25 - 1) / 8\ndz_other = 0.25 / 8", "(0.25 - 1)\ndz_other = 0.25", "The loss is a mean over 8 examples, so each slope is divided by 8."),
        Fault("sign-flipped", "(0.25 - 1) / 8\ndz_other = 0.25 / 8", "(1 - 0.25) / 8\ndz_other = -0.25 / 8", "The signs are turned: it is p - t. Raising the right logit lowers the loss, so its slope is negative."),
        Fault("one-hot-missing", "(0.25 - 1) / 8", "0.25 / 8", "The target is missing: for the right class the slope is (p - 1) / N."),
        Fault("others-zero", "dz_other = 0.25 / 8", "dz_other = 0.0", "The other classes have slopes too: p - 0. Their logits should fall."),
        Fault("divided-by-classes", "/ 8", "/ 4", "Divide by the number of examples, not of classes."),
    ),
)


def observe(answer, rng):
    yield "loss", lambda: answer.loss
    yield "dz_right", lambda: answer.dz_right
    yield "dz_other", lambda: answer.dz_other
