"""`plainnet bench`: our speed beside that of our peers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber


def bench(
    *, only: str | None = None, rounds: WholeNumber = 12, neighbors: WholeNumber = 0, json: Path | None = None
) -> None:
    """Time plainnet and its peers in turns, and print medians, quartiles and the ratios of each round.

    PyTorch, scikit-learn and ONNX Runtime take part where they are installed: pip install 'plainnet[peers]'.

    Parameters
    ----------
    only
        Comparisons, with commas between them: classic, fast99, fast99-wide, small-cnn, cnn, mlp-augmented,
        augmentation, one-image, 10000-images, import.
    rounds
        How often each rival has its turn; two more come first and do not count.
    neighbors
        Measure beside so many processes that keep the processor busy, as other programs do.
    json
        Write the figures to this file as well; all comparisons add whole commands and peak memory.
    """
    from plainnet.bench.profile import step_profile
    from plainnet.bench.run import comparisons, conditions
    from plainnet.bench.startup import peak_memory_mb, whole_commands
    from plainnet.writing import to_json, write_atomically

    check_ending(json, ".json", "--json")
    record: dict[str, Any] = conditions() | {"neighbors": neighbors, "comparisons": {}}
    beside = f", beside {neighbors} busy processes" if neighbors else ""
    say(f"{record['hardware']}, {record['threads']} threads for matrix products{beside}\n")
    for name, comparison in comparisons(only, rounds, neighbors):
        say(f"{comparison}\n")
        record["comparisons"][name] = comparison.to_table()
    if only is None:
        record["whole_commands"] = whole_commands(rounds=10)
        for row in record["whole_commands"]:
            say(f"{row['validation_accuracy']:.2%} in {row['seconds']:.1f} s: {row['command']}")
        record["peak_memory_mb"] = peak_memory_mb()
        record["step_profile"] = step_profile()
        say(f"peak memory of an epoch of the classic recipe: {record['peak_memory_mb']:.0f} MB")
    if json is not None:
        write_atomically(json, to_json(record))
