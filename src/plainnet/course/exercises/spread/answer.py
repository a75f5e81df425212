"""How sure is it?

1. A network has 90 % accuracy on 400 test examples. What is the standard deviation of this figure,
   in percentage points?
2. How many test examples would it take to make it ten times smaller?
3. One network has 91 % and another 92 %, on different sets of 400 examples each. Is the difference
   larger than twice the standard deviation of the first? Write True or False.
"""

### BEGIN SOLUTION
points = 100 * (0.9 * 0.1 / 400) ** 0.5
examples = 400 * 100
clear = False
### BEGIN STARTER
# points = None
# examples = None
# clear = None
### END SOLUTION
