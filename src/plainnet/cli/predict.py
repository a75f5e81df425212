"""`plainnet predict`: what is drawn in a picture."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.model_file import load_model
from plainnet.writing import to_json, write_atomically


def predict(model: Path, image: Path, /, *images: Path, json: Path | None = None, layers: Path | None = None) -> None:
    """Tell what is drawn in each picture.

    Any picture will do, dark on light or light on dark; it is cropped, scaled and centered as MNIST was made.

    Parameters
    ----------
    model
        A model_final.safetensors file, or the name of a model that comes with plainnet: cnn.
    image
        A picture of one character.
    images
        More of them.
    json
        Write the answers, with the probability of every class, to this file as well.
    layers
        A Python file with layers of your own that the model uses; it is run.
    """
    check_ending(json, ".json", "--json", model, image, *images)
    import numpy as np

    from plainnet.evaluation import as_percent
    from plainnet.shifted_views import probabilities
    from plainnet.sources.images import read_image

    loaded = load_model(model, layers=read_layers(layers))
    loaded.expect_classes_of_pictures()
    drawn, troubles, answers = {}, [], []
    for path in (image, *images):
        try:
            drawn[path] = read_image(path)
        except InputError as error:
            troubles.append(str(error))
    shares = np.zeros((0, 0))
    if drawn:
        shares = probabilities(loaded.network.logits, np.stack(list(drawn.values())), loaded.test_shifts)
    for path, row in zip(drawn, shares, strict=True):
        first, *others = np.argsort(-row)[:2]
        names = loaded.class_names
        second = "".join(f"; next {names[other]}, {as_percent(row[other])}" for other in others)
        say(f"{path}: {names[first]}  ({as_percent(row[first])}{second})")
        by_name = dict(zip(names, row.tolist(), strict=True))
        answers.append({"image": str(path), "prediction": names[first], "probabilities": by_name})
    if json is not None:
        write_atomically(json, to_json(answers))
    if troubles:  # the others have had their answers
        raise InputError(
            "\n".join(troubles) if len(troubles) == 1 else f"{len(troubles)} pictures: {'; '.join(troubles)}"
        )
