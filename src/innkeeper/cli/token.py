"""``innkeeper token``: an access token on standard output, and nothing else there."""

from __future__ import annotations

import json
import time

from innkeeper.cli import options, profiled
from innkeeper.cli.show import note
from innkeeper.cli.signing_in import sign_in, told_narrower
from innkeeper.client.asking import Flow
from innkeeper.client.credentials import Client
from innkeeper.client.discovery import discover
from innkeeper.client.grants import client_credentials
from innkeeper.client.refused import Refused
from innkeeper.client.source import SIGN_IN, TokenSource
from innkeeper.client.token import Access, Token
from innkeeper.client.wire import run


def command(
    client_id: options.ClientId,
    issuer: options.Issuer,
    client_secret: options.ClientSecret = None,
    auth_method: options.AuthMethod = None,
    signing_key: options.SigningKeyFile = None,
    key_id: options.KeyId = "",
    scope: options.Scope = "",
    resource: options.Resource = None,
    as_json: options.AsJson = False,
    port: options.Port = 0,
    redirect_uri: options.RedirectUri = None,
    browser: options.Browser = True,
    timeout: options.Timeout = 300,
    pkce_known: options.PkceKnown = False,
    dpop: options.Dpop = False,
    keyring: options.Keyring = False,
    profile: profiled.Caller = "",  # noqa: ARG001 - its callback has filled in the others
) -> None:
    """Get an access token from any issuer and print it.

    A client with a secret or a signing key gets a token for itself (client credentials). Without either it is a
    public client: a kept token is used or renewed, else the browser opens for someone to sign in, and the token
    is kept for next time.
    """
    access = Access(scope, resource)
    caller = options.client(client_id, client_secret, auth_method, signing_key, key_id, dpop=dpop)
    if not caller.public:
        token = run(_machine(issuer, caller, access))
        told_narrower(access, token)
    else:
        source = TokenSource(issuer, caller, access, cache=options.cache(keyring=keyring))
        token = _kept(source) or sign_in(
            issuer,
            caller,
            access,
            port=port,
            redirect_uri=redirect_uri,
            browser=browser,
            timeout=timeout,
            pkce_known=pkce_known,
        )
        source.keep(token)
    print(json.dumps(token.as_answer(time.time()), indent=2) if as_json else token.access_token)


def _machine(issuer: str, client: Client, access: Access) -> Flow[Token]:
    """A machine's token is one request away, so it is not kept on disk."""
    return (yield from client_credentials((yield from discover(issuer)), client, access))


def _kept(source: TokenSource) -> Token | None:
    """The kept token, renewed if need be; None where someone has to sign in."""
    try:
        return source.token()
    except Refused as refused:
        if refused.refusal.page != SIGN_IN:
            raise
        note("No kept token can be used: signing in.")
        return None
