"""Checks of `read-curves`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="read the curves: which training is this?",
    place="Four curves",
    needs=("A", "B", "C", "D"),
    tells=False,
    hints=(
        "In which of them does the network learn anything that holds for new examples?",
        "A network can slowly memorize shuffled labels. What does its validation loss do from the start?",
        "A learns first and then overfits; D never gets below log(10) on new examples; B falls slowly and evenly; C goes up and down and never falls.",
    ),
    faults=(
        Fault("shuffled-as-overfits", 'A = "overfits"\nB = "rate too small"\nC = "rate too large"\nD = "labels shuffled"', 'A = "labels shuffled"\nB = "rate too small"\nC = "rate too large"\nD = "overfits"', "A is good on new examples (0.56); with shuffled labels that is not possible. D never gets below log(10) = 2.30."),
        Fault("slow-as-shuffled", 'B = "rate too small"\nC = "rate too large"\nD = "labels shuffled"', 'B = "labels shuffled"\nC = "rate too large"\nD = "rate too small"', "In B the validation loss falls as the training loss does, only slowly: it learns. In D it rises."),
        Fault("two-overfit", 'D = "labels shuffled"', 'D = "overfits"', "D memorizes its examples, and it never knew anything about new ones: the validation loss rises from log(10) on. So inputs and labels do not belong together."),
        Fault("rates-turned", 'B = "rate too small"\nC = "rate too large"', 'B = "rate too large"\nC = "rate too small"', "C goes up and down and does not learn: its steps are too long. B falls slowly and evenly."),
        Fault("jump-as-shuffled", 'C = "rate too large"\nD = "labels shuffled"', 'C = "labels shuffled"\nD = "rate too large"', "C does not even learn its training examples: its steps are too long. With shuffled labels the training loss falls, as in D."),
    ),
)


def observe(answer, rng):
    for name in EXERCISE.needs:
        yield f"the answer for {name}", lambda: getattr(answer, name)
