"""The lab's trainings and what is asked of them, without any server."""

import base64
import json
import time
from pathlib import Path

import numpy as np
import pytest

import plainnet
from plainnet import InputError, SoftmaxCrossEntropy, load_model
from plainnet.data.dataset import DataSet
from plainnet.data.splits import Splits
from plainnet.lab import formulas
from plainnet.lab.asking import CHANGES, READS
from plainnet.lab.state import Lab
from plainnet.lab.stories import STORIES, Start
from plainnet.lab.trial import Trial
from plainnet.lab.unit_step import step_of_unit

SEVEN = [[[300, 250], [800, 250], [600, 600], [500, 900]]]


pytestmark = pytest.mark.usefixtures("as_users_have_it")


@pytest.fixture
def lab(few_digits, tmp_path):
    made = Lab(few_digits, None, "softmax", tmp_path / "lab")
    yield made
    made.engine.close()


@pytest.mark.parametrize("key", STORIES)
def test_every_story_begins(key, few_digits):
    for start in STORIES[key].starts:
        trial = Trial(
            Start(start.recipe, start.name, start.overrides, min(start.limit or 500, 500), start.in_order), few_digits
        )
        trial.step(measure=True)
        table = json.loads(json.dumps(trial.to_table(None)))
        assert table["steps"] == 1
        assert table["gradients"][0]["update"] > 0


def test_what_is_too_large_for_a_page_is_refused(few_digits):
    layers = [{"type": "Flatten"}, {"type": "Dense", "units": 7000}, {"type": "Dense", "units": 10}]
    with pytest.raises(InputError, match="the lab trains at most 5,000,000 parameters"):
        Trial(Start("classic", "large", {"layers": layers}), few_digits)


def test_a_whole_lesson(lab):
    """Train, look at a drawing and at mistakes, have it examined."""
    train, draw = CHANGES["/api/train"], CHANGES["/api/draw"]
    with pytest.raises(InputError, match="there is no network yet"):
        draw(lab, {"strokes": SEVEN, "pen": 90})
    train(lab, {"do": "begin", "recipe": "softmax", "set": {"epochs": 4}})
    end = time.monotonic() + 60
    while not lab.engine.snapshot["trials"] or not lab.engine.snapshot["trials"][0]["ended"]:
        assert time.monotonic() < end
        lab.engine.newer(0)
        time.sleep(0.02)
    found = draw(lab, {"strokes": SEVEN, "pen": 90})
    assert len(found["probabilities"]) == 10
    assert [layer["kind"] for layer in found["layers"]] == ["Flatten", "Dense"]
    assert CHANGES["/api/unit"](lab, {"layer": "dense_1", "unit": 7})["size"] == [28, 28]
    assert READS["/api/mistakes"](lab, {"by": "class"})["of"] == 300
    assert "softmax" in READS["/api/about"](lab, {})["recipes"]
    train(lab, {"do": "examine"})
    assert isinstance(lab.engine.snapshot["trials"][0]["findings"], list)
    train(lab, {"do": "back", "steps": 0})
    assert lab.engine.snapshot["trials"][0]["steps"] == 0
    assert not lab.engine.snapshot["trials"][0]["ended"]


def test_a_picture_is_read(lab, tmp_path):
    lab.given = load_model("cnn")
    content = (Path(__file__).parent.parent / "examples" / "digits" / "seven.png").read_bytes()
    found = CHANGES["/api/picture"](lab, content)
    assert found["answer"] == "7"
    assert found["nearest"]
    with pytest.raises(InputError, match="the picture file is empty"):
        CHANGES["/api/picture"](lab, b"")


def watched(lab, what, until, seconds=60):
    """Train while a page looks on; return the snapshots that it saw, up to one that is as wanted."""
    CHANGES["/api/train"](lab, what)
    seen, end = [], time.monotonic() + seconds
    while not (seen and until(seen[-1])):
        assert time.monotonic() < end
        if lab.engine.newer(seen[-1]["number"] if seen else 0):
            seen.append(lab.engine.snapshot)
        time.sleep(0.005)
    return seen


def test_what_is_inside_follows_the_training(lab):
    """It stood still once, and showed the weights of the beginning until the end."""
    seen = watched(lab, {"do": "begin", "recipe": "softmax", "set": {"epochs": 400}}, lambda s: s["number"] > 8)
    trials = [snapshot["trials"][0] for snapshot in seen[2:]]
    assert [trial["measured_at"] for trial in trials] == [trial["steps"] for trial in trials]
    assert len({trial["weights"]["tiles"][0] for trial in trials}) > 1
    assert all(one["update"] > 0 for trial in trials for one in trial["gradients"])
    CHANGES["/api/train"](lab, {"do": "pause"})
    CHANGES["/api/train"](lab, {"do": "go", "batches": 1})
    time.sleep(0.3)
    one = lab.engine.snapshot["trials"][0]
    assert one["measured_at"] == one["steps"]


def test_the_curve_of_the_batches_has_points_at_even_distances(few_digits):
    trial = Trial(Start("softmax", "long", {"epochs": 200}), few_digits)
    for _ in range(2050):
        trial.step(measure=False)
    places = np.diff([step for step, _ in trial.losses])
    assert 256 < len(trial.losses) <= 800
    assert set(places.tolist()) == {4}


def test_a_finished_training_says_so_when_it_is_to_go_on(lab):
    watched(lab, {"do": "begin", "recipe": "softmax", "set": {"epochs": 1}}, lambda s: s["trials"][0]["ended"])
    with pytest.raises(InputError, match="all epochs are done; go back to an earlier state"):
        CHANGES["/api/train"](lab, {"do": "go"})
    CHANGES["/api/train"](lab, {"do": "back", "steps": 10_000})
    assert lab.engine.snapshot["trials"][0]["epoch"] == 1


def test_the_model_that_was_opened_comes_back(few_digits, tmp_path):
    lab = Lab(few_digits, load_model("cnn"), "cnn", tmp_path / "lab")
    assert lab.unseen()[0] == "test"  # it has learned from the validation images
    watched(lab, {"do": "begin", "recipe": "softmax", "set": {"epochs": 1}}, lambda s: s["trials"][0]["ended"])
    assert lab.unseen()[0] == "validation"
    assert lab.others() == ("cnn",)
    CHANGES["/api/train"](lab, {"do": "leave"})
    assert lab.engine.snapshot["trials"] == []
    assert READS["/api/about"](lab, {})["accuracy"] > 0.99
    assert lab.others() == ()
    lab.engine.close()


def test_two_networks_disagree(few_digits, tmp_path):
    lab = Lab(few_digits, load_model("cnn"), "cnn", tmp_path / "lab")
    with pytest.raises(InputError, match="there is no second network"):
        READS["/api/mistakes"](lab, {"by": "disagreement"})
    watched(lab, {"do": "begin", "recipe": "softmax", "set": {"epochs": 1}}, lambda s: s["trials"][0]["ended"])
    found = READS["/api/mistakes"](lab, {"by": "disagreement"})
    assert found["other"] == "cnn"
    assert found["count"] > 0
    assert all(one["answer"] != one["other"] for one in found["images"])
    sure = [one["share"] * one["other_share"] for one in found["images"]]
    assert sure == sorted(sure, reverse=True)
    with pytest.raises(InputError, match="there is no network 'x' to compare with"):
        READS["/api/mistakes"](lab, {"other": "x"})
    lab.engine.close()


def test_what_is_seen_can_be_moved(few_digits, tmp_path):
    lab = Lab(few_digits, load_model("cnn"), "cnn", tmp_path / "lab")
    image = few_digits.validation.inputs[0].reshape(-1).tolist()
    found = CHANGES["/api/draw"](lab, {"image": image, "moved": [3, -2]})
    seen = np.frombuffer(base64.b64decode(found["seen"]), np.uint8).reshape(28, 28)
    assert (seen == np.roll(few_digits.validation.inputs[0], (-2, 3), (0, 1))).all()
    assert sum(found["uncalibrated"]) == pytest.approx(1, abs=1e-5)
    for wrong in ([1], [1.5, 0], [28, 0], "x"):
        with pytest.raises(InputError, match="moved must be"):
            CHANGES["/api/draw"](lab, {"image": image, "moved": wrong})
    lab.engine.close()


@pytest.mark.parametrize(
    "layer", ["conv2d_1", "conv2d_3", "batchnorm_2", "maxpool_1", "relu_4", "flatten_1", "dense_1"]
)
def test_the_step_of_a_unit_is_that_of_the_network(layer, few_digits):
    """Its output is the network's, and its gradient what a change of that output does to the loss."""
    model, image, unit = load_model("cnn"), few_digits.test.inputs[0], 2
    found = step_of_unit(model, image, layer, unit, label=3)
    network = model.network
    k = [path for path, _ in network.walk()].index(layer)
    with network.context(training=False):
        x = network.as_input(image[None])
        for one in network.layers[: k + 1]:
            x = one.forward(x)
        x = x.astype(np.float32).copy()

        def loss(by):
            y = x.copy()
            y[(0, *found["place"], unit)] += by
            for one in network.layers[k + 1 :]:
                y = one.forward(y)
            return float(SoftmaxCrossEntropy()(y, np.array([3]))[0])

        assert found["output"] == pytest.approx(float(x[(0, *found["place"], unit)]), rel=1e-5)
        assert found["gradient"] == pytest.approx((loss(0.002) - loss(-0.002)) / 0.004, rel=0.1, abs=1e-3)
    if "terms" in found:
        whole = sum(product for *_, product in found["terms"]) + found["rest"] + found["bias"]
        assert whole == pytest.approx(found["output"], rel=1e-4, abs=1e-4)
        _, w, dw, after = found["changes"][0]
        assert after == pytest.approx(w - 0.01 * dw, abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"layer": "dense_9"}, "there is no layer 'dense_9'"),
        ({"unit": 99}, "conv2d_1 has 32 units, received 99"),
        ({"label": 10}, "there is no class 10"),
        ({"rate": 2}, "the learning rate must be from 0 to 1"),
    ],
)
def test_a_step_that_cannot_be_made_is_refused(asked, message, few_digits, tmp_path):
    lab = Lab(few_digits, load_model("cnn"), "cnn", tmp_path / "lab")
    with pytest.raises(InputError, match=message):
        CHANGES["/api/step"](lab, {"image": [0] * 784} | asked)
    lab.engine.close()


LAYERS = ("Dense", "Dense backward", "Conv2D", "ReLU", "BatchNorm", "MaxPool", "Dropout", "Flatten", "Tanh")


@pytest.mark.parametrize("name", [*formulas.FORMULAS, *LAYERS])
def test_a_formula_shows_the_line_that_computes_it(name):
    found = formulas.told(name)
    source = (Path(plainnet.__file__).parents[1] / found["file"]).read_text().splitlines()
    assert source[found["line"] - 1] == found["source"].split("\n")[found["at"]]
    assert '"""' not in source[found["line"] - 1]
    assert found["formula"]


def test_a_formula_that_there_is_none_of():
    with pytest.raises(InputError, match="there is no formula 'os'"):
        formulas.told("os")


@pytest.mark.parametrize("limit", [0, -5, 1_000_000, "x", True, 1.5])
def test_images_to_learn_from_are_a_number_of_them(lab, limit):
    with pytest.raises(InputError, match="the number of training images must be from 1 to"):
        CHANGES["/api/train"](lab, {"do": "begin", "recipe": "softmax", "limit": limit})


def test_a_training_in_order_is_not_saved(lab, tmp_path):
    """A checkpoint does not say in which order the images come."""
    lab.engine.ask(lambda: lab.engine.begin((Start("softmax", "sorted", {"epochs": 500}, in_order=True),)))
    watched(lab, {"do": "go"}, lambda s: s["trials"][0]["steps"] > 2)
    assert not lab.engine.close()
    assert not (tmp_path / "lab").exists()


def test_other_classes_have_no_stories_and_nobody_to_compare_with(few_digits, tmp_path):
    """A model of letters was compared with one of digits once, which ended in a traceback."""
    few = [part[np.flatnonzero(part.labels < 3)] for part in (few_digits.train, few_digits.validation, few_digits.test)]
    names = ("A", "B", "C")
    letters = Splits.of(*(DataSet(part.inputs, part.labels, names) for part in few))
    lab = Lab(letters, None, "letters", tmp_path / "lab")
    assert READS["/api/about"](lab, {})["stories"] == {}
    assert READS["/api/about"](lab, {})["images"] == len(letters.train)
    watched(lab, {"do": "begin", "recipe": "softmax", "set": {"epochs": 1}}, lambda s: s["trials"][0]["ended"])
    with pytest.raises(InputError, match="there is no second network"):
        READS["/api/mistakes"](lab, {"by": "disagreement"})
    with pytest.raises(InputError, match="there is no such story; the stories are none"):
        CHANGES["/api/train"](lab, {"do": "story", "story": "dead"})
    lab.engine.close()


def test_both_are_compared_on_images_that_are_new_to_both(few_digits, tmp_path):
    lab = Lab(few_digits, None, "softmax", tmp_path / "lab")
    watched(lab, {"do": "begin", "recipe": "softmax", "set": {"epochs": 1}}, lambda s: s["trials"][0]["ended"])
    assert READS["/api/mistakes"](lab, {})["part"] == "validation"
    assert READS["/api/mistakes"](lab, {"other": "cnn"})["part"] == "test"
    lab.engine.close()
