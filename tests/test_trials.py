"""The lab's trainings and what is asked of them, without any server."""

import json
import time

import numpy as np
import pytest

from plainnet import InputError, load_model, mnist
from plainnet.data.splits import Splits
from plainnet.lab.asking import CHANGES, READS, Lab
from plainnet.lab.stories import STORIES, Start
from plainnet.lab.trial import Trial

SEVEN = [[[300, 250], [800, 250], [600, 600], [500, 900]]]


@pytest.fixture(autouse=True)
def as_users_have_it():
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="module")
def small():
    data = mnist.load()
    return Splits.of(data.train.sample(1500), data.validation.sample(300), data.test.sample(10))


@pytest.fixture
def lab(small, tmp_path):
    made = Lab(small, None, "softmax", tmp_path / "lab")
    yield made
    made.engine.close()


@pytest.mark.parametrize("key", STORIES)
def test_every_story_begins(key, small):
    for start in STORIES[key].starts:
        trial = Trial(
            Start(start.recipe, start.name, start.overrides, min(start.limit or 500, 500), start.in_order), small
        )
        trial.step(measure=True)
        table = json.loads(json.dumps(trial.to_table(None)))
        assert table["steps"] == 1
        assert table["gradients"][0]["update"] > 0


def test_what_is_too_large_for_a_page_is_refused(small):
    layers = [{"type": "Flatten"}, {"type": "Dense", "units": 7000}, {"type": "Dense", "units": 10}]
    with pytest.raises(InputError, match="at most 5,000,000 parameters in the lab"):
        Trial(Start("classic", "large", {"layers": layers}), small)


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
    from pathlib import Path

    content = (Path(__file__).parent.parent / "examples" / "digits" / "seven.png").read_bytes()
    found = CHANGES["/api/picture"](lab, content)
    assert found["answer"] == "7"
    assert found["nearest"]
    with pytest.raises(InputError, match="the picture is empty"):
        CHANGES["/api/picture"](lab, b"")
