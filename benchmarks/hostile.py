"""Connections that mean harm, sent to a lab: what became of them. Used by `benchmarks/lab.py`."""

from __future__ import annotations

import asyncio
import collections
import re

_PATIENCE = 25.0  # seconds until a connection must have been answered or dropped


def requests(host: str, cookie: str) -> dict[str, bytes]:
    """Return requests by what is wrong with them, as bytes on the wire."""
    get = f"GET /api/about HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n"
    post = f"POST /api/draw HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n"
    return {
        "nothing at all": b"",
        "half a line": b"GET /api",
        "half a head": get.encode(),
        "no version": b"GET /\r\n\r\n",
        "version 9": b"GET / HTTP/9.9\r\n\r\n",
        "binary": bytes(range(256)) * 8,
        "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
        "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        "a long header": (get + "X: " + "b" * 100_000 + "\r\n\r\n").encode(),
        "many headers": (get + "".join(f"X{k}: y\r\n" for k in range(5000)) + "\r\n").encode(),
        "a zero byte in a header": (get + "X: a\0b\r\n\r\n").encode(),
        "a bare line feed": get.replace("\r\n", "\n").encode() + b"\n",
        "a space before the colon": (get + "X : y\r\n\r\n").encode(),
        "two lengths": (post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}").encode(),
        "a negative length": (post + "Content-Length: -1\r\n\r\n").encode(),
        "a length in words": (post + "Content-Length: two\r\n\r\n{}").encode(),
        "a huge length": (post + "Content-Length: 99999999999\r\n\r\n{}").encode(),
        "length and chunks": (post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").encode(),
        "bad chunks": (post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n").encode(),
        "chunks without end": (post + "Transfer-Encoding: chunked\r\n\r\n" + "1\r\nx\r\n" * 1000).encode(),
        "a body that does not come": (post + "Content-Length: 1000\r\n\r\n{").encode(),
        "a body too large": (post + "Content-Length: 70000\r\n\r\n").encode() + b"x" * 70_000,
        "an upgrade": (get + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode(),
        "an absolute address": f"GET http://evil.example/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(),
        "a proxy's CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "two hosts": (get + "Host: evil.example\r\n\r\n").encode(),
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "another host": b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "a path upwards": f"GET /page/../../etc/passwd HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode(),
        "a zero byte in the path": f"GET /\0 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(),
        "no token": f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(),
        "fifty at once on one line": (get + "\r\n").encode() * 50,
        "an expectation": (post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n").encode(),
    }  # fmt: skip


async def _sent(host: str, content: bytes, drip: float = 0.0) -> str:
    """Send bytes, all at once or one by one, and return what became of the connection."""
    name, port = host.split(":")
    try:
        reader, writer = await asyncio.open_connection(name, int(port))
        if drip:
            try:
                for k in range(len(content)):
                    writer.write(content[k : k + 1])
                    await writer.drain()
                    await asyncio.sleep(drip)
            except OSError:
                return "dropped"
        else:
            writer.write(content)
        text = await asyncio.wait_for(reader.read(200), _PATIENCE)
        writer.close()
    except TimeoutError:
        return "left open"
    except OSError:
        return "dropped"
    found = re.match(rb"HTTP/1.1 (\d+)", text)
    return f"answered {found[1].decode()}" if found else "dropped"


async def attacked(host: str, cookie: str) -> dict[str, dict[str, int] | dict[str, str]]:
    """Send each kind of request, then many at once, and return what became of them."""
    kinds = requests(host, cookie)
    each = await asyncio.gather(*(_sent(host, content) for content in kinds.values()))
    slow = await asyncio.gather(*(_sent(host, kinds["half a head"], 0.2) for _ in range(100)))
    silent = await asyncio.gather(*(_sent(host, b"") for _ in range(200)))
    get = f"GET /api/about HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode()
    many = await asyncio.gather(*(_sent(host, get) for _ in range(1000)))
    return {
        "each": dict(zip(kinds, each, strict=True)),
        "100 that drip": collections.Counter(slow),
        "200 that say nothing": collections.Counter(silent),
        "1,000 at once": collections.Counter(many),
    }
