"""The one sandbox: what the code of others can do while the doctor examines it, and what it cannot."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from plainnet import InputError
from plainnet.doctor import examination
from plainnet.foreign.another_user import can_read

linux = pytest.mark.skipif(sys.platform != "linux", reason="the limits of Linux")
RELU = """
class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask
"""


def homework(program):
    """A right layer, and a program that runs when the file is loaded."""
    return f"{RELU}\n\ndef program():\n{textwrap.indent(program, '    ')}\n\nRAN = program()\n"


def examined(tmp_path, program, timeout=120.0):
    """The findings; an `InputError` with what is noted, if the program failed."""
    (tmp_path / "homework.py").write_text(homework(program))
    found = examination(tmp_path / "homework.py", timeout=timeout)
    if any(": " in note and "not run as written: line" in note for note in found.notes):
        raise InputError("; ".join(found.notes))
    return found.findings


def living(mark):
    """The processes whose command line holds a text."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if mark in line]


@pytest.mark.parametrize(
    "program",
    [
        "import subprocess; subprocess.Popen(['sleep', '31.7'])",
        "import subprocess; subprocess.Popen(['sleep', '31.7'], start_new_session=True)",
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
        "    os.execlp('sleep', 'sleep', '31.7')\n",
    ],
)
@linux
def test_children_end_with_the_examination(tmp_path, program):
    assert [finding["verdict"] for finding in examined(tmp_path, program)] == ["right"]
    assert living("sleep 31.7") == []


@linux
def test_children_end_with_a_file_that_does_not_end(tmp_path):
    program = "import subprocess, time\nsubprocess.Popen(['sleep', '32.7'], start_new_session=True)\ntime.sleep(60)\n"
    with pytest.raises(InputError, match="did not end within 2 s"):
        examined(tmp_path, program, timeout=2)
    assert living("sleep 32.7") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
@linux
def test_all_ends_with_the_command_that_was_stopped(tmp_path, number):
    (tmp_path / "slow.py").write_text("import subprocess\nsubprocess.run(['sleep', '34.7'])\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "plainnet", "doctor", "slow.py"], cwd=tmp_path, stderr=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(temporary)},
    )  # fmt: skip
    for _ in range(1000):
        if living("sleep 34.7"):
            break
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate()
    for _ in range(1000):
        if not living("34.7") and not living(str(tmp_path)) and not list(temporary.iterdir()):
            break
        time.sleep(0.05)
    assert living("sleep 34.7") == []
    assert living(str(tmp_path / "slow.py")) == []
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os\nwhile True:\n    os.fork()\n", "ended"),
        ("x = bytearray(3 * 10**9)\n", "MemoryError"),
        ("x = []\nwhile True:\n    x.append(bytearray(10**7))\n", "MemoryError|ended its process"),
        ("while True:\n    print('x' * 10000)\n", "did not end within 4 s"),  # what it prints goes nowhere
        ("import sys\nwhile True:\n    sys.stderr.write('x' * 10000)\n", "printed more than 10 MB"),
        ("with open('large', 'wb') as f:\n    f.write(bytes(10**8))\n", "OSError|ended its process"),
        (
            "for n in range(20):\n    with open(str(n), 'wb') as f:\n        f.write(bytes(4 * 10**7))\n",
            "ended its process",
        ),
        (
            "import os, time\nfiles = [os.memfd_create('x') for _ in range(50)]\n"
            "for f in files:\n    os.write(f, bytes(4 * 10**7))\ntime.sleep(5)\n",
            "ended its process",
        ),
        (
            "import mmap, time\nkept = []\nfor _ in range(40):\n    m = mmap.mmap(-1, 5 * 10**7)\n"
            "    m.write(bytes(5 * 10**7))\n    kept.append(m)\ntime.sleep(5)\n",
            "ended its process",
        ),
        ("open('/dev/shm/plainnet', 'wb')\n", "PermissionError"),
        ("files = [open('/dev/null') for _ in range(5000)]\n", "Too many open files"),
        ("import os\nos._exit(0)\n", "ended its process before it could be examined: exit code 0"),
        (
            "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nimport time; time.sleep(3)\n",
            "ended|did not end",
        ),
    ],
)
@linux
def test_limits(tmp_path, program, said):
    with pytest.raises(InputError, match=said):
        examined(tmp_path, program)


@linux
def test_the_network_is_shut_off(tmp_path):
    program = "import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=5)\n"
    with pytest.raises(InputError, match=r"unreachable|may not use the network|not permitted|refused"):
        examined(tmp_path, program)


@linux
def test_the_network_is_shut_off_where_somebody_listens(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        program = f"import socket\nsocket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=5)\n"
        with pytest.raises(InputError, match=r"unreachable|not permitted|refused|PermissionError|may not use"):
            examined(tmp_path, program)


def test_files_beside_it_are_read_and_never_changed(tmp_path):
    (tmp_path / "data.csv").write_text("1,2\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "more.txt").write_text("more")
    program = """
import numpy as np
assert open("data.csv").read() == "1,2\\n"
assert open("folder/more.txt").read() == "more"
assert np.loadtxt("data.csv", delimiter=",").tolist() == [1, 2]
with open("data.csv", "a") as file:
    file.write("3,4\\n")
assert open("data.csv").read() == "1,2\\n3,4\\n"
with open("data.csv", "w") as file:
    file.write("gone")
np.save("weights.npy", np.ones(3))
assert np.load("weights.npy").sum() == 3
"""
    assert examined(tmp_path, program)[0]["verdict"] == "right"
    assert (tmp_path / "data.csv").read_text() == "1,2\n"
    assert {path.name for path in tmp_path.iterdir()} <= {"data.csv", "folder", "homework.py", "__pycache__"}


@linux
@pytest.mark.parametrize(
    "how", ["open({path!r}, 'w')", "__import__('os').remove({path!r})", "__import__('os').mkdir({path!r})"]
)
def test_nothing_is_written_elsewhere(tmp_path, how):
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "kept.txt").write_text("kept")
    target = str(place / ("new" if "mkdir" in how else "kept.txt"))
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(InputError, match="PermissionError"):
        examined(home, how.format(path=target))
    assert [path.name for path in place.iterdir()] == ["kept.txt"]
    assert (place / "kept.txt").read_text() == "kept"


@linux
def test_nothing_is_read_elsewhere(tmp_path):
    secret, home = tmp_path / "secret.txt", tmp_path / "home"
    secret.write_text("secret")
    home.mkdir()
    example = Path(__file__).parent.parent / "examples" / "wrong" / "summed_gradient.py"
    assert examination(example).unconfined == []
    with pytest.raises(InputError, match="PermissionError"):
        examined(home, f"open({str(secret)!r}).read()")


@pytest.mark.parametrize(
    "forgery",
    [
        "import os\nfor n in ('report', '../report'):\n    try:\n        open(n, 'w').write('{}')\n"
        "    except OSError:\n        pass\nos._exit(0)\n",
        "import os\nfor n in range(3, 60):\n    try:\n        os.write(n, b'{}')\n    except OSError:\n        pass\n"
        "os._exit(0)\n",
    ],
)
def test_a_forged_report_is_not_believed(tmp_path, forgery):
    with pytest.raises(InputError, match="ended its process before it could be examined"):
        examined(tmp_path, forgery)


def test_no_temporary_folder_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    home = tmp_path / "home"
    home.mkdir()
    examined(home, "open('left', 'w').write('x')\n")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_what_a_file_prints_and_raises_is_shown_as_text(tmp_path):
    with pytest.raises(InputError) as caught:
        examined(tmp_path, "raise ValueError('\\x1b[2J\\u202ehidden')\n")
    assert "\\x1b[2J\\u202ehidden" in str(caught.value)
    assert str(caught.value).isprintable()


def test_where_the_kernel_cannot_help_python_itself_refuses(tmp_path, monkeypatch):
    """No namespaces, no Landlock: an audit hook keeps accidents away, and children end all the same."""
    from plainnet.foreign.running import run_apart

    (tmp_path / "patched_worker.py").write_text(
        "import sys\nfrom plainnet.foreign import confinement\nconfinement._unshare = lambda _: False\n"
        "confinement.allow_only = lambda *_: False\n"
        "from plainnet.checks.code.worker import main\nmain(*sys.argv[1:4])\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    home, kept = tmp_path / "home", tmp_path / "kept.txt"
    home.mkdir()
    kept.write_text("kept")
    file = home / "homework.py"

    def report(program):
        file.write_text(homework(program))
        options = json.dumps({"only": "", "seconds": 100})
        return run_apart("patched_worker", [str(file), options], timeout=120).report.decode()

    fine = report("import subprocess; subprocess.Popen(['sleep', '33.7'], start_new_session=True)\nopen('a', 'w')\n")
    assert '"right"' in fine
    assert '"unconfined": ["network", "other files"]' in fine
    if sys.platform == "linux":
        assert living("sleep 33.7") == []
    assert "PermissionError" in report(f"open({str(kept)!r}, 'w')\n")
    assert "PermissionError" in report(f"import os\nos.remove({str(kept)!r})\n")
    assert "may not use the network" in report("import socket\nsocket.create_connection(('127.0.0.1', 9), 2)\n")
    assert kept.read_text() == "kept"


@linux
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
def test_root_becomes_another_user_if_this_user_can_read_what_is_needed(tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005 and folder.is_relative_to(tempfile.gettempdir()):
            folder.chmod(0o755)
    secret = tmp_path / "inside" / "of_root.txt"
    secret.parent.mkdir()
    secret.write_text("for root alone")
    secret.chmod(0o600)
    (tmp_path / "homework.py").write_text(homework("open('inside/of_root.txt').read()"))
    notes = " ".join(examination(tmp_path / "homework.py", timeout=60).notes)
    python = [Path(path) for path in (sys.prefix, sys.base_prefix, *sys.path) if path]
    assert ("PermissionError" in notes) == can_read([tmp_path, *python])


@linux
def test_root_of_a_user_namespace_that_may_not_change_its_user_examines_too(tmp_path):
    (tmp_path / "homework.py").write_text(RELU)
    command = ["unshare", "-Ur", sys.executable, "-m", "plainnet", "doctor", str(tmp_path / "homework.py")]
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-Ur", "true"], check=False).returncode:
        pytest.skip("this system does not let users make namespaces")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:11]) == (0, "ReLU: right")
