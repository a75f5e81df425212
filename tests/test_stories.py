"""Every story of the lab shows what it tells, with the trainings and images that it ships with."""

from dataclasses import replace

import numpy as np
import pytest

from plainnet import load_model, mnist
from plainnet.lab.looking import Looking
from plainnet.lab.stories import STORIES, _packed
from plainnet.lab.trial import Trial
from plainnet.sources.answers import answer_to_drawing
from plainnet.sources.pen.strokes import prepared

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("as_users_have_it")]


@pytest.fixture(scope="module")
def data():
    return mnist.load()


def trained(start, data, epochs=None):
    """Return a training of a story, at its end or after so many epochs."""
    trial = Trial(start, data)
    while not trial.done and (epochs is None or len(trial.training.history) < epochs):
        trial.step(measure=False)
    trial.measure(None)
    return trial


def pair(key, data):
    """Return both trainings of a story at their end, with the figures of their last epochs."""
    trials = [trained(start, data) for start in STORIES[key].starts]
    return trials, [trial.training.history[-1] for trial in trials]


def dead(trial):
    return max(layer.get("dead", 0) for layer in trial.measured["inside"])


def test_a_summed_gradient_ends_below_the_mean(data):
    _, (mean, total) = pair("summed", data)
    assert mean.validation_accuracy - total.validation_accuracy > 0.03


def test_units_die_and_the_cause_is_named(data):
    trial = trained(STORIES["dead"].starts[0], data, epochs=2)
    assert dead(trial) > 0.5
    trial.examine()
    assert [finding["name"] for finding in trial.found] == ["learning-rate-too-high"]
    follow = trial.follow(0)
    assert trial.found[0]["change"].items() <= follow.overrides.items()
    assert follow.limit == trial.start.limit


def test_one_rate_is_too_high_and_one_too_low_and_a_good_one_is_better(data):
    _, (fast, slow) = pair("rates", data)
    assert fast.validation_accuracy < 0.9
    assert slow.validation_accuracy < 0.9
    good = Trial(STORIES["rates"].starts[1], data)
    good.move("learning_rate", 0.03)
    while len(good.training.history) < 5:
        good.step(measure=False)
    assert good.training.history[-1].validation_accuracy > 0.93


def test_500_images_are_learned_by_heart(data):
    end = trained(STORIES["by-heart"].starts[0], data).training.history[-1]
    assert end.train_accuracy == 1.0
    assert end.validation_accuracy < 0.9


def test_what_is_no_longer_shown_is_forgotten(data):
    trial = trained(STORIES["forgetting"].starts[0], data)
    answers = trial.run.network.logits(data.validation.inputs).argmax(axis=1)
    assert (answers == 9).mean() > 0.8


def test_momentum_moves_further(data):
    (heavy, light), (with_momentum, without) = pair("momentum", data)
    assert with_momentum.validation_accuracy - without.validation_accuracy > 0.01
    begun = heavy.run.recipe.network(rng=heavy.run.seed).theta
    ways = [float(np.linalg.norm(trial.run.network.theta - begun)) for trial in (heavy, light)]
    assert ways[0] > 2 * ways[1]


def test_a_moved_digit_is_known_to_convolutions_alone(data):
    (dense, convolutional), _ = pair("moved", data)
    x, labels = np.roll(data.validation.inputs[:2000], 4, axis=2), data.validation.labels[:2000]
    right = [(trial.run.network.logits(x).argmax(axis=1) == labels).mean() for trial in (dense, convolutional)]
    assert right[0] < 0.5
    assert right[1] > 0.7


def test_a_7_is_a_7_and_its_pixels_say_why(data):
    model = load_model("cnn")
    seven = data.validation.inputs[np.flatnonzero(data.validation.labels == 7)[0]]
    assert model.predict(seven[None])[0] == "7"
    assert len(Looking(data.train).speaks(model, seven)) > 100


def test_a_letter_is_sure_to_be_a_digit_and_is_refused():
    from plainnet.lab.stories import _LETTER

    model, drawing = load_model("cnn"), prepared([list(stroke) for stroke in _LETTER], 90)
    assert replace(model, temperature=1.0).shares(drawing.image[None])[0].max() > 0.99
    assert answer_to_drawing(model, drawing).reason == "not sure"
    assert STORIES["sure"].address.endswith(_packed(_LETTER))
