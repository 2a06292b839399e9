"""Secrets of clients: hashed, and sealed too where something is signed with one: by the client (client_secret_jwt), or
its ID tokens (HS256)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from innkeeper.issuer.core.methods import SECRET_JWT
from innkeeper.issuer.core.profiles import HS256
from innkeeper.issuer.core.records import Client, Secret
from innkeeper.issuer.desk.client_keys import Signed
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.keys import jws, shared
from innkeeper.keys.jws import encode_header
from innkeeper.keys.seal import Seal
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object


def keep(
    seal: Seal, client_id: str, auth_methods: Iterable[str], secret: str, now: int, *, id_token_alg: object = ""
) -> Secret:
    """The secret as it is stored. Raises ``UsageError`` where it is to sign but is too short for that."""
    if SECRET_JWT not in auth_methods and id_token_alg != HS256:
        return Secret(digest(secret), now)
    if len(secret.encode()) < shared.SHORTEST:
        raise UsageError(
            f"the secret of client {client_id!r} is shorter than {shared.SHORTEST} bytes: too short to sign"
        )
    return Secret(digest(secret), now, sealed=seal.close(secret.encode(), _purpose(client_id)))


def read_sealed(realm: Realm, token: str, client: Client | None) -> Signed:
    """Take a client's JWT apart and verify it with its secrets, and with nothing else: HS256 only."""
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict) as error:
        return Signed(str(error))
    header = dict(parsed.header)
    if client is None or SECRET_JWT not in client.auth_methods:
        return Signed("the client registered no secret to sign with", header, claims)
    if any(shared.verify(parsed, secret) for secret in _open(realm, client)):
        return Signed("", header, claims)
    return Signed("no secret of the client verifies it with HS256", header, claims)


def sign(realm: Realm, client: Client, claims: Mapping[str, Any], typ: str) -> str:
    """A token for a client, signed with its newest secret. Raises ``UsageError`` where it has none to sign with."""
    secret = next(_open(realm, client), None)
    if secret is None:
        raise UsageError(f"client {client.id!r} has no secret to sign with; `innkeeper client rotate` makes one")
    return shared.compact(encode_header({"alg": HS256, "typ": typ}), msgspec.json.encode(claims), secret)


def signed_for(realm: Realm, token: str, client: Client | None) -> dict[str, Any] | None:
    """The claims of a token that was signed here with a client's secret; None for any other."""
    profile = realm.policy.profile_for(client)
    if client is None or not profile.secret_id_tokens or client.id_token_alg != HS256:
        return None
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict):
        return None
    return claims if any(shared.verify(parsed, secret) for secret in _open(realm, client)) else None


def _open(realm: Realm, client: Client) -> Iterator[bytes]:
    """The secrets that a client has now and that something may be signed with, the newest first."""
    now = realm.now()
    for one in client.secrets:
        if one.sealed and (one.expires_at is None or one.expires_at > now):
            yield realm.seal.open(one.sealed, _purpose(client.id))


def _purpose(client_id: str) -> str:
    return f"secret of client {client_id}"
