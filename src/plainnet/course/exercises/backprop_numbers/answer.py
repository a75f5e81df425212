"""Backpropagation by hand.

The network of the lesson, with one change: the input is x = (2, 1). All weights, biases and the
target are as in the lesson. Compute by hand or by code, to three decimals:

- h_z, the two sums of the hidden layer before the ReLU, as a list;
- dW2, the gradient of the second weights, as two rows of two numbers;
- dh, the slope of the loss by the outputs of the two hidden neurons, as a list;
- dW1, the gradient of the first weights, as two rows of two numbers.
"""

import numpy as np

x = np.array([2.0, 1.0])
W1, b1 = np.array([[0.5, -1.0], [0.25, 0.5]]), np.array([0.0, 0.25])
W2, b2 = np.array([[1.0, -1.0], [0.5, 2.0]]), np.array([0.0, 0.0])
t = np.array([0.0, 1.0])

### BEGIN SOLUTION
h_z = x @ W1 + b1
h = np.maximum(h_z, 0)
z = h @ W2 + b2
p = np.exp(z) / np.exp(z).sum()
dz = p - t
dW2 = np.outer(h, dz)
dh = W2 @ dz
dW1 = np.outer(x, dh * (h_z > 0))
### BEGIN STARTER
# h_z = None
# dW2 = None
# dh = None
# dW1 = None
### END SOLUTION
