"""`plainnet diagnose`: what went wrong in a training, by its history and its network."""

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
_BY_CODE = {"diverged", "loss-rises", "loss-constant", "stuck-at-chance", "hardly-learning"}  # as wrong gradients make


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
    """Say what went wrong in a training, by what evidence, and what to do; exit code 1 if something did.

    Parameters
    ----------
    training
        A results folder, finished or not, or a history of any program: CSV, JSON, a log, TensorBoard's events.
    verify
        Follow each suggestion in a short training, and tell whether it helped.
    data
        The file or folder of the data that the training used, if it has moved.
    json
        Write the findings to this file as well.
    layers
        A Python file with layers of your own that the training uses; it is run.
    history_run
        Which run to judge where a file holds several, from 1; the last if left out.
    classes
        The number of classes, if the file does not let it be seen.
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
                say(f"  tried, {trials}: {before} as it was, {after} with the change; {helps}")
        say()
    if case.recipe is None and _BY_CODE & {finding.name for finding in found}:
        say("if the backward pass is code of your own: plainnet doctor FILE.py examines it\n")
    if not found:
        say(f"nothing wrong found in {counted(case.curves.epochs, 'epoch' if case.curves.unit == 'epoch' else 'part')}")
    if json is not None:
        understood = case.history.to_table() if case.history else {"epochs": case.curves.epochs}
        write_atomically(json, to_json(understood | {"findings": tables}))
    return int(any(finding.severity == "error" for finding in found))


def _say_causes(finding: TrainingFinding) -> None:
    """Say which causes make such curves, the most frequent first, and what would tell them apart."""
    if not finding.causes or finding.severity == "note":
        return
    say("  likely causes, by how often each made such curves in trainings that were spoiled:")
    for cause in finding.causes[:_MOST_CAUSES]:
        say(f"    {cause.share:4.0%}  {cause.name}: {cause.telling}", indent=10)
