"""What went wrong?

These are the losses of four training runs of a network for 10 classes after epochs 1, 2, 4, 8, 16 and
32: on the training examples, and on the validation examples. Choose for each what is wrong, out of
"overfits", "rate too large", "rate too small" and "labels shuffled", and write that text.

    A: training   1.58, 0.54, 0.14, 0.03, 0.01, 0.00      validation 1.00, 0.67, 0.59, 0.56, 0.59, 0.61
    B: training   2.41, 2.38, 2.32, 2.23, 2.08, 1.82      validation 2.40, 2.37, 2.31, 2.22, 2.07, 1.81
    C: training   2.41, 2.48, 2.41, 2.42, 2.44, 2.42      validation 2.36, 2.39, 2.37, 2.43, 2.37, 2.43
    D: training   2.38, 2.21, 2.04, 1.70, 0.92, 0.19      validation 2.38, 2.34, 2.53, 2.63, 3.20, 4.19
"""

### BEGIN SOLUTION
A = "overfits"
B = "rate too small"
C = "rate too large"
D = "labels shuffled"
### BEGIN STARTER
# A = None
# B = None
# C = None
# D = None
### END SOLUTION
