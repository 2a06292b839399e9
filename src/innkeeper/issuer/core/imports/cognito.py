"""Amazon Cognito: what ``list-users``, ``list-user-pool-clients`` and ``describe-user-pool-client`` print. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

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

_PLAIN = frozenset(
    {
        "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
        "website", "email", "gender", "birthdate", "zoneinfo", "locale", "phone_number",
    }
)  # fmt: skip
_TRUTHS = frozenset({"email_verified", "phone_number_verified"})
_FLOWS = {"code": ("authorization_code", "refresh_token"), "client_credentials": ("client_credentials",)}


def read(document: object) -> Arrivals:
    """People and clients of a user pool. Raises ``UsageError`` where there are none."""
    found = document if isinstance(document, list) else [document]
    parts = [part for part in found if isinstance(part, dict)]
    if len(parts) != len(found) or not any(part.keys() & _MEMBERS for part in parts):
        raise UsageError(f"this is no answer of Cognito's API: none of {', '.join(sorted(_MEMBERS))} is in it")
    return sorted_out(one for part in parts for one in (*_people(part), *_clients(part)))


_MEMBERS = frozenset({"Users", "UserPoolClient", "UserPoolClients"})


def _people(part: Document) -> Iterator[Newcomer | Left]:
    for user in part.get("Users") or ():
        said = {one["Name"]: one.get("Value", "") for one in user.get("Attributes") or ()}
        name = _name(text(user.get("Username")), said)
        if user.get("UserStatus") == "EXTERNAL_PROVIDER":
            yield Left(
                f"user {name!r}", "they sign in elsewhere; set that up as an [[upstream]], and they come by themselves"
            )
            continue
        yield Newcomer(
            sub=said.get("sub") or text(user.get("Username")),
            username=name,
            claims=_claims(said),
            created_at=_moment(user.get("UserCreateDate")),
            disabled=not user.get("Enabled", True),
        )
        yield Left(f"{name}: the password", "Cognito gives no hashes; a new one has to be set")
        for attribute in sorted(said.keys() - _PLAIN - _TRUTHS - {"sub", "address", "updated_at", "identities"}):
            yield Left(f"{name}: the attribute {attribute!r}", "it is no standard claim")


def _name(username: str, said: Document) -> str:
    """What they type to sign in: the alias, where the pool made up the name."""
    made_up = username == said.get("sub")
    return (text(said.get("email")) or text(said.get("phone_number")) or username) if made_up else username


def _claims(said: Document) -> dict[str, Any]:
    claims: dict[str, Any] = {name: value for name, value in said.items() if name in _PLAIN and value}
    claims |= {name: said[name] == "true" for name in sorted(_TRUTHS & said.keys())}
    return claims | ({"address": {"formatted": said["address"]}} if said.get("address") else {})


def _moment(said: object) -> int:
    if isinstance(said, (int, float)):
        return int(said)
    try:
        return int(datetime.fromisoformat(text(said)).timestamp())
    except ValueError:
        return 0


def _clients(part: Document) -> Iterator[Joining | Left]:
    one = part.get("UserPoolClient")
    for client in [*([one] if one else []), *(part.get("UserPoolClients") or ())]:
        name = text(client.get("ClientName")) or text(client.get("ClientId"))
        if client.keys() <= {"ClientId", "ClientName", "UserPoolId"}:
            yield Left(f"client {name!r}", "list-user-pool-clients says its name alone; use describe-user-pool-client")
        else:
            yield from _client(client, name)


def _client(client: Document, name: str) -> Iterator[Joining | Left]:
    owner, flows = f"client {name!r}", texts(client.get("AllowedOAuthFlows"))
    redirects = list(registrable(owner, texts(client.get("CallbackURLs"))))
    ways_back = list(registrable(f"{owner}, after signing out", texts(client.get("LogoutURLs"))))
    yield Joining(
        id=text(client.get("ClientId")),
        name=name,
        public=not client.get("ClientSecret"),
        secret=text(client.get("ClientSecret")),
        redirect_uris=kept(redirects),
        post_logout_redirect_uris=kept(ways_back),
        grants=tuple(grant for flow in flows for grant in _FLOWS.get(flow, ())),
        scopes=texts(client.get("AllowedOAuthScopes")),
    )
    yield from (*behind(redirects), *behind(ways_back))
    if "implicit" in flows:
        yield Left(f"{owner}: the implicit flow", "OAuth 2.1 has none; use code with PKCE")
    for flow in texts(client.get("ExplicitAuthFlows")):
        if flow != "ALLOW_REFRESH_TOKEN_AUTH":
            yield Left(f"{owner}: {flow}", "there is no API here that signs people in without a page")
