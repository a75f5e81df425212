"""The table of how fast the lab answers, and of how much an open page slows training."""

from __future__ import annotations

from tables.source import record, table

_WATCHED = {"a page": "a page open", "200 readers": "200 readers connected"}
_ANSWERS = {"answered 503": "refused (status 503)", "answered 200": "answered (status 200)"}
_CONNECTIONS = {  # name in the record: name in the table
    "100 that drip": "100 that send very slowly",
    "200 that say nothing": "200 that send nothing",
    "1,000 at once": "1,000 at once",
}


def lab() -> str:
    """Return what `benchmarks/lab.py` measured."""
    found = record("lab.json")
    rows = []
    for name, one in found["answers"].items():
        figures = f"{one['median_ms']:.0f} / {one['95th_ms']:.0f} ms"
        rows.append(
            (f"time from a point of a stroke to the answer on the screen, {name}: median / 95th percentile", figures)
        )
    for name, one in found["epoch_looked_on_by"].items():
        rows.append(
            (
                f"time of an epoch of `classic` with {_WATCHED.get(name, name)} / without, median of rounds",
                f"{one['median']:.2f}",
            )
        )
    rows.append(("time to the first view", f"{found['first_view_ms']:.0f} ms"))
    rows.append(("size of the page's files", f"{found['page_bytes'] / 1000:.0f} kB"))
    for name, one in found["redrawn"].items():
        what = f"accuracy of `{name}` on {one['digits']:,} test digits,"
        rows.append((f"{what} unchanged", f"{one['original']:.1%}"))
        rows.append(
            (
                f"{what} thinned to their center lines and redrawn in place with their own thickness",
                f"{one['in_place']:.1%}",
            )
        )
        rows.append(
            (
                f"{what} redrawn along these lines by a pen of random width, at a random size and place",
                f"{one['redrawn']:.1%}",
            )
        )
    attacked = found["attacked"]
    for name, said in _CONNECTIONS.items():
        ends = (f"{count:,} {_ANSWERS.get(how, how)}" for how, count in attacked[name].items())
        rows.append((f"connections: {said}", ", ".join(ends)))
    left = sum(how == "left open" for how in attacked["each"].values())
    open_at_the_end = f"{left} left open" if left else "no connection left open"
    rows.append((f"{len(attacked['each'])} kinds of invalid requests", open_at_the_end))
    memory = " / ".join(f"{one:.0f}" for one in found["memory_mb"])
    rows.append(("memory before an attack, after it, and after a second attack, with training paused", f"{memory} MB"))
    return table("what | measured", rows)
