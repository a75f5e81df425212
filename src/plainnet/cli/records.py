"""`plainnet records`: list the recorded runs, and how often the test set was used for each recipe."""

from __future__ import annotations

import shlex
import statistics
from pathlib import Path

from plainnet.cli.saying import say
from plainnet.errors import InputError


def records(folder: Path = Path("records"), /) -> None:
    """List the recipes on record: their runs, their accuracy, and how often the test set was used.

    A recipe is chosen on validation images and then tested once per seed. If the test set was opened more often than
    there are runs, or if there is more than one version of the settings, then runs were thrown away, or the recipe was
    changed after it had been tested. The number of interrupted runs is shown as well.

    Parameters
    ----------
    folder
        The folder with the records.
    """
    from plainnet.records.openings import OPENINGS, openings
    from plainnet.records.recorded_runs import runs

    kept = (OPENINGS, "seed-*.json", "unfinished-*")
    found = sorted({path.parent for pattern in kept for path in folder.glob(f"**/{pattern}")})
    if not found:
        make = shlex.join(["plainnet", "series", "softmax", "--out", str(folder)])
        raise InputError(f"there are no records in {folder}; make some with: {make}")
    say(f"{'recipe':<20}{'runs':>5}{'test set opened':>17}{'versions':>10}{'mean accuracy':>15}{'unfinished':>12}")
    for place in found:
        made, opened = runs(place), openings(place)
        mean = f"{statistics.mean(run['test_accuracy'] for run in made):.3%}" if made else "-"
        versions = len({line["settings_crc32"] for line in opened})
        unfinished = len(list(place.glob("unfinished-*"))) or ""
        name = place.relative_to(folder)
        say(f"{name!s:<20}{len(made):>5}{len(opened):>17}{versions:>10}{mean:>15}{unfinished:>12}".rstrip())
