"""He initialization.

Return W, of shape (D, M), and b, of shape (M,), for a layer that is followed by a ReLU. Draw W from
`rng`, a NumPy random generator; b is 0.
"""

import numpy as np


def initial(D, M, rng):
    ### BEGIN SOLUTION
    return rng.normal(scale=np.sqrt(2 / D), size=(D, M)), np.zeros(M)
    ### END SOLUTION
