"""What is foreign is opened in one way, and compared with what may stand there."""

import os
from pathlib import Path

import pytest

from plainnet import InputError
from plainnet.foreign import opening
from plainnet.foreign.checking import either, listed, nothing, problem, real, table, text, whole
from plainnet.foreign.opening import KINDS, open_file, parse_json, parse_toml, read_bytes, read_json, read_text


def test_an_ordinary_file_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a":\r\n [1]}')
    assert read_bytes(path, "record")[:3] == b"\xef\xbb\xbf"
    assert read_text(path, "record") == '{"a":\n [1]}'
    assert read_json(path, "record") == {"a": [1]}
    (tmp_path / "link").symlink_to(path)
    with open_file(tmp_path / "link", "record") as file:
        assert file.read(1) == b"\xef"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_ordinary_file_is_refused_at_once(kind, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, reason in {
        "fifo": "it is a pipe or a device, not an ordinary file",
        "zero": "it is a pipe or a device, not an ordinary file",
        ".": "it is a folder, not an ordinary file",
        "absent": "No such file",
        "loop": "symbolic links",
        "a\0b": "null",
        "n" * 5000: "too long",
    }.items():
        with pytest.raises(InputError, match=f"cannot read the {kind} ") as caught:
            open_file(tmp_path / name, kind)
        assert reason in str(caught.value)
        assert str(caught.value).endswith(KINDS[kind].advice)


def test_no_descriptor_stays_open(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2_000_000)
    before = set(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else set()  # noqa: PTH208
    for name in ("fifo", "large", "."):
        with pytest.raises(InputError):
            open_file(tmp_path / name, "recipe")
    if before:
        assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_files_have_the_size_of_their_kind(tmp_path, monkeypatch):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1_000_000)
    assert len(read_bytes(path, "recipe")) == 1_000_000
    with path.open("wb") as file:
        file.truncate(1_000_001)
    with pytest.raises(InputError, match="it is larger than 1 MB, the limit for this kind of file; give a name"):
        read_bytes(path, "recipe")
    with path.open("rb") as grown:  # after it was looked at
        monkeypatch.setattr(opening, "open_file", lambda path, kind: grown)
        with pytest.raises(InputError, match="it is larger than 1 MB"):
            read_bytes(path, "recipe")


@pytest.mark.parametrize("content", [b"\xff\xfe[\x001\x00]\x00", b'{"a": "\xe4"}'])
def test_texts_are_utf8(content, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=r"utf-8.*save it as UTF-8"):
        read_json(tmp_path / "a", "record")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[" * 51 + "]" * 51, "nested more than 50 deep"),
        ("[" * 100_000, "nested more than 50 deep"),
        ('{"a":' * 60 + "1" + "}" * 60, "nested more than 50 deep"),
        ("1" * 400, "more than 300 digits"),
        ("1" * 5000, "digits"),
        ("{'a': 1}", "Expecting property name"),
    ],
)
def test_json_is_neither_deep_nor_long(content, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        parse_json(content)
    (tmp_path / "a").write_text(content)
    with pytest.raises(InputError, match=r"it is not JSON that plainnet can read: .*; restore the committed file"):
        read_json(tmp_path / "a", "record")


def test_what_is_allowed_is_read():
    assert parse_json("[" * 50 + "]" * 50)
    assert parse_json("9" * 300) == 10**300 - 1
    assert parse_toml("a = {b = [1, 2]}") == {"a": {"b": [1, 2]}}
    for content in ("a = " + "[" * 60 + "]" * 60, "a = 0x" + "f" * 4000, "a = " + "{b = " * 2000 + "1" + "}" * 2000):
        with pytest.raises(ValueError, match=r"deep|digits"):
            parse_toml(content)


@pytest.mark.parametrize(
    ("description", "fitting", "others"),
    [
        (whole(1, 5), [1, 5], [0, 6, 1.0, True, "1", None, 10**400]),
        (whole(), [0, 10**12], [-1, 10**12 + 1]),
        (real(0, 1), [0, 1, 0.5], [-0.1, 1.1, True, "0", None, float("nan"), float("inf"), 10**400]),
        (real(), [-1e30, 1e30], [1e31, float("nan")]),
        (text(3), ["", "abc"], ["abcd", 1, None, ["a"]]),
        (text(), ["x" * 200], ["x" * 201]),
        (table, [{}, {"a": 1}], [[], None, "a"]),
        (nothing, [None], [0, "", False]),
        (listed(whole()), [[], [1, 2]], [[-1], {}, "12", None, [1, None]]),
        (listed(whole(), least=2), [[1, 2]], [[1]]),
        (listed({"a": whole()}), [[{"a": 1}]], [[{"a": -1}], [{}], [1]]),
        (either(nothing, text()), [None, "a"], [1]),
        ({"a": whole(), "b?": text()}, [{"a": 1}, {"a": 1, "b": "x", "c": 3}], [{}, {"a": 1, "b": 2}, [], None]),
    ],
)
def test_descriptions(description, fitting, others):
    for value in fitting:
        assert problem(value, description) is None, value
    for value in others:
        assert problem(value, description), value


def test_problems_say_where():
    description = {"a": {"b": whole()}, "c": {"d?": text(2)}}
    assert problem({"a": {}, "c": {}}, description) == "a.b is missing"
    assert problem({"a": {"b": -1}, "c": {}}, description) == "a.b is -1"
    assert problem({"a": {"b": 1}, "c": {"d": "x" * 500}}, description) == "c.d is '" + "x" * 99
    assert problem({"a": 3}, description) == "a is not a table"
    assert problem(3, description) == "it is not a table"
    assert problem(3, text()) == "it is 3"


def test_a_list_is_not_longer_than_anybody_writes(monkeypatch):
    monkeypatch.setattr("plainnet.foreign.checking._LONGEST", 3)
    assert problem([1, 2, 3], listed(whole())) is None
    assert problem([1, 2, 3, 4], listed(whole()))
