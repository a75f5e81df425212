"""`plainnet stress`: measure a model on corrupted images, and under attacks that change images on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_data import OwnData
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError
from plainnet.model_file import load_model
from plainnet.writing import to_json, write_atomically


def stress(
    model: Path,
    /,
    *,
    out: Path | None = None,
    json: Path | None = None,
    limit: WholeNumber = 2000,
    mnist_c: Path | None = None,
    own_data: OwnData | None = None,
    layers: Path | None = None,
) -> None:
    """Measure the accuracy of an image classifier on corrupted images, and under attacks that change images on purpose.

    Corruptions have five severities. Attacks know the network, and change every pixel by at most a limit. The recipes
    of plainnet are not made to withstand either.

    Parameters
    ----------
    model
        A model_final.safetensors file, a results folder, or the name of a model that comes with plainnet: cnn.
    out
        Plot the curves to this PNG file.
    json
        Write the results to this file.
    limit
        Use at most this many test examples. A quarter of them is attacked.
    mnist_c
        Also measure on the official MNIST-C files in this folder.
        It holds a folder for each corruption, with test_images.npy and test_labels.npy.
    own_data
        Your own data.
    layers
        A Python file with your own layers, which the model uses. It is executed.
    """
    check_ending(out, ".png", "--out", model)
    check_ending(json, ".json", "--json", model)
    if limit < 4:
        raise InputError(f"--limit must be at least 4, received {limit}")
    from plainnet.cli.judged_data import test_part
    from plainnet.stress import official
    from plainnet.stress import stress as measure

    loaded = load_model(model, layers=read_layers(layers))
    parts = {} if mnist_c is None else _official(mnist_c)
    found = measure(loaded, test_part(loaded, own_data), most=limit, attacked=limit // 4)
    table = found.to_table()
    say(f"{'accuracy of':<20}{found.examples:,} test images  {found.clean:.2%}")
    say(f"{'at severity':<20}" + "".join(f"{level:>8}" for level in range(1, 6)))
    for name, row in found.corruptions.items():
        say(f"  {name:<18}" + "".join(f"{share:>8.1%}" for share in row.values()))
    say(f"{'mean':<20}{found.mean:>8.1%}")
    say(f"{'attack, limit':<20}" + "".join(f"{e:>8}" for e in next(iter(found.attacks.values()))))
    for name, row in found.attacks.items():
        say(f"  {name:<18}" + "".join(f"{share:>8.1%}" for share in row.values()))
    if parts:
        table["mnist_c"] = official(loaded, parts)
        for name, share in table["mnist_c"].items():
            say(f"  MNIST-C {name:<20}{share:>8.1%}")
    say("Stronger attacks may succeed more often: do not use a model where somebody gains by deceiving it.")
    if out is not None:
        from plainnet.pictures.stress import stress_drawn
        from plainnet.pictures.style import png

        write_atomically(out, png(stress_drawn(table)))
    if json is not None:
        write_atomically(json, to_json(table))


def _official(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the images and labels of each corruption.

    Raises: `InputError` if the folder does not have the form of MNIST-C.
    """
    found = {}
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        files = part / "test_images.npy", part / "test_labels.npy"
        if all(file.exists() for file in files):
            try:
                images, labels = (np.load(file, mmap_mode="r", allow_pickle=False) for file in files)
            except (OSError, ValueError, EOFError) as error:
                raise InputError(f"the arrays in {part} cannot be read: {error}; download MNIST-C again") from error
            found[part.name] = (np.asarray(images), np.asarray(labels))
    if not found:
        raise InputError(f"no folder in {folder} holds test_images.npy and test_labels.npy; give the folder of MNIST-C")
    return found
