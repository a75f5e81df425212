"""`plainnet diagnose`: find out what went wrong in a training run, from its history and its network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.foreign.showing import counted
from plainnet.writing import to_json, write_atomically

if TYPE_CHECKING:
    from plainnet.diagnosis import TrainingFinding

_MOST_CAUSES = 5
_BY_CODE = {"diverged", "loss-rises", "loss-constant", "stuck-at-chance", "hardly-learning"}  # by gradients


def diagnose(
    training: Path,
    /,
    *,
    verify: Annotated[bool, Parameter(negative=())] = False,
    data: Annotated[Path | None, Parameter(name=["--data", "--data-dir"])] = None,
    json: Path | None = None,
    layers: Path | None = None,
    history_run: int | None = None,
    classes: int | None = None,
) -> int:
    """Explain what went wrong in a training run: the evidence, and what to do; exit code 1 if it found an error.

    Parameters
    ----------
    training
        A results folder, finished or not, or a history from any program: CSV, JSON, a log or TensorBoard events.
    verify
        Try each suggestion in a short training run, and report whether it helped.
    data
        The data that the run used, if the file or folder has moved.
    json
        Also write the findings to this file.
    layers
        A Python file with your own layers, which the run uses. It is executed.
    history_run
        Which run to diagnose if the file holds several, counted from 1. Default: the last.
    classes
        The number of classes, if the file does not show it.
    """
    check_ending(json, ".json", "--json", training)
    from plainnet.diagnosis import findings, read_case
    from plainnet.diagnosis import verify as tried

    case = read_case(training, data, read_layers(layers), run=history_run, classes=classes)
    found = findings(case)
    if case.history is not None:
        say(f"{case.history.understood()}\n")
    tables = [finding.to_table() for finding in found]
    for finding, table in zip(found, tables, strict=True):
        say(f"{finding.severity}: {finding.name}\n  {finding.evidence}\n  what to do: {finding.suggestion}")
        _say_causes(finding)
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
                say(f"  tried with {trials}: {before} without the change, {after} with it; {helps}")
        say()
    if case.recipe is None and _BY_CODE & {finding.name for finding in found}:
        say("if you wrote the backward pass yourself, check it with: plainnet doctor FILE.py\n")
    if not found:
        say(f"nothing wrong found in {counted(case.curves.epochs, 'epoch' if case.curves.unit == 'epoch' else 'part')}")
    if json is not None:
        understood = case.history.to_table() if case.history else {"epochs": case.curves.epochs}
        write_atomically(json, to_json(understood | {"findings": tables}))
    return int(any(finding.severity == "error" for finding in found))


def _say_causes(finding: TrainingFinding) -> None:
    """Print the causes that produce such curves, the most frequent first, and how to tell them apart."""
    if not finding.causes or finding.severity == "note":
        return
    say("  likely causes, each with its share of our deliberately faulty runs with such curves:")
    for cause in finding.causes[:_MOST_CAUSES]:
        say(f"    {cause.share:4.0%}  {cause.name}: {cause.telling}", indent=10)
