"""ID tokens that come back: a hint of whom a client means, signed by us, and encrypted to us where the client wished so."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.profiles import HS256
from innkeeper.issuer.desk.client_secrets import signed_for
from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys import jwe, jws
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens import identity


async def read_hint(realm: Realm, hint: str) -> dict[str, Any]:
    """The claims of an ID token that was cut here, expired or not (OpenID Connect Core §3.1.2.1). Raises ``NotOurs``."""
    if jwe.is_encrypted(hint):
        try:
            hint = realm.ring.decrypt(hint, realm.now()).decode("ascii", "replace")
        except jwe.NotDecrypted as error:
            raise NotOurs(f"it is encrypted, and {error}") from None
    claims = await _by_secret(realm, hint) or realm.ring.read(hint, identity.TYPE)
    if claims.get("iss") != realm.policy.issuer:
        raise NotOurs("cut by another issuer")
    return claims


async def _by_secret(realm: Realm, hint: str) -> dict[str, Any] | None:
    """The claims, where the hint was signed with the secret of the client that it was cut for."""
    try:
        parsed = jws.parse(hint)
        if parsed.header.get("alg") != HS256 or parsed.header.get("typ") != identity.TYPE:
            return None
        audience = read_object(parsed.claims).get("aud")
    except (jws.NotAToken, NotStrict):
        return None
    return signed_for(realm, hint, await realm.client(audience)) if isinstance(audience, str) else None
