"""Breaks: faults that we put into a copy of the source on purpose, to see whether the tests notice them."""

from __future__ import annotations

from tables.source import record, table

_BREAKS = {  # name in the record: name in the table
    "training and validation curves have each other's names": "training and validation curves have swapped names",
    "time left counts from the first epoch after a training goes on": "time left is wrong after a training is resumed",
    "samples are drawn in blue where they are mistaken": "misclassified samples are drawn in blue",
    "a mistake is said to be what it was read as": "a misclassified image is said to show the predicted class",
    "the two methods of derivatives have each other's names": "the two methods of derivatives have swapped names",
    "mistakes are listed where the answers are right": "right answers are listed as mistakes",
    "a training that goes on forgets its seed": "a resumed training forgets its seed",
    "a dark ground is taken for a light one": "a dark background is taken for a light one",
    "what cannot be judged passes": "code that cannot be judged passes",
    "a training that diverged ends like bad input": "a training that diverged exits like bad input",
    "advice does not use the name we were called by": "advice does not use the name of the command that was typed",
}


def breaks() -> str:
    """Return each break and the test that noticed it."""
    figures = record("breaks.json")
    rows = [
        (
            _BREAKS.get(row["break"], row["break"]),
            f"`{row['noticed_by'].split('::')[-1].split('[')[0]}`" if row["noticed_by"] else "**no**",
        )
        for row in figures["breaks"]
    ]
    return f"The tests notice {figures['noticed']} of {len(rows)} breaks.\n\n{table('break | noticed by', rows)}"
