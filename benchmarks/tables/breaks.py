"""Breaks of what users see, and whether the tests notice them."""

from __future__ import annotations

from tables.source import record, table


def breaks() -> str:
    """Return each break and the test that noticed it."""
    figures = record("breaks.json")
    rows = [
        (row["break"], f"`{row['noticed_by'].split('::')[-1].split('[')[0]}`" if row["noticed_by"] else "**no**")
        for row in figures["breaks"]
    ]
    return f"{figures['noticed']} of {len(rows)} are noticed.\n\n{table('break | noticed by', rows)}"
