"""How quickly the lab answers, and what looking on costs a training: writes records/lab.json.

A browser draws strokes, point by point, and takes the time from a point to the answer on the screen, with nothing
else going on and while `classic` trains. Epochs of `classic` alternate between nobody and somebody who looks on:
one page, and 200 readers of which half read slowly. Then requests come that mean harm, 1,000 at once among them.

    python benchmarks/lab.py [--answers 40] [--epochs 6]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import sync_playwright

from hostile import attacked
from plainnet import load_model, mnist
from plainnet.runs.environment import hardware, versions
from plainnet.sources.pen.strokes import prepared
from plainnet.writing import to_json, write_atomically
from redrawn import in_place, strokes_of

_MARK = """(() => { window.shown = 0;
new MutationObserver(() => { window.shown = performance.now(); })
  .observe(document.querySelector('.answer'), { childList: true, characterData: true, subtree: true }); })()"""


@contextlib.contextmanager
def lab(what: str):
    """Start `plainnet lab`, and give its process, address and token."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "plainnet", "lab", what, "--no-browser", "--port", "0", "--out", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        yield process, re.search(r"http://\S+", line)[0]
        process.terminate()
        process.wait(20)


def memory(process: subprocess.Popen[str]) -> float:
    """Return the resident memory of a process in MB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1000


def answers(page: Any, count: int) -> dict[str, float]:
    """Return median and 95th percentile of the milliseconds from a point of a stroke to the answer on the screen."""
    test, taken = mnist.load().validation.inputs, []
    paper = page.locator("canvas.pad")
    paper.wait_for()
    page.evaluate(_MARK)
    box = paper.bounding_box()
    for k in range(count):
        page.get_by_role("button", name="Clear").click()
        stroke = max(strokes_of(test[k], at=(200, 200), size=700), key=len)[::5]
        places = [(box["x"] + x * box["width"] / 1120, box["y"] + y * box["height"] / 1120) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.wait_for_timeout(150)
            before = page.evaluate("performance.now()")
            page.mouse.move(*place)
            for _ in range(200):
                shown = page.evaluate("window.shown")
                if shown > before:
                    taken.append(shown - before)
                    break
                page.wait_for_timeout(5)
            if len(taken) >= 5 * (k + 1):
                break
        page.mouse.up()
    return {"points": len(taken), "median_ms": float(np.median(taken)), "95th_ms": float(np.percentile(taken, 95))}


def redrawn(name: str, count: int) -> dict[str, float]:
    """Return the share of test digits that is recognized: as they are, drawn again, and by the same lines in place.

    They are drawn again by a pen of any width, of any size, anywhere; the lines in place, as thick as the digits, show
    what thinning alone costs.
    """
    test, model, rng = mnist.load().test[:count], load_model(name), np.random.default_rng(0)
    images = []
    for image in test.inputs:
        size = int(100 * 10 ** rng.random())
        at = [int(v) for v in rng.integers(0, 1120 - size, 2)]
        images.append(prepared(strokes_of(image, at=at, size=size), int(rng.integers(40, 130))).image)
    kinds = {
        "original": test.inputs,
        "in_place": np.stack([in_place(x) for x in test.inputs]),
        "redrawn": np.stack(images),
    }
    with np.errstate(all="ignore"):
        right = {
            kind: float((model.shares(x, model.test_shifts).argmax(axis=1) == test.labels).mean())
            for kind, x in kinds.items()
        }
    return {"digits": count, **right}


def steps_a_second(page: Any, seconds: float) -> float:
    """Return how many batches a second the training makes, asked at two moments only."""
    ask = "fetch('/api/look?since=0&wait=1').then((r) => r.json()).then((s) => [performance.now(), s.trials[0].steps])"
    page.evaluate(ask)
    page.wait_for_timeout(600)
    first = page.evaluate(ask)
    page.wait_for_timeout(1000 * seconds)
    page.evaluate(ask)
    page.wait_for_timeout(600)
    last = page.evaluate(ask)
    return 1000 * (last[1] - first[1]) / (last[0] - first[0])


async def readers(address: str, cookie: str, count: int, seconds: float) -> int:
    """Look on from so many connections for a while, every second one slowly; return how many answers came."""
    host, port = re.search(r"http://([^:/]+):(\d+)", address).groups()
    got, end = [0], time.monotonic() + seconds

    async def one(slow: bool) -> None:
        since = 0
        while time.monotonic() < end:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(
                    f"GET /api/look?since={since}&wait=5 HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                if slow:
                    while await asyncio.wait_for(reader.read(512), 20):
                        await asyncio.sleep(0.2)
                        if time.monotonic() > end:
                            break
                else:
                    text = await asyncio.wait_for(reader.read(), 20)
                    found = re.search(rb'"number": (\d+)', text)
                    since = int(found[1]) if found else since
                got[0] += 1
                writer.close()
            except (OSError, TimeoutError):
                await asyncio.sleep(0.2)

    await asyncio.gather(*(one(k % 2 == 1) for k in range(count)))
    return got[0]


def in_a_thread(work: Any) -> Any:
    """Return what a coroutine returns; this thread's own loop is Playwright's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def main() -> None:
    """Measure and keep the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    record: dict[str, Any] = {"hardware": hardware(), "versions": versions(), "redrawn": {"cnn": redrawn("cnn", 1000)}}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with lab("cnn") as (process, address):
            page = browser.new_page()
            page.goto(address)
            page.locator("canvas.pad").wait_for()
            record["first_view_ms"] = page.evaluate("performance.getEntriesByType('paint').at(-1).startTime")
            record["page_bytes"] = page.evaluate(
                "performance.getEntriesByType('resource').filter((e) => e.name.includes('/page/'))"
                ".reduce((sum, e) => sum + e.decodedBodySize, 0)"
            )
            record["answers"] = {"cnn": answers(page, options.answers)}
            page.close()
        with lab("classic") as (process, address):
            page = browser.new_page()
            page.goto(f"{address}#view=train")
            page.get_by_role("button", name="Pause").click()
            page.goto(f"{address.split('/?')[0]}/#view=draw")
            record["answers"]["classic"] = answers(page, options.answers)
            page.goto(f"{address.split('/?')[0]}/#view=train")
            page.get_by_role("button", name="Start").click()
            page.goto(f"{address.split('/?')[0]}/#view=draw")
            record["answers"]["classic, while it trains"] = answers(page, options.answers)
            quiet = browser.new_context()
            quiet.add_cookies(page.context.cookies())
            origin = address.split("/?")[0]
            cookie = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
            asking = quiet.new_page()
            asking.goto(f"{origin}/page/base.css")
            page.goto(f"{origin}/#view=train")
            ratios: dict[str, list[float]] = {"a page": [], "200 readers": []}
            for _ in range(options.rounds):
                page.goto("about:blank")
                alone = steps_a_second(asking, 4)
                page.goto(f"{origin}/#view=train")
                page.wait_for_timeout(500)
                ratios["a page"].append(alone / steps_a_second(asking, 4))
                page.goto("about:blank")
                crowd = subprocess.Popen(
                    [sys.executable, __file__, "--crowd", address, cookie], stdout=subprocess.DEVNULL
                )
                page.wait_for_timeout(1500)
                ratios["200 readers"].append(alone / steps_a_second(asking, 4))
                crowd.wait()
            record["epoch_looked_on_by"] = {
                name: {"median": float(np.median(all_)), "each": all_} for name, all_ in ratios.items()
            }
            record["attacked"] = in_a_thread(attacked(origin.removeprefix("http://"), cookie))
            record["steps_a_second_after"] = steps_a_second(asking, 4)
            page.goto(f"{origin}/#view=train")
            page.get_by_role("button", name="Pause").click()
            page.wait_for_timeout(1000)
            record["memory_mb"] = [memory(process)]  # of a lab that trains no more, before each attack and after
            for _ in range(2):
                in_a_thread(attacked(origin.removeprefix("http://"), cookie))
                record["memory_mb"].append(memory(process))
            page.close()
        browser.close()
    write_atomically(ROOT / "records/lab.json", to_json(record))
    print(to_json(record).decode())


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--crowd":
        asyncio.run(readers(sys.argv[2], sys.argv[3], 200, 9))
    else:
        main()
