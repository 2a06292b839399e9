"""Running an ASGI application until the process is told to stop: the socket first, then the server."""

from __future__ import annotations

import errno
import logging
import socket
from typing import Any

import uvicorn

from innkeeper.protocol.refusals import UsageError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``UsageError`` where the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise UsageError(_why(host, port, error)) from None
    return listening


def run(app: Any, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        loop="auto",
        http="httptools",
        ws="none",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    uvicorn.Server(config).run(sockets=[listening])


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use. Stop what uses it, or choose another: PORT={port + 1} make up"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights. Choose one above 1023, for example PORT=8400"
    return f"cannot listen on {host}:{port}: {error.strerror}. Choose an address of this computer."
