"""Which learning rate?

The same network was trained four times, with the learning rates 0.003, 0.03, 0.3 and 3. These are
its losses after each of five epochs. Write which rate each run had.

    A: 1.83, 1.10, 0.77, 0.62, 0.54
    B: 3.19, 2.31, 2.31, 2.31, 2.31
    C: 0.89, 0.39, 0.30, 0.26, 0.22
    D: 2.31, 2.17, 2.05, 1.94, 1.84
"""

### BEGIN SOLUTION
A = 0.03
B = 3
C = 0.3
D = 0.003
### BEGIN STARTER
# A = None
# B = None
# C = None
# D = None
### END SOLUTION
