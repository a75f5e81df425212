"""`plainnet doctor`: find the bugs in somebody's backpropagation code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.writing import to_json, write_atomically

if TYPE_CHECKING:
    from plainnet.doctor import Examination

_MOST_FILES = 500


def doctor(
    file: Path,
    /,
    *files: Path,
    only: str | None = None,
    forward: str | None = None,
    backward: str | None = None,
    wrt: str | None = None,
    run: Path | None = None,
    accept: str | None = None,
    strict: str | None = None,
    json: Path | None = None,
    html: Path | None = None,
    timeout: float = 60.0,
) -> int:
    """Find the bugs in backpropagation code: Python files, notebooks, Markdown pages, or folders of them.

    Exit code 0 if all is right, 1 if something is wrong, 2 if something could not be judged.

    Parameters
    ----------
    file
        A file with layers, losses, networks, training loops or update rules in NumPy, or a folder.
        The code is executed in a sandbox.
    files
        More files and folders.
    only
        Examine only the class or function of this name.
    forward
        The forward pass, a function or Class.method, if the doctor does not find it itself. Needs --backward.
    backward
        The backward pass that belongs to --forward.
    wrt
        The arguments that need a gradient: names, separated by commas.
    run
        A program that uses the file, such as train.py. The doctor runs it in the sandbox to
        see how it uses the file.
    accept
        Faults to report only as remarks: names from the catalogue, separated by commas.
    strict
        Remarks to report as faults: names, separated by commas.
    json
        Also write the findings to this file.
    html
        Also write the findings as an HTML page, next to the source code they refer to.
    timeout
        Give up on a file after this many seconds.
    """
    check_ending(json, ".json", "--json", file, *files)
    check_ending(html, ".html", "--html", file, *files)
    if not 0 < timeout <= 86_400:
        raise InputError(f"--timeout must be above 0 and at most 86,400 seconds, received {timeout:g}")
    if (forward is None) != (backward is None) or (wrt is not None and forward is None):
        raise InputError("--forward and --backward need each other, and --wrt needs both; name both passes")
    told = None if forward is None else {"forward": forward, "backward": backward, "wrt": _words(wrt)}
    paths = list(_files((file, *files)))
    several = len(paths) > 1 or file.is_dir()
    found = [_examine(path, several, only, timeout, told, run) for path in paths]
    for one in found:
        from plainnet.doctor import weighed

        one.findings = weighed(one.findings, _words(accept), _words(strict))
        _say(one, several)
    if json is not None:
        tables = [one.to_table() for one in found]
        write_atomically(json, to_json({"files": tables} if several else tables[0]))
    if html is not None:
        from plainnet.checks.code.page import page

        write_atomically(html, page(found).encode())
    codes = {one.code for one in found}
    if several:
        _say_all(found)
    if codes == {0}:
        say("if the network still does not learn, save its losses to a file and run: plainnet diagnose FILE")
    return 1 if 1 in codes else 2 if 2 in codes else 0


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _files(given: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the files, and the files in folders that may hold a backward pass."""
    from plainnet.doctor import ENDINGS

    for path in given:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(
            p
            for p in path.rglob("*")
            if p.suffix in ENDINGS and p.is_file() and not any(part.startswith(".") for part in p.parts)
        )
        if not inside:
            raise InputError(f"{path} holds no file that ends in {', '.join(ENDINGS)}")
        if len(inside) > _MOST_FILES:
            raise InputError(
                f"{path} holds {len(inside)} files to examine, more than {_MOST_FILES}; name a smaller folder"
            )
        yield from inside


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _examine(
    path: Path, several: bool, only: str | None, timeout: float, told: dict[str, Any] | None, run: Path | None
) -> Examination:
    """Examine one file; if there are several, report an error in one and continue with the others."""
    from plainnet.doctor import Examination, examination

    try:
        return examination(path, only=only, timeout=timeout, told=told, run=run)
    except InputError as error:
        if not several:
            raise
        return Examination(path, error=None if "to examine; looked for" in str(error) else str(error))


def _say(one: Examination, several: bool) -> None:
    from plainnet.doctor import describe

    if several and (one.findings or one.left_out or one.error):
        say(f"== {shown(one.file)}")
    if one.error:
        say(f"{one.error}\n")
    if not one.findings and not one.left_out:
        return
    for note in one.notes:
        say(f"note: {shown(note, 1000)}")
    say("\n".join(describe(finding, one.file) for finding in one.findings))
    if one.left_out:
        say("\nnot examined:")
        for left in one.left_out:
            place = f":{left['line']}" if left["line"] else ""
            say(f"    {shown(left['name'])} ({shown(one.file)}{place}): {shown(left['why'])}")
    wrong, undecidable = one.names("wrong"), one.names("undecidable")
    score = one.to_table()["score"]
    say(
        f"\n{score['examined']} examined of {score['seen']} seen, {len(wrong)} wrong"
        + (f": {', '.join(map(shown, wrong))}" if wrong else "")
    )
    if undecidable:
        say(f"{len(undecidable)} could not be judged: {', '.join(map(shown, undecidable))}")
    if one.unconfined:
        say(f"while the file ran, the sandbox could not restrict: {', '.join(one.unconfined)}")


def _say_all(found: list[Examination]) -> None:
    scores = [one.to_table()["score"] for one in found]
    examined, seen, wrong = (sum(score[key] for score in scores) for key in ("examined", "seen", "wrong"))
    files = [shown(one.file) for one in found if one.names("wrong")]
    where = f", in {', '.join(files)}" if files else ""
    say(f"\n{len(found)} files: {examined} examined of {seen} seen, {wrong} wrong{where}")
