"""`plainnet ensemble`: combine several recorded runs into one model."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.own_data import OwnData, load_data
from plainnet.cli.saying import say
from plainnet.foreign.showing import counted


def ensemble(
    *recipes: str,
    seeds: str = "0:3",
    records: Path = Path("records"),
    own_data: OwnData | None = None,
) -> None:
    """Combine the models of recorded runs into one, and measure its accuracy on the test images.

    Parameters
    ----------
    recipes
        The recipes. Their runs must have been made by `plainnet series`. Default: cnn.
    seeds
        FIRST:END, END excluded: 0:3 means 0, 1 and 2. These runs of every recipe are combined.
    records
        The folder of the records.
    own_data
        Your own data.
    """
    from plainnet.cli.series import seeds_in
    from plainnet.recipes import override
    from plainnet.records.combine_models import record_ensemble
    from plainnet.records.recorded_runs import model_path

    sources = recipes or ("cnn",)
    chosen = seeds_in(seeds)
    described = override({}, (own_data or OwnData()).overrides()).get("data")
    table = record_ensemble(sources, chosen, load_data(described), records)
    model = model_path(records / "ensemble", chosen[0])
    each = " and of ".join(Path(source).stem for source in sources)
    made_of = f"{counted(len(chosen), 'run')} of {each}"
    say(f"{made_of} together: test accuracy {table['test_accuracy']:.2%}\nthe model is {model}")
