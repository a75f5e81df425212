"""The guard: checks every request before anything else sees it, and rejects those it does not trust.

A page of another site must not reach the lab through the visitor's browser. So the Host must be a known name of the
lab, which prevents DNS rebinding. The Origin, if there is one, must be the lab itself. And the visitor must have opened
the address with the token that is printed at the start; from then on, a cookie replaces the token.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST, LARGEST_PICTURE = 64 * 1024, 256 * 1024  # bytes of a body
PATIENCE = 10.0  # seconds for a body to arrive
COOKIE = "plainnet_lab"
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """An ASGI application around another: passes on allowed requests with a complete body that is not too large.

    `hosts` are the names of the lab, without ports.
    """

    def __init__(self, app: Any, token: str, hosts: Iterable[str]) -> None:
        self.app, self.token, self.hosts = app, token, {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or reject it with one sentence."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if scope["method"] == "GET" and "token" in query:
            await self._admit(scope, query, send)
            return
        if not self._known(headers):
            await _answer(
                send, 403, "open the address that `plainnet lab` printed; it contains the token that you need"
            )
            return
        most = LARGEST_PICTURE if scope["path"] == "/api/picture" else LARGEST
        try:
            body = await asyncio.wait_for(_body(receive, most), PATIENCE)
        except TimeoutError:
            await _answer(send, 408, f"the request did not arrive within {PATIENCE:g} seconds; send it again")
            return
        if body is None:
            await _answer(send, 413, f"a request can have at most {most // 1024} KiB; send less")
            return
        sent = False

        async def whole() -> MutableMapping[str, Any]:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, whole, _with_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, list[str]]) -> tuple[int, str] | None:
        hosts = headers.get("host", [])
        if len(hosts) != 1 or _name(hosts[0]) not in self.hosts:
            return 421, "the lab does not know this host name; if it is yours, start it with --allow-host NAME"
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST are allowed"
        origins = headers.get("origin", [])
        if origins and (len(origins) > 1 or urlsplit(origins[0]).netloc.lower() != hosts[0].lower()):
            return 403, "the lab answers only its own page, not other sites"
        site = headers.get("sec-fetch-site", ["none"])[0]
        if site not in ("same-origin", "none") and not (scope["method"] == "GET" and scope["path"] == "/"):
            return 403, "the lab answers only its own page, not other sites"
        if scope["method"] == "POST" and not origins and site != "same-origin":
            return 403, "a POST request needs an Origin header"
        if "transfer-encoding" in headers and "content-length" in headers:
            return 400, "a request cannot have both Content-Length and Transfer-Encoding"
        return None

    def _known(self, headers: dict[str, list[str]]) -> bool:
        for line in headers.get("cookie", []):
            try:
                found = SimpleCookie(line).get(COOKIE)
            except CookieError:
                continue
            if found is not None and secrets.compare_digest(found.value.encode(), self.token.encode()):
                return True
        return False

    async def _admit(self, scope: Scope, query: dict[str, str], send: Send) -> None:
        """Exchange the token in the address for a cookie, and redirect to the address without it."""
        if not secrets.compare_digest(query.pop("token").encode(), self.token.encode()):
            await _answer(send, 403, "this token is not that of the running lab; open the address that the lab printed")
            return
        address = "/" + (f"?{urlencode(query)}" if query else "")
        cookie = f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        await _answer(send, 303, "welcome", {"location": address, "set-cookie": cookie})


def _name(host: str) -> str:
    """Return the name in a Host header, without the port, in lower case."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


async def _body(receive: Receive, most: int) -> bytes | None:
    """Return the body of a request, or None if it is too long."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _with_headers(send: Send) -> Send:
    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = [
                (name, value) for name, value in message.get("headers", []) if name.decode().lower() not in _HEADERS
            ]
            message["headers"] = given + [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        await send(message)

    return sender


async def _answer(send: Send, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
    body = sentence.encode()
    told = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), "connection": "close"}
    lines = [(name.encode(), value.encode()) for name, value in (told | _HEADERS | (headers or {})).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
