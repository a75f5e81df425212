import pytest

from plainnet import InputError
from plainnet.schedules import constant, cosine, exponential, one_cycle, step_decay, warm_up


def test_step_decay_falls_after_the_named_epochs_to_the_step():
    schedule = step_decay(0.01, factor=0.1, at=(30, 50, 65))
    steps = 391
    assert schedule(0, steps, 80) == 0.01
    assert schedule(30 * steps - 1, steps, 80) == 0.01
    assert schedule(30 * steps, steps, 80) == pytest.approx(0.001)
    assert schedule(50 * steps - 1, steps, 80) == pytest.approx(0.001)
    assert schedule(50 * steps, steps, 80) == pytest.approx(1e-4)
    assert schedule(80 * steps - 1, steps, 80) == pytest.approx(1e-5)


def test_constant_is_constant():
    assert {constant(0.3)(step, 10, 10) for step in range(100)} == {0.3}


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf")])
def test_the_rate_must_be_positive(rate):
    schedules = {constant: {}, cosine: {}, exponential: {"factor": 0.9}, one_cycle: {}}
    for schedule, options in (schedules | {step_decay: {"factor": 0.1, "at": ()}}).items():
        with pytest.raises(InputError, match="positive number, received"):
            schedule(rate, **options)


def test_factor_and_epochs_must_make_sense():
    with pytest.raises(InputError, match="factor must be above 0"):
        step_decay(0.1, factor=10, at=(3,))
    for at in ((0, 3), (1.5,), (float("nan"),), (True,)):
        with pytest.raises(InputError, match="whole numbers of at least 1, received"):
            step_decay(0.1, factor=0.1, at=at)
    for schedule in (step_decay(0.1, factor=1.0, at=(1,)), exponential(0.1, factor=1)):
        assert schedule(99, 10, 10) == 0.1  # a factor of 1 changes nothing


def test_one_cycle_rises_in_a_line_and_falls_along_a_cosine():
    schedule = one_cycle(0.5, warm_up=0.2, start=0.1, end=0.01)
    rates = [schedule(step, 10, 5) for step in range(51)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[5] == pytest.approx((0.05 + 0.5) / 2)
    assert rates[10] == max(rates) == 0.5
    assert rates[30] == pytest.approx((0.5 + 0.005) / 2)
    assert rates[50] == pytest.approx(0.005)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert one_cycle(0.5, warm_up=0.0)(0, 10, 5) == 0.5


def test_what_is_usual_for_one_cycle_and_cosine():
    """Up from a 25th during three tenths of all steps, then down to nothing."""
    assert [one_cycle(0.5)(step, 10, 10) for step in (0, 15, 30, 65, 100)] == pytest.approx([0.02, 0.26, 0.5, 0.25, 0])
    assert cosine(0.5)(100, 10, 10) == pytest.approx(0)


@pytest.mark.parametrize("options", [{"warm_up": 1.0}, {"start": -0.1}, {"end": 1.5}, {"end": float("nan")}])
def test_shares_of_one_cycle_must_make_sense(options):
    with pytest.raises(InputError, match=f"{next(iter(options))} must be a share"):
        one_cycle(0.1, **options)


def test_cosine_falls_from_the_first_step():
    rates = [cosine(0.5, end=0.1)(step, 10, 4) for step in range(41)]
    assert rates[0] == 0.5
    assert rates[20] == pytest.approx((0.5 + 0.05) / 2)
    assert rates[40] == pytest.approx(0.05)


def test_exponential_falls_by_its_factor_every_epoch():
    schedule = exponential(0.5, factor=0.9)
    assert schedule(0, 10, 4) == 0.5
    assert schedule(10, 10, 4) == pytest.approx(0.45)
    assert schedule(5, 10, 4) == pytest.approx(0.5 * 0.9**0.5)
    with pytest.raises(InputError, match="factor must be above 0"):
        exponential(0.5, factor=1.1)


def test_warm_up_rises_to_what_follows():
    for then in (constant(0.5), {"type": "constant", "learning_rate": 0.5}):
        schedule = warm_up(then, epochs=2)
        assert [schedule(step, 2, 9) for step in range(6)] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5])
    followed, one_epoch = cosine(0.5), warm_up(cosine(0.5))
    shares = [one_epoch(step, 4, 5) / followed(step, 4, 5) for step in range(8)]  # of where that stands by then
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [((3,), "then must be a schedule"), (({"type": "no"},), "unknown schedule type"), ((constant(1), 0), "positive")],
)
def test_warm_up_refuses_what_is_no_schedule(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        warm_up(arguments[0], epochs=arguments[1] if len(arguments) > 1 else 1)
