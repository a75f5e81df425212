"""What runs in a browser, in Chromium: the report from disk, the lab's pages with mouse and keys, at every width."""

import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make browser")
pytest.importorskip("starlette", reason="needs Starlette: pip install 'plainnet[lab]'")
uvicorn = pytest.importorskip("uvicorn", reason="needs uvicorn: pip install 'plainnet[lab]'")

from plainnet import load_model, mnist
from plainnet.cli.app import main
from plainnet.data.splits import Splits
from plainnet.lab.server import application
from plainnet.lab.serving import listening
from plainnet.lab.state import Lab
from plainnet.sources.answers import answer_to_drawing
from plainnet.sources.pen.strokes import PAPER, prepared
from redrawn import strokes_of

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("as_users_have_it"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: make browser"),
    pytest.mark.filterwarnings("ignore"),  # what Playwright and asyncio leave open at the end
]
VIEWS = ("draw", "train", "step", "mistakes")
TOKEN = "a-token"


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def data():
    whole = mnist.load()
    return Splits.of(whole.train.sample(1500), whole.validation.sample(300), whole.test.sample(100))


def served(lab):
    """Serve a lab from a thread; return its address, and what ends it."""
    at = listening("127.0.0.1", 0)
    config = uvicorn.Config(application(lab, TOKEN, ("127.0.0.1",)), log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=lambda: server.run(sockets=[at]), daemon=True)
    thread.start()

    def end():
        server.should_exit = True
        thread.join(10)
        lab.engine.close()

    return f"http://127.0.0.1:{at.getsockname()[1]}/?token={TOKEN}", end


@pytest.fixture(scope="module")
def cnn(data, tmp_path_factory):
    address, end = served(Lab(data, load_model("cnn"), "cnn", tmp_path_factory.mktemp("lab")))
    yield address
    end()


@pytest.fixture
def learner(data, tmp_path):
    lab = Lab(data, None, "softmax", tmp_path / "lab")
    address, end = served(lab)
    yield address, lab
    end()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    assert main(["train", "fast99", "--limit", "3000", "--out", str(folder / "r"), "--quiet", "--no-pictures"]) == 0
    assert main(["report", str(folder / "r"), "--out", str(folder / "report.html")]) == 0
    return folder


class Visit:
    """A page, with what it complained of and asked for."""

    def __init__(self, browser, address, *, width=1280, height=800, **more):
        self.context = browser.new_context(viewport={"width": width, "height": height}, **more)
        self.page = self.context.new_page()
        self.complaints, self.asked = [], []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def view(self, name):
        self.page.locator(f'nav a[href="#view={name}"]').click()
        self.page.wait_for_timeout(400)

    def draw(self, strokes):
        """Draw strokes with the mouse, on a paper of whatever size."""
        paper = self.page.locator("canvas.pad")
        paper.scroll_into_view_if_needed()
        box = paper.bounding_box()
        place = lambda x, y: (box["x"] + x * box["width"] / PAPER, box["y"] + y * box["height"] / PAPER)  # noqa: E731
        for stroke in strokes:
            self.page.mouse.move(*place(*stroke[0]))
            self.page.mouse.down()
            for point in stroke[1:]:
                self.page.mouse.move(*place(*point))
            self.page.mouse.up()

    def until(self, expression, page=None, seconds=15):
        """Wait until something is so; the page's policy forbids Playwright's own way, which needs eval."""
        end = time.monotonic() + seconds
        while not (page or self.page).evaluate(expression):
            assert time.monotonic() < end, f"not so within {seconds} s: {expression}"
            self.page.wait_for_timeout(50)

    @property
    def too_wide(self):
        return self.page.evaluate("document.documentElement.scrollWidth > innerWidth")


def thinned_out(strokes):
    """Return strokes with a quarter of their points, as a hand on a mouse leaves them."""
    return [[*stroke[:-1:4], stroke[-1]] for stroke in strokes]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_report_opens_from_disk_and_asks_for_nothing(browser, report, width, scheme):
    address = (report / "report.html").as_uri()
    with Visit(browser, address, width=width, color_scheme=scheme) as visit:
        visit.draw([[(300, 250), (800, 250), (600, 600), (500, 900)]])
        visit.page.wait_for_timeout(300)
        assert visit.page.locator(".answer").inner_text() == "7"
        assert visit.asked == [address]
        assert visit.complaints == []
        assert not visit.too_wide


def test_a_report_of_several_runs_compares_them(browser, report):
    folder = str(report / "r")
    assert main(["report", folder, folder, "--out", str(report / "two.html"), "--no-model"]) == 0
    with Visit(browser, (report / "two.html").as_uri()) as visit:
        assert "2 runs side by side" in visit.page.inner_text("header")
        assert visit.page.locator("canvas.pad").count() == 0
        assert visit.complaints == []


def test_fifty_digits_drawn_again_are_answered_as_python_answers_them(browser, cnn, data):
    model, same, right = load_model("cnn"), 0, 0
    with Visit(browser, cnn) as visit:
        visit.page.locator("canvas.pad").wait_for()
        rng = np.random.default_rng(5)
        for k in range(50):
            size = int(rng.integers(300, 1000))
            at = [int(v) for v in rng.integers(10, 1110 - size, 2)]
            visit.page.get_by_role("button", name="Clear").click()
            visit.draw(thinned_out(strokes_of(data.test.inputs[k], at=at, size=size)))
            visit.until("location.hash.includes('strokes')")
            visit.page.wait_for_timeout(250)
            drawn = visit.page.evaluate(
                "import('/page/images.js').then(({ unpack }) => "
                "unpack(new URLSearchParams(location.hash.slice(1)).get('strokes')))"
            )
            said = answer_to_drawing(model, prepared([[tuple(p) for p in stroke] for stroke in drawn], 90))
            shown = visit.page.locator(".answer").inner_text()
            same += shown == said.answer or (said.answer is None and shown.startswith(said.reason))
            right += shown == data.test.class_names[data.test.labels[k]]
            assert "differently" not in visit.page.inner_text("main")
        assert visit.complaints == []
    assert same == 50
    assert right >= 44


def test_a_link_shows_the_same_drawing(browser, cnn):
    with Visit(browser, cnn) as visit:
        visit.page.locator("canvas.pad").wait_for()
        visit.draw([[(300, 250), (800, 250), (600, 600), (500, 900)]])
        visit.until("location.hash.includes('strokes')")
        link = visit.page.evaluate("location.href")
        assert TOKEN not in link
        other = visit.context.new_page()
        other.goto(link)
        visit.until("document.querySelector('.answer')?.textContent === '7'", other)


def test_it_trains_in_the_page_and_survives_being_closed(browser, learner):
    address, lab = learner
    with Visit(browser, address) as visit:
        visit.view("train")
        visit.page.locator("#recipe").select_option("softmax")
        visit.page.locator("#limit").fill("1000")
        visit.page.get_by_role("button", name="Train this network").click()
        visit.until("document.querySelector('section p').textContent.includes('epoch')")
        visit.page.get_by_role("button", name="Pause").click()
        visit.until("document.querySelector('section p').textContent.match(/paused|done/)")
        trial = lab.engine.trials[0]
        visit.page.get_by_role("button", name="Go back").wait_for()
        visit.page.locator("#back").select_option("0")
        visit.page.get_by_role("button", name="Go back").click()
        visit.until("document.querySelector('section p').textContent.includes('epoch 1 of')")
        visit.page.locator("#learning_rate").focus()
        visit.page.keyboard.press("ArrowRight")
        visit.page.wait_for_timeout(800)
        assert [one.what for one in trial.training.moves] == ["learning_rate"]
        visit.page.get_by_role("button", name="One batch").click()
        visit.page.wait_for_timeout(500)
        assert trial.training.steps == 1
        visit.page.get_by_role("button", name="Start").click()
        assert visit.complaints == []
    with Visit(browser, address) as visit:
        visit.view("train")
        visit.until("document.querySelector('section p').textContent.includes('softmax')")
        visit.until("document.querySelectorAll('.picture path.line').length > 2")
        assert trial.training.steps > 1
        assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_narrow_enough_and_accessible(browser, cnn, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="needs axe: make browser")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text()
    for width in (320, 1280):
        with Visit(browser, cnn, width=width, color_scheme=scheme, bypass_csp=True) as visit:
            visit.page.locator("canvas.pad").wait_for()
            visit.draw([[(300, 250), (800, 250), (600, 600), (500, 900)]])
            visit.page.evaluate(script)
            for name in (*VIEWS, "step&net=real", "draw&sample=7&present=1"):
                visit.page.evaluate("(hash) => { location.hash = hash; }", f"#view={name}")
                visit.page.wait_for_timeout(1000)
                assert not visit.too_wide, (name, width)
                found = visit.page.evaluate("axe.run(document)")["violations"]
                assert [(one["id"], one["nodes"][0]["html"][:100]) for one in found] == [], (name, width)
            visit.page.locator("button.number").first.click()
            visit.until("document.querySelector('dialog').open")
            found = visit.page.evaluate("axe.run(document)")["violations"]
            assert [(one["id"], one["nodes"][0]["html"][:100]) for one in found] == [], width


def test_a_report_is_accessible(browser, report):
    axe = pytest.importorskip("axe_playwright_python", reason="needs axe: make browser")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text()
    for scheme in ("light", "dark"):
        with Visit(browser, (report / "report.html").as_uri(), color_scheme=scheme, bypass_csp=True) as visit:
            visit.page.evaluate(script)
            found = visit.page.evaluate("axe.run(document)")["violations"]
            assert [(one["id"], one["nodes"][0]["html"][:100]) for one in found] == [], scheme


@pytest.fixture(scope="module")
def swept(data, tmp_path_factory):
    pytest.importorskip("optuna", reason="needs Optuna: pip install 'plainnet[sweep]'")
    from plainnet.sweep import sweep

    out = tmp_path_factory.mktemp("sweep")
    vary = {
        "optimizer.weight_decay": ("log", 1e-6, 1e-1),
        "batch_size": ("int", 20, 90),
        "loss.label_smoothing": [0.0, 0.1],
        "schedule.learning_rate": [0.1, 1e30],
    }
    sweep("softmax", vary, trials=8, data=data, overrides={"epochs": 3}, out=out, sampler="random")
    return out / "sweep.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_of_a_sweep(browser, swept, width, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="needs axe: make browser")
    with Visit(browser, swept.as_uri(), width=width, color_scheme=scheme, bypass_csp=True) as visit:
        page = visit.page
        assert "8 of 8 trials" in page.inner_text("header")
        assert page.locator("table.trials button").count() == 8
        winner = swept.with_name("winner.toml").read_text().split()[2]
        assert page.locator("table.trials button").first.inner_text() == winner
        button = page.locator("table.trials button").nth(1)
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert page.locator(".chosen").count() == 1 + 4 + 2  # a line, a dot in each slice, two curves
        button.click()
        assert page.locator(".chosen").count() == 0
        assert visit.asked == [swept.as_uri()]
        assert visit.complaints == []
        assert not visit.too_wide
        page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
        found = page.evaluate("axe.run(document)")["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:100]) for one in found] == []


def test_the_page_of_a_sweep_keeps_to_its_policy(browser, swept):
    with Visit(browser, swept.as_uri()) as visit:
        assert visit.page.locator("h1").inner_text() == "A sweep of softmax"
        assert visit.complaints == []


def test_all_is_done_by_keyboard_alone(browser, cnn):
    with Visit(browser, cnn) as visit:
        page = visit.page
        page.locator("canvas.pad").wait_for()
        for name in VIEWS:
            for _ in range(12):
                page.keyboard.press("Tab")
                if page.evaluate(f"document.activeElement.hash === '#view={name}'"):
                    break
            page.keyboard.press("Enter")
            visit.until(f"document.querySelector('nav a[aria-current]').hash === '#view={name}'")
            page.evaluate("document.activeElement.blur()")
        visit.view("draw")
        page.locator("canvas.pad").focus()
        for _ in range(10):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Space")
        for _ in range(22):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        visit.until("document.querySelector('.answer').textContent === '1'")
        visit.view("step")
        before = page.inner_text("h2 >> nth=1")
        page.get_by_role("button", name="Next").focus()
        page.keyboard.press("Enter")
        assert page.inner_text("h2 >> nth=1") != before


def test_the_lab_asks_nobody_else(browser, cnn):
    with Visit(browser, cnn) as visit:
        visit.page.locator("canvas.pad").wait_for()
        for name in VIEWS:
            visit.view(name)
        origin = cnn.split("/?")[0]
        assert all(url.startswith((origin, "data:")) for url in visit.asked)
        size = visit.page.evaluate(
            "performance.getEntriesByType('resource').filter((e) => e.name.includes('/page/'))"
            ".reduce((sum, e) => sum + e.decodedBodySize, 0)"
        )
        assert 0 < size < 300_000
        assert visit.complaints == []


def test_a_lab_that_has_stopped_says_so(browser, data, tmp_path):
    address, end = served(Lab(data, load_model("cnn"), "cnn", tmp_path / "lab"))
    with Visit(browser, address) as visit:
        visit.page.locator("canvas.pad").wait_for()
        end()
        visit.until("document.getElementById('trouble').textContent.includes('does not answer')")


def test_the_small_network_is_numpys(browser, cnn):
    """`step.js` computes what NumPy does, to 1e-12."""
    rng = np.random.default_rng(3)
    for activation in ("relu", "tanh"):
        W1, b1, W2, b2, x = (rng.standard_normal(shape) for shape in ((4, 3), 3, (3, 2), 2, 4))
        network = {
            "layers": [{"W": W1.tolist(), "b": b1.tolist()}, {"W": W2.tolist(), "b": b2.tolist()}],
            "activation": activation, "x": x.tolist(), "label": 1, "rate": 0.3,
        }  # fmt: skip
        with Visit(browser, cnn) as visit:
            found = visit.page.evaluate(
                "async (n) => { const s = await import('/page/step.js'); const f = s.forwardPass(n); "
                "const b = s.backwardPass(n, f); return { f, b, w: s.updated(n, b) }; }",
                network,
            )
        z = x @ W1 + b1
        a = np.maximum(z, 0) if activation == "relu" else np.tanh(z)
        logits = a @ W2 + b2
        p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        d2 = p - [0, 1]
        d1 = (W2 @ d2) * ((z > 0) if activation == "relu" else 1 - np.tanh(z) ** 2)
        close = {"rtol": 0, "atol": 1e-12}
        np.testing.assert_allclose(found["f"]["loss"], -np.log(p[1]), **close)
        np.testing.assert_allclose(found["b"]["layers"][1]["dW"], np.outer(a, d2), **close)
        np.testing.assert_allclose(found["b"]["layers"][0]["dW"], np.outer(x, d1), **close)
        np.testing.assert_allclose(found["w"][0]["b"], b1 - 0.3 * d1, **close)


def test_a_figure_opens_with_its_formula_and_its_source(browser, cnn):
    with Visit(browser, cnn + "#view=draw&sample=7") as visit:
        visit.until("document.querySelector('.answer')?.textContent === '7'")
        visit.page.get_by_role("button", name="what the network sees, 28x28").click()
        visit.until("document.querySelector('dialog').open")
        assert "sources/pen/strokes.py, line" in visit.page.inner_text("dialog")
        visit.page.keyboard.press("Escape")
        visit.until("!document.querySelector('dialog').open")
        assert visit.complaints == []


def test_a_view_is_found_as_it_was_left(browser, cnn):
    with Visit(browser, cnn) as visit:
        visit.page.locator("canvas.pad").wait_for()
        visit.draw([[(300, 250), (800, 250), (600, 600), (500, 900)]])
        visit.until("location.hash.includes('strokes')")
        visit.view("draw")
        visit.view("mistakes")
        visit.view("draw")
        visit.until("document.querySelector('.answer')?.textContent === '7'")


def test_a_unit_of_the_real_network_is_stepped_through(browser, cnn):
    with Visit(browser, cnn) as visit:
        visit.page.locator("canvas.pad").wait_for()
        visit.page.evaluate("location.hash = '#view=step&net=real&layer=conv2d_2&unit=3&sample=7'")
        seen = set()
        for _ in range(8):
            visit.until("document.querySelector('section h3') !== null")
            seen.add(visit.page.inner_text("h3"))
            visit.page.get_by_role("button", name="Next").click()
        assert "Their sum is the output" in seen
        assert "The update" in seen
        visit.page.locator("#unit").fill("400")
        visit.page.locator("#unit").press("Tab")
        visit.until("document.getElementById('trouble').textContent.includes('has 64 units')")


def test_step_shows_only_what_has_been_computed(browser, cnn):
    with Visit(browser, cnn + "#view=step") as visit:
        page = visit.page
        page.get_by_role("button", name="Next").wait_for()
        assert page.get_by_role("group", name="dz of layer 2").inner_text().split() == ["dz", "·", "·"]
        page.get_by_role("button", name="Last").click()
        assert "·" not in page.get_by_role("group", name="dz of layer 2").inner_text()
        before = page.inner_text("h2 >> nth=2")
        page.get_by_label("W, row 1, column 2").first.fill("0.9")
        page.get_by_label("W, row 1, column 2").first.press("Tab")
        assert page.inner_text("h2 >> nth=2") != before
        assert page.locator("td.changed").count() > 3
        link = page.evaluate("location.href")
        other = visit.context.new_page()
        other.goto(link)
        visit.until("[...document.querySelectorAll('input')].some((one) => one.value === '0.9')", other)
        page.get_by_label("W, row 1, column 2").first.fill("1e300")
        page.get_by_label("W, row 1, column 2").first.press("Tab")
        assert "between -1000 and 1000; it is still 0.9" in page.inner_text("#trouble")


def test_every_fault_that_is_put_in_can_be_found(browser, cnn):
    with Visit(browser, cnn + "#view=step") as visit:
        page = visit.page
        page.get_by_role("button", name="Insert a fault").wait_for()
        for _ in range(6):
            page.get_by_role("button", name="Insert a fault").click()
            page.get_by_role("button", name="Compare with").click()
            assert "These differ:" in page.inner_text("main")
            found = 0
            for option in page.locator("#guess option").all():
                page.locator("#guess").select_option(option.get_attribute("value"))
                page.get_by_role("button", name="Check").click()
                found += "Right: that is the fault" in page.inner_text("main")
            assert found == 1
            assert page.evaluate("new URLSearchParams(location.hash.slice(1)).get('fault')") in list("12345")
            page.reload()  # the address keeps the fault, by a number
            page.get_by_role("button", name="Compare with").click()
            assert "These differ:" in page.inner_text("main")
            page.get_by_role("button", name="Remove the fault").click()
            page.get_by_role("button", name="Compare with").click()
            assert "Every gradient agrees" in page.inner_text("main")


def test_a_talk_walks_through_the_views_that_were_kept(browser, cnn):
    with Visit(browser, cnn + "#view=step") as visit:
        page = visit.page
        for name in ("step", "mistakes"):
            visit.view(name)
            page.get_by_text("Talk").first.click()
            page.locator("#keep").click()
            page.get_by_text("Talk").first.click()
        page.get_by_text("Talk").first.click()
        page.locator("#present").click()
        visit.until("document.documentElement.dataset.present === '1'")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("ArrowLeft")
        visit.until("location.hash.includes('view=step')")
        page.keyboard.press("PageDown")
        visit.until("location.hash.includes('view=mistakes')")
        assert "2 of 2" in page.inner_text("#talk")
        assert not visit.too_wide
        page.keyboard.press("Escape")
        visit.until("!document.documentElement.dataset.present")
        assert visit.complaints == []


def test_a_story_is_told_and_the_opened_model_comes_back(browser, data, tmp_path):
    whole = Splits.of(mnist.load().train.sample(20_000), data.validation, data.test)
    address, end = served(Lab(whole, load_model("cnn"), "cnn", tmp_path / "lab"))
    with Visit(browser, address) as visit:
        visit.page.get_by_role("button", name="The same digit, moved").click()
        visit.until("document.getElementById('telling').textContent.includes('A dense network has a weight')")
        visit.until("[...document.querySelectorAll('.other')].some((one) => one.textContent.includes('convolutional'))")
        visit.view("train")
        visit.until("document.querySelectorAll('.trials h3').length === 2")
        visit.page.get_by_role("button", name="Back to cnn").click()
        visit.until("document.getElementById('model')?.textContent.includes('model: cnn, 99')")
        assert visit.complaints == []
    end()


@pytest.mark.parametrize(
    ("name", "content"), [("big.png", None), ("broken.png", b"\x89PNG no picture"), ("huge.bin", bytes(400_000))]
)
def test_pictures_of_any_size_are_answered(browser, cnn, tmp_path, name, content):
    from PIL import Image, ImageDraw

    if content is None:
        picture = Image.fromarray(np.random.default_rng(0).integers(235, 256, (2200, 2200, 3), np.uint8))
        ImageDraw.Draw(picture).line([(1200, 500), (1000, 1700)], fill=(20, 20, 60), width=120)
        picture.save(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(content)
    with Visit(browser, cnn) as visit:
        visit.page.locator("#file").set_input_files(tmp_path / name)
        wrong = "document.getElementById('trouble').textContent"
        if content is None:
            assert (tmp_path / name).stat().st_size > 5_000_000
            visit.until("document.querySelector('.answer').textContent === '1'", seconds=30)
            assert visit.page.evaluate(wrong) == ""
        else:
            visit.until(f"{wrong}.length > 10")
            assert visit.page.inner_text(".answer") == "nothing drawn"
