"""`plainnet bench`: compare the speed of plainnet with that of other libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber


def bench(
    *, only: str | None = None, rounds: WholeNumber = 12, neighbors: WholeNumber = 0, json: Path | None = None
) -> None:
    """Compare the speed of plainnet with PyTorch, scikit-learn and ONNX Runtime: medians, quartiles and ratios.

    Only the libraries that are installed take part: pip install 'plainnet[peers]'.

    Parameters
    ----------
    only
        The comparisons to make, separated by commas: classic, fast99, fast99-wide, small-cnn, cnn, mlp-augmented,
        augmentation, one-image, 10000-images, import.
    rounds
        Time each library in this many rounds, after two warm-up rounds.
    neighbors
        Keep the processor busy with this many other processes while measuring.
    json
        Also write the results to this file.
        Without --only, it includes the times of whole commands and the peak memory.
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
