"""A committee: the models of a recipe's recorded runs, answering together, as one model with a record of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plainnet.application.environment import hardware, threads, versions
from plainnet.application.evaluation import evaluate
from plainnet.application.records import model_path, note_opening, read_record
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.files import to_json, write_atomically
from plainnet.layers import Ensemble
from plainnet.model_file import Model, load_model, save_model
from plainnet.network import Network


def together(models: list[Model]) -> Model:
    """Return one model that answers with the mean of the log-probabilities of all.

    Raises: `InputError` if there is none, or they do not take the same images or know the same classes.
    """
    if not models:
        raise InputError("an ensemble needs at least one model")
    first = models[0]
    kinds = {(model.network.in_shape, model.class_names) for model in models}
    if len(kinds) > 1:
        raise InputError(f"the models of an ensemble must take the same images and know the same classes: {kinds}")
    values = {
        f"ensemble_1.{number}.{name}": tensor
        for number, model in enumerate(models)
        for name, tensor in model.network.tensors().items()
    }
    ensemble = Ensemble([[layer.config() for layer in model.network.layers] for model in models])
    network = Network(ensemble).build(first.network.in_shape, values=values, dtype=first.network.theta.dtype)
    return Model(network, first.class_names, {"members": [dict(model.about) for model in models]})


def record_ensemble(recipe: str, seeds: range, test: DataSet, records: Path) -> dict[str, Any]:
    """Return the record of the ensemble of a recipe's runs with these seeds, and write it and its model.

    Raises: `InputError` if a run or its model is missing.
    """
    members = [read_record(records / recipe / f"seed-{seed}.json") for seed in seeds]
    model = together([load_model(model_path(records / recipe, seed)) for seed in seeds])
    settings = members[0]["settings"]
    folder = records / "ensemble"
    note_opening(folder, settings, seeds[0])
    result = evaluate(model.network, test, shifts=settings["test_shifts"])
    table = {
        "recipe": "ensemble",
        "seed": seeds[0],
        "members": {"recipe": recipe, "seeds": list(seeds)},
        "parameters": model.network.theta.size,
        "seconds": sum(member["seconds"] for member in members),
        **result.to_table(),
        "versions": versions(),
        "threads": threads(),
        "hardware": hardware(),
    }
    save_model(model_path(folder, seeds[0]), model)
    write_atomically(folder / f"seed-{seeds[0]}.json", to_json(table))
    return table
