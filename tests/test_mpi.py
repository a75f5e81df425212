"""One training in several ranks: the gradients, the weights, the files; and what happens when one of them dies."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("mpi4py", reason="needs mpi4py: pip install 'plainnet[mpi]'")
MPIRUN = Path(sys.executable).parent / "mpiexec.hydra"
if not MPIRUN.exists():
    pytest.skip("needs an mpiexec: pip install mpich", allow_module_level=True)

PROGRAMS = Path(__file__).parent / "rank_programs.py"
ENVIRONMENT = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
# Ranks of one machine reach each other by the network then, and not by shared memory.
BY_NETWORK = {"MPIR_CVAR_CH4_NETMOD": "ofi", "FI_PROVIDER": "tcp", "MPIR_CVAR_NOLOCAL": "1"}
TRAIN = [sys.executable, "-m", "plainnet", "train", "classic", "--mpi", "--limit", "2000", "--set", "workers=1"]
SHORT = [*TRAIN, "--epochs", "2", "--no-pictures"]


def ranks(count, *command, environment=(), timeout=120):
    asked = [str(MPIRUN), "-n", str(count), *map(str, command)]
    return subprocess.run(
        asked, env=ENVIRONMENT | dict(environment), capture_output=True, text=True, timeout=timeout, check=False
    )


def program(name, count, **options):
    done = ranks(count, sys.executable, PROGRAMS, name, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("count", [2, 4])
def test_ranks_find_the_gradient_of_the_whole_batch(count):
    """With batch normalization, and batches of which some ranks have nothing."""
    for name, (distance, state, figures_agree) in program("gradients", count).items():
        bound = 1e-13 if "float64" in name else 1e-5 if "norm" in name else 1e-6
        assert distance < bound, (name, distance)
        assert state < bound, (name, state)
        assert figures_agree, name


@pytest.mark.parametrize("count", [1, 2, 4])
def test_ranks_have_the_same_weights_and_one_thread_each_has_those_of_threads(count):
    found = program("weights", count)
    threads = found.pop("threads")
    for name, of_ranks in found.items():
        assert all(one == of_ranks[0] for one in of_ranks), name
    assert found["ordered 1"][0] == threads


def test_what_differs_is_brought_together():
    found = program("beginnings", 2)
    assert len(set(found["first"])) == len(set(found["second"])) == 1
    assert found["drifted"] == 1


def test_refusals():
    reduction, number = program("refusals", 1)
    assert reduction == "reduction must be ordered or allreduce, received 'ring'"
    assert number.startswith("workers must be a whole number")


def test_ordered_gives_the_same_bits_by_memory_and_by_network():
    by_memory = program("where", 3)["weights"]
    assert program("where", 3, environment=BY_NETWORK)["weights"] == by_memory


@pytest.fixture
def two_hosts():
    """Two network namespaces with a wire between them, and a program that starts commands in them as ssh would."""
    names = [f"plainnet-{os.getpid()}-{letter}" for letter in "ab"]

    def ip(*words):
        return subprocess.run(["ip", *words], capture_output=True, check=True)

    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", "wire", "netns", names[0], "type", "veth", "peer", "name", "wire", "netns", names[1])
        for number, name in enumerate(names, start=1):
            ip("-n", name, "addr", "add", f"10.91.77.{number}/24", "dev", "wire")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "wire", "up")
    except (OSError, subprocess.CalledProcessError):
        _remove(names)
        pytest.skip("this user may not make network namespaces; the same runs on loopback")
    for name in names:
        while "UP" not in ip("-n", name, "-br", "link", "show", "wire").stdout.decode().split():
            time.sleep(0.05)
    yield names
    _remove(names)


def _remove(names):
    for name in names:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def on_hosts(two_hosts, folder, count, *command):
    """The command line of so many ranks, in turns on the two hosts, which reach each other by the wire alone."""
    shell = folder / "as-ssh"
    shell.write_text(
        '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\n'
        f"case $1 in 10.91.77.1) n={two_hosts[0]};; *) n={two_hosts[1]};; esac; shift\n"
        'exec ip netns exec $n sh -c "$*"\n'
    )
    shell.chmod(0o755)
    launch = ["-launcher", "ssh", "-launcher-exec", shell, "-hosts", "10.91.77.1,10.91.77.2", "-ppn", "1"]
    return list(map(str, ["ip", "netns", "exec", two_hosts[0], MPIRUN, *launch, "-n", count, *command]))


def test_two_hosts_give_the_bits_of_one(two_hosts, tmp_path):
    command = on_hosts(two_hosts, tmp_path, 3, sys.executable, PROGRAMS, "where")
    done = subprocess.run(
        command, env=ENVIRONMENT | BY_NETWORK, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["weights"] == program("where", 3)["weights"]
    counters = subprocess.run(
        ["ip", "netns", "exec", two_hosts[0], "cat", "/proc/net/dev"], capture_output=True, text=True, check=True
    ).stdout
    received = next(line for line in counters.splitlines() if "wire" in line).split(":")[1].split()[0]
    assert int(received) > 1_000_000  # the gradients went over the wire


@pytest.mark.slow
def test_a_host_that_cannot_be_reached_ends_the_job(two_hosts, tmp_path):
    command = on_hosts(two_hosts, tmp_path, 2, *TRAIN, "--out", tmp_path / "lost")
    job = subprocess.Popen(
        command, env=ENVIRONMENT | BY_NETWORK, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(tmp_path / "lost" / "checkpoint.safetensors", job)
    subprocess.run(["ip", "-n", two_hosts[0], "link", "set", "wire", "down"], check=True)
    cut = time.monotonic()
    _, said = job.communicate(timeout=60)
    assert time.monotonic() - cut < 30
    assert job.returncode != 0
    assert said.count("plainnet: ") == 1
    assert "the other processes have not answered for 20 s" in said


def wait_for(path, job, seconds=60):
    until = time.monotonic() + seconds
    while not path.exists():
        assert job.poll() is None, job.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def members(job):
    """The processes of the ranks, children of MPI's own."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            found.setdefault(int(fields[1]), []).append(int(entry.name))
        except (OSError, IndexError):
            continue
    (proxy,) = found[job.pid]
    return sorted(found[proxy])


def started(count, *command):
    asked = [str(MPIRUN), "-n", str(count), *map(str, command)]
    return subprocess.Popen(asked, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def figures(folder):
    table = json.loads((folder / "training_history.json").read_text())
    return [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in table]


def test_the_command_line_trains_in_ranks_what_it_trains_in_workers(tmp_path):
    done = ranks(2, *SHORT, "--out", tmp_path / "ranks")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("2 ranks on 1 machine, 2 workers for each batch") == 1
    assert done.stdout.count("test accuracy") == 1
    alone = [word for word in SHORT if word != "--mpi"]
    alone[alone.index("workers=1")] = "workers=2"
    subprocess.run([*alone, "--out", tmp_path / "alone"], env=ENVIRONMENT, check=True, capture_output=True)
    assert figures(tmp_path / "ranks") == figures(tmp_path / "alone")
    assert (tmp_path / "ranks" / "model_final.safetensors").exists()


@pytest.mark.parametrize("which", [0, 1])
def test_a_rank_that_is_killed_ends_the_job_and_another_number_of_ranks_goes_on(tmp_path, which):
    job = started(3, *TRAIN, "--out", tmp_path / "out")
    wait_for(tmp_path / "out" / "checkpoint.safetensors", job)
    os.kill(members(job)[which], signal.SIGKILL)
    killed = time.monotonic()
    _, said = job.communicate(timeout=60)
    assert time.monotonic() - killed < 30
    assert job.returncode != 0
    assert said.count("plainnet: ") == 1
    assert f"resume with: mpirun -n 3 plainnet train --resume {tmp_path}/out --mpi" in said
    job = started(2, *TRAIN[:4], "--mpi", "--resume", tmp_path / "out")
    for line in job.stdout:
        if "since then workers was 3, now 2: the last bits of the result may differ" in line:
            break
    else:
        pytest.fail(job.stderr.read())
    for line in job.stdout:
        if line.startswith("epoch"):
            break
    os.kill(job.pid, signal.SIGINT)
    _, said = job.communicate(timeout=60)
    assert job.returncode == 130
    assert said.count("plainnet: stopped after ") == 1


def test_an_interrupted_job_goes_on_to_the_same_bits(tmp_path):
    six = [*TRAIN, "--no-pictures", "--epochs", "6"]
    assert ranks(2, *six, "--out", tmp_path / "whole").returncode == 0
    job = started(2, *six, "--out", tmp_path / "cut")
    wait_for(tmp_path / "cut" / "checkpoint.safetensors", job)
    os.kill(job.pid, signal.SIGTERM)
    job.communicate(timeout=60)
    if (tmp_path / "cut" / "checkpoint.safetensors").exists():
        assert ranks(2, *TRAIN[:4], "--mpi", "--resume", tmp_path / "cut", "--no-pictures").returncode == 0
    assert figures(tmp_path / "cut") == figures(tmp_path / "whole")


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--set", "schedule.learning_rate=1e9"], 3, "training diverged in epoch 1"),
        (["--set", "rate=1"], 2, "unknown key 'rate'"),
        (["--reduction", "ring"], 2, "reduction must be ordered or allreduce, received 'ring'"),
        (["--out", "/proc/nowhere"], 2, "cannot create the folder /proc/nowhere"),
        (["--folds", "3"], 2, "--folds does not work with --mpi"),
        (["--resume", "nowhere"], 2, "there is no checkpoint in nowhere"),
    ],
)
def test_what_goes_wrong_is_said_once(tmp_path, options, code, sentence):
    out = [] if {"--out", "--resume"} & set(options) else ["--out", tmp_path / "out"]
    done = ranks(2, *SHORT, *out, *options)
    assert done.returncode == code
    assert done.stderr.count("plainnet: ") == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_rank_that_fails_alone_ends_the_job_and_says_where(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(
        "import os\nfrom plainnet.layers import Layer\n"
        "class Sometimes(Layer):\n"
        "    def build(self, in_shape, rng=None):\n        return in_shape\n"
        "    def forward(self, x, *, training=False):\n"
        "        if os.environ['PMI_RANK'] == '1':\n"
        "            raise ZeroDivisionError('by chance')\n"
        "        return x\n"
        "    def backward(self, dy, *, need_dx=True):\n        return dy\n"
    )
    out = tmp_path / "out"
    layers = 'layers=[{type="Flatten"}, {type="Sometimes"}, {type="Dense"}]'
    done = ranks(2, *SHORT, "--layers", own, "--set", layers, "--out", out)
    assert done.stderr.count("plainnet: ") <= 2
    assert done.returncode == 2
    assert f"rank 1 on {platform.node()}: {own}, line " in done.stderr
    assert "raised ZeroDivisionError: by chance; fix it there" in done.stderr


@pytest.mark.slow
def test_the_last_words_are_heard_every_time(tmp_path):
    """However busy the machine is, and however soon the launcher has gone."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        for time_ in range(6):
            job = started(3, *TRAIN, "--out", tmp_path / str(time_))
            wait_for(tmp_path / str(time_) / "checkpoint.safetensors", job)
            os.kill(members(job)[time_ % 3], signal.SIGKILL)
            _, said = job.communicate(timeout=60)
            assert said.count("plainnet: a process of the job was killed") == 1, said
            assert said.rstrip().splitlines()[-1].startswith("plainnet: ")
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_mpirun_without_mpi_is_refused_once(tmp_path):
    done = ranks(2, *[word for word in SHORT if word != "--mpi"], "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["plainnet: 2 processes were started, and each would train alone; add --mpi"]
    done = ranks(2, *SHORT, "--nothing")
    assert done.stderr.count("plainnet: ") == 1


def test_more_ranks_than_cores_are_said(tmp_path):
    done = ranks(1 + len(os.sched_getaffinity(0)), *SHORT, "--out", tmp_path / "out")
    assert "so they take turns)" in done.stdout


@pytest.mark.slow
def test_a_rank_that_reads_slowly_is_waited_for(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(
        "import os, time\nfrom plainnet.layers import ReLU\n"
        "if os.environ['PMI_RANK'] == '1':\n"
        "    time.sleep(25)\n"
        "class Own(ReLU):\n    pass\n"
    )
    done = ranks(2, *SHORT, "--layers", own, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_rank_that_stands_still_ends_the_job(tmp_path):
    job = started(2, *TRAIN, "--out", tmp_path / "out")
    wait_for(tmp_path / "out" / "checkpoint.safetensors", job)
    os.kill(members(job)[1], signal.SIGSTOP)
    stopped = time.monotonic()
    _, said = job.communicate(timeout=60)
    assert 19 < time.monotonic() - stopped < 30
    assert job.returncode == 69
    assert said.count("plainnet: ") == 1


def test_without_mpi4py_a_sentence_says_how_to_get_it(tmp_path):
    hidden = "import sys; sys.modules['mpi4py'] = None; from plainnet.cli.app import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", hidden, *SHORT[3:], "--out", str(tmp_path / "out")],
        env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "plainnet: training on several machines needs mpi4py: pip install 'plainnet[mpi]'\n"
