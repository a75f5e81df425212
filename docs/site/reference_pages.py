"""The pages to look up: every command from its --help, every public name from its docstring, in docs/reference/, which is not committed."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import plainnet
from plainnet.cli.commands import COMMANDS, PARTS

DOCS = Path(__file__).parent.parent
_GROUPS = {"The network": ("Network", "Model", "load_model", "save_model"),
           "Layers": ("Layer", "Parameter", "Dense", "Conv2D", "MaxPool", "Flatten", "ReLU", "Sigmoid", "Tanh", "BatchNorm", "Dropout"),
           "Losses": ("SoftmaxCrossEntropy", "BinaryCrossEntropy", "MeanSquaredError", "Huber"),
           "Training": ("Training", "fit", "epochs", "evaluate", "SGD", "Adam", "LARS", "step_decay", "Stopping", "Stop", "Batch", "Epoch"),
           "Data": ("DataSet", "mnist", "read_idx"),
           "Checks": ("check_gradients", "assert_gradients", "Report", "input_gradient"),
           "Errors": ("InputError", "TrainingDivergedError")}  # fmt: skip


def write_pages(app):
    """Write both pages."""
    folder = DOCS / "reference"
    folder.mkdir(exist_ok=True)
    (folder / "commands.md").write_text(commands(), encoding="utf-8")
    (folder / "api.md").write_text(public_names(), encoding="utf-8")


def commands():
    """Return the page of commands: what each prints with --help, at 80 columns."""
    parts = ["# Commands\n\nWhat each command prints with `--help`.\n"]
    names = [[name] for name in COMMANDS]
    names += [[name, part] for name, found in PARTS.items() for part in found]
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1"}
    for words in names:
        command = [sys.executable, "-m", "plainnet", *words, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        told = done.stdout.replace(f"{Path(sys.executable)} -m plainnet", "plainnet")
        parts.append(f"## plainnet {' '.join(words)}\n\n```text\n{told.strip()}\n```\n")
    return "\n".join(parts)


def public_names():
    """Return the page of public names, by group."""
    listed = [name for group in _GROUPS.values() for name in group]
    assert sorted(listed) == sorted(plainnet.__all__), set(listed) ^ set(plainnet.__all__)
    parts = [
        "# Public names\n\nWhat `import plainnet` offers. N is the batch size, D the features of an example, M the units, K the classes.\n"
    ]
    for group, names in _GROUPS.items():
        parts.append(f"## {group}\n")
        for name in names:
            thing = getattr(plainnet, name)
            parts.append(
                f"### {name}\n\n```python\n{_signature(name, thing)}\n```\n\n{as_markdown(inspect.getdoc(thing) or '')}\n"
            )
    return "\n".join(parts)


def _signature(name, thing):
    if inspect.ismodule(thing):
        return f"from plainnet import {name}"
    try:
        signature = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return name
    signature = re.sub(r" at 0x[0-9a-f]+", "", re.sub(r"plainnet\.[\w.]+\.(\w+)", r"\1", signature)).replace("'", "")
    if len(name) + len(signature) > 88:  # an argument a line
        arguments, _, returned = signature[1:].rpartition(")")
        listed = re.split(r", (?![^\[(]*[\])])", arguments)
        signature = "(\n" + "".join(f"    {one},\n" for one in listed) + f"){returned}"
    return f"{name}{signature}"


def as_markdown(docstring):
    """Return a docstring as Markdown: formulas as they stand, examples as code."""
    parts = []
    for paragraph in docstring.split("\n\n"):
        lines = paragraph.split("\n")
        if any(line.lstrip().startswith(">>>") for line in lines):
            first = next(k for k, line in enumerate(lines) if line.lstrip().startswith(">>>"))
            head, code = "\n".join(lines[:first]), inspect.cleandoc("\n".join(lines[first:]))
            parts += [_escaped(head)] if head.strip() else []
            parts.append(f"```pycon\n{code}\n```")
        elif all(line.startswith("    ") for line in lines):
            parts.append("```text\n" + inspect.cleandoc(paragraph) + "\n```")
        else:
            parts.append(_escaped(paragraph))
    return "\n\n".join(parts)


def _escaped(text):
    """Return a text with the signs of Markdown and HTML taken literally, but for names in backquotes."""
    pieces = re.split(r"(`[^`]+`)", text)
    escaped = [p if p.startswith("`") else re.sub(r"([*_<>\[\]$\\|#])", r"\\\1", p) for p in pieces]
    return re.sub(
        r"^(Shapes|Gradients?|Arguments?|Raises|Sources?|Example|Attributes)([^:\n]*):",
        r"**\1\2:**",
        "".join(escaped),
        flags=re.MULTILINE,
    )


def setup(app):
    """Have the pages written before they are read."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
