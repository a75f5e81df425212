"""Histories as people have them: in notebooks, in lists, in other languages, resumed, in logs of a million lines."""

import json

import numpy as np
import pytest

from plainnet import InputError
from plainnet.checks.histories import delimited, line_runs, log_lines
from plainnet.checks.histories.reading import read_history
from plainnet.cli.app import main

LOSS, VALIDATION_LOSS, VALIDATION = (2.0, 1.0, 0.5), (1.5, 1.2, 1.1), (0.5, 0.6, 0.75)
ROWS = tuple(zip((1, 2, 3), LOSS, VALIDATION_LOSS, VALIDATION, strict=True))
TABLE = (
    '<table border="1" class="dataframe"><thead><tr style="text-align: left;">'
    + "".join(f"<th>{name}</th>" for name in ("epoch", "train_loss", "valid_loss", "accuracy", "time"))
    + "</tr></thead><tbody>\n"
    + "".join(f"<tr><td>{n}</td><td>{a}</td><td>{b}</td><td>{c}</td><td>00:12</td></tr>\n" for n, a, b, c in ROWS)
    + "</tbody></table>"
)
SHOWN = {"data": {"text/html": [TABLE], "text/plain": ["<IPython.core.display.HTML object>"]}}
FORMS = {
    "fastai.html": f"Fold 1\n{TABLE}\nBetter model found at epoch 2\nNo improvement since epoch 2: stopping\n",
    "fastai.ipynb": json.dumps({"cells": [{"outputs": [SHOWN]}]}),
    "named.txt": f"train_loss = {list(LOSS)}\nlayers = [784, 10]\nval_loss = {list(VALIDATION_LOSS)}\nval_acc = {list(VALIDATION)}\n",
    "announced.log":
        "testing in eval mode...\nepoch: 1,  loss is: 9.0, acc is: 0.1\nNow continue training...\n" + "".join(
        f"epoch: {n},  loss is: {a}\ntesting in eval mode...\nepoch: {n},  loss is: {b}, acc is: {c}\nNow continue training...\n"
        for n, a, b, c in ROWS
    ),
    "chinese.log": "".join(f"第{n}轮 训练损失\uff1a{a}\uff0c验证损失\uff1a{b}\uff0c验证准确率\uff1a{c:.0%}\n" for n, a, b, c in ROWS),
    "korean.csv": "에포크,훈련 손실,검증 손실,검증 정확도\n" + "".join(f"{n},{a},{b},{c}\n" for n, a, b, c in ROWS),
    "spanish.log": "".join(f"Época {n}: pérdida {a}, val_pérdida: {b}, val_precisión: {c}\n" for n, a, b, c in ROWS),
    "sections.log": "".join(
        f"Epoch {n}/3\n12:00:01 INFO - Train metrics: loss: {a}\n12:00:02 INFO - Eval metrics: acc: {c} ; loss: {b}\nBest Valid acc: 0.99\n" for n, a, b, c in ROWS
    ),
    "several.log": "".join(f"[0{n}] train_loss: {a} | dev_loss: {b} | dev acc: {c} " for n, a, b, c in ROWS) + ">>> saved",
    "titled.csv": "result:\n\nepoch,train_loss,val_loss,val_acc\n\n" + "\n\n".join(f"{n},{a},{b},{c}" for n, a, b, c in ROWS) + "\n",
    "tensors.csv": "epoch,loss,val_loss,val_acc\n" + "".join(f"{n},\"tensor({a}, device='cuda:0', grad_fn=<DivBackward0>)\",{b},{c}\n" for n, a, b, c in ROWS),
    "nll.jsonl": "".join(json.dumps({"step": n, "train_mean_nll": a, "test/nll": b, "test/acc": c}) + "\n" for n, a, b, c in ROWS),
    "logging.log": "".join(
        f"2026-01-28 21:46:54,057 INFO    : Epoch [{n}]/[4] \t Training Phase Loss: {a} \t Accuracy: 0.{n}\n"
        f"2026-01-28 21:47:54,057 INFO    : Epoch [{n}]/[4] \t Validation Phase Loss: {b} \t Accuracy: {c}\n" for n, a, b, c in ROWS
    ),
    "parts.json": json.dumps({"time": [1, 2, 3], "box_loss": {"train": [1.5, 0.5, 0.25], "validation": [1.0, 0.7, 0.6]},
                              "cls_loss": {"train": [0.5, 0.5, 0.25], "validation": [0.5, 0.5, 0.5]}, "acc": {"validation": VALIDATION}}),
    "zeros.log": "\0" * 40 + "".join(f"Epoch {n}: loss {a}, val_loss {b}, val_acc {c}\n" for n, a, b, c in ROWS) * 1 + "done " * 60,
    "keras.txt": "".join(
        f"Epoch {n}/3\n 20/99 [====>.....] - ETA: 9s - loss: 9.9000 - acc: 0.100099/99 [=====] - 1s 9ms/step - loss: {a:.4f} - val_loss: {b} - val_acc: {c}\n"
        for n, a, b, c in ROWS
    ),
    "reversed.log": "".join(f"Epoch {n} @ 01:53 PM : {a} C.E. Loss\nval_loss={b} val_acc={c}\n" for n, a, b, c in ROWS),
    "shares.log": "".join(f"Epoch {n}: loss {a}, val_loss {b}, val_acc {c}%\n" for n, a, b, c in ROWS),
    "restored.log": "".join(f"Epoch {n}: loss {a}, val_loss {b}, val_acc {c}\n" for n, a, b, c in ROWS)
    + "Restoring model weights from the end of the best epoch: 1.\n",
    "several_accuracies.log": "".join(f"Epoch {n} | Train Loss: {a} | Token Acc: 0.1 | Seq Acc: 0.0 | Val Loss: {b} | Token Acc: {c} | Seq Acc: 0.0\n" for n, a, b, c in ROWS),
    "best.log": "".join(f"Epoch {n}: loss {a}, val_loss {b}, val_acc {c}\n" for n, a, b, c in ROWS)
    + "Best model found at epoch 1, val_loss: 9.0, val_acc: 0\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_history_is_read_where_people_keep_it(tmp_path, name):
    (tmp_path / name).write_text(FORMS[name])
    read = read_history(tmp_path / name)
    assert (read.runs, read.curves.train_loss, read.curves.validation_loss) == (1, LOSS, VALIDATION_LOSS)
    assert read.curves.validation_accuracy == pytest.approx(VALIDATION)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("losses.txt", "a\n[3.0, 2.50001, 2.5]\nb\n[3.00001, 2.00001, 1.0, 0.5]\n"),
        ("steps.log", "".join(f"Epoch {n}, Batch loss: {loss}\nEpoch {n} - Average Train Loss: {loss}\n" for n, loss in enumerate(LOSS))),
        ("train_log.txt", "".join(f"{n}\t{loss}\t{1 - loss / 3}\n" for n, loss in enumerate((9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.5, *LOSS[1:])))),
        ("fastai.txt", "epoch train_loss valid_loss accuracy time\n" + "".join(f"{n} {loss} #na# 00:12\n" for n, loss in enumerate(LOSS))),
        ("catboost.json", json.dumps({"meta": {"learn_metrics": [{"name": "TotalF1"}, {"name": "MultiClass"}], "test_metrics": []},
                                      "iterations": [{"learn": [1, loss], "iteration": n} for n, loss in enumerate(LOSS)]})),
        ("train.txt", str([8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.0, 0.5])),
        ("losses.txt", "".join(f"{n}\t{loss}\t{loss + 1}\n" for n, loss in enumerate(LOSS))),
        ("loss.txt", "3\n" + "2.0, " * 8 + "1.0, 0.5,\n"),
        ("train_loss", "".join(f"170838249611{n} {loss} {n}\n" for n, loss in enumerate(LOSS))),
        ("ner.log", "".join(f"{{'ner': {loss}}}\n" for loss in LOSS)),
        ("README.md", "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  SCORE \n---  ------  ------------  --------  ------  -----\n"
         + "".join(f"  {n}     {200 * n}  {loss / 2}  {loss / 2}   10.0   0.1\n" for n, loss in enumerate(LOSS))),
        ("iterations.log", "".join(f"[epoch: 0, iter: {n:>7,}, lr:(2e-4,)] l_pix: {loss}\n" for n, loss in zip(range(500, 1400, 100), (3.0,) * 6 + LOSS, strict=True))),
    ],
)  # fmt: skip
def test_a_file_with_losses_alone_is_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_history(tmp_path / name).curves.train_loss[-2:] == LOSS[-2:]


def test_losses_of_steps_are_kept_beside_the_accuracies_of_epochs(tmp_path):
    steps = [f"(Iteration {n} / 40) loss: {2 - n / 40}\n" for n in range(1, 41, 2)]
    epochs = [f"(Epoch {n} / 4) train acc: 0.{n + 2}; val_acc: 0.{n + 1}\n" for n in range(5)]
    text = steps[0] + "".join(epoch + "".join(steps[1 + 5 * n : 6 + 5 * n]) for n, epoch in enumerate(epochs))
    (tmp_path / "solver.txt").write_text(text)
    curves = read_history(tmp_path / "solver.txt").curves
    assert curves.validation_accuracy == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert curves.train_loss[0] > 1.8
    assert curves.train_loss[3] < 1.2


def test_curves_in_nested_lists_without_names_are_runs(tmp_path):
    nested = {"0.05-128": {"1": [4.0001, 3.0001, 1.5001, 1.2001], "2": [9.0001, 7.0001, 5.0001, 4.0001]}}
    (tmp_path / "losses.json").write_text(json.dumps(nested))
    read = read_history(tmp_path / "losses.json")
    assert (read.runs, read.curves.train_loss) == (2, (9.0001, 7.0001, 5.0001, 4.0001))


def test_a_file_of_mlflow_is_named_after_its_figure(tmp_path):
    (tmp_path / "val_acc").write_text("".join(f"170838249611{n} {right} {n}\n" for n, right in enumerate(VALIDATION)))
    assert read_history(tmp_path / "val_acc").curves.validation_accuracy == VALIDATION


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("losses.txt", "[0.7, 0.6, 0.6, 0.5, 0.5, 0.4, 0.4, 0.3][0.5, 0.5, 0.6, 0.6, 0.7, 0.7, 0.8, 0.9]", "no losses"),
        ("sizes.txt", "layers = [784, 1024, 10]\nbatch = [1, 2, 3]\n", "no losses"),
        ("check.txt", "check 1\nInitial loss: 2.3\nW1 relative error: 1e-7\ncheck 2\nInitial loss: 2.31\nW1 relative error: 2e-7\n", "no losses"),
        ("folds.txt", "".join(f"Config {n}: units 128\nLoss: 0.{n}\n" for n in range(1, 6)), "no losses"),
        ("progress.csv", "epoch,mean_reward,length\n1,5,9\n2,6,9\n3,7,9\n", "the rewards of reinforcement learning"),
        ("eval.json", json.dumps({"eval_loss": 0.3, "eval_accuracy": 0.9, "epoch": 1.0}), "the result of a single evaluation"),
        ("log.txt", "epochs: 0\nBest model found at epoch 0, Val Loss: inf, AUC: 0.00%, AP: 0.00%\n", "no losses"),
        (
            "history.csv", "optimizer,epoch,accuracy\n" + "sgd,300,0.9\nadam,300,0.8\nsgd,300,0.7\nadam,500,0.7\n",
            "labeled by 'optimizer'",
        ),
    ],
)  # fmt: skip
def test_what_could_be_anything_is_refused(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_history(tmp_path / name)


def test_a_resumed_training_says_where_it_was_resumed(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n" + "".join(f"{n},{9 / n}\n" for n in (1, 2, 3, 4, 5, 4, 5, 6, 7)))
    assert read_history(path).resumed == (4.0,)
    assert main(["diagnose", str(path)]) == 0
    assert "goes back to epoch 4, as if training had been resumed there" in capsys.readouterr().out


def test_steps_that_begin_again_within_an_epoch_are_a_new_run(tmp_path):
    path = tmp_path / "train.log"
    path.write_text("".join(f"epoch=0 i={n}/530 loss={5.0 - n / 10}\n" for n in (*range(9), *range(7), *range(20))))
    read = read_history(path)
    assert (read.runs, read.curves.train_loss[0], len(read.curves.train_loss)) == (3, 5.0, 20)


def test_the_best_round_of_xgboost_is_no_round(tmp_path):
    rounds = "".join(f"[{n}]\ttrain-auc:{0.5 + n / 50}\teval-auc:{0.6 + n / 100}\n" for n in range(20))
    (tmp_path / "xgb.log").write_text(f"{rounds}Stopping. Best iteration:\n[7]\ttrain-auc:0.64\teval-auc:0.67\n")
    assert len(read_history(tmp_path / "xgb.log").curves.train_accuracy) == 20


LINES = {
    "step 3 loss 0.25 lr 1e-3": 3,
    "2024-05-01 12:00:01,123 - INFO - Epoch: 2 | Step: 7 | train_loss: -0.5 | acc: 81%": 4,
    "Val: [8/9] Loss: 8.8 (7.7) Acc@1 1.5e1": 3,
}


@pytest.mark.parametrize("line", LINES)
def test_lines_of_one_shape_are_read_at_once_as_they_are_one_by_one(monkeypatch, line):
    rng = np.random.default_rng(0)
    places = list(line_runs.SPLIT.finditer(log_lines._shown(line)))
    begin = len(line) - len(log_lines._shown(line))
    rows = []
    for n in range(300):
        row, cells = line, [f"{n}", *(f"{value:.4g}" for value in rng.normal(0, 2, len(places) - 1))]
        for place, cell in reversed(list(zip(places, cells, strict=True))):
            row = row[: begin + place.start()] + cell + row[begin + place.end() :]
        rows.append(row)
    rows[170:170] = ["saved", "Test: loss 3.0", f"val {rows[3]}", rows[3]]
    text, counted = "\n".join(rows), []
    real = line_runs.numbers_after

    def counting(*arguments):
        numbers, position = real(*arguments)
        counted.append(len(numbers))
        return numbers, position

    monkeypatch.setattr(log_lines, "numbers_after", counting)
    (at_once,) = log_lines.read(text)
    assert sum(counted) > 250
    assert max(counted) < 200
    monkeypatch.setattr(log_lines, "numbers_after", lambda text, position, whole, line: (np.zeros((0, 0)), position))
    (one_by_one,) = log_lines.read(text)
    assert list(at_once.columns) == list(one_by_one.columns)
    for name, column in one_by_one.columns.items():
        np.testing.assert_array_equal(at_once.columns[name].values, column.values, err_msg=name)


def test_a_large_table_of_numbers_is_read_as_row_by_row(monkeypatch):
    rng = np.random.default_rng(0)
    text = "epoch,loss,loss,acc\n" + "".join(
        f"{n},{a:.5g},{b:.3e},{c:.2f}\n" for n, (a, b, c) in enumerate(rng.normal(0, 1, (500, 3)))
    )
    (row_by_row,) = delimited.read(text)
    monkeypatch.setattr(delimited, "_LARGE", 100)
    assert delimited._of_numbers(text, ["epoch", "loss", "loss", "acc"], ",") is not None
    (at_once,) = delimited.read(text)
    assert list(at_once.columns) == list(row_by_row.columns)
    for name, column in row_by_row.columns.items():
        np.testing.assert_array_equal(at_once.columns[name].values, column.values)


@pytest.mark.parametrize("row", ["7,,1,1", "7,nan,1,1", "7,1,1", "7,1,1,1,1", "7,1_0,1,1"])
def test_a_table_with_gaps_is_not_parsed_at_once(row):
    text = "epoch,loss,val_loss,acc\n" + "1,2,3,4\n" * 5 + row + "\n"
    assert delimited._of_numbers(text, ["epoch", "loss", "val_loss", "acc"], ",") is None
