"""The largest learning rate.

The model is y = w x with the loss (y - t)^2, and there is one example, x = 5. Above which learning
rate does gradient descent diverge? Write a number, or an expression that gives it.
"""

### BEGIN SOLUTION
largest_rate = 1 / 5**2
### BEGIN STARTER
# largest_rate = None
### END SOLUTION
