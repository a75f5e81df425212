"""This gradient check compares f(x + h) with f(x - 2h) but divides by 2h. It only prints, so it can never fail.

Its result is 50 % too large: for f(x) = x^2 at 3 it gives 9, but the slope is 6. Always test a check on a wrong
gradient.
"""


def numerical_gradient(f, x, h=1e-5):
    return (f(x + h) - f(x - 2 * h)) / (2 * h)


if __name__ == "__main__":
    print("crooked:", round(numerical_gradient(lambda x: x * x, 3.0), 3), " right:", 6.0)
