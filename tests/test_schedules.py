import pytest

from plainnet import InputError, constant, step_decay


def test_step_decay_falls_after_the_named_epochs_to_the_step():
    schedule = step_decay(0.01, factor=0.1, at=(30, 50, 65))
    steps = 391
    assert schedule(0, steps) == 0.01
    assert schedule(30 * steps - 1, steps) == 0.01
    assert schedule(30 * steps, steps) == pytest.approx(0.001)
    assert schedule(50 * steps - 1, steps) == pytest.approx(0.001)
    assert schedule(50 * steps, steps) == pytest.approx(1e-4)
    assert schedule(80 * steps - 1, steps) == pytest.approx(1e-5)


def test_constant_is_constant():
    assert {constant(0.3)(step, 10) for step in range(100)} == {0.3}


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf")])
def test_the_rate_must_be_positive(rate):
    with pytest.raises(InputError, match="positive number, received"):
        constant(rate)
    with pytest.raises(InputError, match="positive number, received"):
        step_decay(rate, factor=0.1, at=())


def test_factor_and_epochs_must_make_sense():
    with pytest.raises(InputError, match="factor must be above 0"):
        step_decay(0.1, factor=10, at=(3,))
    with pytest.raises(InputError, match="at least 1, received"):
        step_decay(0.1, factor=0.1, at=(0, 3))
