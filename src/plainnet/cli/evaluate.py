"""`plainnet evaluate`: measure a saved model on a test set."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_data import OwnData
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.model_file import load_model
from plainnet.writing import to_json, write_atomically


def evaluate(
    model: Path,
    /,
    *,
    own_data: OwnData | None = None,
    shifts: WholeNumber | None = None,
    json: Path | None = None,
    plot: Path | None = None,
    layers: Path | None = None,
) -> None:
    """Measure the accuracy of a saved model on the test part of its data, or on other data.

    Parameters
    ----------
    model
        A model_final.safetensors file, a results folder, or the name of a model that comes with plainnet: cnn.
    shifts
        Test-time augmentation: average the answers over copies of the image, shifted by up to this many pixels.
        Default: the value in the model's recipe.
    json
        Also write the results to this file.
    plot
        Plot how reliable the probabilities are (a reliability diagram) to this PNG file.
    layers
        A Python file with your own layers, which the model uses. It is executed.
    own_data
        Your own data.
    """
    check_ending(json, ".json", "--json", model)
    check_ending(plot, ".png", "--plot", model)
    from plainnet.cli.judged_data import test_part
    from plainnet.evaluation import Evaluation, examples
    from plainnet.evaluation import evaluate as judge
    from plainnet.runs.threads import quickest

    loaded = load_model(model, layers=read_layers(layers))
    loaded.expect_known_preparation()
    if plot is not None and loaded.kind != "classes":
        raise InputError("--plot is for models that predict classes; leave it out")
    if shifts is None:
        shifts = loaded.test_shifts
    if not 0 <= shifts <= 5:
        raise InputError(f"--shifts must be a whole number from 0 to 5, received {shifts}")
    test = test_part(loaded, own_data)
    if shifts and test.inputs.ndim != 3:
        raise InputError("--shifts is for grayscale images; leave it out for other inputs")
    if shifts:
        views = (2 * shifts + 1) ** 2
        say(f"each answer is the mean over {views} shifted views of the image; --shifts 0 is {views} times as fast")
    trust = {"temperature": loaded.temperature, "certain": loaded.certain} if loaded.kind == "classes" else {}
    with quickest(lambda: loaded.network.logits(test.inputs[:250])):
        result = judge(loaded.network, test, shifts=shifts, **trust)
    count = f"{len(result.data):,} {examples(result.data)}"
    if isinstance(result, Evaluation):
        (low, high), table = result.interval_95, result.to_table()
        say(f"test accuracy  {result.accuracy:.2%}   (95 % interval {low:.2%} to {high:.2%}, {count})")
        for name, share in result.per_class.items():
            say(f"  {shown(name, 40):<12} {share:.2%}")
        say(f"best {shown(table[f'best_{result.noun}'], 40)}, worst {shown(table[f'worst_{result.noun}'], 40)}")
        for name, figure in result.trust_lines():
            say(f"{name:<19}{figure}")
    else:
        for name, figure in result.lines():
            say(f"{name:<26}{figure}")
        say(f"on {count}")
    if plot is not None and isinstance(result, Evaluation):
        from plainnet.pictures.reliability import reliability
        from plainnet.pictures.style import png

        write_atomically(plot, png(reliability(result)))
    if json is not None:
        write_atomically(json, to_json(result.to_table()))
