"""Breaks: faults that we put into a copy of the source on purpose, to see whether the tests detect them."""

from __future__ import annotations

from tables.source import record, table

_BREAKS = {  # name in the record: name in the table
    "training and validation curves have each other's names": "training and validation curves have swapped names",
    "time left counts from the first epoch after a training goes on": (
        "the remaining time is wrong after a run is resumed"
    ),
    "samples are drawn in blue where they are mistaken": "misclassified samples are drawn in blue",
    "a mistake is said to be what it was read as": "a misclassified image is said to show the predicted class",
    "the two methods of derivatives have each other's names": "the two methods of derivatives have swapped names",
    "mistakes are listed where the answers are right": "right answers are listed as mistakes",
    "a training that goes on forgets its seed": "a resumed run forgets its seed",
    "a dark ground is taken for a light one": "a dark background is taken for a light one",
    "what cannot be judged passes": "code that cannot be judged is reported as right",
    "checkpoints by time are never saved": "timed checkpoints are never saved",
    "openings are counted as runs": "uses of the test set are counted as training runs",
    "the ladder compares every rung with itself": "the comparison of recipes compares each recipe with itself",
    "a training that diverged ends like bad input": "a run that diverged has the exit code of invalid input",
    "advice does not use the name we were called by": "advice does not use the name of the command that was typed",
    "the surest mistakes stand last among the samples": "the most confident mistakes come last among the samples",
    "the surest mistakes stand last among the confusing pairs": (
        "the most confident mistakes come last among the confused pairs"
    ),
    "dashed and full lines are exchanged": "dashed and solid lines are swapped",
    "described and right are exchanged in the timeline": (
        "the described and the corrected results are swapped in the timeline"
    ),
    "the augmented image stands where the original should": "the augmented image is shown in place of the original",
    "views are moved downwards only": "shifted copies of an image are moved downwards only",
    "the interval is printed from its upper end": "the two ends of the interval are printed in the wrong order",
}


def breaks() -> str:
    """Return each break and the test that detected it."""
    figures = record("breaks.json")
    rows = [
        (
            _BREAKS.get(row["break"], row["break"]),
            f"`{row['noticed_by'].split('::')[-1].split('[')[0]}`" if row["noticed_by"] else "**no**",
        )
        for row in figures["breaks"]
    ]
    return f"The tests detect {figures['noticed']} of {len(rows)} breaks.\n\n{table('break | detected by', rows)}"
