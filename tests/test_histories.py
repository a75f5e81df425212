"""Histories in the forms that programs write: what is read, what is said of it, and what is refused."""

import json
import math
from pathlib import Path

import pytest

from plainnet import InputError
from plainnet.checks.histories import cells
from plainnet.checks.histories.names import meaning
from plainnet.checks.histories.reading import read_history
from plainnet.cli.app import main

LOSS, ACCURACY = (2.0, 1.0, 0.5), (0.4, 0.7, 0.8)
VALIDATION_LOSS, VALIDATION = (1.5, 1.2, 1.1), (0.5, 0.6, 0.75)

KERAS = """epoch{0}accuracy{0}loss{0}val_accuracy{0}val_loss
0{0}0.4{0}2.0{0}0.5{0}1.5
1{0}0.7{0}1.0{0}0.6{0}1.2
2{0}0.8{0}0.5{0}0.75{0}1.1
"""
LIGHTNING = """epoch,step,train_acc,train_loss_epoch,train_loss_step,val_acc,val_loss
0,49,,,2.4,,
0,99,,,,0.5,1.5
0,99,0.4,2.0,,,
1,149,,,1.4,,
1,199,,,,0.6,1.2
1,199,0.7,1.0,,,
2,249,,,0.3,,
2,299,,,,0.75,1.1
2,299,0.8,0.5,,,
"""
TORCH = """Using device: cpu
Epoch [1/3], Loss: 2.0000, Accuracy: 40.00%, Val Loss: 1.5000, Val Acc: 50.00%
saved checkpoint, best accuracy so far: 50.00%
Epoch [2/3], Loss: 1.0000, Accuracy: 70.00%, Val Loss: 1.2000, Val Acc: 60.00%
Epoch [3/3], Loss: 0.5000, Accuracy: 80.00%, Val Loss: 1.1000, Val Acc: 75.00%
"""
MNIST_EXAMPLE = """Train Epoch: 1 [0/600 (0%)]\tLoss: 2.500000
Train Epoch: 1 [300/600 (50%)]\tLoss: 1.500000

Test set: Average loss: 1.5000, Accuracy: 500/1000 (50%)

Train Epoch: 2 [0/600 (0%)]\tLoss: 1.200000
Train Epoch: 2 [300/600 (50%)]\tLoss: 0.800000

Test set: Average loss: 1.2000, Accuracy: 600/1000 (60%)

Train Epoch: 3 [0/600 (0%)]\tLoss: 0.600000
Train Epoch: 3 [300/600 (50%)]\tLoss: 0.400000

Test set: Average loss: 1.1000, Accuracy: 750/1000 (75%)
"""
BARS = "".join(
    f"Epoch {epoch}/3\n"
    f"\r 1/99 [>.............................] - ETA: 9s - loss: 9.9000 - accuracy: 0.1000"
    f"\r99/99 [==============================] - 1s 9ms/step - loss: {loss} - accuracy: {right} "
    f"- val_loss: {held_out} - val_accuracy: {validation}\n"
    for epoch, (loss, right, held_out, validation) in enumerate(
        zip(LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION, strict=True), start=1
    )
)
FASTAI = """epoch     train_loss  valid_loss  accuracy  time
0         2.000000    1.500000    0.500000  00:12
1         1.000000    1.200000    0.600000  00:12
2         0.500000    1.100000    0.750000  00:12
"""
BOOSTED = "".join(
    f"[{round_}]\ttraining's binary_logloss: {loss}\tvalid_1's binary_logloss: {held_out}\n"
    for round_, (loss, held_out) in enumerate(zip(LOSS, VALIDATION_LOSS, strict=True), start=1)
)
ROWS = [
    {"loss": loss, "accuracy": right, "val_loss": held_out, "val_accuracy": validation}
    for loss, right, held_out, validation in zip(LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION, strict=True)
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
BY_ROW = {name: dict(enumerate(column)) for name, column in COLUMNS.items()}
SPLIT = {"columns": list(COLUMNS), "index": [0, 1, 2], "data": [list(row.values()) for row in ROWS]}
HUGGING_FACE = {
    "best_metric": None,
    "log_history": [
        entry
        for epoch, row in enumerate(ROWS, start=1)
        for entry in (
            {"epoch": epoch - 0.5, "loss": row["loss"] + 0.25, "learning_rate": 1e-4, "step": 10 * epoch - 5},
            {"epoch": float(epoch), "loss": row["loss"] - 0.25, "learning_rate": 1e-4, "step": 10 * epoch},
            {
                "epoch": float(epoch), "eval_loss": row["val_loss"], "eval_accuracy": row["val_accuracy"],
                "eval_runtime": 1.5, "step": 10 * epoch,
            },
        )
    ] + [{"epoch": 3.0, "train_loss": 1.2, "train_runtime": 10.0, "step": 30}],
}  # fmt: skip
LINES = "".join(
    json.dumps({"mode": mode, "epoch": epoch, "loss": loss, "acc": right}) + "\n"
    for epoch, row in enumerate(ROWS, start=1)
    for mode, loss, right in (
        ("train", row["loss"], row["accuracy"]),
        ("val", row["val_loss"], row["val_accuracy"]),
    )
)
BOTH = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


@pytest.mark.parametrize(
    ("name", "text", "figures"),
    [
        ("training.log", KERAS.format(","), BOTH),
        ("log.txt", KERAS.format(";"), BOTH),
        ("history.csv", KERAS.format("\t"), BOTH),
        ("history.csv", "\ufeff# made by hand\n" + KERAS.format(", ").upper(), BOTH),
        ("history.csv", KERAS.format(" | "), BOTH),
        ("metrics.csv", LIGHTNING, BOTH),
        ("train.log", TORCH, BOTH),
        ("out.txt", MNIST_EXAMPLE, ("train_loss", "validation_loss", "validation_accuracy")),
        ("nohup.out", BARS, BOTH),
        ("table.txt", FASTAI, ("train_loss", "validation_loss", "validation_accuracy")),
        ("boosting.log", BOOSTED, ("train_loss", "validation_loss")),
        ("cost.txt", "".join(f"Cost after iteration {100 * n}: {loss}\n" for n, loss in enumerate(LOSS)), ("train_loss",)),
        ("score.txt", "".join(f"Score at iteration {n} is {loss}\n" for n, loss in enumerate(LOSS)), ("train_loss",)),
        ("error.txt", "".join(f"Error after {n} epochs: {loss}\n" for n, loss in enumerate(LOSS)), ("train_loss",)),
        ("rows.json", json.dumps(ROWS), BOTH),
        ("history.json", json.dumps({"history": COLUMNS, "params": {"epochs": 3}}), BOTH),
        ("columns.json", json.dumps(BY_ROW), BOTH),
        ("index.json", json.dumps(dict(enumerate(ROWS))), BOTH),
        ("split.json", json.dumps(SPLIT), BOTH),
        ("table.json", json.dumps({"schema": {"fields": []}, "data": ROWS}), BOTH),
        ("trainer_state.json", json.dumps(HUGGING_FACE), ("train_loss", "validation_loss", "validation_accuracy")),
        ("20260101.log.json", LINES, BOTH),
        (
            "evals_result.json",
            json.dumps({"train": {"logloss": LOSS}, "validation_0": {"logloss": VALIDATION_LOSS}}),
            ("train_loss", "validation_loss"),
        ),
        (
            "sklearn.json",
            json.dumps({"loss_curve_": LOSS, "validation_scores_": VALIDATION}),
            ("train_loss", "validation_accuracy"),
        ),
        ("run-validation-tag-epoch_loss.csv", "Wall time,Step,Value\n1.5,0,1.5\n2.5,1,1.2\n3.5,2,1.1\n", ("validation_loss",)),
        ("points.json", json.dumps({"train/loss": list(zip((1, 2, 3), LOSS, strict=True))}), ("train_loss",)),
        ("train_loss.txt", "2.0\n1.0\n5e-1\n", ("train_loss",)),
        (
            "long.csv",
            "step,tag,value\n" + "".join(f"{step},train/loss,{loss}\n" for step, loss in enumerate(LOSS)),
            ("train_loss",),
        ),
        ("errors.csv", "epoch,train_error,test_error\n1,60,50\n2,30,40\n3,20,25\n", ("train_accuracy", "validation_accuracy")),
    ],
)  # fmt: skip
def test_histories_of_other_programs_are_read(tmp_path, name, text, figures):
    (tmp_path / name).write_text(text)
    curves = read_history(tmp_path / name).curves
    expected = dict(zip(BOTH, (LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION), strict=True))
    for figure in BOTH:
        assert getattr(curves, figure) == pytest.approx(expected[figure] if figure in figures else ()), figure


def test_ultralytics_gives_losses_one_by_one_and_scores_of_the_validation(tmp_path):
    (tmp_path / "results.csv").write_text(
        "                  epoch,      train/box_loss,      train/cls_loss,   metrics/precision(B),       metrics/mAP50(B),"
        "    metrics/mAP50-95(B),        val/box_loss,        val/cls_loss,              lr/pg0\n"
        "                      1,              1.5,       0.5,              0.6,         0.5,        0.3,     1.2,    0.4,   0.01\n"
        "                      2,              1.0,       0.25,             0.7,         0.6,        0.4,     1.0,    0.3,   0.01\n"
    )
    read = read_history(tmp_path / "results.csv")
    assert read.curves.train_loss == (2.0, 1.25)
    assert read.curves.validation_loss == pytest.approx((1.6, 1.3))
    assert (read.curves.validation_accuracy, read.curves.measure) == ((0.3, 0.4), "mAP50-95")


def test_what_is_not_finite_is_told_from_what_is_missing(tmp_path):
    (tmp_path / "h.csv").write_text("epoch,loss,val_loss\n1,0.5,\n2,nan,0.4\n3,tensor(0.25),inf\n")
    curves = read_history(tmp_path / "h.csv").curves
    assert curves.train_loss == (0.5, math.inf, 0.25)
    assert math.isnan(curves.validation_loss[0])
    assert curves.validation_loss[1:] == (0.4, math.inf)


def test_runs_that_were_appended_are_told_apart(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n0,2.0\n1,1.9\n0,3.0\n1,2.5\n2,2.0\n3,1.5\nepoch,loss\n0,9.0\n1,8.0\n2,7.0\n")
    for number, last in ((1, 1.9), (2, 1.5), (3, 7.0), (None, 7.0)):
        read = read_history(path, number)
        assert (read.runs, read.curves.train_loss[-1]) == (3, last)
    assert main(["diagnose", str(path), "--history-run", "2"]) == 0
    said = capsys.readouterr().out
    assert "run 2 of 3: 4 epochs" in said
    assert "note: runs-appended" in said
    assert main(["diagnose", str(path), "--history-run", "4"]) == 2
    assert "holds 3 runs; --history-run must be from 1 to 3, received 4" in capsys.readouterr().err


def test_the_last_run_that_was_more_than_begun_is_judged(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss\n1,5.0\n2,4.0\n3,3.0\n4,2.5\n1,9.0\n")
    read = read_history(tmp_path / "log.csv")
    assert (read.run, read.runs, read.curves.train_loss[-1]) == (1, 2, 2.5)
    assert read_history(tmp_path / "log.csv", 2).curves.train_loss == (9.0,)


def test_a_quote_alone_does_not_swallow_the_rest(tmp_path):
    (tmp_path / "log.csv").write_text('epoch,loss,note\n1,5.0,"begun\n2,4.0,\n3,3.0,\n')
    assert read_history(tmp_path / "log.csv").curves.train_loss == (5.0, 4.0, 3.0)


def test_a_training_that_was_taken_up_again_is_one_run(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss\n1,5.0\n2,4.0\n3,3.0\n4,2.5\n3,2.9\n4,2.0\n5,1.0\n")
    read = read_history(tmp_path / "log.csv")
    assert (read.runs, read.curves.train_loss) == (1, (5.0, 4.0, 2.9, 2.0, 1.0))


def test_steps_become_a_few_dozen_points(tmp_path):
    (tmp_path / "steps.csv").write_text("step,loss\n" + "".join(f"{n},{1000 - n}\n" for n in range(1000)))
    curves = read_history(tmp_path / "steps.csv").curves
    assert (curves.unit, curves.epochs, curves.at[-1]) == ("step", 40, 999)
    assert curves.train_loss[0] > 980
    assert sorted(curves.train_loss, reverse=True) == list(curves.train_loss)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hf.log", "".join(f"{{'loss': {a}, 'epoch': {n}.0}}\n{{'eval_loss': {b}, 'epoch': {n}.0}}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("sections.log", "".join(f"Epoch {n}\ntrain loss: {a}\nval loss: {b}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True)) + "Test loss: 7.1\n"),
        ("saved.log", "".join(f"epoch {n} loss {a} val_loss {b}\n  saved (loss 9.0)\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("config.log", "lr: 0.1, loss: 3.0, val_loss: 0\n" + "".join(f"epoch {n}: loss={a} val_loss={b}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("means.log", "".join(f"Train: {n} [9/9 (100%)]  Loss: 9.9 ({a})  LR: 1e-3\nTest: [9/9]  Loss: 8.8 ({b})\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("mlflow.csv", "run_id,key,value,step\n" + "".join(f"a,{key},{v},{n}\n" for key, vs in (("train_loss", LOSS), ("val_loss", VALIDATION_LOSS)) for n, v in enumerate(vs))),
        ("wandb.csv", '"Step","run-a - train/loss","run-a - val/loss"\n' + "".join(f"{n},{a},{b}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("marked.log", "".join(f"Epoch {n} | Train: loss={a} | Valid: loss={b}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("card.md", "# A model\n\n| Training Loss | Epoch | Validation Loss |\n|:---:|:---:|:---:|\n" + "".join(f"| {a} | {n} | {b} |\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True)) + "\nMore."),
        ("catboost.log", "".join(f"{n}:\tlearn: {a}\ttest: {b}\tbest: 1.1 (2)\ttotal: 9ms\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True)) + "bestTest = 1.1\n"),
        ("python.txt", str({"loss": list(LOSS), "val_loss": list(VALIDATION_LOSS)})),
        ("sacred.json", json.dumps({name: {"steps": [1, 2, 3], "values": values} for name, values in (("training.loss", LOSS), ("validation.loss", VALIDATION_LOSS))})),
        ("numpy.log", "".join(f"{{'epoch': {n}, 'loss': np.float64({a}), 'val_loss': np.float64({b})}}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("notebook.ipynb", json.dumps({"cells": [{"outputs": [{"text": [f"epoch {n} loss {a} val_loss {b}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True)]}]}]})),
        ("again.csv", "".join(f"epoch,loss,val_loss\n{n},{a},{b}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
        ("newest.csv", "epoch,loss,val_loss\n" + "".join(f"{n},{a},{b}\n" for n, a, b in zip((3, 2, 1), LOSS[::-1], VALIDATION_LOSS[::-1], strict=True))),
        ("dollars.csv", "epoch;loss;val_loss\n" + "".join(f"{n};{a:,.2f};{b:,.2f}\n" for n, a, b in zip((1, 2, 3), LOSS, VALIDATION_LOSS, strict=True))),
    ],
)  # fmt: skip
def test_what_stands_beside_the_figures_does_not_mix_with_them(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    curves = read_history(tmp_path / name).curves
    assert curves.train_loss[-2:] == LOSS[-2:]
    assert curves.validation_loss == VALIDATION_LOSS


def test_numbers_with_separators_are_numbers():
    assert [cells.number(cell) for cell in ("1,234.50", "1,234,567", "0,5", "12 %", "nan", "much")] == [
        (1234.5, False), (1234567.0, False), (0.5, False), (12.0, True), (math.inf, False), None,
    ]  # fmt: skip


def test_a_training_by_rewards_is_not_judged_and_columns_left_aside_are_named(tmp_path, capsys):
    path = tmp_path / "progress.csv"
    path.write_text("epoch,policy_loss,mean_reward,mae\n" + "".join(f"{n},{n * n},{n},1\n" for n in range(1, 9)))
    assert main(["diagnose", str(path)]) == 0
    said = capsys.readouterr().out
    assert "note: not-to-be-judged" in said
    assert "ignored: mae" in said


def test_a_folder_with_one_history_is_read(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss\n1,2.0\n2,1.0\n")
    assert read_history(tmp_path).curves.train_loss == (2.0, 1.0)
    (tmp_path / "other.csv").write_text("epoch,loss\n1,2.0\n2,1.0\n")
    with pytest.raises(InputError, match=r"holds several histories: log\.csv, other\.csv; name one"):
        read_history(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("h.json", "{", "neither a table with a header, nor JSON, nor a log"),
        ("h.json", "3", "neither a table with a header, nor JSON, nor a log"),
        ("h.json", '[{"loss": "much"}]', "holds no losses and no accuracies"),
        ("h.json", '{"epoch": [1]}', "its columns are epoch; give"),
        ("h.json", "[]", "holds no losses and no accuracies"),
        ("h.csv", "", "holds no losses and no accuracies"),
        ("h.csv", "a,b\n1,2\n", "its columns are a, b; give"),
        ("h.json", "[" * 100_000, "holds no losses and no accuracies"),
        ("h.bin", "\0\0\0", "is not a text file"),
        ("bars.md", "|---|---|\n", "holds no losses and no accuracies"),
        ("long.log", "A" * 20_000 + "\n" + "val_" * 5_000, "holds no losses and no accuracies"),
        ("m.csv", "Model,Accuracy\nTrees,0.9\nBoosting,0.8\nLinear,0.7\n", "labeled by 'Model', such as 'Trees'"),
        ("f.csv", "fold,accuracy\n1,0.9\n2,0.8\n3,0.7\n", "labeled by 'fold', such as '1'"),
        ("s.csv", "learning_rate,accuracy\n0.1,0.9\n0.01,0.8\n", "each row has a different learning rate"),
        ("one.csv", "train_loss,val_loss\n0.5,0.6\n", "a single row of figures"),
        ("c.json", json.dumps({"cat": {"precision": 1.0, "support": 5}, "accuracy": 0.9}), "a report of one evaluation"),
        ("stocks.csv", "date,open,close\n2026-01-01,5,6\n2026-01-02,6,7\n", "its columns are date, open, close"),
    ],
)  # fmt: skip
def test_what_is_no_history_is_refused(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_history(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "figure", "part"),
    [
        ("valLoss", "loss", "validation"),
        ("Training Loss", "loss", "train"),
        ("loss/train", "loss", "train"),
        ("eval_accuracy", "accuracy", "validation"),
        ("Acc@1", "accuracy", None),
        ("test_acc1", "accuracy", "validation"),
        ("val_sparse_categorical_accuracy", "accuracy", "validation"),
        ("t_loss", "loss", "train"),
        ("lr/pg0", "rate", None),
        ("Epoch", "epoch", None),
        ("global_step", "step", None),
    ],
)
def test_names_say_what_a_column_holds(name, figure, part):
    meant = meaning(name)
    assert (meant.figure, meant.part) == (figure, part)


@pytest.mark.parametrize(
    "name", ["num_epochs", "best_val_acc", "grad_norm", "gpu_memory", "reward", "loss_weight", "a"]
)
def test_names_of_other_things_are_left_alone(name):
    assert meaning(name) is None


def test_event_files_are_read_where_tensorboard_is_installed(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed: make extras")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for part, losses in (("train", LOSS), ("validation", VALIDATION_LOSS)):
        writer = EventFileWriter(str(tmp_path / "logs" / part))
        for step, loss in enumerate(losses):
            value = Summary.Value(tag="epoch_loss", simple_value=loss)
            writer.add_event(Event(step=step, wall_time=1.0, summary=Summary(value=[value])))
        writer.close()
    curves = read_history(tmp_path / "logs").curves
    assert curves.train_loss == LOSS
    assert curves.validation_loss == pytest.approx(VALIDATION_LOSS)
    (alone,) = (tmp_path / "logs" / "train").iterdir()
    assert read_history(alone).curves.train_loss == LOSS


def test_an_event_file_without_tensorboard_says_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorboard.backend.event_processing.event_file_loader", None)
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(b'\x18\0\0\0\0\0\0\0\xa3\x7fK"\t\0\0\xc0\x88u\x96\xd9A\x1a\rbrain.Event:2')
    with pytest.raises(InputError, match=r"pip install 'plainnet\[tensorboard\]'"):
        read_history(path)


CASES = Path(__file__).parent / "histories"
EXPECTED = json.loads((CASES / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_files_that_once_were_misread_or_misjudged(name, tmp_path, capsys):
    expected, report = EXPECTED[name], tmp_path / "found.json"
    code = main(["diagnose", str(CASES / name), "--json", str(report)])
    said, found = capsys.readouterr().out, json.loads(report.read_text())["findings"]
    names = {finding["name"] for finding in found}
    assert code == expected.get("exit", code)
    assert set(expected.get("must_name", ())) <= names
    assert names.isdisjoint(expected.get("must_not", ()))
    assert not expected.get("must_name_any") or names & set(expected["must_name_any"])
    assert not expected.get("must_name_error") or "error" in {finding["severity"] for finding in found}
    for words in {"collapse": ("epoch 101", "97.4%"), "two_runs": ("begins again", "run 2 of 2")}.get(name[:8], ()):
        assert words in said
