"""Max pooling, forward and backward.

x is (H, V), with even H and V. `forward` returns y, (H / 2, V / 2): the largest of every 2 by 2
numbers. `backward` is given dy, of the shape of y, and returns dx, of the shape of x. All numbers
of a window differ.
"""

import numpy as np


class MaxPool:
    ### BEGIN SOLUTION
    def forward(self, x):
        H, V = x.shape
        self.windows = x.reshape(H // 2, 2, V // 2, 2)
        self.y = self.windows.max(axis=(1, 3), keepdims=True)
        return self.y[:, 0, :, 0]

    def backward(self, dy):
        dx = (self.windows == self.y) * dy[:, None, :, None]
        return dx.reshape(2 * dy.shape[0], 2 * dy.shape[1])
    ### BEGIN STARTER
    # def forward(self, x):
    #     raise NotImplementedError  # replace this line
    #
    # def backward(self, dy):
    #     raise NotImplementedError  # replace this line
    ### END SOLUTION
