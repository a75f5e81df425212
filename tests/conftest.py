"""What all tests share: floating-point errors raise, and MNIST is read once."""

import hypothesis
import numpy as np
import pytest

from plainnet import mnist
from plainnet.data.splits import Splits

hypothesis.settings.register_profile("plainnet", deadline=None, derandomize=True)  # however busy the machine is
hypothesis.settings.load_profile("plainnet")


@pytest.fixture(autouse=True)
def floating_point_errors_raise():
    with np.errstate(all="raise"):
        yield


@pytest.fixture
def as_users_have_it():
    """Floating-point errors pass in silence, as in a program that says nothing of them."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="session")
def few_digits():
    """MNIST, a little of each part."""
    data = mnist.load()
    return Splits.of(data.train.sample(1500), data.validation.sample(300), data.test.sample(300))


@pytest.fixture(scope="session")
def digits():
    return mnist.load()
