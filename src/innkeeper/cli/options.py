"""Options that several commands share: which issuer, which client, which access."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated, Literal

import typer

from innkeeper.client.cache import Cache, FileCache, default_folder
from innkeeper.client.credentials import Client, Secret
from innkeeper.client.dpop import Proving
from innkeeper.client.signing_key import SigningKey
from innkeeper.protocol.refusals import UsageError

Issuer = Annotated[
    str,
    typer.Option(
        envvar="INNKEEPER_ISSUER",
        help="The issuer, as its tokens write it in 'iss'.",
        default_factory=lambda: f"http://127.0.0.1:{os.environ.get('INNKEEPER_PORT') or 8400}",
        show_default="http://127.0.0.1:8400",
    ),
]
ClientId = Annotated[str, typer.Option(envvar="INNKEEPER_CLIENT_ID", help="The client's id, as registered there.")]
ClientSecret = Annotated[
    str | None,
    typer.Option(
        envvar="INNKEEPER_CLIENT_SECRET",
        help="The client's secret; '-' reads it from standard input, without echo in a terminal.",
        show_envvar=True,
        show_default=False,
    ),
]
AuthMethod = Annotated[
    Literal["basic", "post"] | None,
    typer.Option(help="How the secret is sent. Default: as the issuer's metadata says.", show_default=False),
]
SigningKeyFile = Annotated[
    Path | None,
    typer.Option("--signing-key", help="A private key (PEM) that proves the client (private_key_jwt)."),
]
KeyId = Annotated[str, typer.Option(help="The signing key's id, as the issuer knows it.", show_default=False)]
Scope = Annotated[str, typer.Option(help="The scopes wanted, with spaces between.", show_default=False)]
Resource = Annotated[str | None, typer.Option(help="The API the token is for.", show_default=False)]
Port = Annotated[int, typer.Option(help="The port on which this computer waits for the browser; 0: any free one.")]
RedirectUri = Annotated[
    str | None,
    typer.Option(help="A loopback address to come back to, where the client is registered with another path or host."),
]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser, or only print the address.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for the browser.")]
PkceKnown = Annotated[
    bool, typer.Option("--pkce-known", help="I know that this issuer checks PKCE (S256), though it does not say so.")
]
Dpop = Annotated[
    bool, typer.Option("--dpop", help="Bind the token to a key of this computer (DPoP): a copied token is useless.")
]
Pushed = Annotated[
    bool, typer.Option("--pushed", help="Send the request to the issuer first (PAR), not in the address.")
]
Device = Annotated[bool, typer.Option("--device", help="Sign in on another device: shows a code to enter there.")]
Keyring = Annotated[bool, typer.Option("--keyring", help="Keep the token in the system's keyring, not in a file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def client(
    client_id: str,
    secret: str | None,
    auth_method: str | None,
    signing_key: Path | None,
    key_id: str,
    *,
    dpop: bool = False,
) -> Client:
    """The client that these options describe. Raises ``UsageError`` where they contradict each other."""
    proving = Proving.from_file(default_folder().parent / "dpop.pem") if dpop else None
    if secret is not None and signing_key is not None:
        raise UsageError("a client proves itself with --client-secret or with --signing-key, not with both")
    if signing_key is not None:
        return Client(client_id, SigningKey.from_file(signing_key, kid=key_id), proving)
    if secret is None:
        return Client(client_id, proving=proving)
    value = _typed("Client secret: ") if secret == "-" else secret
    if not value:
        raise UsageError("the client secret is empty; leave it out for a public client")
    method: Literal["client_secret_basic", "client_secret_post"] | None = None
    if auth_method is not None:
        method = "client_secret_basic" if auth_method == "basic" else "client_secret_post"
    return Client(client_id, Secret(value, method), proving)


def secret_of(given: str | None) -> str:
    """The client secret as given, or typed where that is asked for; "" for none."""
    return _typed("Client secret: ") if given == "-" else given or ""


def cache(*, keyring: bool) -> Cache:
    """Where tokens are kept."""
    if not keyring:
        return FileCache()
    from innkeeper.client.keyring_cache import KeyringCache

    return KeyringCache()


def _typed(prompt: str) -> str:
    return getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
