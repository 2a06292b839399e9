"""What ``token`` and ``login`` share: leading a person through the browser, with a word at each step."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

from innkeeper.cli.show import note
from innkeeper.client.browser import login
from innkeeper.client.credentials import Client
from innkeeper.client.token import Access, Token
from innkeeper.protocol.refusals import UsageError


def sign_in(
    issuer: str,
    client: Client,
    access: Access,
    *,
    port: int,
    redirect_uri: str | None,
    browser: bool,
    timeout: float,
    pkce_known: bool,
) -> Token:
    """A person's token, by way of the browser; what to do is said on standard error."""
    redirect = redirect_uri or f"http://127.0.0.1{f':{port}' if port else ''}/callback"
    if redirect_uri and port:
        raise UsageError("give --port or --redirect-uri, not both: the redirect URI may name its port itself")

    def show(url: str) -> None:
        opened = browser and _open(url)
        lead = "Your browser opens to sign in. Should it not, visit:" if opened else "To sign in, visit:"
        note(f"{lead}\n\n  {url}\n")
        note(f"Waiting here for up to {timeout:.0f} s (Ctrl-C ends it) …")

    token = login(issuer, client, access, redirect=redirect, timeout=timeout, pkce_known=pkce_known, show=show)
    told_narrower(access, token)
    return token


def told_narrower(access: Access, token: Token) -> None:
    """Say so where the issuer gave less than was asked for."""
    missing = access.scopes - frozenset(token.scope.split())
    if missing:
        note(f"{urlsplit(token.issuer).netloc} gave less than asked: without {' '.join(sorted(missing))}")


def _open(url: str) -> bool:
    """Open the person's browser, if there is a screen to open it on.

    In a process of its own: some browsers hold on to whoever started them, and none may write to our output.
    """
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))):
        return False
    opener = [sys.executable, "-m", "webbrowser", url]
    subprocess.Popen(opener, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 (our own interpreter)
    return True
