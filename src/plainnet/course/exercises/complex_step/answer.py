"""The complex step.

f takes a complex number and returns a complex number, and x is a real number. Return the derivative
of f at x, exact to the last digits.
"""


def derivative(f, x):
    ### BEGIN SOLUTION
    h = 1e-30
    return f(x + h * 1j).imag / h
    ### END SOLUTION
