"""Write the figures of records/ into the pages and recipes that quote them, and the catalogue into docs/faults.md.

`tests/test_repository.py` fails if these pages differ from the records or the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from plainnet.checks.code.faults import as_page
from tables import convolutions
from tables.breaks import breaks
from tables.cluster import held, large_batches, mpi, needed
from tables.diagnosis import long_histories, programs, public, sabotage
from tables.durability import fuzz, kill_test
from tables.floors import floors
from tables.lab import lab
from tables.ladder import ablation, anatomy, choices, fashion, ladder, short_ladder, writers
from tables.main_job import results
from tables.other_programs import agreement, estimator, label_errors, pictures, strangers, stressed, trust
from tables.own_data import handwriting, tables
from tables.proof import famous_faults, kill_table, mutation, public_code
from tables.source import ROOT
from tables.speed import busy, growth, profile, speed, tried
from tables.sweep import sweep

ABLATED = sorted(path.parent.name for path in (ROOT / "records").glob("*/ablation.json"))

PAGES: dict[str, dict[str, Callable[[], str]]] = {  # page: name in its markers, function that makes the block
    "README.md": {"results": results, "short ladder": short_ladder},
    "docs/anatomy.md": {"anatomy": anatomy},
    "docs/data.md": {"tables": tables, "pictures": pictures},
    "docs/export.md": {"agreement": agreement},
    "docs/lab.md": {"lab": lab},
    "docs/sweep.md": {"sweep": sweep},
    "docs/cluster.md": {"mpi": mpi, "large batches": large_batches, "cluster held": held, "cluster needed": needed},
    "docs/sklearn.md": {"estimator": estimator},
    "docs/trust.md": {"trust": trust, "strangers": strangers, "stress": stressed, "label errors": label_errors},
    "docs/doctor.md": {"kill-table": kill_table, "public-code": public_code},
    "docs/floors.md": {"floors": floors},
    "docs/handwriting.md": {"handwriting": handwriting},
    "docs/tests.md": {"breaks": breaks, "mutation": mutation},
    "docs/diagnose.md": {
        "public": public,
        "programs": programs,
        "long": long_histories,
        "sabotage": sabotage,
        "kill-test": kill_test,
    },
    "docs/speed.md": {"speed": speed, "busy": busy, "profile": profile, "tried": tried, "growth": growth},
    "docs/winograd.md": {
        "times": convolutions.times,
        "errors": convolutions.errors,
        "learning": convolutions.learning,
    },
    "docs/ladder.md": {"ladder": ladder, "writers": writers, "fashion": fashion},
    "docs/normalize-size.md": {"minute choices": partial(choices, "minute")},
    "docs/adversarial.md": {"mlp choices": partial(choices, "mlp")},
    "docs/muon.md": {"fashion choices": partial(choices, "fashion")},
    "SECURITY.md": {"fuzz": fuzz},
    **{f"src/plainnet/recipes/{name}.toml": {f"ablation {name}": partial(ablation, name)} for name in ABLATED},
}


def rendered(page: str) -> str:
    """Return a page with all blocks between its markers generated again."""
    text = (ROOT / page).read_text()
    for name, make in PAGES[page].items():
        pattern = rf"((?:<!-- |# )figures: {name}(?: -->)?\n).*?((?:<!-- |# )end\b)"
        text, count = re.subn(pattern, lambda found, make=make: found[1] + make() + "\n" + found[2], text, flags=re.S)
        if count != 1:
            raise SystemExit(f"{page} needs the markers of {name!r} once, has them {count} times")
    return text


if __name__ == "__main__":
    for page in PAGES:
        (ROOT / page).write_text(rendered(page))
    (ROOT / "docs" / "faults.md").write_text(as_page())
    (ROOT / "docs" / "famous-faults.md").write_text(famous_faults())
