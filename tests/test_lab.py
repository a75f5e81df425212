"""The lab without a browser: who gets in, what is answered, and that what is moved can be done again."""

import json
import time

import pytest

pytest.importorskip("starlette", reason="needs Starlette: pip install 'plainnet[lab]'")
pytest.importorskip("uvicorn", reason="needs uvicorn: pip install 'plainnet[lab]'")

import asyncio

from plainnet import load_model
from plainnet.lab.guard import COOKIE, LARGEST, LARGEST_PICTURE
from plainnet.lab.server import application
from plainnet.lab.state import Lab

TOKEN, HOST = "a-token", "127.0.0.1:8765"
SEVEN = [[(300, 250), (800, 250), (600, 600), (500, 900)]]


pytestmark = pytest.mark.usefixtures("as_users_have_it")


@pytest.fixture
def lab(few_digits, tmp_path):
    made = Lab(few_digits, load_model("cnn"), "cnn", tmp_path / "lab")
    yield made
    made.engine.close()


@pytest.fixture
def untrained(few_digits, tmp_path):
    made = Lab(few_digits, None, "softmax", tmp_path / "lab")
    yield made
    made.engine.close()


def asked(lab, method, path, body=b"", *, cookie=True, more=(), host=HOST, origin=True, chunks=None):
    """Return status, headers and body of what the lab answers."""
    app = application(lab, TOKEN, ("127.0.0.1", "localhost"))
    path, _, query = path.partition("?")
    headers = [(b"host", host.encode())] if host is not None else []
    headers += [(b"cookie", f"{COOKIE}={TOKEN}".encode())] * cookie
    headers += [(b"origin", f"http://{HOST}".encode())] * (method == "POST" and origin)
    headers += [(name.encode(), value.encode()) for name, value in more]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 8765),
        "client": ("127.0.0.1", 1), "root_path": "", "asgi": {"version": "3.0"},
    }  # fmt: skip
    coming = list(chunks if chunks is not None else [body])
    sent = []

    async def receive():
        if not coming:
            return {"type": "http.disconnect"}
        part = coming.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(coming)}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, b"".join(part.get("body", b"") for part in sent[1:])


def post(lab, path, what):
    status, _, body = asked(lab, "POST", path, what if isinstance(what, bytes) else json.dumps(what).encode())
    return status, json.loads(body) if body else None


def waited(lab, until, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lab.engine.newer(10**9)
        if until(lab.engine.snapshot):
            return lab.engine.snapshot
        time.sleep(0.02)
    raise AssertionError(f"not so within {seconds} s")


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({}, 200),
        ({"cookie": False}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": None}, 421),
        ({"host": ""}, 421),
        ({"more": [("host", "127.0.0.1")]}, 421),
        ({"host": "localhost:8765"}, 200),
        ({"host": "LOCALHOST"}, 200),
        ({"host": "[::1]:8765"}, 421),
        ({"more": [("origin", "http://evil.example")]}, 403),
        ({"more": [("origin", "null")]}, 403),
        ({"more": [("origin", f"http://{HOST}")]}, 200),
        ({"more": [("sec-fetch-site", "cross-site")]}, 403),
        ({"more": [("sec-fetch-site", "same-site")]}, 403),
        ({"more": [("sec-fetch-site", "same-origin")]}, 200),
        ({"more": [("cookie", f"{COOKIE}=wrong")], "cookie": False}, 403),
        ({"more": [("cookie", f"{COOKIE}=")], "cookie": False}, 403),
        ({"more": [("cookie", "\x80=\x80;;=")], "cookie": False}, 403),
        ({"more": [("transfer-encoding", "chunked"), ("content-length", "3")]}, 400),
    ],
)
def test_who_gets_in(lab, how, status):
    assert asked(lab, "GET", "/api/about", **how)[0] == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FOO"])
def test_other_methods_are_refused(lab, method):
    assert asked(lab, method, "/api/about")[0] == 405


def test_a_change_must_say_where_it_comes_from(lab):
    assert asked(lab, "POST", "/api/train", b'{"do": "pause"}', origin=False)[0] == 403
    assert (
        asked(lab, "POST", "/api/train", b'{"do": "pause"}', origin=False, more=[("origin", "http://evil")])[0] == 403
    )
    assert asked(lab, "POST", "/api/train", b'{"do": "pause"}')[0] == 200


def test_the_token_becomes_a_cookie_and_leaves_the_address(lab):
    status, headers, _ = asked(lab, "GET", f"/?token={TOKEN}&view=train", cookie=False)
    assert status == 303
    assert headers["location"] == "/?view=train"
    assert headers["set-cookie"] == f"{COOKIE}={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    assert asked(lab, "GET", "/?token=wrong", cookie=False)[0] == 403
    assert asked(lab, "GET", f"//evil.example/?token={TOKEN}", cookie=False)[1]["location"] == "/"


def test_every_answer_has_the_strict_policy(lab):
    for path in ("/", "/page/main.js", "/api/about", "/nowhere", "/?token=wrong"):
        _, headers, _ = asked(lab, "GET", path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/page/../server.py",
        "/page/%2e%2e/server.py",
        "/page/",
        "/etc/passwd",
        "/page/none.js",
        "//",
        "/api",
        "/api/none",
    ],
)
def test_no_path_leads_to_other_files(lab, path):
    assert asked(lab, "GET", path)[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/draw", b"x" * (LARGEST + 1), 413),
        ("/api/picture", b"x" * (LARGEST_PICTURE + 1), 413),
        ("/api/picture", b"x" * (LARGEST + 1), 400),
        ("/api/picture", b"", 400),
        ("/api/picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, 400),
        ("/api/draw", b"", 400),
        ("/api/draw", b"[" * 60_000, 400),
        ("/api/draw", b"null", 400),
        ("/api/draw", b"\xff\xfe", 400),
        ("/api/draw", b"{}", 400),
        ("/api/draw", b'{"strokes": [[[1e999, 3]]], "pen": 5}', 400),
        ("/api/draw", b'{"strokes": [[[-1, 3]]], "pen": 5}', 400),
        ("/api/draw", b'{"strokes": [[[1120, 3]]], "pen": 5}', 400),
        ("/api/draw", b'{"strokes": [[[1, 3, 4]]], "pen": 5}', 400),
        ("/api/draw", b'{"strokes": [["ab"]], "pen": 5}', 400),
        ("/api/draw", b'{"strokes": {"a": 1}, "pen": 5}', 400),
        ("/api/draw", b'{"strokes": [5], "pen": 5}', 400),
        ("/api/draw", b'{"strokes": [[[true, 3]]], "pen": 5}', 400),
        ("/api/draw", b'{"strokes": [[[1, 3]]], "pen": 0}', 400),
        ("/api/draw", b'{"strokes": [[[1, 3]]], "pen": 1e9}', 400),
        ("/api/draw", json.dumps({"strokes": [[[1, 3]] * 4001], "pen": 5}).encode(), 400),
        ("/api/draw", b'{"image": [1, 2]}', 400),
        ("/api/draw", json.dumps({"image": [256] * 784}).encode(), 400),
        ("/api/draw", json.dumps({"image": [0.5] * 784}).encode(), 400),
        ("/api/unit", b"{}", 400),
        ("/api/unit", b'{"layer": "../x", "unit": 0}', 400),
        ("/api/unit", b'{"layer": "conv2d_1", "unit": -1}', 400),
        ("/api/unit", b'{"layer": "conv2d_1", "unit": 1e400}', 400),
        ("/api/train", b'{"do": "run"}', 400),
        ("/api/train", b'{"do": "story", "story": "none"}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "/etc/passwd"}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "../classic"}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "classic", "set": {"data": {"path": "/etc"}}}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "classic", "set": {"workers": 64}}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "softmax", "set": {"epochs": 100000000}}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "softmax", "set": []}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "softmax", "limit": -5}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "classic", "set": {"layers": [{"type": "os.system"}]}}', 400),
        ("/api/train", b'{"do": "begin", "recipe": "mlp", "set": {"layers": [{"type": "Dense", "units": 1e9}]}}', 400),
        ("/api/train", b'{"do": "go", "batches": -1}', 400),
        ("/api/train", b'{"do": "go", "batches": "many"}', 400),
        ("/api/train", b'{"do": "go"}', 400),
        ("/api/train", b'{"do": "move", "trial": 7, "what": "momentum", "value": 0.5}', 400),
        ("/api/train", b'{"do": "back"}', 400),
    ],
)  # fmt: skip
def test_bad_requests_get_a_sentence(lab, path, body, status):
    given, _, said = asked(lab, "POST", path, body)
    assert given == status, said
    assert 10 < len(said) < 1000
    assert b"Traceback" not in said


def test_a_body_in_chunks_is_counted_as_it_comes(lab):
    assert asked(lab, "POST", "/api/draw", chunks=[b"x" * 1000] * 100)[0] == 413


def test_bad_queries_get_a_sentence(lab):
    for query in ("since=x", "wait=x", "since=9&wait=-5"):
        assert asked(lab, "GET", f"/api/look?{query}")[0] in (204, 400)
    assert asked(lab, "GET", "/api/mistakes?by=name")[0] == 400
    assert asked(lab, "GET", "/api/mistakes?label=a&answer=b")[0] == 400


def test_a_drawing_is_answered_with_all_there_is_to_see(lab):
    status, found = post(lab, "/api/draw", {"strokes": SEVEN, "pen": 90})
    assert status == 200
    assert found["answer"] == "7"
    assert sum(found["probabilities"]) == pytest.approx(1)
    assert [layer["kind"] for layer in found["layers"]].count("Conv2D") == 4
    assert len(found["nearest"]) == 3
    assert found["seen"]
    assert found["speaks"]
    status, quick = post(lab, "/api/draw", {"strokes": SEVEN, "pen": 90, "quick": True})
    assert status == 200
    assert quick["answer"] == "7"
    assert "nearest" not in quick


def test_nothing_drawn_and_what_is_no_digit_is_said(lab):
    assert post(lab, "/api/draw", {"strokes": [], "pen": 90})[1]["reason"] == "nothing drawn"
    scribble = [[(100 + 800 * (k % 2), 100 + 40 * k) for k in range(22)]]
    assert post(lab, "/api/draw", {"strokes": scribble, "pen": 60})[1]["answer"] is None
    two = [[(200, 200), (200, 900)], [(900, 200), (900, 900)]]
    assert post(lab, "/api/draw", {"strokes": two, "pen": 60})[1]["reason"] == "several digits"


def test_a_unit_shows_weights_and_what_excites_it(lab):
    status, found = post(lab, "/api/unit", {"layer": "conv2d_1", "unit": 3})
    assert status == 200
    assert found["size"] == [5, 5]
    assert len(found["exciting"]) == 8
    values = [one["value"] for one in found["exciting"]]
    assert values == sorted(values, reverse=True)


def test_mistakes_are_sorted_and_chosen(lab):
    _, _, body = asked(lab, "GET", "/api/mistakes?by=surest")
    found = json.loads(body)
    assert sum(map(sum, found["confusion"])) == found["of"] == 300
    shares = [one["share"] for one in found["images"]]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == found["of"] - found["right"]


def test_it_trains_pauses_moves_and_goes_back(untrained):
    assert post(untrained, "/api/draw", {"strokes": SEVEN, "pen": 90})[0] == 400
    assert (
        post(untrained, "/api/train", {"do": "begin", "recipe": "softmax", "limit": 1000, "set": {"epochs": 900}})[0]
        == 200
    )
    waited(untrained, lambda s: s["trials"] and s["trials"][0]["steps"] > 5)
    assert post(untrained, "/api/train", {"do": "pause"})[0] == 200
    steps = untrained.engine.snapshot["trials"][0]["steps"]
    assert post(untrained, "/api/train", {"do": "move", "what": "learning_rate", "value": 0.003})[0] == 200
    assert post(untrained, "/api/train", {"do": "move", "what": "dropout", "value": 0.3})[0] == 400
    assert post(untrained, "/api/train", {"do": "move", "what": "momentum", "value": 2})[0] == 400
    assert untrained.engine.snapshot["trials"][0]["moves"] == [[steps, "learning_rate", 0.003]]
    assert post(untrained, "/api/train", {"do": "go", "batches": 1})[0] == 200
    snapshot = waited(untrained, lambda s: s["trials"][0]["steps"] == steps + 1)
    assert snapshot["trials"][0]["rate"] == 0.003
    assert post(untrained, "/api/train", {"do": "back", "steps": 0})[0] == 200
    assert untrained.engine.snapshot["trials"][0]["steps"] == 0
    assert untrained.engine.snapshot["trials"][0]["moves"] == []


def test_a_training_under_way_is_saved_when_the_lab_is_closed(untrained, tmp_path):
    post(untrained, "/api/train", {"do": "begin", "recipe": "softmax", "limit": 1000, "set": {"epochs": 900}})
    waited(untrained, lambda s: s["trials"] and s["trials"][0]["steps"] > 3)
    assert untrained.engine.close()
    from plainnet.runs.saving import read_checkpoint

    found = read_checkpoint(tmp_path / "lab")
    assert found.about["run"]["recipe"]["name"] == "softmax"


def test_an_image_without_channels_is_drawn_as_one_map(digits):
    from plainnet import Dense, Flatten, Network
    from plainnet.lab.looking import Looking
    from plainnet.layers import Deskew
    from plainnet.model import PIXELS, Model

    model = Model(Network(Deskew(), Flatten(), Dense(10)).build((28, 28)), tuple("0123456789"), {}, PIXELS)
    looking = Looking(digits.train)
    upright, _, logits = looking.layers(model, digits.train.images[0])
    assert (upright["shown"], logits["shown"]) == ([1, 28, 28], [10])
    assert len(looking.unit(model, "deskew_1", 0)["exciting"]) == 8
