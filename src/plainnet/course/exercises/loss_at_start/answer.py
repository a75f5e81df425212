"""Losses you can know beforehand.

1. A fresh network for 26 letters knows nothing and gives all classes the same probability. What is
   its loss? (three digits)
2. The logits of an example are all equal, there are 4 classes, and the batch has 8 examples. What
   is dz for the right class?
3. ... and for each of the other classes?

You may write expressions; `import math` or `import numpy as np` if you need them.
"""

import math

### BEGIN SOLUTION
loss = math.log(26)
dz_right = (0.25 - 1) / 8
dz_other = 0.25 / 8
### BEGIN STARTER
# loss = None
# dz_right = None
# dz_other = None
### END SOLUTION
