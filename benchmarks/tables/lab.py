"""The table of how quickly the lab answers, and of what looking on costs."""

from __future__ import annotations

from tables.source import record, table


def lab() -> str:
    """Return what `benchmarks/lab.py` measured."""
    found = record("lab.json")
    rows = []
    for name, one in found["answers"].items():
        figures = f"{one['median_ms']:.0f} / {one['95th_ms']:.0f} ms"
        rows.append((f"a point of a stroke to the answer on the screen, {name}: median / 95th percentile", figures))
    for name, one in found["epoch_looked_on_by"].items():
        rows.append((f"an epoch of `classic` that {name} look on at / alone, median of rounds", f"{one['median']:.2f}"))
    rows.append(("first view", f"{found['first_view_ms']:.0f} ms"))
    rows.append(("the page's own files", f"{found['page_bytes'] / 1000:.0f} kB"))
    for name, one in found["redrawn"].items():
        digits = f"{one['redrawn']:.1%} (as they were: {one['original']:.1%})"
        rows.append((f"{one['digits']:,} test digits drawn again by lines, any size, anywhere, `{name}`", digits))
    attacked = found["attacked"]
    for name in ("100 that drip", "200 that say nothing", "1,000 at once"):
        rows.append((f"connections: {name}", ", ".join(f"{count:,} {how}" for how, count in attacked[name].items())))
    left = sum(how == "left open" for how in attacked["each"].values())
    rows.append((f"{len(attacked['each'])} kinds of bad requests", f"{left} left open"))
    return table("what | measured", rows)
