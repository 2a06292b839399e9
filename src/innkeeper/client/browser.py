"""Signing in with the person's own browser: the whole code flow in one call."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from threading import Thread

import httpx2

from innkeeper.client.authorization import begin, complete
from innkeeper.client.credentials import Client
from innkeeper.client.discovery import discover
from innkeeper.client.loopback import REDIRECT_URI, Loopback
from innkeeper.client.token import Access, Token
from innkeeper.client.wire import run


def open_browser(url: str) -> None:
    """Open the person's browser, in a thread: some browsers do not return until they are closed."""
    Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def login(
    issuer: str,
    client: Client,
    access: Access,
    *,
    redirect: str = REDIRECT_URI,
    timeout: float = 300,
    pkce_known: bool = False,
    pushed: bool = False,
    show: Callable[[str], object] = open_browser,
    http: httpx2.Client | None = None,
) -> Token:
    """A person's token: opens the issuer's page, waits for the redirect to this computer, redeems the code.

    ``show`` is called with the address to visit, once this computer listens for the answer. ``redirect`` is a
    loopback address, its port free to choose where it names none; ``timeout`` in seconds; ``pushed`` sends the request to
    the issuer first. Raises ``Refused``,
    ``Unreachable`` and ``UsageError``.
    """
    metadata = run(discover(issuer), http)
    with Loopback(redirect) as door:
        pending = run(begin(metadata, client, access, door.redirect_uri, pkce_known=pkce_known, pushed=pushed), http)
        show(pending.url)
        return door.wait(lambda query: run(complete(pending, query), http), issuer, timeout)
