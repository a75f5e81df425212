"""`plainnet doctor`: what is wrong with somebody else's backpropagation."""

from __future__ import annotations

from pathlib import Path

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.writing import to_json, write_atomically


def doctor(file: Path, /, *, only: str | None = None, json: Path | None = None, timeout: float = 60.0) -> int:
    """Examine the backpropagation in a Python file.

    Exit code 0 if all is right, 1 if something is wrong, 2 if something could not be judged.

    Parameters
    ----------
    file
        A Python file with layers, losses, networks or update rules in NumPy. It is run, so be sure that you trust it.
    only
        Examine only the class or function of this name.
    json
        Write the findings to this file as well.
    timeout
        Give up after this many seconds.
    """
    check_ending(json, ".json", "--json")
    if not 0 < timeout <= 86_400:
        raise InputError(f"--timeout takes seconds, more than 0 and at most a day, received {timeout:g}")
    from plainnet.doctor import describe, examination

    findings, unconfined = examination(file, only=only, timeout=timeout)
    say("\n".join(describe(finding, file) for finding in findings))
    wrong, undecidable = (
        {finding["name"] for finding in findings if finding["verdict"] == verdict}
        for verdict in ("wrong", "undecidable")
    )
    names = {finding["name"] for finding in findings}
    say(f"\n{len(names)} examined, {len(wrong)} wrong" + (f": {', '.join(sorted(wrong))}" if wrong else ""))
    if undecidable:
        say(f"{len(undecidable)} could not be judged: {', '.join(sorted(undecidable))}")
    if unconfined:
        say(f"while the file ran, this system did not limit or shut off: {', '.join(unconfined)}")
    if json is not None:
        write_atomically(json, to_json({"subjects": findings}))
    return 1 if wrong else 2 if undecidable else 0
