"""Sweeps: what varies, what is tried, and that whatever is killed, every trial is there once."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs Optuna: pip install 'plainnet[sweep]'")
pytest.importorskip("joblib", reason="needs joblib: pip install 'plainnet[sweep]'")

from plainnet import InputError, mnist
from plainnet.cli.app import main
from plainnet.data.splits import Splits
from plainnet.sweep import sweep
from plainnet.sweep.space import parse_dimension, space_of

VARY = {"optimizer.weight_decay": ("log", 1e-6, 1e-1), "batch_size": [50, 100]}
COMMAND = [
    sys.executable, "-m", "plainnet", "sweep", "softmax", "--vary", "optimizer.weight_decay=log(1e-6, 1e-1)",
    "--vary", "batch_size=[50, 100]", "--set", "epochs=2", "--limit", "2000", "--sampler", "random",
]  # fmt: skip


@pytest.fixture(scope="module")
def data():
    whole = mnist.load()
    return Splits.of(whole.train.sample(1000), whole.validation.sample(300), whole.test.sample(50))


def swept(data, out, **more):
    settings = {"trials": 4, "sampler": "random", "overrides": {"epochs": 1}, "data": data} | more
    return sweep("softmax", settings.pop("vary", VARY), out=out, **settings)


def comparable(records):
    return [{key: value for key, value in record.items() if key != "made"} for record in records]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("optimizer.weight_decay=log(1e-6, 1e-2)", "log", "log(1e-06, 0.01)"),
        ("a = uniform( 0 , 0.5 )", "uniform", "uniform(0, 0.5)"),
        ("layers.1.units=int(16,64)", "int", "int(16, 64)"),
        ("layers.1.units=[256, 512]", "choice", "[256, 512]"),
        ('loss.type=["SoftmaxCrossEntropy"]', "choice", '["SoftmaxCrossEntropy"]'),
        ('schedule=[{type = "constant", rate = 1}]', "choice", '[{"type": "constant", "rate": 1}]'),
    ],
)  # fmt: skip
def test_what_varies_is_read(text, kind, shown):
    found = parse_dimension(text)
    assert (found.kind, str(found)) == (kind, shown)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "a: give KEY=log"),
        ("=log(1, 2)", "cannot read"),
        ("a=log(0, 1)", "holds no values; the first must be below the second, and above 0"),
        ("a=uniform(2, 1)", "holds no values; the first must be below the second"),
        ("a=int(1.5, 3)", "int takes whole numbers"),
        ("a=log(x, y)", "cannot read the numbers"),
        ("a=uniform(0, inf)", "holds no values"),
        ("a=uniform(nan, 1)", "holds no values"),
        ("a=[]", "a: give KEY=log"),
        ("a=[1, 1]", "a choice is there twice"),
        ("a=5", "received 5"),
        ("a=gauss(0, 1)", "cannot read"),
    ],
)
def test_what_cannot_vary_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_dimension(text)


def test_a_key_varies_once():
    with pytest.raises(InputError, match="a key varies twice: a, a"):
        space_of(["a=[1, 2]", "a=[3, 4]"])
    with pytest.raises(InputError, match="nothing varies"):
        space_of([])


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_here_and_in_processes_the_results_are_the_same(data, tmp_path, sampler):
    vary = {"optimizer.weight_decay": [1e-5, 1e-3], "batch_size": [50, 100]} if sampler == "grid" else VARY
    one = swept(data, tmp_path / "one", sampler=sampler, vary=vary)
    two = swept(data, tmp_path / "two", sampler=sampler, vary=vary, jobs=2)
    assert comparable(one.records) == comparable(two.records)
    assert [record["number"] for record in one.records] == [0, 1, 2, 3]
    assert one.best["value"] == max(record["value"] for record in one.records)


def test_on_a_cluster_the_results_are_the_same(data, tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'plainnet[sweep]'")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        found = swept(data, tmp_path / "dask", dask=cluster.scheduler_address)
    assert comparable(found.records) == comparable(swept(data, tmp_path / "one").records)


def test_no_scheduler_is_there(data, tmp_path):
    pytest.importorskip("distributed", reason="needs Dask: pip install 'plainnet[sweep]'")
    with pytest.raises(InputError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        swept(data, tmp_path / "none", dask="tcp://127.0.0.1:1")


def test_tpe_learns_and_is_the_same_each_time(data, tmp_path):
    vary = {"schedule.learning_rate": ("log", 1e-5, 1.0)}
    found = [swept(data, tmp_path / str(k), sampler="tpe", trials=14, vary=vary) for k in range(2)]
    assert comparable(found[0].records) == comparable(found[1].records)
    tried = [np.log10(record["overrides"]["schedule.learning_rate"]) for record in found[0].records]
    assert np.std(tried[10:]) < np.std(tried[:10])


def test_a_sweep_goes_on_and_grows(data, tmp_path):
    first = swept(data, tmp_path / "s", trials=2)
    grown = swept(data, tmp_path / "s", trials=5)
    assert grown.records[:2] == first.records
    assert comparable(grown.records) == comparable(swept(data, tmp_path / "whole", trials=5).records)


def test_another_sweep_is_not_mixed_in(data, tmp_path):
    swept(data, tmp_path / "s", trials=1)
    with pytest.raises(InputError, match="was begun with another seed"):
        swept(data, tmp_path / "s", trials=1, seed=1)
    with pytest.raises(InputError, match="was begun with another recipe and vary"):
        sweep("classic", {"batch_size": [10]}, trials=1, sampler="random", data=data, out=tmp_path / "s")


def test_trials_that_fail_are_told(data, tmp_path):
    vary = {"schedule.learning_rate": [0.1, 1e30], "batch_size": [50, 100_000]}
    found = swept(data, tmp_path / "s", sampler="grid", vary=vary)
    states = [record["state"] for record in found.records]
    assert len(states) == 4
    assert set(states) <= {"complete", "diverged", "refused"}
    assert "diverged" in states
    assert found.best["state"] == "complete"
    assert [row["state"] for row in json.loads((tmp_path / "s/sweep.json").read_text())["table"]] == states


def test_hopeless_trials_are_pruned(data, tmp_path):
    vary = {"schedule.learning_rate": [0.1, 0.08, 0.06, 0.05, 1e-6, 1e-7]}
    found = swept(data, tmp_path / "s", sampler="grid", trials=6, vary=vary, prune=True, overrides={"epochs": 4})
    assert [record["state"] for record in found.records[:4]] == ["complete"] * 4
    assert [record["state"] for record in found.records[4:]] == ["pruned"] * 2
    assert all(len(record["history"]) < 4 for record in found.records[4:])


def test_a_grid_takes_lists(data, tmp_path):
    with pytest.raises(InputError, match=r"a grid takes lists of choices, received optimizer.weight_decay"):
        swept(data, tmp_path / "s", sampler="grid")


def test_the_winner_is_a_recipe_that_trains_the_same(data, tmp_path):
    from plainnet.recipes import read
    from plainnet.runs.run import Run

    best = swept(data, tmp_path / "s").best
    text = (tmp_path / "s/winner.toml").read_text()
    assert "# chosen from log(1e-06, 0.1)" in text
    run = Run(read(str(tmp_path / "s/winner.toml")), data, threads=1)
    *_, last = run.epochs()
    assert last.validation_accuracy == best["value"]


def test_a_lost_record_is_noticed(data, tmp_path):
    swept(data, tmp_path / "s", trials=2)
    (tmp_path / "s/trials/00001.json").unlink()
    with pytest.raises(InputError, match="the records of 1 trials are not in"):
        swept(data, tmp_path / "s", trials=2)


def test_from_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*COMMAND[3:], "--trials", "2", "--final"]) == 0
    out = capsys.readouterr().out
    assert "2 complete trials" in out
    assert (tmp_path / "sweep/final/metrics.json").exists()
    assert main(["sweep", "softmax", "--vary", "batch_size=log(0,1)"]) == 2
    assert main([*COMMAND[3:], "--jobs", "2", "--dask", "tcp://127.0.0.1:1"]) == 2


def children_of(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(one) for one in found.split()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes as Linux has them")
def test_twenty_kills_lose_nothing(tmp_path):
    """Workers, the client, or all of them as a machine that dies, at random moments: every trial is there once."""
    rng, trials, out = np.random.default_rng(0), 24, tmp_path / "killed"
    command = [*COMMAND, "--trials", str(trials), "--jobs", "2", "--out", str(out)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    killed = 0
    for _ in range(60):
        with (tmp_path / "said").open("w") as said:  # a pipe would be held open by workers whose client is gone
            process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True, env=environment)
        ended = False
        while not ended and killed < 20:
            time.sleep(float(rng.uniform(0.5, 3.5)))
            if process.poll() is not None:
                break
            whom = rng.choice(["worker", "client", "machine"])
            workers = children_of(process.pid)
            if whom == "worker" and workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(rng.choice(workers)), signal.SIGKILL)
            elif whom == "client":
                process.kill()
                ended = True
            else:
                os.killpg(process.pid, signal.SIGKILL)
                ended = True
            killed += 1
        process.wait(300)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # workers of a client that is gone
        if process.returncode == 0 and killed >= 20:
            break
        assert process.returncode in (0, -signal.SIGKILL), (tmp_path / "said").read_text()
        if process.returncode == 0:  # faster than the kills: the sweep grows
            trials += 8
            command[command.index("--trials") + 1] = str(trials)
    assert killed == 20
    table = json.loads((out / "sweep.json").read_text())["table"]
    assert [row["number"] for row in table] == list(range(trials))
    assert {row["state"] for row in table} == {"complete"}
    assert main([*COMMAND[3:], "--trials", str(trials), "--out", str(tmp_path / "whole")]) == 0
    whole = json.loads((tmp_path / "whole" / "sweep.json").read_text())["table"]
    assert whole == table
