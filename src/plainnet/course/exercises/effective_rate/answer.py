"""What the missing 1/N comes to.

1. A gradient is summed over batches of 64 where it should be a mean. With a learning rate of 0.03,
   which learning rate would give the same steps with the right gradient?
2. With momentum 0.9 as well, and a gradient that is the same for many steps: what is the largest
   step of a weight, for a right gradient of 1? (the size, without sign)
3. A right gradient has numbers up to 0.04. What is the largest number of the summed gradient?
4. The gradient is clipped to [-5, 5]. Is any of these numbers clipped in the summed gradient? Write
   True or False.
"""

### BEGIN SOLUTION
rate = 0.03 * 64
step = 0.03 * 64 / (1 - 0.9)
largest = 0.04 * 64
clipped = False
### BEGIN STARTER
# rate = None
# step = None
# largest = None
# clipped = None
### END SOLUTION
