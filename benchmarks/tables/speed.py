"""Speed: plainnet beside other programs, what was tried, and how the cost grows."""

from __future__ import annotations

from growth import slope
from tables.source import measured_with, record, table

TARGETS: list[tuple[str, str, str, float | None]] = [  # work, comparison, rival, largest ratio that we accept
    ("an epoch of the classic network / its matrix products alone", "classic", "its matrix products alone", 1.40),
    ("... / PyTorch", "classic", "PyTorch", 0.80),
    ("... / PyTorch, fused update", "classic", "PyTorch, fused update", 0.95),
    ("... / scikit-learn MLPClassifier", "classic", "scikit-learn MLPClassifier", 0.45),
    ("an epoch of `fast99` / PyTorch, channels last", "fast99", "PyTorch, channels last", 1.10),
    ("... / PyTorch, default layout", "fast99", "PyTorch", None),
    (
        "an epoch of `fast99` with twice the filters and units / PyTorch, channels last",
        "fast99-wide",
        "PyTorch, channels last",
        1.10,
    ),
    ("... / PyTorch, default layout", "fast99-wide", "PyTorch", None),
    ("steps of `cnn`, without augmentation / PyTorch, channels last", "cnn", "PyTorch, channels last", 1.10),
    ("... / PyTorch, default layout", "cnn", "PyTorch", None),
    ("steps of seven convolutions / PyTorch, channels last", "small-cnn", "PyTorch, channels last", 1.15),
    ("... / PyTorch, default layout", "small-cnn", "PyTorch", None),
    (
        "steps of a 784-1024-1024-1024-10 network with augmentation / the same without",
        "mlp-augmented",
        "without augmentation",
        None,
    ),
    ("... / PyTorch without augmentation", "mlp-augmented", "PyTorch, without augmentation", None),
    ("augmenting the images / an epoch of 1024-1024-1024", "augmentation", "an epoch of 1024-1024-1024", 0.15),
    ("one image through the classic network / ONNX Runtime", "one-image", "ONNX Runtime", 1.2),
    ("10,000 images / ONNX Runtime", "10000-images", "ONNX Runtime", 1.1),
    ("10,000 images / PyTorch", "10000-images", "PyTorch", 1.1),
    ("`import plainnet` / `import numpy`", "import", "import numpy", 1.3),
]


_EARLIER = {  # name in the table: name in the record
    "without augmentation": "without changes of the images",
    "PyTorch, without augmentation": "PyTorch, without them",
}


def speed() -> str:
    """Return the ratios of our times to those of other programs, with our targets."""
    figures = record("bench.json")
    rows = []
    for work, name, other, target in TARGETS:
        ratios = figures["comparisons"][name]["ratios"]
        found = next(
            ratio for key, ratio in ratios.items() if key.endswith((f" / {other}", f" / {_EARLIER.get(other, other)}"))
        )
        spread = f"{found['lower_quartile']:.2f} to {found['upper_quartile']:.2f}"
        rows.append((work, f"**{found['median']:.2f}** ({spread})", "" if target is None else f"{target:.2f}"))
    commands = [
        (f"`{row['command']}`", f"{row['validation_accuracy']:.2%}", f"{row['seconds']:.1f}", target)
        for row, target in zip(figures["whole_commands"], (2, 3.5, 6), strict=True)
    ]
    megabytes = figures["peak_memory_mb"]
    memory = f"Peak memory of an epoch of the classic recipe: {megabytes:.0f} MB (target: at most 350 MB)."
    ratios = table("our work / compared with | ratio of times, median (quartiles) | target, at most", rows)
    whole = table(
        "whole command, including data, results and pictures | validation accuracy | seconds | target, seconds",
        commands,
    )
    return f"{ratios}\n\n{whole}\n\n{memory}\n\n{measured_with(figures)}"


def busy() -> str:
    """Return the ratios of our times to PyTorch's while two other processes are busy."""
    figures, rows = record("bench_busy.json"), []
    for name, comparison in figures["comparisons"].items():
        for key, found in comparison["ratios"].items():
            if "PyTorch" in key:
                spread = f"{found['lower_quartile']:.2f} to {found['upper_quartile']:.2f}"
                rows.append((f"`{name}`", key.partition(" / ")[2], f"**{found['median']:.2f}** ({spread})"))
    found = table("recipe | plainnet's time / time of | ratio, median (quartiles)", rows)
    return f"{found}\n\n{measured_with(figures)}"


def profile() -> str:
    """Return the parts of a step of the classic network."""
    parts = record("bench.json")["step_profile"]
    total = sum(parts.values())
    rows = [(part, f"{time:,.0f}", f"{time / total:.0%}") for part, time in parts.items()]
    together = f"| total | {total:,.0f} | |"
    return f"{table('part of a step of the classic network | microseconds | share', rows)}\n{together}"


def tried() -> str:
    """Return the variants that were tried, each beside the one that was kept."""
    lines = [table("variant | median time | our time / its time", [])]
    for comparison in record("tried.json").values():
        if isinstance(comparison, dict) and "rounds" in comparison:
            lines.append(f"| **{comparison['title']}**, {comparison['work']} | | |")
            first = next(iter(comparison["seconds"]))
            for name, seconds in comparison["seconds"].items():
                ratio = "" if name == first else f"{comparison['ratios'][f'{first} / {name}']['median']:.2f}"
                called = name.replace("by means in place of sums", "with means instead of sums")
                lines.append(f"| {called} | {seconds['median'] * 1e6:,.0f} us | {ratio} |")
    return "\n".join(lines)


def growth() -> str:
    """Return the exponents of the growth curves, and time and memory by the number of images."""
    figures = record("growth.json")
    slopes = []
    for threads, curves in figures["microseconds_an_image"].items():
        for name, points in curves.items():
            said = f"{'hidden units' if name == 'units' else 'batch size'}, {threads} thread{'s' * (threads != '1')}"
            for part in (points[:4], points[-4:]):
                slopes.append((said, f"{part[0][0]:,}", f"{part[-1][0]:,}", f"{slope(part):.2f}"))
    files = [
        (f"{images:,}", f"{seconds:.2f}", f"{seconds / images * 1e6:.1f}", f"{megabytes:.0f}")
        for images, seconds, megabytes in figures["images_seconds_megabytes"]
    ]
    grown = table("time per image, by | from | to | exponent", slopes)
    memory = table("images in the file | seconds per epoch | microseconds per image | memory, MB", files)
    return f"{grown}\n\n{memory}\n\n{measured_with(figures)}"
