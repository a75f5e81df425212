"""The `plainnet` program: lists the commands, and turns every error into one sentence instead of a traceback."""

from __future__ import annotations

import difflib
import io
import os
import re
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from cyclopts import App, CycloptsError, Group, UnknownCommandError

from plainnet import __version__
from plainnet.cli.commands import COMMANDS, register
from plainnet.cli.own_layers import mistake_of_ones_own, where_it_failed
from plainnet.cli.saying import say
from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError
from plainnet.foreign.showing import shown

_LONGEST = 900  # characters of an error message
BAD_INPUT, DIVERGED, OUR_FAULT, INTERRUPTED, READER_LEFT = 2, 3, 70, 130, 141  # 70: EX_SOFTWARE; 128 + a signal

app = App(
    name="plainnet",
    help="A neural network in plain NumPy: train it, check its gradients, use it.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    help_epilogue="Start with: plainnet train --epochs 5 --out quick",
)

app["--help"].group = app["--version"].group = Group("Options", sort_key=9)
register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 success, 1 a check failed, 2 bad input, 3 training diverged, 70 a bug in plainnet, 130 interrupted.
    """
    if sys.stdout is None:  # the caller has closed it
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  (it is kept open until the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the encoding of a terminal may lack some characters
    try:
        # Overflow is checked where it matters and reported in a sentence; a NumPy warning would repeat it.
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except UnknownCommandError as error:
        return _complain(_unknown(next(iter(error.unused_tokens or []), "")), BAD_INPUT)
    except CycloptsError as error:
        command = next((name for name in arguments or sys.argv[1:] if name in COMMANDS), "")
        said = re.sub(r"\.? Did you mean ([^?]*)\?\.?", r"; did you mean \1?", " ".join(str(error).split())).rstrip(".")
        return _complain(
            f"{said}{'' if said.endswith('?') else ';'} see plainnet {command}{' ' * bool(command)}--help", BAD_INPUT
        )
    except InputError as error:
        return _complain(str(error), BAD_INPUT)
    except TrainingDivergedError as error:
        return _complain(str(error), DIVERGED)
    except TrainingInterruptedError as error:
        return _complain(str(error), 128 + error.signal)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except MemoryError:
        return _complain("there is not enough memory; choose a smaller network or batch", BAD_INPUT)
    except BrokenPipeError:  # the reader of the output has closed the pipe, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except OSError as error:
        return _complain(f"cannot read or write {error.filename or 'a file'}: {error.strerror}", BAD_INPUT)
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and where_it_failed(error) is None:
            raise
        if (own := mistake_of_ones_own(error)) is not None:
            return _complain(own, BAD_INPUT)
        if "--layers" in (sys.argv[1:] if arguments is None else arguments):
            said = f"{type(error).__name__}: {shown(error)}"
            return _complain(
                f"one of your own layers failed: {said}; the traceback is in {_traceback(error)}", BAD_INPUT
            )
        said = f"this is a bug in plainnet: {type(error).__name__}: {shown(error)}"
        return _complain(f"{said}; please report it with {_traceback(error)}", OUR_FAULT)
    return result if isinstance(result, int) else 0


def _unknown(name: str) -> str:
    """Return a message that lists the commands and suggests the one that was probably meant."""
    nearest = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    meant = f"; did you mean {nearest[0]}?" if nearest else "."
    return f"there is no command {shown(name, 40)}{meant} The commands are {', '.join(COMMANDS)}; see plainnet --help"


def _traceback(error: BaseException) -> str:
    """Write the traceback of an error to a file, and return the path of the file."""
    file, name = tempfile.mkstemp(prefix="plainnet-fault-", suffix=".txt", text=True)
    with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as report:
        report.write(f"plainnet {__version__}, Python {sys.version}, {sys.platform}\n{' '.join(sys.argv)}\n\n")
        report.write("Traceback\n" + "".join(traceback.format_tb(error.__traceback__)))
        report.write(f"{type(error).__name__}: {shown(error)}\n")
    return name


def _complain(sentence: str, code: int) -> int:
    if sys.argv[1:2] == ["train"]:
        from plainnet.mpi.launcher import rank_by_environment

        if rank_by_environment()[0] > 0:  # only the process with rank 0 prints
            return code
    if sys.stderr is not None:
        say(f"plainnet: {shown(sentence, _LONGEST)}", to=sys.stderr)
    return code


def _end(number: int, _: object) -> NoReturn:
    raise TrainingInterruptedError(number, "stopped before it finished")


def run() -> None:
    """Run the command line and exit with its code; clean up first when a signal asks the process to end."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(getattr(signal, name), _end)
    sys.exit(main())
