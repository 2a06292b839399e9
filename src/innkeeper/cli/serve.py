"""``innkeeper serve``: the issuer alone, as the settings say, showing no reasons and taking no known secrets."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from starlette.types import ASGIApp

from innkeeper.cli import guarded
from innkeeper.cli.serving import Beside, Leaving, Opening, Tether, bind, listen, run
from innkeeper.cli.state import MASTER_KEY
from innkeeper.cli.tls import Pair
from innkeeper.cli.witnessing import metrics_address, metrics_folder, server_witness
from innkeeper.issuer.app import Issuer, open_issuer
from innkeeper.issuer.desk.registry import development_records
from innkeeper.issuer.http.health import Health
from innkeeper.issuer.http.metrics import MetricsPage
from innkeeper.issuer.settings import Settings, load
from innkeeper.issuer.witness.metrics import share
from innkeeper.issuer.witness.witness import Witness
from innkeeper.keys.threads import THREADS
from innkeeper.protocol.refusals import UsageError


def command(
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that serve, one a core; SIGHUP replaces them one by one.")
    ] = None,
) -> int:
    """Serve an issuer as the settings say."""
    settings = load(config)
    pair = _pair(settings)
    if workers is not None:
        return _supervise(config, settings, workers)
    listening = listen(settings.server.host, settings.server.port)
    print(f"innkeeper serves {settings.origin}", file=sys.stderr)
    serve(settings, listening, pair)
    return 0


def _supervise(config: Path | None, settings: Settings, workers: int) -> int:
    from innkeeper.cli.workers import Workers, sockets

    def work(listening: socket.socket, tether: Tether) -> int:
        return guarded("innkeeper serve", lambda: _work(load(config), listening, tether))

    THREADS.workers = workers
    if settings.server.metrics:
        share(metrics_folder(settings))
    places = sockets(settings.server.host, settings.server.port, workers)
    print(f"innkeeper serves {settings.origin} with {workers} workers", file=sys.stderr)
    return Workers(places, work, settings.server.leave).run()


def _work(settings: Settings, listening: socket.socket, tether: Tether) -> int:
    serve(settings, listening, _pair(settings), tether)
    return 0


def serve(settings: Settings, listening: socket.socket, pair: Pair | None = None, tether: Tether | None = None) -> None:
    """Serve an issuer until told to stop. Raises ``UsageError`` for settings that are not for others' eyes."""
    witness, beside = server_witness(settings, alone=tether is None), list[Beside]()
    if witness.metrics is not None and settings.server.metrics:
        host, port = metrics_address(settings)
        beside = [Beside(MetricsPage(witness.metrics), bind(host, port, shared=tether is not None))]
    health = Health()
    opening = Opening(lambda: _open(settings, witness, health), Leaving(health.leave, settings.server.leave))
    run(opening, listening, pair=pair, tether=tether, beside=beside, as_json=True)


def _pair(settings: Settings) -> Pair | None:
    """What the settings say to speak TLS with. Raises ``UsageError``."""
    server = settings.server
    if not server.tls_certificate:
        return None
    authorities = Path(server.client_certificate_authorities) if server.takes_certificates else None
    pair = Pair(Path(server.tls_certificate), Path(server.tls_key) if server.tls_key else None, authorities)
    pair.judge()
    return pair


@asynccontextmanager
async def _open(settings: Settings, witness: Witness, health: Health) -> AsyncIterator[ASGIApp]:
    issuer = await open_issuer(
        settings, development=False, master=os.environ.get(MASTER_KEY), health=health, witness=witness
    )
    try:
        await _judge(issuer, settings)
        async with issuer.watched():
            yield issuer.site
    finally:
        issuer.close()


async def _judge(issuer: Issuer, settings: Settings) -> None:
    if settings.fetching.allow_loopback_hosts and not settings.server.only_this_computer:
        raise UsageError(
            "fetching.allow_loopback_hosts lets strangers reach this computer's own servers, so it is for tests on "
            "loopback only. Remove it from the settings."
        )
    if settings.twin and not settings.server.only_this_computer:
        raise UsageError(
            "a [[twin]] lets whoever reaches it administer it, as no cloud does, so twins are served on loopback only. "
            "Remove them from the settings."
        )
    known = await development_records(issuer.realm.store)
    if known and not settings.server.only_this_computer:
        raise UsageError(
            f"the secrets of {', '.join(known)} are known to everybody, so they are served on loopback only. "
            "Write an innkeeper.toml with your own clients and people, and choose a new state folder."
        )
