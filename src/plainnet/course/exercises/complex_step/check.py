"""Checks of `complex-step`."""

import cmath

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a derivative without subtraction",
    place="The complex step",
    needs=("derivative",),
    tolerance=1e-13,
    hints=(
        "Move x by a tiny imaginary number. In Python 1j is the imaginary unit.",
        "Which part of f(x + ih) holds the derivative?",
        "f(x + 1e-30j).imag / 1e-30",
    ),
    faults=(
        Fault("real-part", ".imag", ".real", "The real part is f(x) itself; the derivative is in the imaginary part."),
        Fault("not-divided", ".imag / h", ".imag", "Divide the imaginary part by h."),
        Fault("h-too-large", "h = 1e-30", "h = 1e-5", "h is so large that the curve bends; the complex step allows h = 1e-30."),
        Fault("central", "f(x + h * 1j).imag / h", "(f(x + 1e-5) - f(x - 1e-5)).real / 2e-5", "These are central differences, which lose digits. Move x by an imaginary number instead."),
        Fault("real-step", "f(x + h * 1j).imag / h", "(f(x + h) - f(x)).real / h", "A real step of this size is lost beside x: the difference is 0."),
        Fault("wrong-sign", "h * 1j", "-h * 1j", "The sign is turned: move x by +ih, or divide by -h."),
        Fault('absolute', 'f(x + h * 1j).imag / h', 'abs(f(x + h * 1j).imag) / h', 'The sign is lost: a slope may be negative.'),
        Fault('halved', '.imag / h', '.imag / (2 * h)', 'There is one step of h here, not two: divide by h.'),
        Fault('one-sided', 'f(x + h * 1j).imag / h', '(f(x + 1e-8) - f(x)).real / 1e-8', 'This is a one-sided difference, which loses digits. Move x by an imaginary number instead.'),
    ),
)


def observe(answer, rng):
    for name, f in (("exp", cmath.exp), ("exp(-z)", lambda z: cmath.exp(-z)), ("sin(z^2)", lambda z: cmath.sin(z * z)), ("1/(1 + exp(-z))", lambda z: 1 / (1 + cmath.exp(-z)))):
        x = rng.normal()
        yield f"{name} at {x:.3f}", lambda: answer.derivative(f, x)
