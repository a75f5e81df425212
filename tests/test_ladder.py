"""The ladder, and models that answer together or by several views."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from plainnet import (
    Dense,
    Flatten,
    InputError,
    Model,
    Network,
    ReLU,
    load_model,
    safetensors,
    save_model,
)
from plainnet.cli.app import main
from plainnet.evaluation import evaluate
from plainnet.metrics import mcnemar, wilson_interval
from plainnet.records.combine_models import combine_models
from plainnet.records.ladder import LABEL_ERRORS, ladder, writers_table
from plainnet.shifted_views import probabilities
from test_records import put


def test_the_ladder_is_made_of_the_records(tmp_path, capsys):
    for seed, (wrong, seconds) in enumerate(((800, 60.0), (810, 90.0), (790, 600.0))):
        put(tmp_path, "softmax", seed, range(wrong), seconds=seconds)
    put(tmp_path, "classic", 0, [*LABEL_ERRORS, *range(185)], parameters=814_090, seconds=180.0)
    chance, softmax, classic = ladder(tmp_path)
    assert (chance["recipe"], chance["mean"]) == ("chance", 0.1)
    assert (softmax["runs"], softmax["min"], softmax["max"]) == (3, 0.919, 0.921)
    assert softmax["mean"] == pytest.approx(0.92)
    assert softmax["sd"] == pytest.approx(0.001)
    assert softmax["interval_95"] == list(wilson_interval(9200, 10_000))
    assert softmax["minutes"] == 1.5
    assert (classic["sd"], classic["minutes"]) == (None, 3.0)
    assert classic["without_label_errors"] == pytest.approx(1 - 185 / 9985)
    assert softmax["against_below"] is None
    # The median run of softmax mistook the first 800 images, 615 of which classic did not, and no label error.
    assert classic["against_below"] == mcnemar(15, 615) < 1e-100
    assert main(["ladder", "--records", str(tmp_path), "--json", str(tmp_path / "l.json"),
                 "--plot", str(tmp_path / "l.png")]) == 0  # fmt: skip
    printed = capsys.readouterr().out
    assert "| `classic` | 1 | **98.000%** |" in printed
    assert json.loads((tmp_path / "l.json").read_text())["rows"][1]["recipe"] == "softmax"
    assert (tmp_path / "l.png").read_bytes().startswith(b"\x89PNG")


def test_of_an_even_number_of_runs_the_better_one_in_the_middle_is_compared(tmp_path):
    for seed, wrong in enumerate((700, 800, 900, 1000)):
        put(tmp_path, "softmax", seed, range(wrong))
    put(tmp_path, "classic", 0, range(100, 300))
    assert ladder(tmp_path)[2]["against_below"] == mcnemar(0, 600)


@pytest.mark.parametrize("other", [{"data": {"crc32": 1}}, {"test_images": 5000, "test_accuracy": 0.96}])
def test_rungs_with_other_images_are_not_compared(other, tmp_path):
    put(tmp_path, "softmax", 0, range(900))
    put(tmp_path, "classic", 0, range(200), **other)
    _, softmax, classic = ladder(tmp_path)
    assert softmax["without_label_errors"] > 0.9
    assert classic["against_below"] is None
    assert classic["without_label_errors"] is None
    assert classic["halves"] is None
    assert "classic" not in writers_table([softmax, classic])


def test_the_halves_of_the_test_images_are_counted_apart(tmp_path):
    put(tmp_path, "softmax", 0, [*range(4990, 5000), *range(5000, 5005)])
    put(tmp_path, "softmax", 1, [*range(4980, 5000), *range(5000, 5005)])
    chance, softmax = ladder(tmp_path)
    assert softmax["halves"] == pytest.approx((1 - 15 / 5000, 1 - 5 / 5000))
    assert "| `softmax` | 99.700% | 99.900% |" in writers_table([chance, softmax])


def test_a_few_images_of_another_kind(tmp_path, capsys):
    put(tmp_path, "classic", 0, range(2), data={"crc32": 1}, test_images=15, test_accuracy=13 / 15)
    assert main(["ladder", "--records", str(tmp_path)]) == 0
    assert "| `classic` | 1 | **86.667%** |" in capsys.readouterr().out


def test_without_records_there_is_no_ladder(tmp_path, capsys):
    for command in (["ladder", "--records", str(tmp_path)], ["records", str(tmp_path)]):
        assert main(command) == 2
        assert "plainnet series softmax" in capsys.readouterr().err
    (tmp_path / "softmax").mkdir()
    put(tmp_path, "softmax", 0, range(900), test_images=0)
    no_images = (tmp_path / "softmax" / "seed-0.json").read_text()
    put(tmp_path, "softmax", 0, range(900), settings={})
    no_settings = (tmp_path / "softmax" / "seed-0.json").read_text()
    for damaged in ("{", "{}", "[]", "5", no_images, no_settings):
        (tmp_path / "softmax" / "seed-0.json").write_text(damaged)
        assert main(["ladder", "--records", str(tmp_path)]) == 2
        expected = "cannot read the record" if damaged == "{" else "is not a complete record"
        assert re.search(rf"seed-0\.json.*{expected}|{expected}.*seed-0\.json", capsys.readouterr().err)


def test_recipes_of_one_s_own_stand_below_the_ladder(tmp_path, capsys):
    put(tmp_path, "mine", 0, range(700), data={"class_counts": [5] * 4})
    assert [row["recipe"] for row in ladder(tmp_path)] == ["chance", "mine"]
    assert ladder(tmp_path)[0]["mean"] == 0.25
    put(tmp_path, "softmax", 0, range(600), data={"class_counts": [5] * 4})
    assert main(["ladder", "--records", str(tmp_path)]) == 0
    *_, softmax, mine = capsys.readouterr().out.splitlines()
    assert softmax.startswith("| `softmax` ")
    assert mine.startswith("| `mine` ")
    assert mine.endswith("2e-30 (worse) |")  # 2 / 2^100: 100 images that it alone mistakes


def test_models_that_do_not_belong_together_are_refused():
    first = Model(Network(Dense(2)).build((3,)), ("a", "b"), {})
    other = Model(Network(Dense(2)).build((4,)), ("a", "b"), {})
    with pytest.raises(InputError, match="same inputs, preparation and classes"):
        combine_models([first, other])
    names = Model(Network(Dense(2)).build((3,)), ("a", "c"), {})
    with pytest.raises(InputError, match="same inputs, preparation and classes"):
        combine_models([first, names])
    with pytest.raises(InputError, match="at least one model"):
        combine_models([])


def test_shifted_views_are_averaged(digits):
    network = Network(Flatten(), Dense(10), ReLU(), Dense(10)).build((28, 28), rng=0)
    images = digits.test.images[:20]
    plain = probabilities(network.logits, images)
    np.testing.assert_allclose(plain, network.probabilities(images), rtol=1e-5)
    views = [np.roll(np.pad(images, [(0, 0), (1, 1), (1, 1)]), (i, j), (1, 2))[:, 1:-1, 1:-1]
             for i in (-1, 0, 1) for j in (-1, 0, 1)]  # fmt: skip
    product = np.prod([network.probabilities(view).astype(float) for view in views], axis=0) ** (1 / 9)
    expected = product / product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities(network.logits, images, 1), expected, rtol=1e-4)
    assert evaluate(network, digits.test[:20], shifts=1).accuracy == np.mean(
        expected.argmax(axis=1) == digits.test.labels[:20]
    )


@pytest.mark.parametrize(
    ("about", "shifts"),
    [({"recipe": {}}, 0), ({}, 0), ({"recipe": 5}, 0), ({"members": []}, 0), ({"members": [3]}, 0),
     ({"recipe": {"test_shifts": 1000}}, 0), ({"recipe": {"test_shifts": 3, "a key of tomorrow": 1}}, 3),
     ({"members": [{"recipe": {"test_shifts": 2}}] * 2}, 2), (None, 1)],
)  # fmt: skip
def test_a_model_is_asked_as_its_file_says(about, shifts, tmp_path, digits):
    """Files of version 1 said so in their recipe; what no recipe may say could keep a computer busy for hours."""
    network = Network(Flatten(), Dense(10)).build((28, 28), rng=0)
    path = tmp_path / "model.safetensors"
    save_model(path, Model(network, tuple("0123456789"), about or {}, test_shifts=0 if about is not None else shifts))
    if about is not None:
        tensors, texts = safetensors.read(path)
        kept = ("input_shape", "layers", "preprocessing", "class_names", "about")
        first = {key: text for key, text in texts.items() if key in kept} | {"format": '"plainnet model 1"'}
        safetensors.write(path, tensors, first)
    assert load_model(path).test_shifts == shifts
    drawn = digits.test.images[:1]
    Image.fromarray(drawn[0]).save(tmp_path / "seven.png")
    command = ["predict", str(tmp_path / "model.safetensors"), str(tmp_path / "seven.png")]
    assert main([*command, "--json", str(tmp_path / "a.json")]) == 0
    answer = json.loads((tmp_path / "a.json").read_text())[0]["probabilities"]
    expected = probabilities(network.logits, drawn, shifts)[0]
    np.testing.assert_allclose(list(answer.values()), expected, rtol=1e-5)
