"""Serves the lab on a port until it is stopped, and drops idle connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import webbrowser
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from plainnet.errors import InputError
from plainnet.lab.guard import PATIENCE

_MOST_CONNECTIONS = 512


class Patient(H11Protocol):
    """A connection that is dropped if it sends no request in time, at the start or after an answer."""

    def connection_made(self, transport: Any) -> None:
        """Start the timer."""
        super().connection_made(transport)
        self._waiting = asyncio.get_running_loop().call_later(PATIENCE, self._drop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._waiting.cancel()
        super().connection_lost(exc)

    def _drop(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.abort()


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a host and port; port 0 takes any free port.

    Raises: `InputError` if the port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except (OSError, OverflowError) as error:
        found.close()
        raise InputError(f"cannot listen on {host}, port {port}: {error}; choose another with --port") from error
    return found


def serve(app: Any, at: socket.socket, address: str, *, browser: bool) -> None:
    """Serve until Ctrl-C or a signal ends it; open a browser first if asked to."""
    config = uvicorn.Config(
        app, http=Patient, ws="none", lifespan="off", log_level="error", access_log=False, server_header=False,
        timeout_keep_alive=5, limit_concurrency=_MOST_CONNECTIONS, timeout_graceful_shutdown=2, backlog=256,
        h11_max_incomplete_event_size=16 * 1024,
    )  # fmt: skip
    if browser:
        threading.Timer(0.3, lambda: webbrowser.open(address)).start()
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[at])
