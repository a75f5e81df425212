"""What all tests share: floating-point errors raise, and MNIST is read once."""

import hypothesis
import numpy as np
import pytest

from plainnet import mnist

hypothesis.settings.register_profile("plainnet", deadline=None, derandomize=True)  # however busy the machine is
hypothesis.settings.load_profile("plainnet")


@pytest.fixture(autouse=True)
def floating_point_errors_raise():
    with np.errstate(all="raise"):
        yield


@pytest.fixture(scope="session")
def digits():
    return mnist.load()
