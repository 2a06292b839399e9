"""Secrets of clients: hashed, and sealed too where the client signs with its secret (client_secret_jwt)."""

from __future__ import annotations

from collections.abc import Iterable

from innkeeper.issuer.core.methods import SECRET_JWT
from innkeeper.issuer.core.records import Client, Secret
from innkeeper.issuer.desk.client_keys import Signed
from innkeeper.issuer.desk.realm import Realm, digest
from innkeeper.keys import jws, shared
from innkeeper.keys.seal import Seal
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object


def keep(seal: Seal, client_id: str, auth_methods: Iterable[str], secret: str, now: int) -> Secret:
    """The secret as it is stored. Raises ``UsageError`` where it is to sign but is too short for that."""
    if SECRET_JWT not in auth_methods:
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
    header, now = dict(parsed.header), realm.now()
    if client is None or SECRET_JWT not in client.auth_methods:
        return Signed("the client registered no secret to sign with", header, claims)
    live = [one for one in client.secrets if one.sealed and (one.expires_at is None or one.expires_at > now)]
    secrets = (realm.seal.open(one.sealed, _purpose(client.id)) for one in live)
    if any(shared.verify(parsed, secret) for secret in secrets):
        return Signed("", header, claims)
    return Signed("no secret of the client verifies it with HS256", header, claims)


def _purpose(client_id: str) -> str:
    return f"secret of client {client_id}"
