"""`plainnet diagnose`: what went wrong in a training, by its history and its network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.foreign.showing import counted
from plainnet.writing import to_json, write_atomically


def diagnose(
    training: Path,
    /,
    *,
    verify: Annotated[bool, Parameter(negative=())] = False,
    data: Annotated[Path | None, Parameter(name=["--data", "--data-dir"])] = None,
    json: Path | None = None,
    layers: Path | None = None,
) -> int:
    """Say what went wrong in a training, by what evidence, and what to do; exit code 1 if something did.

    Parameters
    ----------
    training
        A results folder, finished or not, or a JSON or CSV file of losses and accuracies from any program.
    verify
        Follow each suggestion in a short training, and tell whether it helped.
    data
        The file or folder of the data that the training used, if it has moved.
    json
        Write the findings to this file as well.
    layers
        A Python file with layers of your own that the training uses; it is run.
    """
    check_ending(json, ".json", "--json", training)
    from plainnet.diagnosis import findings, read_case
    from plainnet.diagnosis import verify as tried

    case = read_case(training, data, read_layers(layers))
    found = findings(case)
    tables = [finding.to_table() for finding in found]
    for finding, table in zip(found, tables, strict=True):
        say(f"{finding.severity}: {finding.name}\n  {finding.evidence}\n  what to do: {finding.suggestion}")
        if verify and finding.severity != "note":
            table["verified"] = result = tried(case, finding)
            if result is None:
                why = "no change of the recipe can help here" if case.recipe else "there is no recipe to try it with"
                say(f"  not tried: {why}")
            else:
                before, after = (
                    "diverged" if value is None else f"{value:.1%} right"
                    for value in (result["before"], result["after"])
                )
                trials = f"{counted(result['epochs'], 'epoch')} of {result['images']:,} images"
                helps = "it helps" if result["helped"] else "it does not help"
                say(f"  tried, {trials}: {before} as it was, {after} with the change; {helps}")
        say()
    if not found:
        say(f"nothing wrong found in {counted(case.curves.epochs, 'epoch')}")
    if json is not None:
        write_atomically(json, to_json({"epochs": case.curves.epochs, "findings": tables}))
    return int(any(finding.severity == "error" for finding in found))
