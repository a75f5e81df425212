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
from plainnet.sweep import crews, sweep
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
        ("layers.1.units=logint(16,1024)", "logint", "logint(16, 1024)"),
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
        ("a=log(0, 1)", "is empty; the first number must be below the second, and above 0"),
        ("a=uniform(2, 1)", "is empty; the first number must be below the second"),
        ("a=int(1.5, 3)", "int takes whole numbers"),
        ("a=log(x, y)", "cannot read the numbers"),
        ("a=uniform(0, inf)", "is empty"),
        ("a=uniform(nan, 1)", "is empty"),
        ("a=[]", "a: give KEY=log"),
        ("a=[1, 1]", "a choice is repeated"),
        ("a=5", "received 5"),
        ("a=gauss(0, 1)", "cannot read"),
    ],
)
def test_what_cannot_vary_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_dimension(text)


def test_a_key_varies_once():
    with pytest.raises(InputError, match="a key is given twice: a, a"):
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


def test_on_a_cluster_the_results_are_the_same(data, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'plainnet[sweep]'")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        progress = {}
        monkeypatch.setattr(crews, "in_folder", lambda folder, number: progress.setdefault((folder, number), []).append)
        found = swept(data, tmp_path / "dask", dask=cluster.scheduler_address)
    told = progress[tmp_path / "dask", 0]  # of the last trial, the messages may come after the result
    assert (told[0].split()[0], told[-1]) == ("1", None)
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
    with pytest.raises(InputError, match="was begun with other settings: seed was 0, now 1"):
        swept(data, tmp_path / "s", trials=1, seed=1)
    with pytest.raises(InputError, match="was begun with other settings: recipe"):
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
    with pytest.raises(InputError, match=r"a grid needs lists of choices, received optimizer.weight_decay"):
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


def test_a_lost_record_is_made_again(data, tmp_path):
    whole = swept(data, tmp_path / "s", trials=3)
    (tmp_path / "s/trials/00001.json").unlink()
    assert comparable(swept(data, tmp_path / "s", trials=3).records) == comparable(whole.records)
    (tmp_path / "s/trials/00002.json").write_text("{")
    with pytest.raises(InputError, match=r"00002.json is damaged; remove it, and its trial will be run again"):
        swept(data, tmp_path / "s", trials=3)


@pytest.mark.parametrize(
    ("vary", "sentence"),
    [
        ({"optimizer": [{"type": "SGD"}], "optimizer.momentum": [0.5]}, "optimizer varies, but optimizer.momentum cha"),
        ({"optimizer.momentum": [0.5], "optimizer": [{"type": "SGD"}]}, "optimizer varies, but optimizer.momentum cha"),
        ({"epochs": [1, 2]}, "epochs varies, but epochs changes it as well"),
        ({"data": ["a.csv", "b.csv"]}, "data cannot vary"),
        ({"workers": [1, 2]}, "workers cannot vary"),
        ({"title": ["a"]}, "title cannot vary"),
        ({"layers.1.unit": [1, 2]}, "--vary layers.1.unit: "),
        ({"layers.77.units": [1, 2]}, "--vary layers.77.units: there is no"),
        ({"rate": [1, 2]}, "--vary rate: .*unknown key"),
        ({"layers.1.units": ("log", 1, 10)}, "--vary layers.1.units: .*whole number"),
    ],
)
def test_what_cannot_vary_is_refused_before_the_first_trial(data, tmp_path, vary, sentence):
    with pytest.raises(InputError, match=sentence):
        swept(data, tmp_path / "s", vary=vary)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("more", [{"limit": 0}, {"limit": 10**7}, {"seed": -1}, {"overrides": {"validate": False}}])
def test_what_cannot_be_trained_is_refused_before_the_first_trial(data, tmp_path, more):
    with pytest.raises(InputError):
        swept(data, tmp_path / "s", **more)
    assert not (tmp_path / "s").exists()


def test_a_choice_is_not_changed_by_a_trial(data, tmp_path):
    vary = {"optimizer": [{"type": "SGD", "momentum": 0.5}, {"type": "Adam"}]}
    found = swept(data, tmp_path / "s", sampler="grid", vary=vary, overrides={"epochs": 1})
    assert [one["overrides"] for one in found.records] == [{"optimizer": choice} for choice in vary["optimizer"]]


def test_whole_numbers_by_the_logarithm(data, tmp_path):
    found = swept(data, tmp_path / "s", vary={"batch_size": ("logint", 8, 512)}, trials=5)
    sizes = [one["overrides"]["batch_size"] for one in found.records]
    assert all(type(size) is int and 8 <= size <= 512 for size in sizes)
    with pytest.raises(InputError, match=r"logint\(0, 4\) is empty; .*above 0"):
        swept(data, tmp_path / "t", vary={"batch_size": ("logint", 0, 4)})


def test_a_line_a_trial_that_runs(data, tmp_path):
    from plainnet.cli.running_trials import lines

    seen = []

    def told(record, so_far, of):
        (tmp_path / "s/.running/00007").write_text("3 20 0.91234")
        (tmp_path / "s/.running/00008").write_text("3 2")  # half written
        seen.append(lines(tmp_path / "s"))

    swept(data, tmp_path / "s", trials=1, told=told)
    assert seen == ["trial 7: epoch 3 of 20, 0.91234"]
    assert lines(tmp_path / "s") == ""


def test_settings_that_were_tried_are_not_trained_again(data, tmp_path):
    found = swept(data, tmp_path / "s", vary={"batch_size": [50]}, trials=3)
    assert [one["made"].get("as_trial") for one in found.records] == [None, 0, 0]
    assert {one["value"] for one in found.records} == {found.records[0]["value"]}


def test_a_sweep_that_came_to_nothing_can_be_begun_anew(data, tmp_path):
    vary = {"batch_size": [50, 60], "schedule.learning_rate": [1e30]}
    first = swept(data, tmp_path / "s", sampler="grid", vary=vary)
    assert first.best is None
    assert swept(data, tmp_path / "s").best is not None
    assert len(list((tmp_path / "s/trials").iterdir())) == 4


def test_of_equal_figures_the_smaller_loss_wins(data, tmp_path):
    found = swept(data, tmp_path / "s", vary={"batch_size": [50, 60, 70, 80, 90]}, sampler="grid")
    equal = [one for one in found.ranked if one["value"] == found.best["value"]]
    losses = [one["history"][one["epoch"] - 1]["validation_loss"] for one in equal]
    assert losses == sorted(losses)


def test_the_database_is_named_as_one_likes(data, tmp_path):
    for name in "ab":
        swept(data, tmp_path / name, trials=1, storage=str(tmp_path / "both.db"))
    assert (tmp_path / "both.db").exists()
    (tmp_path / "c").mkdir()
    (tmp_path / "c/sweep.db").write_text("nonsense " * 2000)
    with pytest.raises(
        InputError, match=r"cannot use the database sqlite.*file is not a database; give another"
    ) as told:
        swept(data, tmp_path / "c")
    assert "sqlalche.me" not in str(told.value)
    with pytest.raises(InputError, match=r"mysql://me:\*\*\*@nowhere") as told:
        swept(data, tmp_path / "d", storage="mysql://me:secret@nowhere/x")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("address", ["foo", "localhost:8786", "tcp://nohost"])
def test_an_address_that_is_none_is_refused_at_once(data, tmp_path, address):
    with pytest.raises(InputError, match="the address of a Dask scheduler must be like tcp://HOST:8786"):
        swept(data, tmp_path / "s", dask=address)


OWN_LAYER = """
from plainnet.layers import Layer

FACTOR = 2.0

class Twice(Layer):
    def build(self, in_shape, rng=None):
        return in_shape

    def forward(self, x, *, training=False):
        return FACTOR * x

    def backward(self, dy, *, need_dx=True):
        return FACTOR * dy
"""


@pytest.mark.parametrize("where", [["--jobs", "2"], []])
def test_layers_of_ones_own_go_to_other_processes(tmp_path, capsys, where):
    (tmp_path / "own.py").write_text(OWN_LAYER)
    layers = "layers=[{type='Flatten'}, {type='Twice'}, {type='Dense'}]"
    own = str(tmp_path / "own.py")
    code = main([
        "sweep", "softmax", "--layers", own, "--set", layers, "--set", "epochs=1", "--limit", "500",
        "--vary", "batch_size=[50, 100]", "--sampler", "grid", "--out", str(tmp_path / "s"), *where,
    ])  # fmt: skip
    assert code == 0
    assert "2 complete trials" in capsys.readouterr().out


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{'high' if a + b > 0 else 'low'}" for a, b in rng.normal(size=(120, 2))]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,kind", *rows]))
    return tmp_path / "table.csv"


def test_the_winner_trains_on_the_same_data_and_is_judged_once(tmp_path, table, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = [
        "sweep", "table", "--data", "table.csv", "--vary", "batch_size=[8, 16]", "--set", "epochs=3",
        "--sampler", "grid", "--out", "s", "--final",
    ]  # fmt: skip
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "validation accuracy" in said
    assert "s/final/ holds model_final.safetensors" in said
    opened = json.loads((tmp_path / "s/final/metrics.json").read_text())["test_set_opened"]
    assert main(asked) == 0
    assert "s/final holds the results of this winner" in capsys.readouterr().out
    assert json.loads((tmp_path / "s/final/metrics.json").read_text())["test_set_opened"] == opened
    assert main(["train", "s/winner.toml", "--out", "again", "--no-pictures"]) == 0
    assert "84 examples to train on" in capsys.readouterr().out
    text = (tmp_path / "s/winner.toml").read_text()
    values = [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
    assert values
    assert all("#" in line for line in values), values
    metrics = tmp_path / "s/final/metrics.json"
    other = json.loads(metrics.read_text())
    other["settings"]["batch_size"] = 99
    metrics.write_text(json.dumps(other))
    assert main(asked) == 2
    assert "holds the results of an earlier winner" in capsys.readouterr().err


def test_the_page_tells_what_was_tried(data, tmp_path):
    found = swept(data, tmp_path / "s", trials=5)
    page = (tmp_path / "s/sweep.html").read_text()
    told = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert [one["value"] for one in told["trials"]] == [one["value"] for one in found.records]
    assert [one["curve"] for one in told["trials"]] == [
        [epoch["validation_accuracy"] for epoch in one["history"]] for one in found.records
    ]
    assert told["ranked"] == [one["number"] for one in found.ranked]
    assert set(told["importance"]) == set(VARY)
    assert sum(told["importance"].values()) == pytest.approx(1)


def recorded(folder):
    told = {"seconds", "test_set_opened", "peak_memory_mb", "history", "thread_choices"}
    tables = [json.loads((folder / f"seed-{seed}.json").read_text()) for seed in range(3)]
    histories = [[{**epoch, "seconds": 0} for epoch in table["history"]] for table in tables]
    return [{k: v for k, v in table.items() if k not in told} for table in tables], histories


def series_of(folder, *more):
    return main(["series", "softmax", "--out", str(folder), "--seeds", *more])


@pytest.mark.slow
def test_a_series_is_the_same_by_one_process_or_several_or_a_cluster(tmp_path, capsys):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'plainnet[sweep]'")
    assert series_of(tmp_path / "one", "0:3", "--threads", "1") == 0
    assert series_of(tmp_path / "jobs", "0:2", "--jobs", "2") == 0
    assert series_of(tmp_path / "jobs", "0:3", "--jobs", "2") == 0
    assert "3 runs: mean 92.673%, standard deviation 0.0" in capsys.readouterr().out
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        assert series_of(tmp_path / "dask", "0:3", "--dask", cluster.scheduler_address) == 0
    expected, files = recorded(tmp_path / "one/softmax"), names_in(tmp_path / "one/softmax")
    for where in ("jobs", "dask"):
        folder = tmp_path / where / "softmax"
        assert recorded(folder) == expected
        assert names_in(folder) == files
        assert len(json.loads((folder / "openings.json").read_text())) == 3


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_threads_of_a_series_by_a_crew_are_given(tmp_path, capsys):
    assert series_of(tmp_path, "0:2", "--jobs", "2", "--threads", "2") == 2
    assert "leave out --threads" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # that five epochs are few, and what joblib's own processes say
def test_a_grid_search_of_scikit_learn_on_a_cluster(digits):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'plainnet[sweep]'")
    joblib = pytest.importorskip("joblib")
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'plainnet[sklearn]'")
    from sklearn.model_selection import GridSearchCV

    from plainnet.sklearn import PlainnetClassifier

    images, labels = digits.train.inputs[:600].reshape(600, -1) / 255.0, digits.train.targets[:600]
    grid = {"hidden_layer_sizes": [(8,), (16,)], "alpha": [1e-4, 1e-2]}

    def searched():
        search = GridSearchCV(PlainnetClassifier(max_iter=5, random_state=0), grid, cv=2, n_jobs=2)
        return search.fit(images, labels).cv_results_["mean_test_score"]

    expected = searched()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        np.testing.assert_array_equal(searched(), expected)


@pytest.mark.slow
@pytest.mark.parametrize("how_many", [1, 2])
def test_dask_workers_that_are_killed_lose_nothing(data, tmp_path, how_many):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'plainnet[sweep]'")
    expected = swept(data, tmp_path / "one", trials=6, overrides={"epochs": 8})
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        kills = iter(range(3))

        def told(record, so_far, of):
            if next(kills, None) is not None:
                for worker in list(cluster.workers.values())[:how_many]:
                    with contextlib.suppress(ProcessLookupError, TypeError):
                        os.kill(worker.pid, signal.SIGKILL)

        found = swept(
            data, tmp_path / "dask", trials=6, overrides={"epochs": 8}, dask=cluster.scheduler_address, told=told
        )
    assert comparable(found.records) == comparable(expected.records)


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_said_to_be_gone(tmp_path):
    pytest.importorskip("distributed", reason="needs Dask: pip install 'plainnet[sweep]'")
    address = "tcp://127.0.0.1:38786"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--port", "38786", "--no-dashboard", "--host", "127.0.0.1"], **quiet
    )
    worker = subprocess.Popen([*dask, "worker", address, "--nthreads", "1", "--no-dashboard"], **quiet)
    try:
        job = None
        for _ in range(60):
            job = subprocess.Popen(
                [*COMMAND, "--trials", "200", "--dask", address, "--out", str(tmp_path / "s")],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            first = next((line for line in job.stdout if line.startswith("trial ")), None)
            if first is not None:
                break
            job.communicate()
            time.sleep(1)
        scheduler.kill()
        _, said = job.communicate(timeout=120)
        assert job.returncode == 2
        assert (
            said == f"plainnet: the Dask scheduler at {address} is gone; restart it, and resume with the same command\n"
        )
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


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
