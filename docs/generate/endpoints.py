"""Every address of a house that somebody may ask at, from the tables that answer there: the issuer's, the twins', the hotel's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from docs.generate.discovery import ORIGIN, usual_settings
from innkeeper.hotel.doors import ROUTES
from innkeeper.issuer.app import open_issuer
from innkeeper.issuer.app.cognito import Cognito
from innkeeper.issuer.app.entra import Entra
from innkeeper.issuer.app.native import Native
from innkeeper.issuer.app.opening import PROBES
from innkeeper.issuer.dialects.cognito.api.dispatch import OPERATIONS
from innkeeper.issuer.dialects.entra.endpoints import Finder

Methods = Mapping[str, frozenset[str]]
Row = tuple[str, str, str]


def page() -> str:
    native, cognito, entra = asyncio.run(_served())
    parts = (
        ("For programs", _PROGRAMS, _said(native, PROGRAMS)),
        ("For people", _PEOPLE, _said(native, PEOPLE)),
        ("For administrators", _ADMIN, _admin()),
        ("Below a user pool of the Cognito twin", _COGNITO, _said(cognito, POOL)),
        ("Below a tenant of the Entra twin", _ENTRA, _said(entra, TENANT)),
        ("The hotel", _HOTEL, _hotel()),
    )
    body = "\n\n".join(f"## {title}\n\n{text}\n\n{_table(rows)}" for title, text, rows in parts)
    operations = ", ".join(f"`{name}`" for name in sorted(OPERATIONS))
    text = body.replace("@operations", operations).replace("@count", str(len(OPERATIONS)))
    return f"# Endpoints\n\n{_INTRODUCTION}\n{text}\n"


def unsaid(served: Methods, *words: Mapping[str, str]) -> list[str]:
    """The paths that nothing is said of, and what is said of paths that nobody serves."""
    said = {path for one in words for path in one}
    return sorted(set(served) ^ said)


async def served() -> tuple[Methods, Methods, Methods]:
    """What answers: at the issuer, below a pool, below a tenant; each path with its methods. Files are left out."""
    with usual_settings() as settings:
        issuer = await open_issuer(settings, development=True)
        try:
            native = next(one for one in issuer.opened if isinstance(one, Native))
            cognito = next(one for one in issuer.opened if isinstance(one, Cognito))
            entra = next(one for one in issuer.opened if isinstance(one, Entra))
            own = {path: one.methods for path, one in native.endpoints(ORIGIN).items()} | dict.fromkeys(PROBES, _READ)
            finders = [one for one in entra.finders(ORIGIN) if isinstance(one, Finder)]
            return _no_files(own), _no_files(cognito.paths()), _no_files(finders[0].paths())
        finally:
            issuer.close()


async def _served() -> tuple[Methods, Methods, Methods]:
    native, cognito, entra = await served()
    for found, words in ((native, (PROGRAMS, PEOPLE)), (cognito, (POOL,)), (entra, (TENANT,))):
        if astray := unsaid(found, *words):
            raise ValueError(f"docs/generate/endpoints.py says nothing of, or too much about: {', '.join(astray)}")
    return native, cognito, entra


def _no_files(found: Methods) -> Methods:
    return {path: methods for path, methods in found.items() if not path.startswith("/static/")}


def _said(found: Methods, words: Mapping[str, str]) -> Iterator[Row]:
    for path, says in words.items():
        yield _methods(found[path]), path, says


def _admin() -> Iterator[Row]:
    yield "GET", "/admin", "The console"
    yield "GET", "/admin/api", "Who asks, and what is open to them"
    yield "GET", "/admin/api/openapi.json", "A description of all that is below it; needs no token"


def _hotel() -> Iterator[Row]:
    yield "GET", "/hotel", "What doors there are; needs no token"
    for path, scopes in ROUTES.items():
        yield "GET", f"/hotel{path}", f"Needs {' and '.join(f'`{one}`' for one in scopes)}"
    yield (
        "GET, POST",
        "/hotel/mcp",
        "The hotel's tools for agents: MCP over HTTP; what a tool needs is in [let agents in](../how-to/let-agents-in.md)",
    )
    for api in ("/hotel", "/hotel/mcp"):
        yield "GET", f"/.well-known/oauth-protected-resource{api}", "Whose tokens are taken there (RFC 9728)"


def _methods(found: Iterable[str]) -> str:
    kept = [one for one in ("GET", "POST", "PUT", "PATCH", "DELETE") if one in found]
    return ", ".join(kept)


def _table(rows: Iterable[Row]) -> str:
    lines = [f"| {methods} | `{path}` | {says} |" for methods, path, says in rows]
    return "\n".join(["| methods | address | what answers |", "|---|---|---|", *lines])


_READ = frozenset({"GET", "HEAD"})

PROGRAMS = {
    "/.well-known/openid-configuration": "The issuer's document (OpenID Connect Discovery); every field is in [discovery](discovery.md)",
    "/.well-known/oauth-authorization-server": "The same (RFC 8414)",
    "/jwks": "The public keys (RFC 7517)",
    "/token": "Tokens, for each grant (RFC 6749 §3.2)",
    "/par": "Takes an authorization request beforehand (RFC 9126)",
    "/device_authorization": "Codes for a device (RFC 8628)",
    "/bc-authorize": "Has a person asked on a device of theirs (CIBA)",
    "/introspect": "Says whether a token still holds (RFC 7662)",
    "/revoke": "Takes a token back (RFC 7009)",
    "/userinfo": "What the person allowed to be known (OpenID Connect Core §5.3)",
    "/register": "Registers a client (RFC 7591), where that is open",
    "/register/*": "A registered client reads, changes or removes itself (RFC 7592)",
    "/healthz": "Whether the process lives",
    "/readyz": "Whether it is to be sent requests",
}

PEOPLE = {
    "/authorize": "Where apps send people (RFC 6749 §3.1)",
    "/sign-in": "Who are you?",
    "/sign-in/code": "The second factor",
    "/sign-in/from/*": "Back from another issuer at which people sign in",
    "/sign-in/left/*": "Another issuer says that somebody signed out there",
    "/sign-up": "A new account, where that is open",
    "/consent": "What may this app do?",
    "/device": "The code from another screen",
    "/approvals": "What waits for the person's yes",
    "/logout": "Signs out (OpenID Connect RP-Initiated Logout)",
    "/logout/done": "Signed out",
    "/account": "The person's own page: sessions, applications",
    "/account/data": "All that is known of the person, to take along",
    "/account/password": "Another password",
    "/account/codes": "Codes from an app",
    "/account/passkeys": "Passkeys",
    "/account/connected": "Accounts at other issuers",
    "/account/agents": "Agents that act for the person, or that the person answers for",
    "/.well-known/change-password": "Where password managers look",
    "/_explain": "Why something was refused; in development",
}

POOL = {
    "/.well-known/openid-configuration": "The pool's document",
    "/.well-known/jwks.json": "Its two public keys",
    "/oauth2/authorize": "Where apps send people",
    "/oauth2/token": "Tokens",
    "/oauth2/userInfo": "What the person's attributes are",
    "/oauth2/revoke": "Takes a refresh token back",
    "/oauth2/register": "Registers a client, where the pool has that switched on",
    "/login": "The hosted sign-in page",
    "/login/next": "Its second step: a code, a new password",
    "/logout": "Signs out, with `client_id` and `logout_uri`",
    "/signup": "A new account",
    "/confirm": "The code from the mail",
    "/confirmUser": "The same, under its other name",
    "/resendcode": "Another code",
    "/forgotPassword": "A code for another password",
    "/confirmforgotPassword": "The other password",
    "/outbox": "The mails that the pool would have sent; in development",
}

TENANT = {
    "/{tenant}/v2.0/.well-known/openid-configuration": "The tenant's document, version 2",
    "/{tenant}/.well-known/openid-configuration": "Version 1",
    "/{tenant}/discovery/v2.0/keys": "The public keys, version 2",
    "/{tenant}/discovery/keys": "Version 1",
    "/{tenant}/discovery/instance": "Whether a host is one of the cloud's",
    "/{tenant}/userrealm/*": "Where somebody's password is kept",
    "/{tenant}/oauth2/v2.0/authorize": "Where apps send people, version 2",
    "/{tenant}/oauth2/authorize": "Version 1",
    "/{tenant}/oauth2/v2.0/token": "Tokens, version 2",
    "/{tenant}/oauth2/token": "Version 1",
    "/{tenant}/oauth2/v2.0/devicecode": "Codes for a device, version 2",
    "/{tenant}/oauth2/devicecode": "Version 1",
    "/{tenant}/oauth2/deviceauth": "The code from another screen",
    "/{tenant}/oauth2/v2.0/logout": "Signs out",
    "/{tenant}/oauth2/logout": "The same",
    "/{tenant}/oauth2/nativeclient": "Where programs without an address of their own are sent back to",
    "/{tenant}/adminconsent": "Consent for everybody",
    "/{tenant}/v2.0/adminconsent": "The same",
    "/{tenant}/openid/userinfo": "Six members about the person",
    "/{tenant}/login": "The sign-in page",
    "/{tenant}/consent": "The consent page",
    "/oidc/userinfo": "Six members about the person, at Microsoft Graph's host",
    "/error": "What an AADSTS code means",
    "/metadata/endpoints": "Where a cloud's parts are, for Terraform's azuread",
    "/subscriptions": "The resource manager, as far as the Azure command line asks it",
    "/tenants": "The same",
    "/management/subscriptions": "The same, below the twin's own address",
    "/management/tenants": "The same",
    "/v1.0/*": "Microsoft Graph; what it knows is in [parity](../parity/entra.md)",
    "/beta/*": "The same",
}

_INTRODUCTION = """What answers at `http://127.0.0.1:8400` after `innkeeper up`, and at an issuer of one's own where the settings have the same parts. `GET` means
`HEAD` as well. A star stands for one more part of the path, or behind Microsoft Graph for any number. Files below `/static/` and the pages
of the tour are left out.
"""

_PROGRAMS = "Each is answered as its specification says; a path below a realm's own address has that before it."
_PEOPLE = "Pages with plain forms. They work without scripts."
_ADMIN = "What is below `/admin/api` is in [the admin API](admin-api.md); [administer](../how-to/administer.md) tells how to get in."
_COGNITO = """Paths below the pool's id, `/us-east-1_innkeepr1`, or below its domain's host where code runs with the cloud's real addresses.
The JSON API is at `POST /`, with `X-Amz-Target`; it knows @count operations: @operations."""
_ENTRA = "`{tenant}` is a tenant's id or domain, or `common`, `organizations`, `consumers`."
_HOTEL = "The API that the house guards. A bearer token for `http://127.0.0.1:8400/hotel` opens it."
