"""The web server of the lab: its files and routes."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.lab.asking import CHANGES, READS
from plainnet.lab.guard import Guard
from plainnet.lab.state import Lab
from plainnet.page import FOLDER
from plainnet.writing import to_json

_PAGE = Path(__file__).parent / "page"
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_LONGEST_WAIT = 20.0
_MOST_A_SECOND = 40  # answers to all viewers together
_SHARED = ("prepare.js", "dom.js", "chart.js", "pad.js", "base.css", "step.js")


def application(lab: Lab, token: str, hosts: tuple[str, ...]) -> Guard:
    """Return the lab as an ASGI application."""
    files = {f"/page/{name}": FOLDER / name for name in _SHARED} | {
        f"/page/{path.name}": path for path in sorted(_PAGE.iterdir()) if path.suffix in (".js", ".css")
    }
    routes = [Route("/", _file(_PAGE / "index.html"))] + [Route(at, _file(path)) for at, path in files.items()]
    for path, function in READS.items():
        routes.append(Route(path, _asked(lab, function), methods=["GET"]))
    routes.append(Route("/api/look", _look(lab)))
    for path, function in CHANGES.items():
        routes.append(Route(path, _asked(lab, function), methods=["POST"]))
    return Guard(Starlette(routes=routes, exception_handlers={404: _nothing_there, 405: _nothing_there}), token, hosts)


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)


def _file(path: Path) -> Callable[[Request], Any]:
    content, kind = path.read_bytes(), f"{_KINDS[path.suffix]}; charset=utf-8"

    async def served(request: Request) -> Response:
        return Response(content, media_type=kind)

    return served


async def _nothing_there(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "there is no such page; open the address that the lab printed"}, 404)


def _asked(lab: Lab, function: Callable[[Lab, Any], Any]) -> Callable[[Request], Any]:
    """Return a route that runs a function on the request in another thread, and sends its result."""

    async def route(request: Request) -> Response:
        if request.method == "GET":
            given: Any = dict(request.query_params)
        elif request.url.path == "/api/picture":
            given = await request.body()
        else:
            try:
                given = json.loads(await request.body())
            except (ValueError, RecursionError):
                given = None
            if not isinstance(given, dict):
                return JSONResponse({"error": "the request must be a JSON object"}, 400)
        try:
            found = await run_in_threadpool(function, lab, given)
        except InputError as error:
            return JSONResponse({"error": shown(error, 600)}, 400)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            return JSONResponse({"error": f"the request is invalid: {shown(error, 100)}"}, 400)
        return Response(to_json(found), media_type="application/json")

    return route


def _look(lab: Lab) -> Callable[[Request], Any]:
    """Return a route that waits for a snapshot newer than a number, and sends it.

    The more viewers there are, the longer each one waits, so that a class that watches does not slow the training down.
    """
    waiting, written = 0, (0, b"")

    async def route(request: Request) -> Response:
        nonlocal waiting, written
        try:
            since, wait = int(request.query_params.get("since", "0")), float(request.query_params.get("wait", "10"))
        except ValueError:
            return JSONResponse({"error": "'since' must be a whole number, and 'wait' a number of seconds"}, 400)
        until = asyncio.get_running_loop().time() + min(max(wait, 0.0), _LONGEST_WAIT)
        waiting += 1
        try:
            while not lab.engine.newer(since):
                if asyncio.get_running_loop().time() > until or await request.is_disconnected():
                    return Response(status_code=204)
                await asyncio.sleep(0.05 + waiting / _MOST_A_SECOND)
        finally:
            waiting -= 1
        snapshot = lab.engine.snapshot
        if written[0] != snapshot["number"]:
            written = snapshot["number"], to_json(snapshot)
        return Response(written[1], media_type="application/json")

    return route
