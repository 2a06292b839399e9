"""The caller: find an issuer, get tokens, keep them, renew them, show them to the right door.

Every flow is one generator (``asking``) that yields what it needs of the world; ``wire`` answers, for
threads (``run``) and for coroutines (``arun``) alike. Verifying a token is ``guard``'s work, issuing one
``issuer``'s. Names below load on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from innkeeper.client.auth import Auth as Auth
    from innkeeper.client.authorization import Pending as Pending
    from innkeeper.client.authorization import begin as begin
    from innkeeper.client.authorization import complete as complete
    from innkeeper.client.browser import login as login
    from innkeeper.client.cache import FileCache as FileCache
    from innkeeper.client.cache import MemoryCache as MemoryCache
    from innkeeper.client.credentials import Client as Client
    from innkeeper.client.credentials import Secret as Secret
    from innkeeper.client.discovery import Metadata as Metadata
    from innkeeper.client.discovery import discover as discover
    from innkeeper.client.dpop import Proving as Proving
    from innkeeper.client.exchange import Exchange as Exchange
    from innkeeper.client.grants import client_credentials as client_credentials
    from innkeeper.client.grants import refresh as refresh
    from innkeeper.client.grants import revoke as revoke
    from innkeeper.client.keyring_cache import KeyringCache as KeyringCache
    from innkeeper.client.refused import Refused as Refused
    from innkeeper.client.signing_key import SigningKey as SigningKey
    from innkeeper.client.source import TokenSource as TokenSource
    from innkeeper.client.third_party import Wish as Wish
    from innkeeper.client.third_party import initiated as initiated
    from innkeeper.client.token import Access as Access
    from innkeeper.client.token import Token as Token
    from innkeeper.client.wire import arun as arun
    from innkeeper.client.wire import run as run
    from innkeeper.protocol.refusals import Unreachable as Unreachable
    from innkeeper.protocol.refusals import UsageError as UsageError

_HOMES = {
    "Access": "innkeeper.client.token",
    "Auth": "innkeeper.client.auth",
    "Client": "innkeeper.client.credentials",
    "Exchange": "innkeeper.client.exchange",
    "FileCache": "innkeeper.client.cache",
    "KeyringCache": "innkeeper.client.keyring_cache",
    "MemoryCache": "innkeeper.client.cache",
    "Metadata": "innkeeper.client.discovery",
    "Pending": "innkeeper.client.authorization",
    "Proving": "innkeeper.client.dpop",
    "Refused": "innkeeper.client.refused",
    "Secret": "innkeeper.client.credentials",
    "SigningKey": "innkeeper.client.signing_key",
    "Token": "innkeeper.client.token",
    "TokenSource": "innkeeper.client.source",
    "Unreachable": "innkeeper.protocol.refusals",
    "UsageError": "innkeeper.protocol.refusals",
    "Wish": "innkeeper.client.third_party",
    "arun": "innkeeper.client.wire",
    "begin": "innkeeper.client.authorization",
    "client_credentials": "innkeeper.client.grants",
    "complete": "innkeeper.client.authorization",
    "discover": "innkeeper.client.discovery",
    "initiated": "innkeeper.client.third_party",
    "login": "innkeeper.client.browser",
    "refresh": "innkeeper.client.grants",
    "revoke": "innkeeper.client.grants",
    "run": "innkeeper.client.wire",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'innkeeper.client' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
