"""``innkeeper login``: sign in once, have tokens for as long as they can be renewed."""

from __future__ import annotations

import time

from innkeeper.cli import options, profiled
from innkeeper.cli.show import moment, note
from innkeeper.cli.signing_in import sign_in, sign_in_elsewhere
from innkeeper.client.cache import FileCache
from innkeeper.client.source import TokenSource
from innkeeper.client.token import Access


def command(
    client_id: options.ClientId,
    issuer: options.Issuer,
    client_secret: options.ClientSecret = None,
    auth_method: options.AuthMethod = None,
    signing_key: options.SigningKeyFile = None,
    key_id: options.KeyId = "",
    scope: options.Scope = "",
    resource: options.Resource = None,
    port: options.Port = 0,
    redirect_uri: options.RedirectUri = None,
    browser: options.Browser = True,
    timeout: options.Timeout = 300,
    pkce_known: options.PkceKnown = False,
    pushed: options.Pushed = False,
    device: options.Device = False,
    dpop: options.Dpop = False,
    keyring: options.Keyring = False,
    profile: profiled.Caller = "",  # noqa: ARG001 - its callback has filled in the others
) -> None:
    """Sign in with the browser, or on another device, and keep the token.

    The token is kept in a file that only you can read; innkeeper token prints it, and renews it where the issuer
    gave a refresh token. innkeeper logout takes it back.
    """
    access = Access(scope, resource)
    caller = options.client(client_id, client_secret, auth_method, signing_key, key_id, dpop=dpop)
    cache = options.cache(keyring=keyring)
    if device:
        token = sign_in_elsewhere(issuer, caller, access)
    else:
        token = sign_in(
            issuer,
            caller,
            access,
            port=port,
            redirect_uri=redirect_uri,
            browser=browser,
            timeout=timeout,
            pkce_known=pkce_known,
            pushed=pushed,
        )
    TokenSource(issuer, caller, access, cache=cache).keep(token)
    end = f"until {moment(token.expires_at, time.time())}" if token.expires_at else "with no end named"
    renewable = "; it renews itself" if token.refresh_token else ""
    place = cache.folder if isinstance(cache, FileCache) else "the system's keyring"
    bound = ", bound to a key of this computer" if token.kind == "DPoP" else ""
    note(f"Signed in at {issuer}: {token.scope or 'no scope'}, {end}{renewable}{bound}.\nKept in {place}.")
