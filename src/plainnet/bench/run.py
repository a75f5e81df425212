"""Run all comparisons of the benchmark in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from plainnet.bench import inference, startup, training
from plainnet.bench.interleave import Comparison
from plainnet.bench.neighbors import busy
from plainnet.errors import InputError
from plainnet.runs.environment import hardware, threads, versions

COMPARISONS: dict[str, Callable[[int], Comparison]] = {
    "classic": training.classic,
    "fast99": training.fast99,
    "fast99-wide": training.fast99_wide,
    "small-cnn": training.small_cnn,
    "cnn": training.cnn,
    "mlp-augmented": training.mlp_augmented,
    "augmentation": training.augmentation,
    "one-image": inference.one_image,
    "10000-images": inference.ten_thousand_images,
    "import": startup.imports,
}


def conditions() -> dict[str, Any]:
    """Return the hardware, threads and versions of the measurements."""
    found = versions()
    for peer in ("torch", "scikit-learn", "onnxruntime"):
        try:
            found[peer] = version(peer)
        except PackageNotFoundError:
            found[peer] = "not installed"
    return {"hardware": hardware(), "threads": threads(), "versions": found}


def comparisons(only: str | None, rounds: int, neighbors: int = 0) -> Iterator[tuple[str, Comparison]]:
    """Run all comparisons, or those in `only`, beside `neighbors` busy processes; yield each as it finishes.

    Raises: `InputError` for a name that is not in `COMPARISONS`, less than one round, or an invalid `neighbors`.
    """
    names = list(COMPARISONS) if only is None else only.split(",")
    for name in names:
        if name not in COMPARISONS:
            raise InputError(f"unknown comparison {name!r}; choose one of {', '.join(COMPARISONS)}")
    if rounds < 1:
        raise InputError(f"--rounds must be at least 1, received {rounds}; 12 give stable medians")
    for name in names:
        with busy(neighbors):
            comparison = COMPARISONS[name](rounds)
        comparison.neighbors = neighbors
        yield name, comparison
