"""Sizes.

A batch of color pictures, 34 by 34 pixels with 3 channels, goes through a convolution of 16 filters
of 5 by 5, without padding and with stride 1, then through max pooling of 2 by 2, then through a
convolution of 8 filters of 3 by 3 with padding 1 and stride 2.

1. `first`: the height of the feature maps after the first convolution;
2. `pooled`: after the pooling;
3. `second`: after the second convolution;
4. `weights`: the number of weights of the first convolution, without biases;
5. `all_second`: the number of weights and biases of the second convolution together.
"""

### BEGIN SOLUTION
first = 34 - 5 + 1
pooled = first // 2
second = (pooled + 2 * 1 - 3) // 2 + 1
weights = 5 * 5 * 3 * 16
all_second = 3 * 3 * 16 * 8 + 8
### BEGIN STARTER
# first = None
# pooled = None
# second = None
# weights = None
# all_second = None
### END SOLUTION
