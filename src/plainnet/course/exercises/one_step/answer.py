"""One step of gradient descent.

The answer of the model is y = w x, its loss L = (y - t)^2. Return the weight after one step of
gradient descent with the given learning rate.
"""


def step(w, x, t, learning_rate):
    ### BEGIN SOLUTION
    y = w * x
    dw = 2 * (y - t) * x
    return w - learning_rate * dw
    ### END SOLUTION
