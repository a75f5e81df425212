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
        rows.append((f"an epoch of `classic` with {name} looking on / alone, median of rounds", f"{one['median']:.2f}"))
    rows.append(("first view", f"{found['first_view_ms']:.0f} ms"))
    rows.append(("the page's own files", f"{found['page_bytes'] / 1000:.0f} kB"))
    for name, one in found["redrawn"].items():
        what = f"{one['digits']:,} test digits, `{name}`:"
        rows.append((f"{what} as they are", f"{one['original']:.1%}"))
        rows.append(
            (f"{what} reduced to the middle of their lines, in place, as thick as they are", f"{one['in_place']:.1%}")
        )
        rows.append(
            (f"{what} drawn along these lines by a pen of any width, at any size and place", f"{one['redrawn']:.1%}")
        )
    attacked = found["attacked"]
    for name in ("100 that drip", "200 that say nothing", "1,000 at once"):
        rows.append((f"connections: {name}", ", ".join(f"{count:,} {how}" for how, count in attacked[name].items())))
    left = sum(how == "left open" for how in attacked["each"].values())
    rows.append((f"{len(attacked['each'])} kinds of bad requests", f"{left} left open"))
    memory = " / ".join(f"{one:.0f}" for one in found["memory_mb"])
    rows.append(("memory before an attack, after it, after a second one; training paused", f"{memory} MB"))
    return table("what | measured", rows)
