import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from plainnet import (
    SGD,
    BatchNorm,
    DataSet,
    Dense,
    Dropout,
    InputError,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Training,
    TrainingDivergedError,
    epochs,
    evaluate,
    fit,
)
from plainnet.context import Context
from plainnet.schedules import step_decay

ROOT = Path(__file__).parent.parent


def small():
    return Network(Dense(32), ReLU(), Dense(10)).build((784,), rng=0)


def run(digits, network, n=1000, **options):
    options = {"batch_size": 128, "epochs": 3, "learning_rate": 0.1} | options
    return fit(network, SoftmaxCrossEntropy(), SGD(momentum=0.9), digits.train[:n], **options)


def test_the_reader_s_program_runs_as_written():
    """The program of README.md, with fewer epochs and images so that it ends within seconds."""
    text = (ROOT / "README.md").read_text()
    program = re.search(r"```python\n(from plainnet import SGD.*?)```", text, re.S).group(1)
    assert "epochs=80" in program
    path = ROOT / "examples" / "classic.py"
    assert path.read_text().endswith(program)
    namespace = {}
    quick = program.replace("epochs=80", "epochs=1").replace("data.train,", "data.train[:5000],")
    exec(compile(quick, "README.md", "exec"), namespace)
    assert namespace["epoch"].number == 1
    assert namespace["epoch"].validation_accuracy > 0.75


def test_a_network_learns(digits):
    history = run(digits, network := small(), n=2000, epochs=10)
    assert [epoch.number for epoch in history] == list(range(1, 11))
    assert history[-1].train_accuracy > 0.97
    assert all(after.train_loss < before.train_loss for before, after in pairwise(history[:4]))
    loss, figures = evaluate(network, SoftmaxCrossEntropy(), digits.validation)
    assert figures["accuracy"] > 0.85
    assert loss < 0.6


def test_validation_may_be_left_out(digits):
    epoch = run(digits, small(), epochs=1)[0]
    assert epoch.validation_loss is None
    assert "validation" not in str(epoch)
    validation = digits.validation[:700]
    epoch = run(digits, network := small(), epochs=2, validation=validation)[-1]
    measured = epoch.validation_loss, epoch.validation_accuracy
    p = network.probabilities(validation.images).astype(float)  # with the weights at the end of the epoch
    expected = -np.log(p[np.arange(700), validation.labels]).mean(), np.mean(p.argmax(axis=1) == validation.labels)
    assert measured == pytest.approx(expected, rel=1e-5)
    assert f"validation  {measured[1]:.2%}" in str(epoch)


def test_every_image_is_visited_once_an_epoch_and_the_order_changes(digits):
    seen = []

    class Watching(Network):
        def as_input(self, images):
            seen.append(images.reshape(len(images), -1)[:, :2].copy())
            return super().as_input(images)

    images = np.zeros((300, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(300) % 256, np.arange(300) // 256
    data = DataSet(images, np.zeros(300, np.uint8), ["0", "1"])
    network = Watching(Dense(2)).build((784,))
    training = Training(network, SoftmaxCrossEntropy(), SGD(), data, batch_size=128, epochs=2, learning_rate=0.1)
    seen.clear()  # it looks at one example to see whether they fit
    list(training)
    assert [len(batch) for batch in seen] == [128, 128, 44] * 2
    orders = [np.concatenate(part).astype(int) @ (1, 256) for part in (seen[:3], seen[3:])]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(300))
    assert not np.array_equal(*orders)


def test_the_same_seed_gives_the_same_bits(digits):
    networks = [small() for _ in range(3)]
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        run(digits, network, rng=seed)
    np.testing.assert_array_equal(networks[0].theta, networks[1].theta)
    assert not np.array_equal(networks[0].theta, networks[2].theta)


def test_looking_between_epochs_changes_nothing(digits):
    watched, unwatched = small(), small()
    run(digits, unwatched)
    options = {"batch_size": 128, "epochs": 3, "learning_rate": 0.1}
    for _ in epochs(watched, SoftmaxCrossEntropy(), SGD(momentum=0.9), digits.train[:1000], **options):
        evaluate(watched, SoftmaxCrossEntropy(), digits.validation[:1500])
        watched.predict(digits.validation.images[:1])
    np.testing.assert_array_equal(watched.theta, unwatched.theta)


@pytest.mark.parametrize("workers", [1, 2])
def test_another_look_or_training_between_epochs_leaves_a_training_its_generators(workers, digits):
    """What draws at random, and what asks the other replicas, must go on doing so."""

    def make():
        return Network(Dense(32), BatchNorm(), ReLU(), Dropout(0.3), Dense(10)).build((784,), rng=0)

    loss, data, watched, unwatched = SoftmaxCrossEntropy(), digits.train[:600], make(), make()
    options = {"batch_size": 100, "epochs": 3, "learning_rate": 0.1, "workers": workers}
    expected = fit(unwatched, loss, SGD(), data, digits.validation[:500], **options)
    history = []
    for epoch in epochs(watched, loss, SGD(), data, digits.validation[:500], **options):
        history.append(epoch)
        evaluate(watched, loss, data, workers=workers)
        with Context(leads=False):
            watched.forward(watched.as_input(data.images[:9]), training=True)
        if epoch.number < 3:
            next(epochs(make(), loss, SGD(), data, **options))
    np.testing.assert_array_equal(watched.theta, unwatched.theta)
    assert [epoch.validation_loss for epoch in history] == [epoch.validation_loss for epoch in expected]


def test_the_record_is_the_mean_over_images_not_batches(digits):
    """With a learning rate too small to matter, the running loss is the loss of the weights as they are."""
    network, data = small(), digits.train[:300]
    expected = evaluate(network, SoftmaxCrossEntropy(), data)
    epoch = run(digits, network, n=300, epochs=1, learning_rate=1e-12)[0]
    summed = evaluate(network, SoftmaxCrossEntropy("sum"), data)
    assert (summed[0], summed[1]) == (pytest.approx(expected[0], rel=1e-6), expected[1])
    options = {"batch_size": 128, "epochs": 1, "learning_rate": 1e-12}
    summed = fit(small(), SoftmaxCrossEntropy("sum"), SGD(), data, **options)[0]
    assert summed.train_loss == pytest.approx(expected[0], rel=1e-5)  # a mean as well, of whatever the loss is
    assert epoch.train_loss == pytest.approx(expected[0], rel=1e-5)
    assert epoch.train == expected[1]


def test_the_schedule_is_followed(digits):
    schedule = step_decay(0.1, factor=0.5, at=(1, 3))
    history = run(digits, small(), n=200, epochs=4, learning_rate=schedule)
    assert [epoch.learning_rate for epoch in history] == pytest.approx([0.1, 0.05, 0.05, 0.025])


def test_every_step_is_made_at_the_rate_of_the_schedule(digits):
    made = []

    class Watching(SGD):
        def step(self, learning_rate):
            made.append(learning_rate)
            super().step(learning_rate)

    options = {"batch_size": 100, "epochs": 2, "learning_rate": lambda step, steps, epochs: 1 / (steps + epochs + step)}
    history = fit(small(), SoftmaxCrossEntropy(), Watching(), digits.train[:250], **options)
    assert made == [1 / (3 + 2 + step) for step in range(6)]
    assert [epoch.learning_rate for epoch in history] == [made[2], made[5]]


def test_divergence_ends_the_training_with_a_sentence(digits):
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match=r"diverged in epoch .* learning rate"):
        run(digits, small(), learning_rate=1e30)


def test_divergence_names_the_batch_that_did_it(digits):
    steep = {"n": 300, "learning_rate": 1e40, "epochs": 2}  # the first update already leaves no finite weight
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match=r"epoch 1, batch 1 of 1: a weight"):
        run(digits, small(), batch_size=300, **steep)
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError, match=r"epoch 1, batch 2 of 2: the loss"):
        run(digits, small(), batch_size=150, **steep)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to .*, received 0"),
        ({"batch_size": 5.0}, "batch_size must be a whole number"),
        ({"epochs": 0}, "epochs must be a whole number from 1 to .*, received 0"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"clean_epochs": -1}, "clean_epochs must be a whole number from 0 to .*, received -1"),
        ({"learning_rate": -0.1}, "positive number, received -0.1"),
    ],
)
def test_values_out_of_range_are_refused(digits, options, sentence):
    with pytest.raises(InputError, match=sentence):
        run(digits, small(), **options)


def test_sizes_may_come_from_numpy(digits):
    assert len(run(digits, small(), n=100, batch_size=np.int64(50), epochs=np.int64(2))) == 2


def test_a_network_has_to_be_built_first(digits):
    network = Network(Dense(10))
    for use in (lambda: run(digits, network), lambda: network.predict(digits.test.images[:1])):
        with pytest.raises(InputError, match="the network has no weights yet; build it first"):
            use()
