"""`plainnet predict`: read the digits in pictures, or apply a model to the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plainnet.cli.output_files import check_ending
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.model import Model
from plainnet.model_file import load_model
from plainnet.writing import to_json, write_atomically

if TYPE_CHECKING:
    from plainnet.sources.answers import Answer

_MOST_ROWS = 20  # how many rows of a table are printed; the --json file gets all


def predict(
    model: Path,
    image: Path,
    /,
    *images: Path,
    json: Path | None = None,
    show: Path | None = None,
    explain: Path | None = None,
    certain: float | None = None,
    sets: float | None = None,
    layers: Path | None = None,
) -> None:
    """Read the digits in each picture, or apply the model to each row of a table.

    A digit model reads any picture, dark on light or light on dark: the paper, frames and lines are removed, and each
    digit is cropped, scaled and centered as in MNIST. Digits on one line are read as a number. The command says so if
    it finds no digit or the model is not sure. Other models take pictures like those they were trained on, or rows of
    CSV or NPZ files.

    Parameters
    ----------
    model
        A model_final.safetensors file, a results folder, or the name of a model that comes with plainnet: cnn.
    image
        A picture, a folder of pictures, a pattern such as scans/*.png, or a CSV, NPZ or Parquet file of rows.
    images
        More pictures, folders, patterns or files.
    json
        Also write the answers, with the probability of every class, to this file.
    show
        Draw each picture with its answer to this PNG file.
    certain
        Answer only if certain, so that at least this fraction of the answers, such as 0.999, is right.
        Otherwise answer "not sure".
        This holds for inputs like the data that the model was calibrated on.
    sets
        Answer with a set of classes that contains the right class in at least this fraction of cases, such as 0.999.
    explain
        Draw how the first picture is prepared for the network, step by step, to this PNG file.
    layers
        A Python file with your own layers, which the model uses. It is executed.
    """
    check_ending(json, ".json", "--json", model, image, *images)
    check_ending(show, ".png", "--show", model, image, *images)
    check_ending(explain, ".png", "--explain", model, image, *images)
    from plainnet.sources.answers import answer
    from plainnet.sources.inputs import holds_rows
    from plainnet.sources.picture_folders import is_picture

    loaded = load_model(model, layers=read_layers(layers))
    if (certain is not None or sets is not None) and loaded.kind != "classes":
        raise InputError("--certain and --sets are for models that predict classes; leave them out")
    least = 0.0 if certain is None else loaded.sure_of(certain)
    enough = None if sets is None else loaded.of_sets(sets)
    answers: list[tuple[Path, Answer]] = []
    tables: list[dict[str, Any]] = []
    troubles = []
    try:
        for path in _files((image, *images)):
            try:
                if not path.exists() and not is_picture(path):
                    raise InputError(f"there is no file {path}; give the path of a picture, or of a table of rows")
                if holds_rows(path):
                    _rows(loaded, path, tables, least, enough)
                    continue
                said = answer(loaded, path, least)
            except InputError as error:
                troubles.append(str(error))
                continue
            answers.append((path, said))
            shares = None if said.shares is None else dict(zip(said.names, said.shares.tolist(), strict=True))
            tables.append(said.to_table() | _set(shares, enough))
            say(_sentence(said, loaded) + _set_told(tables[-1]))
        if answers and loaded.kind == "classes" and not loaded.calibrated:
            say("the model is not calibrated: it cannot tell how sure it is")
    finally:  # also if the reader of the output has closed the pipe
        if json is not None and tables:
            write_atomically(json, to_json(tables))
    if show is not None or explain is not None:
        _draw(answers, show, explain)
    if troubles:  # the other files have been answered
        raise InputError("\n".join(troubles) if len(troubles) == 1 else f"{len(troubles)} files: {'; '.join(troubles)}")


def _files(given: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the files to read: the given ones, the pictures in folders, and the files that patterns match.

    Raises: `InputError` for a folder without pictures, or a pattern that matches nothing.
    """
    from plainnet.sources.picture_folders import is_picture

    for path in given:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if is_picture(p) and p.is_file())
            if not found:
                raise InputError(
                    f"{path} holds no pictures; give a folder with PNG, JPEG or similar files, or the path of a table"
                )
            yield from found
        elif any(sign in str(path) for sign in "*?[") and not path.exists():
            found = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor) if path.anchor else path)))
            if not found:
                raise InputError(f"no file matches {path}; give the path of a picture")
            yield from found
        else:
            yield path


def _sentence(said: Answer, model: Model) -> str:
    """Return the answer for a picture in one line."""
    import numpy as np

    from plainnet.evaluation import as_percent

    if not said.names:
        return f"{said.file}: {said.answer}"
    if said.several:
        assert said.shares is not None
        shares = ", ".join(f"{shown(n, 40)} {as_percent(p)}" for n, p in zip(said.names[:8], said.shares, strict=False))
        return f"{said.file}: {shown(said.answer, 200)}  ({shares})"
    parts = []
    if said.shares is not None and len(said.digits) < 2:
        first, *others = np.argsort(-said.shares)[:2]
        second = "".join(f"; next {shown(said.names[k], 40)}, {as_percent(said.shares[k])}" for k in others)
        guess = "" if said.reason is None else f"perhaps {shown(said.names[first], 40)}, "
        parts = [f"{guess}{as_percent(said.shares[first])}{second}"]
    elif said.digits:
        read = "".join(digit["answer"] if digit["sure"] else "?" for digit in said.digits)
        parts = [f"{len(said.digits)} digits, the least sure {as_percent(min(d['confidence'] for d in said.digits))}"]
        parts = parts if said.answer else [f"read as {read}"]
    told = shown(said.answer, 60) if said.answer is not None else f"no answer: {said.reason}"
    return f"{said.file}: {told}" + (f"  ({parts[0]})" if parts else "")


def _set(shares: dict[str, float] | None, enough: float | None) -> dict[str, Any]:
    """Return the likeliest class and all others with enough probability, if sets are wanted."""
    if enough is None:
        return {}
    if shares is None:
        return {"set": None}
    best = max(shares, key=shares.__getitem__)
    return {"set": [name for name, share in shares.items() if share >= enough or name == best]}


def _set_told(table: dict[str, Any]) -> str:
    return "  {" + ", ".join(shown(name, 40) for name in table["set"]) + "}" if table.get("set") else ""


def _rows(
    model: Model, path: Path, answers: list[dict[str, Any]], least: float = 0.0, enough: float | None = None
) -> None:
    """Apply the model to every row of a table, collect all answers as plain values, and print the first ones."""
    from plainnet.evaluation import as_percent
    from plainnet.sources.inputs import inputs_from

    notes: list[str] = []
    inputs = inputs_from(path, model, notes)
    for note in notes[:10]:
        say(note)
    tables: list[dict[str, Any]] = []
    if not model.class_names:
        for row, numbers in enumerate(model.network.logits(inputs).tolist()):
            tables.append({"file": str(path), "row": row, "answer": numbers[0] if len(numbers) == 1 else numbers})
        lines = [f"{path}, row {t['row']:,}: {_number(t['answer'])}" for t in tables[:_MOST_ROWS]]
    elif model.kind == "labels":
        for row, of_row in enumerate(model.shares(inputs)):
            by_name = dict(zip(model.class_names, of_row.tolist(), strict=True))
            given = [name for name, share in by_name.items() if share > 0.5]
            tables.append({"file": str(path), "row": row, "answer": given, "reason": None, "probabilities": by_name})
        lines = [
            f"{path}, row {t['row']:,}: {shown(', '.join(t['answer']) or 'none', 80)}  ("
            + ", ".join(f"{shown(n, 30)} {as_percent(p)}" for n, p in list(t["probabilities"].items())[:8])
            + ")"
            for t in tables[:_MOST_ROWS]
        ]
    else:
        shares = model.shares(inputs, model.test_shifts)
        for row, of_row in enumerate(shares):
            best = int(of_row.argmax())
            sure = of_row[best] >= max(least, model.thresholds[best] if model.calibrated else 0.0)
            answer = model.class_names[best] if sure else None
            by_name = dict(zip(model.class_names, of_row.tolist(), strict=True))
            told = {"file": str(path), "row": row, "answer": answer, "prediction": model.class_names[best]}
            told |= {"reason": None if sure else "not sure", "probabilities": by_name}
            tables.append(told | _set(by_name, enough))
        lines = [
            f"{path}, row {t['row']:,}: {shown(t['prediction'], 40)}  "
            f"({as_percent(t['probabilities'][t['prediction']])}"
            f"{'' if t['answer'] else ', not sure'}){_set_told(t)}"
            for t in tables[:_MOST_ROWS]
        ]
    answers += tables
    for line in lines[:_MOST_ROWS]:
        say(line)
    if len(tables) > _MOST_ROWS:
        say(f"... {len(tables):,} rows in all; --json FILE.json writes every answer")


def _number(answer: float | list[float]) -> str:
    return ", ".join(f"{value:.6g}" for value in (answer if isinstance(answer, list) else [answer]))


def _draw(answers: list[tuple[Path, Answer]], show: Path | None, explain: Path | None) -> None:
    from plainnet.pictures.answers import answers_drawn, steps_drawn
    from plainnet.pictures.style import png

    if not answers:
        raise InputError("there is no picture to draw; give at least one that can be read")
    if show is not None:
        write_atomically(show, png(answers_drawn([said for _, said in answers])))
    if explain is not None:
        write_atomically(explain, png(steps_drawn(answers[0][1])))
