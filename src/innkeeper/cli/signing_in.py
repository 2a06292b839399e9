"""What ``token`` and ``login`` share: leading a person through the browser, with a word at each step."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

from innkeeper.cli.show import note
from innkeeper.client.asking import Flow
from innkeeper.client.browser import login
from innkeeper.client.credentials import Client
from innkeeper.client.device import DeviceCode
from innkeeper.client.device import sign_in as by_device
from innkeeper.client.discovery import discover
from innkeeper.client.token import Access, Token
from innkeeper.client.wire import run
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
    pushed: bool = False,
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

    token = login(
        issuer, client, access, redirect=redirect, timeout=timeout, pkce_known=pkce_known, pushed=pushed, show=show
    )
    told_narrower(access, token)
    return token


def sign_in_elsewhere(issuer: str, client: Client, access: Access) -> Token:
    """A person's token, by way of another device: the code to enter there is said on standard error."""

    def show(code: DeviceCode) -> None:
        note(f"On any device, visit:\n\n  {code.verification_uri}\n\nand enter the code:  {code.user_code}\n")
        if code.complete:
            note(f"Or, with the code in it:  {code.complete}\n")
        note("Waiting here until somebody has (Ctrl-C ends it) …")

    def flow() -> Flow[Token]:
        return (yield from by_device((yield from discover(issuer)), client, access, show))

    token = run(flow())
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
