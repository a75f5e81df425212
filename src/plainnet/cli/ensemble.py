"""`plainnet ensemble`: combine several recorded runs of a recipe into one model."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.own_data import OwnData, load_data
from plainnet.cli.saying import say
from plainnet.foreign.showing import counted


def ensemble(
    recipe: str = "cnn",
    /,
    *,
    seeds: str = "0:3",
    records: Path = Path("records"),
    own_data: OwnData | None = None,
) -> None:
    """Combine the models of recorded runs into one, and measure its accuracy on the test images.

    Parameters
    ----------
    recipe
        The recipe. Its runs must have been made by `plainnet series`.
    seeds
        FIRST:END, END excluded: 0:3 means 0, 1 and 2.
    records
        The folder of the records.
    own_data
        Your own data.
    """
    from plainnet.cli.series import seeds_in
    from plainnet.recipes import override
    from plainnet.records.combine_models import record_ensemble
    from plainnet.records.recorded_runs import model_path

    chosen = seeds_in(seeds)
    described = override({}, (own_data or OwnData()).overrides()).get("data")
    table = record_ensemble(recipe, chosen, load_data(described), records)
    model = model_path(records / "ensemble", chosen[0])
    made_of = f"{counted(len(chosen), 'run')} of {Path(recipe).stem}"
    say(f"{made_of} together: test accuracy {table['test_accuracy']:.2%}\nthe model is {model}")
