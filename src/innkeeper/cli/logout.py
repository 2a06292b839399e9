"""``innkeeper logout``: kept tokens are revoked and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from innkeeper.cli import options
from innkeeper.cli.show import note
from innkeeper.client.cache import FileCache, Key
from innkeeper.client.credentials import Client
from innkeeper.client.discovery import discover
from innkeeper.client.grants import revoke
from innkeeper.client.refused import Refused
from innkeeper.client.source import TokenSource
from innkeeper.client.token import Access
from innkeeper.client.wire import run
from innkeeper.protocol.refusals import Unreachable

if TYPE_CHECKING:
    from innkeeper.client.keyring_cache import KeyringCache


def command(
    issuer: options.Issuer,
    client_id: Annotated[
        str | None,
        typer.Option(envvar="INNKEEPER_CLIENT_ID", help="Only this client's tokens.", show_default=False),
    ] = None,
) -> None:
    """Take kept tokens back and forget them.

    Each is revoked at its issuer, if that can be reached; it is forgotten here in any case.
    """
    found = [
        (cache, key)
        for cache in _caches()
        for key in cache.kept()
        if key.issuer == issuer and client_id in {None, key.client_id}
    ]
    for cache, key in found:
        _forget(cache, key)
    note(f"{len(found)} kept token{'' if len(found) == 1 else 's'} of {issuer} forgotten.")


def _forget(cache: FileCache | KeyringCache, key: Key) -> None:
    client = Client(key.client_id)
    token = run(TokenSource(key.issuer, client, Access(key.scope, key.resource), cache=cache).forget())
    try:
        if token:
            run(revoke(run(discover(key.issuer)), client, token))
    except (Refused, Unreachable) as failure:
        note(f"Forgotten here, but not revoked: {failure}")


def _caches() -> Iterator[FileCache | KeyringCache]:
    """The files, and the keyring where anything is noted as kept there."""
    files = FileCache()
    yield files
    if any(files.folder.glob("*.keyring")):
        from innkeeper.client.keyring_cache import KeyringCache

        yield KeyringCache()
