"""What a step costs on n ranks: a model, held against what was measured, and what it says of larger clusters.

Reads records/mpi.json; writes records/cluster.json and docs/pictures/cluster.png.

A step of n ranks, each with b examples, takes

    compute(b)         f + c b; f is mostly the update, which every rank makes of all weights
    + reduce           2 (n - 1) (a + S / (n w)), the sum of S bytes of gradients in a ring, with the latency a and w
                       bytes a second; or by halving and doubling, 2 log2(n) a + 2 (n - 1) S / (n w), whichever is less
    + sums             k log2(n) a, k small exchanges: of figures, and two a layer of batch normalization
    + stragglers       s z(n), how much the slowest of n normal deviates is above the mean (Blom 1958)

f, c and s are fitted to steps without exchange, while every core is busy with one; a and w to reductions by two. Where
ranks share cores, all is as many times longer as ranks share one.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from plainnet.writing import to_json, write_atomically
from tables.source import ROOT, record

LINKS = {  # latency in seconds, bytes a second: nine tenths of the nominal
    "10 Gbit/s, TCP": (25e-6, 0.9 * 10e9 / 8),
    "100 Gbit/s, RDMA": (3e-6, 0.9 * 100e9 / 8),
}
SUMS = {"classic": 1, "cnn": 1 + 2 * 4, "wide": 1}
TITLES = {
    "classic": "classic, 814,090 weights", "cnn": "cnn, 135,818 weights", "wide": "dense, 98,747,402 weights",
}  # fmt: skip
RANKS = [2**k for k in range(11)]
SHARES = (16, 64, 256, 1024)  # examples a rank
_WORTH = 0.8  # of n times the work of one rank


def fitted(mpi: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return f, c and s in seconds, and S in bytes, of each network."""
    found = {}
    for name, tables in mpi["compute"].items():
        batches = np.array([table["batch"] for table in tables], float)
        seconds = np.array([table["ms"]["threads"]["median"] for table in tables]) / 1000
        c, f = np.polyfit(batches, seconds, 1, w=1 / seconds)  # relative errors alike
        spread = float(np.mean([table["ms"]["threads"]["sd"] / table["ms"]["threads"]["median"] for table in tables]))
        waited = 1 + spread * slowest(tables[0]["ranks"])  # the slowest of them was timed
        found[name] = {
            "f": float(f) / waited, "c": float(c) / waited, "s": spread, "bytes": 4.0 * tables[0]["parameters"],
        }  # fmt: skip
    return found


def link_of(two: dict[str, float], size: float) -> tuple[float, float]:
    """Return latency and bytes a second of a reduction by two ranks."""
    latency = two["small"] / 1000
    return latency, size / max(two["ordered"] / 1000 - 2 * latency, 1e-9)


def slowest(n: int) -> float:
    """Return the expected largest of n standard normal deviates, as Blom approximates it; 0 of one."""
    return NormalDist().inv_cdf((n - 0.375) / (n + 0.25))


def parts(net: dict[str, float], sums: int, n: int, b: float, link: tuple[float, float]) -> dict[str, float]:
    """Return the seconds of each part of a step."""
    latency, speed = link
    compute = net["f"] + net["c"] * b
    ring = 2 * (n - 1) * (latency + net["bytes"] / n / speed)
    halving = 2 * math.log2(n) * latency + 2 * (n - 1) / n * net["bytes"] / speed
    return {
        "compute": compute,
        "reduce": min(ring, halving) if n > 1 else 0.0,
        "sums": sums * math.log2(n) * latency,
        "stragglers": net["s"] * compute * slowest(n),
    }


def held_against(mpi: dict[str, Any], nets: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return measured and predicted milliseconds of the steps with a batch of 128."""
    rows = []
    for key, table in mpi["steps"].items():
        name, count, *by = key.split()
        if not by or count == "1":
            continue
        n = int(count)
        link = link_of(mpi["reductions"][f"2 {by[0]}"], 4.0 * 814_090)
        crowd = max(1.0, n / mpi["cores"])
        predicted = 1000 * crowd * sum(parts(nets[name], SUMS[name], n, 128 / n, link).values())
        measured = table["ms"]["ordered"]["median"]
        rows.append({
            "network": name, "ranks": n, "by": by[0], "ranks a core": crowd, "measured_ms": measured,
            "predicted_ms": predicted, "off": predicted / measured - 1,
        })  # fmt: skip
    return rows


def worth_it(net: dict[str, float], sums: int, n: int, link: tuple[float, float]) -> int | None:
    """Return with how many examples a rank, a power of two, n ranks do 0.8 n times the work of one."""
    for b in (2**k for k in range(15)):
        made = parts(net, sums, n, b, link)
        if made["compute"] / sum(made.values()) >= _WORTH:
            return b
    return None


def predictions(nets: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return, for every network, link, share and number of ranks, how many ranks' work is done."""
    rows = []
    for name, net in nets.items():
        for link_name, link in LINKS.items():
            for b in SHARES:
                for n in RANKS:
                    made = parts(net, SUMS[name], n, b, link)
                    whole = sum(made.values())
                    rows.append({
                        "network": name, "link": link_name, "examples a rank": b, "ranks": n,
                        "speed_up": n * made["compute"] / whole, **{part: s / whole for part, s in made.items()},
                    })  # fmt: skip
    return rows


def picture(rows: list[dict[str, Any]]) -> Figure:
    """Return what share of n ranks' work is done, over the number of ranks, a panel a network."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    colors = dict(zip(SHARES, ("#6e7781", "#0b5cad", "#b04a00", "#1b1f24"), strict=True))
    for axes, name in zip(figure.subplots(1, 3, sharey=True), TITLES, strict=True):
        for link, style in zip(LINKS, ("--", "-"), strict=True):
            for b in SHARES:
                asked = (name, link, b)
                line = [r for r in rows if (r["network"], r["link"], r["examples a rank"]) == asked]
                shares = [100 * r["speed_up"] / r["ranks"] for r in line]
                axes.plot(RANKS, shares, style, color=colors[b], linewidth=1.6, label=f"{b:,} a rank, {link}")
        axes.set(xscale="log", ylim=(0, 103), title=TITLES[name], xlabel="ranks")
        axes.set_xticks(RANKS[::2], [f"{n:,}" for n in RANKS[::2]])
        axes.minorticks_off()
        axes.grid(color="#eaeef2")
    figure.axes[0].set(ylabel="examples a second, % of as many single ranks")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def main() -> None:
    """Fit, compare, predict and draw."""
    mpi = record("mpi.json")
    nets, rows = fitted(mpi), []
    rows = predictions(nets)
    needed = [
        {"network": name, "link": link_name, "ranks": n, "examples a rank": worth_it(net, SUMS[name], n, link)}
        for name, net in nets.items()
        for link_name, link in LINKS.items()
        for n in (16, 64, 256, 1024)
    ]
    size = 4.0 * 814_090
    here = {by: link_of(mpi["reductions"][f"2 {by}"], size) for by in ("memory", "tcp")}
    told = {
        "hardware": mpi["hardware"], "versions": mpi["versions"], "fitted": nets,
        "here": {by: {"latency_s": a, "bytes_a_second": w} for by, (a, w) in here.items()},
        "assumed": {name: {"latency_s": a, "bytes_a_second": w} for name, (a, w) in LINKS.items()},
        "held_against": held_against(mpi, nets), "needed": needed, "predictions": rows,
    }  # fmt: skip
    write_atomically(ROOT / "records/cluster.json", to_json(told))
    picture(rows).savefig(ROOT / "docs/pictures/cluster.png", dpi=110, metadata={"Software": None})
    for row in told["held_against"]:
        print(row)


if __name__ == "__main__":
    main()
