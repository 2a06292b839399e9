"""What one client asks of its issuer, when the doctor is given who it is: at the authorization endpoint without signing anyone
in, at the token endpoint with its own credentials, and with a refresh token that somebody's sign-in gave. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from innkeeper.client.asking import Flow, chance, post
from innkeeper.client.credentials import Client, Form, Secret, proof
from innkeeper.client.discovery import Metadata
from innkeeper.client.token import Access, Token
from innkeeper.doctor.mcp_probes import call
from innkeeper.doctor.probes import Answer, look, probe
from innkeeper.guard import Guard
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.fetching import FetchBlocking
from innkeeper.guard.unverified import UnverifiedToken, read_unverified
from innkeeper.keys.jws import NotAToken
from innkeeper.protocol import pkce
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import UsageError

STRAY = "https://innkeeper-doctor.invalid/callback"
"""A redirect URI that no client can have registered: the name is nobody's, ever (RFC 6761 §6.4)."""

_PORT = 47_113
"""Where nobody listens and nobody registers: the issuer's answer is looked at, and not followed."""


class Visit(msgspec.Struct, frozen=True):
    """What an issuer did for ``client``. Answers are None where the question makes no sense for it.

    ``silent`` is what came of asking for a code without any page, at another port than the registered one; ``unproven`` the same
    without PKCE, ``stray`` with a redirect URI of nobody's. ``token`` is the answer to the client's own request for a token,
    ``wrong`` to the same with another secret, ``junk`` to a code that was never given. ``refreshed`` are answers to a refresh
    token, to the same once more, and to its successor. ``held`` is the access token that was got, ``verdict`` the guard's on it,
    ``opened`` what an MCP server answered to it.
    """

    metadata: Metadata
    client: Client
    access: Access
    redirect_uri: str = ""
    state: str = ""
    silent: Answer | None = None
    unproven: Answer | None = None
    stray: Answer | None = None
    token: Answer | None = None
    wrong: Answer | None = None
    junk: Answer | None = None
    refreshed: tuple[Answer, ...] = ()
    kept: str = ""
    held: str = ""
    verdict: Verified | Refused | None = None
    opened: Answer | None = None

    @property
    def said(self) -> UnverifiedToken | None:
        """What the token says of itself; None for one that is opaque."""
        try:
            return read_unverified(self.held) if self.held else None
        except NotAToken:
            return None

    @property
    def sent_away(self) -> tuple[str, ...]:
        """The requests at the authorization endpoint."""
        return _lines(self.silent, self.unproven, self.stray)

    @property
    def asked(self) -> tuple[str, ...]:
        """The requests for a token, and with it."""
        return _lines(self.token, self.wrong, self.junk, self.opened)

    @property
    def renewed(self) -> tuple[str, ...]:
        return _lines(*self.refreshed)


def visit(
    metadata: Metadata, client: Client, access: Access, redirect_uri: str, token: Token | None, mcp: str = ""
) -> Flow[Visit]:
    """Everything that can be asked for ``client``; ``token`` is a person's, where somebody has signed in; ``mcp`` the server
    that it is for."""
    seen = Visit(metadata, client, access, held=token.access_token if token else "")
    if redirect_uri:
        seen = yield from _at_the_authorization_endpoint(seen, redirect_uri)
    seen = yield from _at_the_token_endpoint(seen)
    if token is not None and token.refresh_token:
        seen = yield from _with_a_refresh_token(seen, token.refresh_token)
    if mcp and seen.held:
        seen = msgspec.structs.replace(seen, opened=(yield from probe(call(mcp, seen.held))))
    return seen


def judged(seen: Visit, fetch: FetchBlocking, clock: Callable[[], float]) -> Visit:
    """The guard's verdict on the token that was got, for the API it was asked for."""
    said = seen.said
    if said is None:
        return seen
    names = [seen.access.resource] if seen.access.resource else _named(said.claims)
    try:
        guard = Guard(seen.metadata.issuer, names, fetch_blocking=fetch, clock=clock)
    except UsageError:
        return seen
    return msgspec.structs.replace(seen, verdict=guard.verify_blocking(seen.held))


def at_another_port(redirect_uri: str) -> str:
    """A loopback redirect URI with a port that nobody registered; any other as it is."""
    parts = urlsplit(redirect_uri)
    if not is_loopback(redirect_uri) or parts.scheme != "http":
        return redirect_uri
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return urlunsplit(parts._replace(netloc=f"{host}:{_PORT}"))


def _at_the_authorization_endpoint(seen: Visit, redirect_uri: str) -> Flow[Visit]:
    state, verifier = (yield from chance()), (yield from chance())
    address = at_another_port(redirect_uri)
    proven = [("code_challenge", pkce.challenge(verifier)), ("code_challenge_method", pkce.METHOD)]
    return msgspec.structs.replace(
        seen,
        redirect_uri=address,
        state=state,
        silent=(yield from _authorize(seen, address, state, proven)),
        unproven=(yield from _authorize(seen, address, state, [])),
        stray=(yield from _authorize(seen, STRAY, state, proven)),
    )


def _authorize(seen: Visit, redirect_uri: str, state: str, proven: Form) -> Flow[Answer]:
    form = [
        ("response_type", "code"),
        ("client_id", seen.client.id),
        ("redirect_uri", redirect_uri),
        ("state", state),
        ("prompt", "none"),
        *seen.access.form(),
        *proven,
    ]
    endpoint = seen.metadata.endpoint("authorization")
    url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(form)}"
    return (yield from probe(look(url, "the authorization endpoint")))


def _at_the_token_endpoint(seen: Visit) -> Flow[Visit]:
    client, access = seen.client, seen.access
    code = [
        ("grant_type", "authorization_code"),
        ("code", (yield from chance())),
        ("code_verifier", (yield from chance())),
    ]
    junk = yield from _token(seen, client, [*code, ("redirect_uri", seen.redirect_uri or "http://127.0.0.1/callback")])
    seen = msgspec.structs.replace(seen, junk=junk)
    if client.public:
        return seen
    form = [("grant_type", "client_credentials"), *access.form()]
    token = yield from _token(seen, client, form)
    held = seen.held or _member(token, "access_token")
    seen = msgspec.structs.replace(seen, token=token, held=held)
    if isinstance(client.credential, Secret):
        other = msgspec.structs.replace(client.credential, value=(yield from chance()))
        wrong = yield from _token(seen, msgspec.structs.replace(client, credential=other), form)
        seen = msgspec.structs.replace(seen, wrong=wrong)
    return seen


def _with_a_refresh_token(seen: Visit, kept: str) -> Flow[Visit]:
    first = yield from _refresh(seen, kept)
    again = yield from _refresh(seen, kept)
    successor = _member(first, "refresh_token")
    answers = (first, again, (yield from _refresh(seen, successor))) if successor else (first, again)
    return msgspec.structs.replace(seen, refreshed=answers, kept=kept)


def _refresh(seen: Visit, token: str) -> Flow[Answer]:
    resource = [("resource", seen.access.resource)] if seen.access.resource else []
    return (
        yield from _token(seen, seen.client, [("grant_type", "refresh_token"), ("refresh_token", token), *resource])
    )


def _token(seen: Visit, client: Client, form: Form) -> Flow[Answer]:
    headers, shown = yield from proof(client, seen.metadata)
    return (yield from probe(post(seen.metadata.endpoint("token"), "the token endpoint", form + shown, headers)))


def _member(answer: Answer, name: str) -> str:
    value = (answer.document or {}).get(name)
    return value if isinstance(value, str) else ""


def _named(claims: Any) -> list[str]:
    """The names in aud, or the client that stands in where a cloud names none."""
    audience = claims.get("aud") or claims.get("client_id") or ()
    return [audience] if isinstance(audience, str) else [one for one in audience if isinstance(one, str)]


def _lines(*answers: Answer | None) -> tuple[str, ...]:
    """Each exchange in a line, without what was asked in the address."""
    return tuple(f"{one.method} {one.url.partition('?')[0]} → {one.trouble or one.status}" for one in answers if one)
