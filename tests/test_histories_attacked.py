"""Histories that were read wrongly, or took too long, when someone looked for such: ordinary lines and odd ones."""

import contextlib
import json
import signal

import pytest

from plainnet import InputError
from plainnet.checks.histories.reading import read_history

LOSS, VALIDATION_LOSS = (1.0, 0.55, 0.4, 0.325, 0.28), (1.2, 0.7, 0.533, 0.45, 0.4)
ACCURACY, VALIDATION = (0.5, 0.55, 0.6, 0.65, 0.7), (0.45, 0.5, 0.55, 0.58, 0.6)
ROWS = tuple(zip(range(1, 6), LOSS, VALIDATION_LOSS, ACCURACY, VALIDATION, strict=True))
NAMES = {"t": "train_loss", "v": "validation_loss", "a": "train_accuracy", "b": "validation_accuracy"}
CURVES = {"train": {"loss": LOSS, "acc": ACCURACY}, "val": {"loss": VALIDATION_LOSS, "acc": VALIDATION}}
TABLE = "<table><tr><th>Step</th><th>Training Loss</th><th>Validation Loss</th></tr>" + "".join(
    f"<tr><td>{100 * n}</td><td>{t}</td><td>{v}</td></tr>" for n, t, v, _, _ in ROWS
)


def lines(form):
    """Return a line for each epoch."""
    return "".join(form.format(n=n, t=t, v=v, a=a, b=b) + "\n" for n, t, v, a, b in ROWS)


def notebook(**data):
    return json.dumps(
        {"cells": [{"outputs": [{"data": {name.replace("_", "/"): text for name, text in data.items()}}]}]}
    )


READ = {  # the text, and which figures it holds
    "parts in brackets": ("tv", lines("Epoch {n}: loss (train): {t}, loss (val): {v}")),
    "parts and accuracies in brackets": ("tavb", lines(
        "Epoch {n}: loss (training) = {t}, accuracy (training) = {a}, loss (validation) = {v}, accuracy (validation) = {b}")),
    "a configuration beside the parts": ("tavb", json.dumps({"config": {"lr": 0.1}, **CURVES})),
    "figures of a test beside the parts": ("tavb", json.dumps({"test": {"loss": 0.3, "acc": 0.8}, **CURVES})),
    "decimal commas": ("tv", lines("Epoch {n} - loss: {t:.4f} - val_loss: {v:.4f}").replace(".", ",")),
    "decimal commas in a table": ("t", "epoch;loss\n" + lines("{n};{t:.4f}").replace(".", ",")),
    "top-1 and top-5": ("ta", lines("Epoch {n} loss: {t} acc: {a}/0.99")),
    "figures before names, with bars": ("ta", lines("epoch {n} | {t:.3f} loss | {a:.3f} acc")),
    "figures before names": ("ta", lines("epoch {n}: {t:.3f} loss {a:.3f} acc")),
    "the best so far": ("tvb", lines("Epoch {n} train_loss {t} val_loss {v} val_acc {b} best acc 0.800")),
    "the best loss so far": ("v", lines("Epoch {n}: val_loss {v}, best loss 0.325")),
    "per epoch": ("t", lines("Average loss per epoch: {t:.4f}")),
    "this epoch": ("tv", lines("Train loss this epoch: {t}\nValidation loss this epoch: {v}")),
    "seconds per epoch": ("tv", lines("Epoch {n} train loss: {t}\nSeconds per epoch: 31.2\nval loss: {v}")),
    "numbers of examples": ("ta", "Train samples: 50000\nTest samples: 10000\n" + lines("loss: {t} acc: {a}")),
    "a configuration in YAML": ("t", "evals:\n" + "  - path: a\n" * 9 + lines("ITER {n} loss: {t}")),
    "time of an evaluation": ("ta", lines("loss {t} acc {a}\nEvaluation took 3 s")),
    "parts with dashes": ("tavb", lines("Epoch {n} | Train - loss: {t}, acc: {a} | Val - loss: {v}, acc: {b}")),
    "parts with braces": ("tv", lines("Epoch {n} Train {{loss: {t}}} Val {{loss: {v}}}")),
    "parts in dictionaries": ("tv", lines("{{'epoch': {n}, 'train': {{'loss': {t}}}, 'val': {{'loss': {v}}}}}")),
    "the epoch comes last": ("tv", lines("Training loss: {t}\nValidation loss: {v}\nEpoch {n} completed")),
    "a header behind a mark": ("tv", "# epoch val_loss train_loss\n" + lines("{n} {v} {t}")),
    "footers": ("tv", "epoch,train_loss,val_loss\n" + lines("{n},{t},{v}") + "best,5.0,7.0\nmean,0.9,0.9\n"),
    "two tables": ("tv", "epoch,train_loss\n" + lines("{n},{t}") + "\nepoch,val_loss\n" + lines("{n},{v}")),
    "bold cells": ("tv", "| epoch | loss | val_loss |\n|---|---|---|\n" + lines("| {n} | {t} | **{v}** |")),
    "a table of steps in a notebook": ("tv", notebook(text_html=[TABLE, "</table>"], text_plain=["<IPython.core.display.HTML object>"])),
    "a frame printed in a notebook": ("tv", notebook(text_plain=["   loss  val_loss\n", *lines("{n}  {t}  {v}").splitlines(keepends=True)])),
    "epochs in words": ("tv", "epoch,loss,val_loss\n" + lines("Epoch {n},{t},{v}")),
    "one bar over all epochs": ("tv", lines("{n}/5 [00:01<00:01, loss={t}, val_loss={v}]").replace("\n", "\r") + "\n"),
    "old line ends": ("tv", ("epoch,loss,val_loss\n" + lines("{n},{t},{v}")).replace("\n", "\r")),
    "German in ASCII": ("ta", lines("Epoche {n}/5 - Verlust: {t} - Genauigkeit: {a}")),
    "Russian": ("ta", lines("Эпоха {n}: функция потерь = {t}, точность = {a}")),
    "tuples": ("tv", str({"loss": LOSS, "val_loss": VALIDATION_LOSS})),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_was_read_wrongly_is_read(tmp_path, name):
    figures, text = READ[name]
    (tmp_path / "latest_accumulated.txt").write_text(text, newline="")
    read = read_history(tmp_path / "latest_accumulated.txt")
    assert read.runs == 1
    expected = dict(zip("tvab", (LOSS, VALIDATION_LOSS, ACCURACY, VALIDATION), strict=True))
    for letter, figure in NAMES.items():
        assert getattr(read.curves, figure) == pytest.approx(expected[letter] if letter in figures else ()), figure


LETTERS = [a + b + c for a in "abcdefghij" for b in "abcdefghij" for c in "abcdefghij"]
SLOW = {
    "short runs of lines": "".join(lines("Epoch {n} step 7 loss: {t}") + "Validation loss: 0.5\n" for _ in range(5000)),
    "long runs of lines": "".join(
        "".join(f"step {i} loss: 0.5\n" for i in range(600)) + "val loss: 0.4\n" for _ in range(300)
    ),
    "blank lines": "\n" * 100_000,
    "blanks": "1" + " " * 60_000 + "x",
    "blanks after a letter": "\u00e9" + " " * 150_000,
    "many names in rows": json.dumps([{name: 1} for name in LETTERS] + [{"loss": 1}] * 30_000),
    "many names in lines": "".join(f"loss: 1.5\n{name}loss: 1.5\n" for name in LETTERS),
    "many columns": "loss," * 4999 + "a\n" + ("1," * 4999 + "1\n") * 20 + "1\n" * 20_000,
    "prose": "lorem ipsum dolor sit amet consetetur sadipscing elitr\n" * 40_000,
    "tables that do not end": "<table " * 100_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_nothing_takes_quadratic_time(tmp_path, name):
    (tmp_path / "h.txt").write_text(SLOW[name])
    signal.alarm(120)  # reading takes a second; it once took minutes
    try:
        with contextlib.suppress(InputError):
            read_history(tmp_path / "h.txt")
    finally:
        signal.alarm(0)


@pytest.mark.parametrize(
    "text",
    [
        "[0.9, 0.8],\n[0.7, 0.6]\n",
        "<table><tr><td>a<![</td></tr></table>",
        "<table><tr><td><![foo[ x ]]></td></tr></table>",
    ],
)
def test_odd_texts_are_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "h.txt").write_text(text)
    with pytest.raises(InputError, match="holds no losses"):
        read_history(tmp_path / "h.txt")
