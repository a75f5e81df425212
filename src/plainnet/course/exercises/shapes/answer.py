"""Shapes.

A batch of 32 pictures of 28 by 28 pixels, as rows of 784 numbers, goes through a dense layer of 100
neurons. What are the shapes? Write tuples, such as (32, 784).
"""

### BEGIN SOLUTION
W = (784, 100)
b = (100,)
y = (32, 100)
dW = (784, 100)
db = (100,)
dx = (32, 784)
### BEGIN STARTER
# W = None
# b = None
# y = None
# dW = None
# db = None
# dx = None
### END SOLUTION
