"""Ensembles: combine the models of recorded runs into one model, with its own record."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plainnet.data.fingerprint import fingerprint
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.evaluation import evaluate
from plainnet.layers import Ensemble
from plainnet.model import Model
from plainnet.model_file import load_model, save_model
from plainnet.network import Network
from plainnet.records.openings import note_opening
from plainnet.records.recorded_runs import model_path, runs
from plainnet.runs.environment import hardware, threads, versions
from plainnet.writing import to_json, write_atomically


def combine_models(models: list[Model]) -> Model:
    """Return one model that answers with the mean of the log-probabilities of all models.

    It looks at as many shifted views of an image as the model that looks at the most.

    Raises: `InputError` if there is none, or their inputs or classes differ.
    """
    if not models:
        raise InputError("an ensemble needs at least one model")
    first = models[0]
    kinds = {
        (model.network.in_shape, model.class_names, model.column_names, str(model.preparation)) for model in models
    }
    if len(kinds) > 1:
        raise InputError(
            f"the models of an ensemble must have the same inputs, preparation and classes, received {kinds}"
        )
    values = {
        f"ensemble_1.{number}.{name}": tensor
        for number, model in enumerate(models)
        for name, tensor in model.network.tensors().items()
    }
    ensemble = Ensemble([copy.deepcopy(model.network.layers) for model in models])
    network = Network(ensemble).build(first.network.in_shape, values=values, dtype=first.network.theta.dtype)
    about = {"members": [dict(model.about) for model in models]}
    return Model(
        network,
        first.class_names,
        about,
        first.preparation,
        first.column_names,
        max(model.test_shifts for model in models),
        kind=first.kind,
        familiar=first.familiar,
    )


def record_ensemble(sources: Sequence[str], seeds: range, data: Splits, records: Path) -> dict[str, Any]:
    """Return the record of the ensemble of the runs of some recipes with these seeds; make it unless it exists.

    `sources` are the names of the recipes, or their files. A folder can hold several ensembles of the same recipes and
    the same size, if no run is a member of two.

    Raises: `InputError` if a recipe is named twice, a run or its model is missing, the runs were made with other
    images, or an ensemble on record does not go with this one.
    """
    if len({Path(source).stem for source in sources}) < len(sources):
        raise InputError(f"name each recipe of an ensemble once, received {' '.join(sources)}")
    folder = records / "ensemble"
    made: list[dict[str, Any]] = []
    models: list[Model] = []
    members = []
    for source in sources:
        found, of_recipe = _runs_and_models(source, seeds, records)
        if found[0]["data"] != fingerprint(data.train_and_validation):
            raise InputError(f"the runs of {source} were made with other images; give these with --data-dir")
        weights = [zlib.crc32(model.network.theta.tobytes()) for model in of_recipe]
        members.append({"recipe": Path(source).stem, "seeds": list(seeds), "weights_crc32": weights})
        made += found
        models += of_recipe
    on_record = _on_record(folder, members)
    model = combine_models(models)
    save_model(model_path(folder, seeds[0]), model)
    if on_record:
        return on_record
    note_opening(folder, made[0]["settings"], seeds[0], members=members)
    result = evaluate(model.network, data.test, shifts=model.test_shifts)
    table = {
        "recipe": "ensemble",
        "seed": seeds[0],
        "members": members,
        "parameters": model.network.theta.size,
        "seconds": sum(run["seconds"] for run in made),
        **result.to_table(),
        **{key: made[0][key] for key in ("settings", "data")},
        "versions": versions(),
        "threads": threads(),
        "hardware": hardware(),
    }
    write_atomically(folder / f"seed-{seeds[0]}.json", to_json(table))
    return table


def _runs_and_models(source: str, seeds: range, records: Path) -> tuple[list[dict[str, Any]], list[Model]]:
    """Return the recorded runs of a recipe with these seeds, and their models.

    Raises: `InputError` if one is missing.
    """
    folder = records / Path(source).stem
    found = {run["seed"]: run for run in runs(folder)}
    for seed in seeds:
        if seed not in found or not model_path(folder, seed).exists():
            raise InputError(
                f"there is no model of {folder.name} with seed {seed} in {records} (records may come without models); "
                f"make both in your own folder with plainnet series {source} --seeds {seeds.start}:{seeds.stop} --out "
                "mine, and name it with --records mine"
            )
    return [found[seed] for seed in seeds], [_model_of(found[seed], model_path(folder, seed)) for seed in seeds]


def _on_record(folder: Path, members: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the record of the ensemble with these members, or None if there is none yet.

    Raises: `InputError` if an ensemble on record has other recipes, another size, or one of the members.
    """
    seeds = members[0]["seeds"]
    for table in runs(folder):
        recorded = table.get("members")
        recorded = recorded if isinstance(recorded, list) else [recorded]  # older records name one recipe
        if recorded in (members, [{key: of[key] for key in ("recipe", "seeds")} for of in members]):
            return table
        same = [(of.get("recipe"), len(of.get("seeds", ()))) for of in recorded if isinstance(of, dict)] == [
            (of["recipe"], len(seeds)) for of in members
        ]
        if not same or set(seeds) & set(recorded[0]["seeds"]):
            described = " and ".join(
                f"{of.get('recipe')} with seeds {of.get('seeds')}" if isinstance(of, dict) else "others"
                for of in recorded
            )
            raise InputError(
                f"{folder} holds another ensemble, of {described}, or with other weights; remove it first, or choose "
                "the same recipes and as many other seeds"
            )
    return None


def _model_of(run: dict[str, Any], path: Path) -> Model:
    """Return the model of a recorded run.

    Raises: `InputError` if the file cannot be read, or holds the model of another run.
    """
    model = load_model(path)
    made = model.about.get("metrics")
    for key in ("seed", "test_set_opened", "mistakes"):
        if not isinstance(made, dict) or made.get(key) != run.get(key):
            raise InputError(f"{path} is not the model of the run recorded beside it; restore it, or make both again")
    return model
