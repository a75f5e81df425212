"""`plainnet`: the commands, and how every one of them fails, in one sentence and without a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError

from plainnet import __version__
from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError

BAD_INPUT, DIVERGED, INTERRUPTED, READER_LEFT = 2, 3, 130, 141  # a signal's number + 128 where one ended it

app = App(
    name="plainnet",
    help="A neural network in plain NumPy: train it, check its gradients, use it.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    help_epilogue="Start with: plainnet train --epochs 5 --out quick",
)

_COMMANDS = {  # name: what it does, and examples; its function, of the same name, is imported when it is called
    "train": (
        "Train a recipe on MNIST and write the model, figures and pictures to a folder.",
        "plainnet train",
        "plainnet train classic --epochs 5 --out quick",
        "plainnet train --resume quick",
        "plainnet train --limit 5000 --set optimizer.momentum=0.8 --set layers.1.units=256",
    ),
    "evaluate": (
        "Measure a saved model on the test images.",
        "plainnet evaluate results/model_final.safetensors",
        "plainnet evaluate results/model_final.safetensors --data-dir fashion --json figures.json",
    ),
    "predict": (
        "Tell what is drawn in pictures: dark on light or light on dark, of any size.",
        "plainnet predict results/model_final.safetensors seven.png",
        "plainnet predict results/model_final.safetensors scans/*.jpg --json answers.json",
    ),
    "check": (
        "Verify the gradients numerically; exit code 0 if all are right, 1 if one is wrong.",
        "plainnet check",
        "plainnet check --directions 20",
        "plainnet check results/model_final.safetensors --json check.json",
        "plainnet check --plot errors.png",
    ),
    "doctor": (
        "Examine somebody else's backpropagation and say which line is wrong, and how.\n\n"
        "Exit code 0 if all is right, 1 if something is wrong, 2 if something could not be judged.",
        "plainnet doctor homework.py",
        "plainnet doctor homework.py --only ReLU --json findings.json",
    ),
    "diagnose": (
        "Say what went wrong in a training, by what evidence, and what to do.\n\nExit code 1 if something is an error.",
        "plainnet diagnose results",
        "plainnet diagnose results --verify",
        "plainnet diagnose history.csv --json findings.json",
    ),
    "recipes": ("List the recipes, or show one.", "plainnet recipes", "plainnet recipes classic"),
    "bench": (
        "Time plainnet and its peers in turns, and print the ratios.",
        "plainnet bench --only classic",
        "plainnet bench --json records/bench.json",
    ),
    "series": (
        "Train a settled recipe with several seeds, on all training images, and keep a record of each run.\n\n"
        "The images that validate otherwise are trained on as well: there is nothing left to choose. Runs that are on "
        "record are not made again, and one that was interrupted goes on.",
        "plainnet series classic --seeds 0:3",
        "plainnet series classic --seeds 0:10 --out records",
    ),
    "ensemble": (
        "Put the models of recorded runs together into one, and measure it.",
        "plainnet ensemble cnn --seeds 0:3",
    ),
    "records": (
        "List what is on record, and how often the test set was opened for it.",
        "plainnet records",
    ),
    "ladder": (
        "Print every recipe of the comparison, as the records have it.",
        "plainnet ladder",
        "plainnet ladder --json ladder.json --plot ladder.png",
    ),
    "preview": (
        "Draw images as a recipe's augmentation changes them.",
        "plainnet preview cnn --out augmentation.png",
    ),
    "curves": (
        "Draw the training curves of several runs in one picture.",
        "plainnet curves quick results --out curves.png",
    ),
    "iterations": (
        "Train the original's six iterations, as described and done right, and draw them.\n\n"
        "Takes about half an hour; what is in the folder already is not trained again.",
        "plainnet iterations --out results",
    ),
}
for _name, (_summary, *_examples) in _COMMANDS.items():
    app.command(
        f"plainnet.cli.{_name}:{_name}",
        name=_name,
        help=_summary,
        help_epilogue="Examples:\n\n" + "\n\n".join(f"  {example}" for example in _examples),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 well, 1 a check failed, 2 bad input, 3 training diverged."""
    if sys.stdout is None:  # closed by whoever called us
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  (it is kept open until the end)
    try:
        result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        return _complain(f"{' '.join(str(error).split()).rstrip('.')}. See plainnet --help.", BAD_INPUT)
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
    return result if isinstance(result, int) else 0


def _complain(sentence: str, code: int) -> int:
    print(f"plainnet: {sentence}", file=sys.stderr)
    return code


def run() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(main())
