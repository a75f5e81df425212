import dataclasses

import numpy as np
import pytest

from plainnet import InputError
from plainnet.data.dataset import DataSet
from plainnet.recipes import Recipe, available, parse_override, read, source
from plainnet.recipes.form import Form


def test_the_classic_recipe_is_the_original():
    recipe = read("classic")
    network = recipe.network()
    assert network.theta.size == 814_090
    assert [layer["type"] for layer in recipe.layers] == ["Flatten", "Dense", "ReLU", "Dense"]
    assert (recipe.batch_size, recipe.epochs) == (128, 80)
    assert recipe.optimizer == {"type": "SGD", "momentum": 0.9, "weight_decay": 1e-4, "clip": 5.0}
    schedule = {"type": "step_decay", "learning_rate": 0.01, "factor": 0.1, "at": [30, 50, 65]}
    assert recipe.to_table()["schedule"] == schedule
    assert recipe.learning_rate()(30 * 391, 391, 80) == pytest.approx(0.001)


def test_every_recipe_in_the_package_is_sound():
    assert "classic" in available()
    for name in available():
        recipe = read(name)
        assert recipe.name == name
        assert Recipe.from_table(recipe.to_table()) == recipe
        form = Form((7,) if name == "table" else (28, 28), 10, "classes")
        assert recipe.completed_for(form).network().out_shapes[-1] == (10,)
        assert recipe.title in source(name)


def test_a_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read("classic").epochs = 3


def test_any_value_can_be_replaced():
    recipe = read("classic", dict(map(parse_override, ["optimizer.momentum=0.5", "layers.1.units = 7", "epochs=2"])))
    assert recipe.optimizer["momentum"] == 0.5
    assert recipe.network().parameters[0].shape == (784, 7)
    assert recipe.epochs == 2


def test_a_file_of_one_s_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(source("classic").replace("1024", "32"))
    assert read(str(path)).network().parameters[0].shape == (784, 32)
    assert read(str(path)).name == "mine"


REFUSED = [
    ("epochs=0", "epochs must be a whole number of at least 1, received 0"),
    ("epochs=true", "epochs must be a whole number"),
    ("workers=0", "workers must be a whole number of at least 1, received 0"),
    ("validate=1", "validate must be true or false, received 1"),
    ("epochs=2.5", "epochs must be a whole number"),
    ("batch_size=0", "batch_size must be a whole number of at least 1, received 0"),
    ("bath_size=3", "unknown key 'bath_size'"),
    ("title=3", "title must be a string"),
    ("input_shape=[]", "input_shape must be a list of sizes"),
    ("input_shape=[28, -28]", "input_shape must be a list of sizes"),
    ("layers=[]", "layers must be a list of tables"),
    ("layers=[3]", "layers must be a list of tables"),
    ("layers.1.type='Convolve'", "unknown layer type 'Convolve'; choose one of AveragePool"),
    ("layers.1.units=0", "from 1 to 1,000,000, received 0"),
    ("layers.1.units=true", "received True"),
    ("layers.1.units=100000000000000000000", "from 1 to 1,000,000"),
    ("layers.1.initializer='x'", "initializer must be a function"),
    ("layers.1.width=3", "unknown key 'width' in the layer Dense"),
    ("layers.9.units=3", "there is no 'layers.9.units'"),
    ("layers.x.units=3", "there is no 'layers.x.units'"),
    ("loss=3", "loss must be a table"),
    ("loss.type='MSE'", "unknown loss type 'MSE'"),
    ("optimizer.momentum=1.5", "momentum must be at least 0 and below 1, received 1.5"),
    ("optimizer.momentum='0.9'", "momentum must be a number, received '0.9'"),
    ("schedule.learning_rate='x'", "the learning rate must be a number, received 'x'"),
    ("schedule.learning_rate=true", "the learning rate must be a number, received True"),
    ("schedule.at=3", "at must list whole numbers of at least 1, received 3"),
    ("schedule.at=[[3]]", "at must list whole numbers of at least 1"),
    ("layers.-1.units=3", "there is no 'layers.-1.units'"),
    ("workers=65", "workers must be at most 64, received 65"),
    ("optimizer.nesterov=3", "nesterov must be true or false, received 3"),
    ("optimizer.lookahead=true", "unknown key 'lookahead' in the optimizer SGD"),
    ("averaging=1.0", "averaging must be a decay of at least 0 and below 1"),
    ("averaging=true", "averaging must be a decay"),
    ("clean_epochs=-1", "clean_epochs must be a whole number of at least 0"),
    ("clean_epochs=0.0", "clean_epochs must be a whole number of at least 0, received 0.0"),
    ("test_shifts=0.0", "test_shifts must be a whole number from 0 to 5, received 0.0"),
    ("test_shifts=0.5", "test_shifts must be a whole number from 0 to 5"),
    ("test_shifts=6", "test_shifts must be a whole number from 0 to 5, received 6"),
    ("schedule.learning_rate=-0.01", "the learning rate must be a positive number, received -0.01"),
    ("schedule={type='step_decay', learning_rate=1}", "needs the key"),
    ("epochs.more=3", "there is no 'epochs.more'"),
]


@pytest.mark.parametrize(("override", "sentence"), REFUSED)
def test_what_makes_no_sense_is_refused(override, sentence):
    with pytest.raises(InputError, match=sentence):
        read("classic", dict([parse_override(override)]))


def test_files_that_are_no_recipe(tmp_path):
    path = tmp_path / "bad.toml"
    with pytest.raises(InputError, match="cannot read the recipe"):
        read(str(path))
    path.write_text("epochs = ")
    with pytest.raises(InputError, match="cannot be read as TOML"):
        read(str(path))
    path.write_text("epochs = 3")
    with pytest.raises(InputError, match="the key 'batch_size' is missing"):
        read(str(path))
    with pytest.raises(InputError, match="unknown recipe 'clasic'; choose one of classic"):
        read("clasic")
    with pytest.raises(InputError, match="give KEY=VALUE"):
        parse_override("epochs")


@pytest.mark.parametrize("name", ["cnn", "minute"])
def test_a_recipe_for_images_refuses_rows_of_numbers(name):
    data = DataSet(np.zeros((6, 784), np.float32), np.arange(6), tuple("012345"))
    with pytest.raises(InputError, match=f"recipe {name} is for images, but an example is a row .* use recipe table"):
        read(name).fitted(data)
