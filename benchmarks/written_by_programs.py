"""Let other programs write their histories, and see whether `plainnet diagnose` reads from them what they hold.

`python benchmarks/written_by_programs.py [--only NAME] [--record records/histories_written.json]`. Each writer trains
something tiny with one program and returns the file that it left, with the figures as the program itself has them. A
program that is not installed is left out: pip install keras lightning transformers accelerate ultralytics fastai
scikit-learn xgboost lightgbm catboost tensorboard pandas tqdm torch mlflow-skinny spacy.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import io
import json
import os
import sys
import tempfile
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

os.environ |= {"KERAS_BACKEND": "torch", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "1"}
from plainnet.checks.histories.reading import read_history
from plainnet.runs.environment import hardware, versions
from plainnet.writing import to_json, write_atomically

Figures = dict[str, Sequence[float]]
Written = tuple[Path, Figures]
WRITERS: dict[str, tuple[str, Callable[[Path], Written]]] = {}  # by name: the program it needs, and the writer
_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(240, 6)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(np.int64)


def writer(name: str, needs: str) -> Callable[[Callable[[Path], Written]], Callable[[Path], Written]]:
    """Return what enters a writer under its name."""

    def enter(write: Callable[[Path], Written]) -> Callable[[Path], Written]:
        WRITERS[name] = (needs, write)
        return write

    return enter


def _keras(folder: Path, *callbacks: Any, verbose: int = 0, epochs: int = 4) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(X, Y, validation_split=0.25, epochs=epochs, verbose=verbose, callbacks=list(callbacks))


def _of_keras(history: Any) -> Figures:
    names = {"loss": "train_loss", "accuracy": "train_accuracy", "val_loss": "validation_loss", "val_accuracy": "validation_accuracy"}  # fmt: skip
    return {ours: history.history[theirs] for theirs, ours in names.items()}


def _csv_logger(separator: str, name: str, append: bool = False) -> Callable[[Path], Written]:
    def write(folder: Path) -> Written:
        import keras

        for _ in range(1 + append):
            history = _keras(folder, keras.callbacks.CSVLogger(str(folder / name), separator=separator, append=append))
        return folder / name, _of_keras(history)

    return write


WRITERS["Keras: CSVLogger, training.log"] = "keras", _csv_logger(",", "training.log")
WRITERS["Keras: CSVLogger, tabs"] = "keras", _csv_logger("\t", "training.csv")
WRITERS["Keras: CSVLogger, semicolons, .txt"] = "keras", _csv_logger(";", "history.txt")
WRITERS["Keras: CSVLogger, two runs appended"] = "keras", _csv_logger(",", "log.csv", append=True)


@writer("Keras: History.history as JSON", "keras")
def _keras_json(folder: Path) -> Written:
    history = _keras(folder)
    (folder / "history.json").write_text(json.dumps(history.history))
    return folder / "history.json", _of_keras(history)


def _pandas(method: str, name: str, **options: Any) -> Callable[[Path], Written]:
    def write(folder: Path) -> Written:
        import pandas as pd

        history = _keras(folder)
        getattr(pd.DataFrame(history.history), method)(folder / name, **options)
        return folder / name, _of_keras(history)

    return write


WRITERS["pandas: to_csv"] = "pandas", _pandas("to_csv", "history.csv")
for _orient in ("columns", "records", "index", "split", "table"):
    WRITERS[f"pandas: to_json, {_orient}"] = "pandas", _pandas("to_json", "h.json", orient=_orient)
WRITERS["pandas: to_json, lines"] = "pandas", _pandas("to_json", "h.jsonl", orient="records", lines=True)


def _terminal(verbose: int) -> Callable[[Path], Written]:
    def write(folder: Path) -> Written:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            history = _keras(folder, verbose=verbose)
        (folder / "nohup.out").write_text(said.getvalue())
        return folder / "nohup.out", {name: np.round(values, 4) for name, values in _of_keras(history).items()}

    return write


WRITERS["Keras: terminal, progress bars"] = "keras", _terminal(1)
WRITERS["Keras: terminal, a line an epoch"] = "keras", _terminal(2)


def _lightning(logger: Callable[[Path], Any]) -> tuple[Any, Any]:
    import lightning as pl
    import torch

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
            self.seen: dict[str, list[float]] = {"train_loss": [], "validation_loss": [], "validation_accuracy": []}

        def training_step(self, batch: Any, _: int) -> Any:
            loss = torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            out = self.net(batch[0])
            self.log("val_loss", torch.nn.functional.cross_entropy(out, batch[1]))
            self.log("val_acc", (out.argmax(1) == batch[1]).float().mean())

        def on_train_epoch_end(self) -> None:
            told = self.trainer.callback_metrics
            for ours, theirs in (("train_loss", "train_loss_epoch"), ("validation_loss", "val_loss"), ("validation_accuracy", "val_acc")):  # fmt: skip
                self.seen[ours].append(float(told[theirs]))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), 0.01)

    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    train, held_out = (torch.utils.data.DataLoader(torch.utils.data.Subset(data, range(*part)), batch_size=18) for part in ((0, 180), (180, 240)))  # fmt: skip
    module = Module()
    trainer = pl.Trainer(
        max_epochs=4, logger=logger, log_every_n_steps=3, accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, num_sanity_val_steps=2,
    )  # fmt: skip
    trainer.fit(module, train, held_out)
    return trainer, module


@writer("Lightning: CSVLogger", "lightning")
def _lightning_csv(folder: Path) -> Written:
    from lightning.pytorch.loggers import CSVLogger

    trainer, module = _lightning(CSVLogger(str(folder)))
    return Path(trainer.logger.log_dir) / "metrics.csv", module.seen


@writer("Lightning: TensorBoardLogger, event file", "lightning")
def _lightning_events(folder: Path) -> Written:
    from lightning.pytorch.loggers import TensorBoardLogger

    trainer, module = _lightning(TensorBoardLogger(str(folder)))
    (events,) = Path(trainer.logger.log_dir).glob("events.out.tfevents*")
    return events, module.seen


@writer("Hugging Face: trainer_state.json", "transformers")
def _hugging_face(folder: Path) -> Written:
    import torch
    from transformers import Trainer, TrainingArguments

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Linear(6, 2)

        def forward(self, x: Any, labels: Any) -> Any:
            out = self.net(x)
            return {"loss": torch.nn.functional.cross_entropy(out, labels), "logits": out}

    rows = [{"x": torch.tensor(x), "labels": torch.tensor(y)} for x, y in zip(X, Y, strict=True)]
    arguments = TrainingArguments(
        str(folder / "out"), num_train_epochs=5, eval_strategy="epoch", logging_strategy="epoch", save_strategy="no",
        report_to=[], use_cpu=True, learning_rate=0.01, disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(
        Model(), arguments, train_dataset=rows[:180], eval_dataset=rows[180:],
        compute_metrics=lambda told: {"accuracy": float((told[0].argmax(1) == told[1]).mean())},
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train()
    trainer.save_state()
    told = trainer.state.log_history
    return folder / "out" / "trainer_state.json", {
        "train_loss": [row["loss"] for row in told if "loss" in row],
        "validation_loss": [row["eval_loss"] for row in told if "eval_loss" in row],
        "validation_accuracy": [row["eval_accuracy"] for row in told if "eval_accuracy" in row],
    }


@writer("Ultralytics: results.csv", "ultralytics")
def _ultralytics(folder: Path) -> Written:
    import csv

    from PIL import Image
    from ultralytics import YOLO

    for part in ("train", "val"):
        (folder / "images" / part).mkdir(parents=True)
        (folder / "labels" / part).mkdir(parents=True)
        for number in range(8):
            picture = _RNG.integers(0, 80, (64, 64, 3), dtype=np.uint8)
            left, top = _RNG.integers(4, 36, 2)
            picture[top : top + 22, left : left + 22] = 255
            Image.fromarray(picture).save(folder / "images" / part / f"{number}.png")
            place = f"0 {(left + 11) / 64:.4f} {(top + 11) / 64:.4f} {22 / 64:.4f} {22 / 64:.4f}\n"
            (folder / "labels" / part / f"{number}.txt").write_text(place)
    (folder / "data.yaml").write_text(f"path: {folder}\ntrain: images/train\nval: images/val\nnames:\n  0: square\n")
    model = YOLO("yolov8n.yaml")
    model.train(
        data=str(folder / "data.yaml"), epochs=3, imgsz=64, batch=4, device="cpu", workers=0, project=str(folder / "runs"),
        name="train", plots=False, verbose=False, amp=False, val=True,
    )  # fmt: skip
    path = next((folder / "runs").rglob("results.csv"))
    rows = [{name.strip(): float(cell) for name, cell in row.items()} for row in csv.DictReader(path.open())]
    total = {part: [sum(row[f"{part}/{loss}_loss"] for loss in ("box", "cls", "dfl")) for row in rows] for part in ("train", "val")}  # fmt: skip
    return path, {
        "train_loss": total["train"], "validation_loss": total["val"],
        "validation_accuracy": [row["metrics/mAP50-95(B)"] for row in rows],
    }  # fmt: skip


@writer("TensorBoard: CSV download", "tensorboard")
def _tensorboard_csv(folder: Path) -> Written:
    from tensorboard import default, program

    losses = _events(folder)
    board = program.TensorBoard(default.get_plugins())
    board.configure(argv=["", "--logdir", str(folder / "logs"), "--port", "0", "--bind_all", "--load_fast", "false"])
    url = urllib.parse.urlparse(board.launch())
    query = urllib.parse.urlencode({"tag": "loss", "run": "validation", "format": "csv"})
    for _ in range(60):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{url.port}/data/plugin/scalars/scalars?{query}") as answer:
                text = answer.read().decode()
            break
        except urllib.error.HTTPError:
            threading.Event().wait(0.5)
    path = folder / "run-validation-tag-loss.csv"
    path.write_text(text)
    return path, {"validation_loss": losses}


def _events(folder: Path) -> list[float]:
    from torch.utils.tensorboard import SummaryWriter

    losses = [2.0, 1.5, 1.25, 1.0]
    for part in ("train", "validation"):
        board = SummaryWriter(str(folder / "logs" / part))
        for step, loss in enumerate(losses):
            board.add_scalar("loss", loss, step)
        board.close()
    return losses


@writer("TensorBoard: folder of event files", "tensorboard")
def _tensorboard_folder(folder: Path) -> Written:
    losses = _events(folder)
    return folder / "logs", {"train_loss": losses, "validation_loss": losses}


@writer("scikit-learn: loss_curve_ as JSON", "sklearn")
def _sklearn(folder: Path) -> Written:
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((8,), max_iter=12, early_stopping=True, random_state=0)
    with contextlib.suppress(Warning):
        model.fit(X, Y)
    (folder / "curves.json").write_text(json.dumps({"loss_curve_": model.loss_curve_, "validation_scores_": model.validation_scores_}, default=float))  # fmt: skip
    return folder / "curves.json", {"train_loss": model.loss_curve_, "validation_accuracy": model.validation_scores_}


@writer("scikit-learn: verbose", "sklearn")
def _sklearn_verbose(folder: Path) -> Written:
    from sklearn.neural_network import MLPClassifier

    with contextlib.redirect_stdout(io.StringIO()) as said:
        model = MLPClassifier((8,), max_iter=12, verbose=True, random_state=0).fit(X, Y)
    (folder / "log.txt").write_text(said.getvalue())
    return folder / "log.txt", {"train_loss": np.round(model.loss_curve_, 8)}


def _boosted(folder: Path) -> tuple[dict[str, Any], str]:
    import xgboost

    train, held_out = (xgboost.DMatrix(X[a:b], Y[a:b]) for a, b in ((0, 180), (180, 240)))
    told: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        xgboost.train({"objective": "binary:logistic", "eval_metric": "logloss"}, train, 12, [(train, "train"), (held_out, "eval")], evals_result=told)  # fmt: skip
    return told, said.getvalue()


@writer("XGBoost: evals_result as JSON", "xgboost")
def _xgboost_json(folder: Path) -> Written:
    told, _ = _boosted(folder)
    (folder / "evals_result.json").write_text(json.dumps(told))
    return folder / "evals_result.json", {"train_loss": told["train"]["logloss"], "validation_loss": told["eval"]["logloss"]}  # fmt: skip


@writer("XGBoost: terminal", "xgboost")
def _xgboost_log(folder: Path) -> Written:
    told, said = _boosted(folder)
    (folder / "xgb.log").write_text(said)
    return folder / "xgb.log", {"train_loss": np.round(told["train"]["logloss"], 5), "validation_loss": np.round(told["eval"]["logloss"], 5)}  # fmt: skip


@writer("LightGBM: record_evaluation as JSON, and terminal", "lightgbm")
def _lightgbm(folder: Path) -> Written:
    import lightgbm

    told: dict[str, Any] = {}
    train = lightgbm.Dataset(X[:180], Y[:180])
    lightgbm.train(
        {"objective": "binary", "metric": "binary_logloss", "verbose": -1}, train, 12,
        [train, lightgbm.Dataset(X[180:], Y[180:], reference=train)],
        callbacks=[lightgbm.record_evaluation(told)],
    )  # fmt: skip
    (folder / "evals.json").write_text(json.dumps(told))
    return folder / "evals.json", {"train_loss": told["training"]["binary_logloss"], "validation_loss": told["valid_1"]["binary_logloss"]}  # fmt: skip


def _catboost(name: str) -> Callable[[Path], Written]:
    def write(folder: Path) -> Written:
        from catboost import CatBoostClassifier

        model = CatBoostClassifier(iterations=12, train_dir=str(folder), verbose=False, allow_writing_files=True)
        model.fit(X[:180], Y[:180], eval_set=(X[180:], Y[180:]), use_best_model=False)
        told = model.get_evals_result()
        part = {"train_loss": told["learn"]["Logloss"], "validation_loss": told["validation"]["Logloss"]}
        return folder / name, part if name.endswith("json") else {"train_loss": told["learn"]["Logloss"]}

    return write


WRITERS["CatBoost: catboost_training.json"] = "catboost", _catboost("catboost_training.json")


@writer("fastai: CSVLogger", "fastai")
def _fastai_csv(folder: Path) -> Written:
    return _fastai(folder)[0]


@writer("fastai: terminal", "fastai")
def _fastai_table(folder: Path) -> Written:
    (_, figures), said = _fastai(folder)
    (folder / "out.txt").write_text(said)
    return folder / "out.txt", figures


def _fastai(folder: Path) -> tuple[Written, str]:
    import torch
    from fastai.basics import DataLoaders, Learner, accuracy
    from fastai.callback.progress import CSVLogger

    rows = [(torch.tensor(x), torch.tensor(y)) for x, y in zip(X, Y, strict=True)]
    loaders = DataLoaders.from_dsets(rows[:180], rows[180:], bs=18, num_workers=0, device="cpu")
    learner = Learner(loaders, torch.nn.Linear(6, 2), torch.nn.CrossEntropyLoss(), metrics=accuracy, path=folder, cbs=CSVLogger())  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()) as said:
        learner.fit(4)
    names = ("train_loss", "validation_loss", "validation_accuracy")
    figures = dict(
        zip(names, zip(*(map(float, values) for values in learner.recorder.values), strict=True), strict=True)
    )
    return (folder / "history.csv", figures), said.getvalue()


@writer("tqdm: terminal", "tqdm")
def _tqdm(folder: Path) -> Written:
    from tqdm import tqdm

    losses = []
    with (folder / "train.log").open("w") as said:
        for epoch in range(1, 5):
            with tqdm(range(20), desc=f"Epoch {epoch}/4", file=said) as bar:
                for step in bar:
                    bar.set_postfix(loss=f"{2 / epoch + 0.1 / (step + 1):.4f}", val_loss=f"{2.2 / epoch:.4f}")
            losses.append(round(2 / epoch + 0.1 / 20, 4))
    return folder / "train.log", {"train_loss": losses, "validation_loss": [round(2.2 / epoch, 4) for epoch in range(1, 5)]}  # fmt: skip


@writer("MLflow: file of a metric", "mlflow")
def _mlflow(folder: Path) -> Written:
    import mlflow

    losses = [0.9, 0.7, 0.65, 0.64, 0.63]
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    mlflow.set_tracking_uri(folder.as_uri())
    mlflow.set_experiment("losses")
    with mlflow.start_run():
        for step, loss in enumerate(losses):
            mlflow.log_metric("val_loss", loss, step=step)
    (path,) = folder.glob("*/*/metrics/val_loss")
    return path, {"validation_loss": losses}


@writer("spaCy: train, terminal", "spacy")
def _spacy_table(folder: Path) -> Written:
    import spacy
    from spacy.cli.init_config import init_config
    from spacy.cli.train import train
    from spacy.tokens import DocBin
    from spacy.training import Example

    blank, kept = spacy.blank("en"), {}
    texts = [
        (f"{word} is {'good' if number % 2 else 'bad'}", number % 2)
        for number, word in enumerate(["This", "That", "It", "Tea"] * 10)
    ]
    for part, some in (("train", texts[:30]), ("dev", texts[30:])):
        bin_ = DocBin()
        for text, good in some:
            document = blank.make_doc(text)
            document.cats = {"GOOD": float(good), "BAD": 1.0 - good}
            bin_.add(Example.from_dict(document, {"cats": document.cats}).reference)
        bin_.to_disk(kept.setdefault(part, folder / f"{part}.spacy"))
    config = init_config(lang="en", pipeline=["textcat"], silent=True)
    config.to_disk(folder / "config.cfg")
    overrides = {
        "paths.train": str(kept["train"]),
        "paths.dev": str(kept["dev"]),
        "training.max_steps": 60,
        "training.eval_frequency": 10,
    }
    with contextlib.redirect_stdout(io.StringIO()) as said:
        train(folder / "config.cfg", folder / "model", overrides=overrides)
    (folder / "out.txt").write_text(said.getvalue())
    rows = [line.split() for line in said.getvalue().splitlines() if line.split()[:1] and line.split()[0].isdigit()]
    return folder / "out.txt", {
        "train_loss": [float(row[2]) for row in rows],
        "validation_accuracy": [float(row[-1]) for row in rows],
    }


def judged(name: str) -> dict[str, Any]:
    """Let a program write, read what it wrote, and compare."""
    needs, write = WRITERS[name]
    if importlib.util.find_spec(needs) is None:
        return {"form": name, "read": None}
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):  # some leave files where they run
        try:
            path, figures = write(Path(place))
        except Exception as error:
            return {"form": name, "read": None, "why": f"could not be written: {error!r}"[:300]}
        try:
            curves = read_history(path).curves
        except Exception as error:
            return {"form": name, "read": False, "why": repr(error)[:300]}
        wrong = [
            figure
            for figure, values in figures.items()
            if len(getattr(curves, figure)) != len(values)
            or not np.allclose(getattr(curves, figure), np.asarray(values, float), rtol=2e-3, atol=6e-5)
        ]
    package = {"sklearn": "scikit-learn", "mlflow": "mlflow-skinny"}.get(needs, needs)
    return {"form": name, "version": importlib.metadata.version(package), "read": not wrong, "why": ", ".join(wrong)}


def main() -> None:
    """Let every program write, print what was read, and record it."""
    parser = argparse.ArgumentParser(description="Read the histories that other programs write.")
    parser.add_argument("--only")
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    rows = []
    for name in WRITERS:
        if arguments.only is None or arguments.only in name:
            rows.append(judged(name))
            print(json.dumps(rows[-1]), flush=True)
    tried = [row for row in rows if row["read"] is not None]
    print(f"read: {sum(row['read'] for row in tried)} of {len(tried)}; left out: {len(rows) - len(tried)}")
    if arguments.record:
        write_atomically(arguments.record, to_json({"rows": rows, "hardware": hardware(), "versions": versions()}))
    sys.exit(not all(row["read"] for row in tried))


if __name__ == "__main__":
    main()
