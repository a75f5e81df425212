"""What all tests share: floating-point errors raise, and MNIST is read once."""

import numpy as np
import pytest

from plainnet import mnist


@pytest.fixture(autouse=True)
def floating_point_errors_raise():
    with np.errstate(all="raise"):
        yield


@pytest.fixture(scope="session")
def digits():
    return mnist.load()
