"""Checks of `relative-error`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="when are two gradients equal?",
    place="Comparing",
    needs=("largest_relative_error",),
    hints=(
        "np.maximum compares two arrays number by number; .max() finds the largest number of one array.",
        "Where both are 0, divide by 1 instead: np.where(size == 0, 1, size).",
        "size = np.maximum(np.abs(a), np.abs(n)); return (np.abs(a - n) / np.where(size == 0, 1, size)).max()",
    ),
    faults=(
        Fault("absolute", " / np.where(size == 0, 1, size)", "", "This is the absolute error; divide by the size of the numbers."),
        Fault("no-abs", "np.abs(a - n)", "(a - n)", "Without the absolute value, a negative difference counts as small."),
        Fault("size-without-abs", "np.maximum(np.abs(a), np.abs(n))", "np.maximum(a, n)", "The size of negative numbers is their absolute value."),
        Fault("mean", "error.max()", "error.mean()", "This is the mean; one wrong number among many hides in it. Return the largest."),
        Fault("zero-over-zero", "np.where(size == 0, 1, size)", "size", "0 / 0 gives nan where both are 0."),
        Fault("of-the-largest", "np.where(size == 0, 1, size)", "size.max()", "All differences are divided by the largest number; a small wrong number hides beside it. Divide number by number."),
        Fault("sum-of-sizes", "np.maximum(np.abs(a), np.abs(n))", "np.abs(a) + np.abs(n)", "It is divided by the sum of the sizes; this exercise asks for the larger of the two."),
        Fault('added-constant', 'np.where(size == 0, 1, size)', '(size + 1e-8)', 'A constant is added below the fraction: that hides wrong gradients that are small.'),
        Fault('of-n-only', 'np.maximum(np.abs(a), np.abs(n))', 'np.abs(n)', 'It is divided by |n| alone; divide by the larger of |a| and |n|.'),
        Fault('array-returned', 'error.max()', 'error', 'This is one error for each number; return the largest.'),
    ),
)


def observe(answer, rng):
    a = rng.normal(size=(3, 4)) * 10.0 ** rng.integers(-3, 3, size=(3, 4))
    n = a * (1 + rng.normal(size=(3, 4)) * 1e-3)
    yield "12 numbers of different sizes", lambda: answer.largest_relative_error(a, n)
    yield "a and n exchanged", lambda: answer.largest_relative_error(n, a)
    yield "one is far too small", lambda: answer.largest_relative_error(np.array([-5.0, 1.0]), np.array([-4.0, 1.0]))
    yield "a small number of the wrong sign beside a large one", lambda: answer.largest_relative_error(np.array([100.0, 0.01]), np.array([100.0, -0.01]))
    yield "very small numbers", lambda: answer.largest_relative_error(np.array([2e-9, 1e-9]), np.array([1e-9, 1e-9]))
    yield "equal, with zeros", lambda: answer.largest_relative_error(np.array([0.0, 2.0]), np.array([0.0, 2.0]))
