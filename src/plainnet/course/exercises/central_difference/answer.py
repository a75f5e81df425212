"""The numerical gradient.

f is a function of an array w of any shape and returns a number. Return the gradient of f at w by
central differences, an array of the shape of w. When you are done, w must be as it was.
"""

import numpy as np


def numerical_gradient(f, w, h=1e-5):
    ### BEGIN SOLUTION
    gradient = np.zeros(w.shape)
    for place in np.ndindex(w.shape):
        kept = w[place]
        w[place] = kept + h
        above = f(w)
        w[place] = kept - h
        below = f(w)
        w[place] = kept
        gradient[place] = (above - below) / (2 * h)
    return gradient
    ### END SOLUTION
