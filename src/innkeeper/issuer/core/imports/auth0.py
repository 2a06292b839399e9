"""Auth0: its user export and its password hashes (a JSON object a line), and clients as its Management API lists them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from innkeeper.issuer.core.imports import hashes
from innkeeper.issuer.core.imports.arriving import (
    Arrivals,
    Document,
    Joining,
    Left,
    Newcomer,
    behind,
    kept,
    registrable,
    sorted_out,
    text,
    texts,
)
from innkeeper.protocol.refusals import UsageError

_CLAIMS = ("name", "given_name", "family_name", "nickname", "picture")
_GRANTS = {
    "authorization_code": "authorization_code",
    "refresh_token": "refresh_token",
    "client_credentials": "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code": "device_code",
}


def read(document: object) -> Arrivals:
    """People and clients, from one list or an object with ``users`` and ``clients``. Raises ``UsageError``."""
    if isinstance(document, dict) and document.keys() & {"users", "clients"}:
        entries: Iterable[object] = [*(document.get("users") or ()), *(document.get("clients") or ())]
    elif isinstance(document, list):
        entries = document
    else:
        entries = [document]
    return sorted_out(one for entry in entries for one in _read(entry))


def _read(entry: object) -> Iterator[Newcomer | Joining | Left]:
    if not isinstance(entry, dict):
        raise UsageError("this is no export of Auth0: it holds something that is no JSON object")
    if "client_id" in entry:
        yield from _client(entry)
    elif "user_id" in entry or "_id" in entry:
        yield from _person(entry)
    else:
        raise UsageError("this is no export of Auth0: an entry has neither 'user_id', '_id' nor 'client_id'")


def _person(user: Document) -> Iterator[Newcomer | Left]:
    sub, name = _subject(user), text(user.get("username")) or text(user.get("email"))
    stored = text(user.get("passwordHash"))
    if not sub or not name:
        yield Left(f"user {sub or name!r}", "it has no id, or neither a user name nor an e-mail address")
        return
    if sub.partition("|")[0] != "auth0" and "|" in sub:
        yield Left(
            f"user {sub!r}", "they sign in elsewhere; set that up as an [[upstream]], and they come by themselves"
        )
        return
    claims = {claim: user[claim] for claim in _CLAIMS if text(user.get(claim))}
    address = {"email": user["email"], "email_verified": bool(user.get("email_verified"))} if user.get("email") else {}
    yield Newcomer(
        sub=sub,
        username=name,
        password=hashes.bcrypt(stored),
        claims={**claims, **address},
        created_at=_moment(user.get("created_at")),
        disabled=bool(user.get("blocked")),
    )
    if stored and not hashes.bcrypt(stored):
        yield Left(f"{name}: the password", "it is not stored by bcrypt; a new one has to be set")
    for member in ("multifactor", "app_metadata", "user_metadata"):
        if user.get(member):
            yield Left(f"{name}: {member}", "there is no place for it here")


def _subject(user: Document) -> str:
    """The name that Auth0 calls them by in ``sub``: in a file of hashes it has to be put together."""
    own = user.get("_id")
    return text(user.get("user_id")) or (f"auth0|{own['$oid']}" if isinstance(own, dict) and "$oid" in own else "")


def _moment(said: object) -> int:
    try:
        return int(datetime.fromisoformat(text(said)).timestamp())
    except ValueError:
        return 0


def _client(client: Document) -> Iterator[Joining | Left]:
    if client.get("global"):
        return  # "All Applications", which stands for the tenant itself
    name, owner = text(client.get("name")) or text(client["client_id"]), f"client {client.get('name')!r}"
    redirects = list(registrable(owner, texts(client.get("callbacks"))))
    ways_back = list(registrable(f"{owner}, after signing out", texts(client.get("allowed_logout_urls"))))
    public = client.get("token_endpoint_auth_method") == "none" or client.get("app_type") in {"spa", "native"}
    asked = texts(client.get("grant_types"))
    yield Joining(
        id=text(client["client_id"]),
        name=name,
        public=public,
        secret="" if public else text(client.get("client_secret")),
        redirect_uris=kept(redirects),
        post_logout_redirect_uris=kept(ways_back),
        grants=tuple(_GRANTS[one] for one in asked if one in _GRANTS and not (public and one == "client_credentials")),
        scopes=("openid", "profile", "email", "offline_access"),
    )
    yield from (*behind(redirects), *behind(ways_back))
    for grant in asked:
        if grant not in _GRANTS:
            yield Left(f"{owner}: grant {grant!r}", "this issuer has none of that name")
