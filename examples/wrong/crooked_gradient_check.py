"""A gradient check that looks at x + h and x - 2h and divides by 2h, then prints, and so can never fail.

It is off by half: for f(x) = x^2 at 3 it gives 9 where the slope is 6. A check must be tested on a wrong gradient.
"""


def numerical_gradient(f, x, h=1e-5):
    return (f(x + h) - f(x - 2 * h)) / (2 * h)


if __name__ == "__main__":
    print("crooked:", round(numerical_gradient(lambda x: x * x, 3.0), 3), " right:", 6.0)
