"""``innkeeper twin run``: a program with the clouds' real addresses, run against the twins on this computer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx2
import typer

from innkeeper.detour.hosts import COGNITO, ENTRA, Taken
from innkeeper.detour.proxy import Inn
from innkeeper.detour.running import Detour, run
from innkeeper.issuer.settings import Settings, load
from innkeeper.protocol.refusals import UsageError

_OPENS_WITHIN = 60.0
_LOOK_EVERY = 0.1


def command(
    words: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="The program and its arguments.")],
    cognito: Annotated[bool, typer.Option("--cognito", help="Take Amazon Cognito's hosts to its twin.")] = False,
    entra: Annotated[bool, typer.Option("--entra", help="Take Microsoft Entra ID's hosts to its twin.")] = False,
    refuse_others: Annotated[
        bool, typer.Option("--refuse-others", help="Let the program reach no other host over https.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="By names instead of a proxy, for programs that take none (Linux, root).")
    ] = False,
    host: Annotated[
        list[str] | None, typer.Option(help="With --names: a further host, as your pool's domain or your region's.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The settings file; innkeeper.toml here by default.")] = None,
) -> int:
    """Run a program so that Cognito and Entra ID, under their real addresses, are the twins here: both where neither
    --cognito nor --entra is given. The inn that is open is used, or one is opened for as long as the program runs.
    Nothing of the machine is changed, and nothing is left behind."""
    if host and not names:
        raise UsageError("--host goes with --names; a proxy knows the hosts by itself")
    settings = load(config)
    clouds = [cloud for cloud, wanted in ((COGNITO, cognito), (ENTRA, entra)) if wanted] or [COGNITO, ENTRA]
    with _inn(settings, config) as inn:
        detour = Detour(
            Taken(clouds), inn, not refuse_others, [*_hosts(settings, clouds), *(host or [])] if names else None
        )
        ended = asyncio.run(run(detour, words))
    for refused in ended.refused:
        print(f"innkeeper: refused a connection to {refused}, which is no host of a twin", file=sys.stderr)
    return ended.code


def _hosts(settings: Settings, clouds: list[str]) -> list[str]:
    """The hosts of the pools that are there from the start: their regions' and their domains'."""
    pools = [one.id for one in settings.twin if one.dialect == COGNITO and COGNITO in clouds]
    regions = {pool: pool.partition("_")[0] for pool in pools}
    apis = [f"{service}.{region}.amazonaws.com" for region in regions.values() for service in ("cognito-idp", "sts")]
    domains = [f"{pool.replace('_', '').lower()}.auth.{region}.amazoncognito.com" for pool, region in regions.items()]
    return list(dict.fromkeys([*apis, *domains]))


@contextmanager
def _inn(settings: Settings, config: Path | None) -> Iterator[Inn]:
    """The inn that is open where the settings say, or one that is opened and closed again. Raises ``UsageError``."""
    inn = Inn(settings.server.host, settings.server.port)
    if _is_open(settings):
        yield inn
        return
    words = [sys.executable, "-m", "innkeeper.cli", "up", *(["--config", str(config)] if config else [])]
    opened = subprocess.Popen(  # noqa: S603 - our own command
        words, env={**os.environ, "INNKEEPER_TLS_PORT": "0"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _await(opened, settings)
        yield inn
    finally:
        opened.send_signal(signal.SIGINT)
        opened.communicate()


def _await(opened: subprocess.Popen[bytes], settings: Settings) -> None:
    deadline = time.monotonic() + _OPENS_WITHIN
    while not _is_open(settings):
        if opened.poll() is not None:
            said = opened.communicate()[1].decode(errors="replace").strip()
            raise UsageError(f"the inn did not open: {said}")
        if time.monotonic() > deadline:
            raise UsageError(f"the inn did not open within {_OPENS_WITHIN:.0f} seconds. See what innkeeper up says.")
        time.sleep(_LOOK_EVERY)


def _is_open(settings: Settings) -> bool:
    try:
        answer = httpx2.get(f"{settings.origin}/.well-known/openid-configuration", timeout=2, trust_env=False)
        return bool(answer.json()["issuer"] == settings.origin)
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return False
