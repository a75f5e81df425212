"""`plainnet`: the commands, and how every one of them fails, in one sentence and without a traceback."""

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
from plainnet.cli.own_layers import mistake_of_ones_own, where_it_failed
from plainnet.cli.saying import say
from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError
from plainnet.foreign.showing import shown

_LONGEST = 900  # letters of a sentence
BAD_INPUT, DIVERGED, OUR_FAULT, INTERRUPTED, READER_LEFT = 2, 3, 70, 130, 141  # 70: EX_SOFTWARE; 128 + a signal

app = App(
    name="plainnet",
    help="A neural network in plain NumPy: train it, check its gradients, use it.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    help_epilogue="Start with: plainnet train --epochs 5 --out quick",
)

LEARN, USE, MEASURE = (Group(name, sort_key=place) for place, name in enumerate(("Learn", "Use", "Measure")))

_COMMANDS = {  # name: its group, what it does, and examples; its function, of the same name, is imported when called
    "train": (
        LEARN,
        "Train a recipe, on MNIST or data of your own, and write the model, figures and pictures to a folder.",
        "plainnet train",
        "plainnet train classic --epochs 5 --out quick",
        "plainnet train --data flowers.csv --out flowers",
        "plainnet train --data photos/ --folds 5",
        "plainnet train --resume quick",
        "plainnet train --limit 5000 --set optimizer.momentum=0.8 --set layers.1.units=256",
    ),
    "evaluate": (
        USE,
        "Measure a saved model on the test part of its data, or on other data.",
        "plainnet evaluate cnn",
        "plainnet evaluate results/model_final.safetensors",
        "plainnet evaluate results/model_final.safetensors --data fashion --json figures.json",
    ),
    "predict": (
        USE,
        "Tell what is drawn in pictures, on whatever paper, or what a model makes of the rows of a table.",
        "plainnet predict cnn examples/digits/seven.png",
        "plainnet predict results/model_final.safetensors scans/ --json answers.json --show answers.png",
        "plainnet predict results/model_final.safetensors new_rows.csv --json answers.json",
    ),
    "stress": (
        USE,
        "Measure how a model fares when images are spoiled, or changed against it.",
        "plainnet stress cnn --out stress.png --json stress.json",
    ),
    "look": (
        LEARN,
        "Tell what data of your own hold, before training.",
        "plainnet look flowers.csv --out look.png",
        "plainnet look photos/ --quick",
    ),
    "export": (
        USE,
        "Write a model for other programs: ONNX, PyTorch, NumPy alone, or JavaScript.",
        "plainnet export cnn --to onnx --out cnn.onnx",
        "plainnet export results/model_final.safetensors --to numpy --out digits.py",
        "plainnet export cnn --to js --out digits.js",
        "plainnet export results/model_final.safetensors --to onnx --precision int8 --out small.onnx",
    ),
    "convert": (
        USE,
        "Write data in another form, or read an ONNX model.",
        "plainnet convert photos.zip --to npz --out photos.npz",
        "plainnet convert table.parquet --label price --to csv --out table",
        "plainnet convert network.onnx --out network.safetensors",
    ),
    "check": (
        LEARN,
        "Verify the gradients numerically; exit code 0 if all are right, 1 if one is wrong.",
        "plainnet check",
        "plainnet check --directions 20",
        "plainnet check results/model_final.safetensors --json check.json",
        "plainnet check --plot errors.png",
    ),
    "doctor": (
        LEARN,
        "Examine somebody else's backpropagation and say which line is wrong, and how.\n\n"
        "Exit code 0 if all is right, 1 if something is wrong, 2 if something could not be judged.",
        "plainnet doctor homework.py",
        "plainnet doctor homework.py --only ReLU --json findings.json",
        "plainnet doctor course/ notebook.ipynb --html findings.html",
        "plainnet doctor own.py --forward f --backward g --wrt W1,b1",
    ),
    "diagnose": (
        LEARN,
        "Say what went wrong in a training, by what evidence, and what to do.\n\nExit code 1 if something is an error.",
        "plainnet diagnose results",
        "plainnet diagnose results --verify",
        "plainnet diagnose history.csv --json findings.json",
    ),
    "lab": (
        LEARN,
        "Open a page to draw digits on, look inside the network, train it and watch.",
        "plainnet lab",
        "plainnet lab cnn",
        "plainnet lab results --port 8000 --no-browser",
    ),
    "report": (
        USE,
        "Write what came of trainings to one HTML file, with the network in it, to draw for.",
        "plainnet report results --out report.html",
        "plainnet report quick narrow --out compared.html --no-model",
    ),
    "recipes": (LEARN, "List the recipes, or show one.", "plainnet recipes", "plainnet recipes classic"),
    "bench": (
        MEASURE,
        "Time plainnet and its peers in turns, and print the ratios.",
        "plainnet bench --only classic",
        "plainnet bench --json records/bench.json",
    ),
    "series": (
        MEASURE,
        "Train a settled recipe with several seeds, on all training images, and keep a record of each run.\n\n"
        "The images that validate otherwise are trained on as well: there is nothing left to choose. Runs that are on "
        "record are not made again, and one that was interrupted goes on.",
        "plainnet series classic --seeds 0:3",
        "plainnet series classic --seeds 0:10 --out records",
    ),
    "sweep": (
        MEASURE,
        "Train a recipe with many settings, and find those that validate best.\n\n"
        "Every trial is judged by the validation examples. The same command resumes a sweep that was interrupted.",
        "plainnet sweep softmax --vary 'batch_size=int(16, 256)' --trials 4",
        "plainnet sweep table --data data.csv --vary 'layers.1.units=[64, 128]' --jobs 2",
    ),
    "ensemble": (
        USE,
        "Put the models of recorded runs together into one, and measure it.",
        "plainnet ensemble cnn --seeds 0:3",
    ),
    "records": (
        MEASURE,
        "List what is on record, and how often the test set was opened for it.",
        "plainnet records",
    ),
    "ladder": (
        MEASURE,
        "Print every recipe of the comparison, as the records have it.",
        "plainnet ladder",
        "plainnet ladder --json ladder.json --plot ladder.png",
    ),
    "preview": (
        LEARN,
        "Draw images as a recipe's augmentation changes them.",
        "plainnet preview cnn --out augmentation.png",
    ),
    "curves": (
        MEASURE,
        "Draw the training curves of several runs in one picture.",
        "plainnet curves quick results --out curves.png",
    ),
    "iterations": (
        MEASURE,
        "Train the original's six iterations, as described and done right, and draw them.\n\n"
        "Takes about half an hour; what is in the folder already is not trained again.",
        "plainnet iterations --out results",
    ),
}
app["--help"].group = app["--version"].group = Group("Options", sort_key=9)
for _name, (_group, _summary, *_examples) in _COMMANDS.items():
    app.command(
        f"plainnet.cli.{_name}:{_name}",
        name=_name,
        group=_group,
        help=_summary,
        help_epilogue="Examples:\n\n" + "\n\n".join(f"  {example}" for example in _examples),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 well, 1 a check failed, 2 bad input, 3 training diverged, 70 a fault of our own, 130 interrupted.
    """
    if sys.stdout is None:  # closed by whoever called us
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  (it is kept open until the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know few letters
    try:
        # What overflows is looked at where it matters, and answered in a sentence; a warning would say it twice.
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except UnknownCommandError as error:
        return _complain(_unknown(next(iter(error.unused_tokens or []), "")), BAD_INPUT)
    except CycloptsError as error:
        command = next((name for name in arguments or sys.argv[1:] if name in _COMMANDS), "")
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
        return _complain("there is not enough memory for this; choose a smaller network or batch", BAD_INPUT)
    except BrokenPipeError:  # the reader of our output has left, as `| head` does
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
                f"a layer of your own does not do what it should: {said}; see {_traceback(error)}", BAD_INPUT
            )
        said = f"plainnet has a fault of its own: {type(error).__name__}: {shown(error)}"
        return _complain(f"{said}; please report it with {_traceback(error)}", OUR_FAULT)
    return result if isinstance(result, int) else 0


def _unknown(name: str) -> str:
    """Say which commands there are, and which one was probably meant."""
    nearest = difflib.get_close_matches(name, _COMMANDS, n=1, cutoff=0.5)
    meant = f"; did you mean {nearest[0]}?" if nearest else "."
    return f"there is no command {shown(name, 40)}{meant} The commands are {', '.join(_COMMANDS)}; see plainnet --help"


def _traceback(error: BaseException) -> str:
    """Write the traceback of an error to a file, and return where it is."""
    file, name = tempfile.mkstemp(prefix="plainnet-fault-", suffix=".txt", text=True)
    with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as report:
        report.write(f"plainnet {__version__}, Python {sys.version}, {sys.platform}\n{' '.join(sys.argv)}\n\n")
        report.write("Traceback\n" + "".join(traceback.format_tb(error.__traceback__)))
        report.write(f"{type(error).__name__}: {shown(error)}\n")
    return name


def _complain(sentence: str, code: int) -> int:
    if sys.argv[1:2] == ["train"]:
        from plainnet.mpi.launcher import rank_by_environment

        if rank_by_environment()[0] > 0:  # the first says it
            return code
    if sys.stderr is not None:
        say(f"plainnet: {shown(sentence, _LONGEST)}", to=sys.stderr)
    return code


def _end(number: int, _: object) -> NoReturn:
    raise TrainingInterruptedError(number, "stopped before it was done")


def run() -> None:
    """Run the command line and leave with its exit code; what asks us to end lets us clean up first."""
    for name in ("SIGTERM", "SIGHUP"):  # the latter is unknown to Windows
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(getattr(signal, name), _end)
    sys.exit(main())
