"""Cutting Entra's tokens: what nobody decides is drawn here, then signed with the tenant's certified key."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from innkeeper.issuer.core.entra import tokens
from innkeeper.issuer.core.entra.names import GRAPH_ID, V1, Names
from innkeeper.issuer.core.entra.token_request import Issue
from innkeeper.issuer.core.entra.tokens import LIFETIME, LONG_LIFETIME, Signed, Stamp, Subject
from innkeeper.issuer.desk.entra.cloud import Desk
from innkeeper.keys import jws
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol import base64url

ALG, TYP = "RS256", "JWT"


class Cut(msgspec.Struct, frozen=True):
    """An access token, and how many seconds it lives."""

    token: str
    lifetime: int
    long: bool = False


class Aside(msgspec.Struct, frozen=True):
    """What a request says beside its grant: the caller's address, whether it handles continuous access evaluation, and the
    authentication contexts that an API challenged it to bring."""

    address: str = ""
    capable: bool = False
    contexts: tuple[str, ...] = ()


async def access_token(desk: Desk, issue: Issue, names: Names, aside: Aside) -> Cut:
    """The access token of a decision."""
    long = aside.capable and issue.resource.id == GRAPH_ID
    lifetime = LONG_LIFETIME if long else LIFETIME + (secrets.randbelow(1800) if issue.person else 0)
    stamp = _stamp(desk, lifetime)
    claims = tokens.access(
        _subject(desk, issue, names, aside), issue.resource, issue.audience, issue.scopes, issue.roles, stamp
    )
    if aside.contexts and issue.person is not None:
        claims["acrs"] = list(aside.contexts)
    if issue.resource.id == GRAPH_ID:
        return Cut(await _for_graph(desk, claims), lifetime, long)
    version = issue.resource.application.token_version
    return Cut(await _cut(desk, claims, _with_x5t if version == V1 else _plain), lifetime)


async def id_token(desk: Desk, issue: Issue, version: int, names: Names, aside: Aside, more: dict[str, Any]) -> str:
    """The ID token of a decision about a person. ``more`` are hashes that tie it to what travels with it."""
    subject = _subject(desk, issue, names, aside)
    if subject.signed is None:
        raise ValueError("an ID token is about a person")
    claims = tokens.identity(subject, subject.signed, version, issue.nonce, issue.openid, _stamp(desk, LIFETIME))
    return await _cut(desk, {**claims, **more}, _with_x5t if version == V1 else _plain)


def read_own(desk: Desk, token: str) -> dict[str, Any]:
    """The claims of a token that the tenant signed, for an API of its own. Raises ``NotOurs``; always for Graph's."""
    return desk.realm.ring.read(token, TYP, desk.realm.now())


def read_graphs(desk: Desk, token: str) -> dict[str, Any]:
    """The claims of a Graph token, which is signed over a header that it does not show. Raises ``NotOurs``."""
    try:
        parsed = jws.parse(token)
    except jws.NotAToken as error:
        raise NotOurs(str(error)) from None
    nonce = parsed.header.get("nonce")
    if not isinstance(nonce, str):
        raise NotOurs("no nonce in the header: not a token for Microsoft Graph")
    shown, rest = {**parsed.header, "nonce": _hashed(nonce)}, token.partition(".")[2]
    return desk.realm.ring.read(f"{jws.encode_header(shown)}.{rest}", TYP, desk.realm.now())


def read_managements(desk: Desk, token: str) -> dict[str, Any]:
    """The claims of a token for the resource manager, which are signed as any API's. Raises ``NotOurs``."""
    return desk.realm.ring.read(token, TYP, desk.realm.now())


def _subject(desk: Desk, issue: Issue, names: Names, aside: Aside) -> Subject:
    return Subject(
        names=names,
        tenant=issue.tenant.id,
        client=issue.client,
        strength=issue.strength,
        signed=_signed(desk, issue, aside),
    )


def _signed(desk: Desk, issue: Issue, aside: Aside) -> Signed | None:
    person, grant = issue.person, issue.grant
    if person is None or grant is None:
        return None
    return Signed(
        person=person,
        subject=desk.pairwise(person.sub, issue.client.id),
        amr=grant.amr,
        auth_time=grant.auth_time,
        session=grant.sid or grant.id,
        address=aside.address,
        groups=tuple(issue.tenant.directory.groups_of(person.sub)),
    )


def _stamp(desk: Desk, lifetime: int) -> Stamp:
    return Stamp(
        now=desk.realm.now(),
        uti=secrets.token_urlsafe(16),
        aio=secrets.token_urlsafe(36),
        rh=f"1.{secrets.token_urlsafe(42)}.",
        ftd=secrets.token_urlsafe(36),
        lifetime=lifetime,
    )


async def _for_graph(desk: Desk, claims: dict[str, Any]) -> str:
    """A token for Microsoft Graph: signed with the hash of a nonce in its header, sent with the nonce itself. Whoever
    verifies it as any other fails, by design."""
    nonce = secrets.token_urlsafe(32)
    token = await _cut(desk, claims, lambda kid: {"nonce": _hashed(nonce), "x5t": kid})
    header, _, rest = token.partition(".")
    shown = {**jws.read_header(header.encode("ascii")), "nonce": nonce}
    return f"{jws.encode_header(shown)}.{rest}"


def _hashed(nonce: str) -> str:
    return base64url.encode_text(sha256(nonce.encode()).digest())


async def _cut(desk: Desk, claims: dict[str, Any], more: Callable[[str], dict[str, str]]) -> str:
    return await desk.realm.ring.cut(ALG, TYP, claims, desk.realm.now(), more=more)


def _with_x5t(kid: str) -> dict[str, str]:
    return {"x5t": kid}


def _plain(_: str) -> dict[str, str]:
    return {}
