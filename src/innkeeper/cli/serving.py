"""Running an ASGI application until the process is told to stop: the sockets first, then the servers."""

from __future__ import annotations

import asyncio
import errno
import gc
import math
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from innkeeper.cli.logs import configure
from innkeeper.cli.tls import Pair
from innkeeper.issuer.http.connection import Connection
from innkeeper.issuer.http.site import Site
from innkeeper.protocol.refusals import UsageError

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``UsageError`` where the port is taken or the address is not ours."""
    return bind(host, port)


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """The same; ``shared`` with other sockets of this very program at the same address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
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


def run(
    app: Opening,
    listening: socket.socket,
    *over_tls: OverTls,
    pair: Pair | None = None,
    tether: Tether | None = None,
    beside: Sequence[Beside] = (),
    as_json: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way; after SIGTERM, leave in peace first.

    ``pair`` is what the first socket speaks TLS with; ``tether`` ties a worker to its parent, without which it does not serve on; ``beside`` are applications on sockets
    of their own. Logs are ``as_json``, or lines for people."""
    configure(as_json=as_json)
    others = [_Other(_config(app, Pair(one.certificate), lifespan="off"), one.listening) for one in over_tls]
    others += [_Other(_config(one.app, None, lifespan="off"), one.listening) for one in beside]
    server = _First(_config(app, pair), others, app.leaving, pair, tether)
    try:
        with suppress(KeyboardInterrupt):  # the server has closed in good order by then
            server.run(sockets=[listening])
    finally:
        for each in (listening, *(one.listening for one in over_tls), *(one.listening for one in beside)):
            each.close()
        if app.failure is not None:
            raise app.failure


class Tether(NamedTuple):
    """What a worker and its parent know of each other: ``parent`` ends with the parent, ``ready`` is how it is told."""

    parent: int
    ready: int

    def tie(self, orphaned: Callable[[], None]) -> None:
        """Tell the parent that its worker is ready, and have ``orphaned`` called when it is gone."""
        with suppress(BrokenPipeError):
            os.write(self.ready, b"1")
        os.close(self.ready)
        asyncio.get_running_loop().add_reader(self.parent, orphaned)


class Beside(NamedTuple):
    """A small application, and the socket that it is served on."""

    app: ASGIApp
    listening: socket.socket


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

    def __init__(
        self,
        config: uvicorn.Config,
        others: Sequence[_Other],
        leaving: Leaving | None,
        pair: Pair | None,
        tether: Tether | None,
    ) -> None:
        super().__init__(config)
        self._others = others
        self._leaving = leaving
        self._leaves_at = math.inf
        self._pair = pair
        self._tether = tether

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            for other in self._others:
                other.open()
            if self._tether is not None:
                self._tether.tie(self._orphaned)

    def _orphaned(self) -> None:
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM the first time: say that we leave, go on for a while, then stop. Everything else: stop."""
        if sig == signal.SIGTERM and self._leaving is not None and math.isinf(self._leaves_at):
            self._leaving.tell()
            self._leaves_at = time.monotonic() + self._leaving.seconds
            return
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn asks ten times a second whether it is time to stop."""
        if self._pair is not None and self.config.ssl is not None and counter % _TICKS_BETWEEN_LOOKS == 0:
            self._pair.renew(self.config.ssl)
        return await super().on_tick(counter) or time.monotonic() >= self._leaves_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.gather(*(other.close() for other in self._others))
        await super().shutdown(sockets)


_TICKS_BETWEEN_LOOKS = 20
"""A tick is a tenth of a second."""


def _config(app: ASGIApp, pair: Pair | None, *, lifespan: Literal["on", "off"] = "on") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the issuer judges whom it believes about its callers
        loop="auto",
        http=Connection,
        ws="none",
        lifespan=lifespan,
        ssl_certfile=pair.certificate if pair else None,
        ssl_keyfile=pair.key if pair else None,
        ssl_ca_certs=str(pair.authorities) if pair and pair.authorities else None,
        ssl_cert_reqs=ssl.CERT_OPTIONAL if pair and pair.authorities else ssl.CERT_NONE,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use. Stop what uses it, or choose another: PORT={port + 1} make up"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights. Choose one above 1023, for example PORT=8400"
    return f"cannot listen on {host}:{port}: {error.strerror}. Choose an address of this computer."
