"""Running an ASGI application until the process is told to stop: the sockets first, then the servers."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import math
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from innkeeper.issuer.http.connection import Connection
from innkeeper.issuer.http.site import Site
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


class Leaving(NamedTuple):
    """What to do when told to stop by SIGTERM, and the seconds after which the process stops: by then, nobody who
    was told sends it anything more."""

    tell: Callable[[], None]
    seconds: float


class Opening:
    """An ASGI application that is opened when the server starts and closed when it stops, some time after ``leaving``.

    ``open_site`` is an asynchronous context manager that yields the application. What goes wrong in it stops
    the server and is raised by ``run``.
    """

    def __init__(
        self, open_site: Callable[[], AbstractAsyncContextManager[ASGIApp]], leaving: Leaving | None = None
    ) -> None:
        self.leaving = leaving
        self._open_site = open_site
        self._site: ASGIApp | None = None
        self.failure: Exception | None = None

    @property
    def direct(self) -> Site | None:
        """The site, where it is one issuer's alone and answers without ASGI, too."""
        return self._site if isinstance(self._site, Site) else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._site is not None:
            await self._site(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            async with self._open_site() as self._site:
                _leave_alone()
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as failure:  # noqa: BLE001 - raised again by run, once the server has stopped
            self.failure = failure
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _leave_alone() -> None:
    """Have the search for garbage pass over what was made to open the site and stays, and come less often: a request
    leaves none behind, for its values know nothing of those that hold them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BETWEEN_SEARCHES, 20, 50)


_BETWEEN_SEARCHES = 20_000
"""Values that are newly made and kept, after which garbage is searched for among them."""


def run(app: Opening, listening: socket.socket, *over_tls: OverTls) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way; after SIGTERM, leave in peace first."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    others = [_Other(_config(app, one.certificate), one.listening) for one in over_tls]
    server = _First(_config(app), others, app.leaving)
    try:
        with suppress(KeyboardInterrupt):  # the server has closed in good order by then
            server.run(sockets=[listening])
    finally:
        for one in (listening, *(other.listening for other in over_tls)):
            one.close()
        if app.failure is not None:
            raise app.failure


class OverTls(NamedTuple):
    """A socket to serve over TLS, and the PEM file with its key and certificate."""

    listening: socket.socket
    certificate: Path


class _Other(uvicorn.Server):
    """A further server of the same application, which is open already and leaves signals to the first."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        super().__init__(config)
        self._listening = listening
        self._serving: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._serving = asyncio.create_task(self.serve(sockets=[self._listening]))

    async def close(self) -> None:
        self.should_exit = True
        if self._serving is not None:
            await self._serving

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _First(uvicorn.Server):
    """Opens and closes the application; the others serve in between."""

    def __init__(self, config: uvicorn.Config, others: Sequence[_Other], leaving: Leaving | None) -> None:
        super().__init__(config)
        self._others = others
        self._leaving = leaving
        self._leaves_at = math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            for other in self._others:
                other.open()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM the first time: say that we leave, go on for a while, then stop. Everything else: stop."""
        if sig == signal.SIGTERM and self._leaving is not None and math.isinf(self._leaves_at):
            self._leaving.tell()
            self._leaves_at = time.monotonic() + self._leaving.seconds
            return
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn asks ten times a second whether it is time to stop."""
        return await super().on_tick(counter) or time.monotonic() >= self._leaves_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.gather(*(other.close() for other in self._others))
        await super().shutdown(sockets)


def _config(app: Opening, certificate: Path | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the issuer judges whom it believes about its callers
        loop="auto",
        http=Connection,
        ws="none",
        lifespan="off" if certificate else "on",
        ssl_certfile=certificate,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use. Stop what uses it, or choose another: PORT={port + 1} make up"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights. Choose one above 1023, for example PORT=8400"
    return f"cannot listen on {host}:{port}: {error.strerror}. Choose an address of this computer."
