"""Read the check.

Each line is the largest relative error of a gradient that was checked. Choose for each what it most
likely means, out of "right", "fault", "kink" and "32 bits", and write that text.

1. dW in 64 bits, h = 1e-5: error 3e-10.
2. db in 64 bits, h = 1e-5: error 0.75.
3. dW of a network with ReLU in 64 bits: with h = 1e-5, one number of 7,850 has error 0.4, the
   others are below 1e-8. With h = 1e-6 all are below 1e-7.
4. dW of a network with tanh, trained and checked in float32: all numbers have errors between 1e-4
   and 1e-2; converted to float64, all are below 1e-8.
5. dW in 64 bits: one number of 7,850 has error 0.4, with h = 1e-5 and with h = 1e-6, the others are
   below 1e-8.
"""

### BEGIN SOLUTION
answers = ["right", "fault", "kink", "32 bits", "fault"]
### BEGIN STARTER
# answers = [None, None, None, None, None]
### END SOLUTION
