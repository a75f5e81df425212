"""The table of commands: what each does, and examples; the function of a command is imported when it is called."""

from __future__ import annotations

from cyclopts import App, Group

LEARN, USE, MEASURE = (Group(name, sort_key=place) for place, name in enumerate(("Learn", "Use", "Measure")))

COMMANDS: dict[
    str, tuple[Group, str, *tuple[str, ...]]
] = {  # name: group, summary, examples; the function of the same name is imported when it is called
    "train": (
        LEARN,
        "Train a recipe on MNIST or on your own data. Write the model, metrics and plots to a folder.",
        "plainnet train",
        "plainnet train classic --epochs 5 --out quick",
        "plainnet train --data flowers.csv --out flowers",
        "plainnet train --data photos/ --folds 5",
        "plainnet train --resume quick",
        "plainnet train --limit 5000 --set optimizer.momentum=0.8 --set layers.1.units=256",
    ),
    "evaluate": (
        USE,
        "Measure the accuracy of a saved model on the test part of its data, or on other data.",
        "plainnet evaluate cnn",
        "plainnet evaluate results/model_final.safetensors",
        "plainnet evaluate results/model_final.safetensors --data fashion --json figures.json",
    ),
    "predict": (
        USE,
        "Read the digits in pictures (photographs, scans, drawings), or apply a model to the rows of a table.",
        "plainnet predict cnn examples/digits/seven.png",
        "plainnet predict results/model_final.safetensors scans/ --json answers.json --show answers.png",
        "plainnet predict results/model_final.safetensors new_rows.csv --json answers.json",
    ),
    "stress": (
        USE,
        "Measure the accuracy of an image classifier on corrupted images and under attack.",
        "plainnet stress cnn --out stress.png --json stress.json",
    ),
    "look": (
        LEARN,
        "Show what is in your own data, and what looks odd, before you train.",
        "plainnet look flowers.csv --out look.png",
        "plainnet look photos/ --quick",
    ),
    "export": (
        USE,
        "Export a model to ONNX, PyTorch, plain NumPy or JavaScript.",
        "plainnet export cnn --to onnx --out cnn.onnx",
        "plainnet export results/model_final.safetensors --to numpy --out digits.py",
        "plainnet export cnn --to js --out digits.js",
        "plainnet export results/model_final.safetensors --to onnx --precision int8 --out small.onnx",
    ),
    "convert": (
        USE,
        "Convert data to another format, or an ONNX model to a plainnet model.",
        "plainnet convert photos.zip --to npz --out photos.npz",
        "plainnet convert table.parquet --label price --to csv --out table",
        "plainnet convert network.onnx --out network.safetensors",
    ),
    "check": (
        LEARN,
        "Verify the gradients of a network numerically.\n\nExit code 0 if all are right, 1 if one is wrong.",
        "plainnet check",
        "plainnet check --directions 20",
        "plainnet check results/model_final.safetensors --json check.json",
        "plainnet check --plot errors.png",
    ),
    "doctor": (
        LEARN,
        "Find the bugs in backpropagation code: which line is wrong, and how.\n\n"
        "Exit code 0 if all is right, 1 if something is wrong, 2 if something could not be judged.",
        "plainnet doctor homework.py",
        "plainnet doctor homework.py --only ReLU --json findings.json",
        "plainnet doctor course/ notebook.ipynb --html findings.html",
        "plainnet doctor own.py --forward f --backward g --wrt W1,b1",
    ),
    "diagnose": (
        LEARN,
        "Explain what went wrong in a training run: the evidence, and what to do.\n\nExit code 1 if it found an error.",
        "plainnet diagnose results",
        "plainnet diagnose results --verify",
        "plainnet diagnose history.csv --json findings.json",
    ),
    "lab": (
        LEARN,
        "Open a web page where you draw digits, look inside the network, and watch it train.",
        "plainnet lab",
        "plainnet lab cnn",
        "plainnet lab results --port 8000 --no-browser",
    ),
    "report": (
        USE,
        "Write the results of training runs to one HTML file. It contains the network, so that you can draw digits and "
        "see its answers.",
        "plainnet report results --out report.html",
        "plainnet report quick narrow --out compared.html --no-model",
    ),
    "course": (
        LEARN,
        "Learn how networks work: lessons to read, and exercises that are graded automatically.",
        "plainnet course list",
        "plainnet course start 1 --into lesson1",
        "plainnet course check lesson1/one-step.py",
    ),
    "recipes": (LEARN, "List the recipes, or show one.", "plainnet recipes", "plainnet recipes classic"),
    "bench": (
        MEASURE,
        "Compare the speed of plainnet with PyTorch, scikit-learn and ONNX Runtime.",
        "plainnet bench --only classic",
        "plainnet bench --json records/bench.json",
    ),
    "series": (
        MEASURE,
        "Train a recipe with several seeds, on all training images, and keep a record of each run.\n\n"
        "No validation set is needed, because the recipe is fixed. Runs that are already on record are skipped; an "
        "interrupted run resumes.",
        "plainnet series classic --seeds 0:3",
        "plainnet series classic --seeds 0:10 --out records",
    ),
    "sweep": (
        MEASURE,
        "Train a recipe with many settings, and find the settings with the best validation result.\n\n"
        "The same command resumes an interrupted sweep.",
        "plainnet sweep softmax --vary 'batch_size=int(16, 256)' --trials 4",
        "plainnet sweep table --data data.csv --vary 'layers.1.units=[64, 128]' --jobs 2",
    ),
    "ensemble": (
        USE,
        "Combine the models of recorded runs into one, and measure its test accuracy.",
        "plainnet ensemble cnn --seeds 0:3",
        "plainnet ensemble cnn mlp-augmented --seeds 0:2",
    ),
    "records": (
        MEASURE,
        "List the recorded runs, and how often the test set was used for each recipe.",
        "plainnet records",
    ),
    "ladder": (
        MEASURE,
        "Print the accuracy, size and training time of every recipe on record.",
        "plainnet ladder",
        "plainnet ladder --json ladder.json --plot ladder.png",
    ),
    "preview": (
        LEARN,
        "Draw images before and after a recipe's augmentation.",
        "plainnet preview cnn --out augmentation.png",
    ),
    "curves": (
        MEASURE,
        "Plot the training curves of several runs in one image.",
        "plainnet curves quick results --out curves.png",
    ),
    "iterations": (
        MEASURE,
        "Repeat the six experiments of the report that claimed 94.25 %, with its fault and without, and plot the "
        "results.\n\nTakes about half an hour. Experiments that are already in the folder are not repeated.",
        "plainnet iterations --out results",
    ),
}
PARTS: dict[str, dict[str, tuple[str, str]]] = {  # commands within a command: their functions, and what they do
    "course": {
        "list": ("course:listing", "List the lessons and their exercises."),
        "start": ("course:start", "Write a lesson to a folder, as a notebook, with a file for each exercise."),
        "check": ("course:check", "Check answers; exit code 0 if all are right, 1 if one is wrong."),
        "hint": ("course:hint", "Show a hint for an exercise."),
        "solution": ("course:solution", "Show a correct solution to an exercise."),
        "make": ("teaching:make", "Make the files of an assignment for a class."),
        "grade": ("teaching:grade", "Grade the submissions of a class."),
    },
}


def register(app: App) -> None:
    """Add all commands to a program."""
    for name, (group, summary, *examples) in COMMANDS.items():
        shown = "Examples:\n\n" + "\n\n".join(f"  {example}" for example in examples)
        if name not in PARTS:
            app.command(f"plainnet.cli.{name}:{name}", name=name, group=group, help=summary, help_epilogue=shown)
            continue
        parts = App(name=name, group=group, help=summary, help_epilogue=shown, help_format="plaintext")
        app.command(parts)
        for part, (function, does) in PARTS[name].items():
            parts.command(f"plainnet.cli.{function}", name=part, help=does, help_epilogue="")
