"""Ensembles: combine the models of a recipe's recorded runs into one model, with its own record."""

from __future__ import annotations

import copy
import zlib
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

    Raises: `InputError` if there is none, or their inputs or classes differ.
    """
    if not models:
        raise InputError("an ensemble needs at least one model")
    first = models[0]
    kinds = {
        (model.network.in_shape, model.class_names, model.column_names, model.test_shifts, str(model.preparation))
        for model in models
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
        first.test_shifts,
        kind=first.kind,
        familiar=first.familiar,
    )


def record_ensemble(source: str, seeds: range, data: Splits, records: Path) -> dict[str, Any]:
    """Return the record of the ensemble of a recipe's runs with these seeds; make it unless it exists.

    `source` is the name of the recipe, or its file.

    Raises: `InputError` if a run or its model is missing, the runs were made with other images, or another ensemble is
    on record.
    """
    recipe = Path(source).stem
    found = {run["seed"]: run for run in runs(records / recipe)}
    for seed in seeds:
        if seed not in found or not model_path(records / recipe, seed).exists():
            raise InputError(
                f"there is no model of {recipe} with seed {seed} in {records} (records may come without models); "
                f"make both in your own folder with plainnet series {source} --seeds {seeds.start}:{seeds.stop} --out "
                "mine, and name it with --records mine"
            )
    first, folder = found[seeds[0]], records / "ensemble"
    if first["data"] != fingerprint(data.train_and_validation):
        raise InputError(f"the runs of {recipe} were made with other images; give these with --data-dir")
    models = [_model_of(found[seed], model_path(records / recipe, seed)) for seed in seeds]
    weights = [zlib.crc32(model.network.theta.tobytes()) for model in models]
    members = {"recipe": recipe, "seeds": list(seeds), "weights_crc32": weights}
    on_record = runs(folder)
    for table in on_record:
        recorded = table.get("members")
        # Older records of ensembles do not hold the weights' checksums.
        if recorded not in (members, {key: members[key] for key in ("recipe", "seeds")}):
            of = (
                f"{recorded.get('recipe')} with seeds {recorded.get('seeds')}"
                if isinstance(recorded, dict)
                else "others"
            )
            raise InputError(f"{folder} holds another ensemble, of {of}, or with other weights; remove it first")
    model = combine_models(models)
    save_model(model_path(folder, seeds[0]), model)
    if on_record:
        return on_record[0]
    note_opening(folder, first["settings"], seeds[0], members=members)
    result = evaluate(model.network, data.test, shifts=model.test_shifts)
    table = {
        "recipe": "ensemble",
        "seed": seeds[0],
        "members": members,
        "parameters": model.network.theta.size,
        "seconds": sum(found[seed]["seconds"] for seed in seeds),
        **result.to_table(),
        **{key: first[key] for key in ("settings", "data")},
        "versions": versions(),
        "threads": threads(),
        "hardware": hardware(),
    }
    write_atomically(folder / f"seed-{seeds[0]}.json", to_json(table))
    return table


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
