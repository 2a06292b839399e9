"""Signatures made by a client: verified against the keys it registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.records import Client
from innkeeper.keys import jwk, jws
from innkeeper.protocol.strict_json import NotStrict, read_object

ALGORITHMS = ("ES256", "ES384", "EdDSA", "PS256", "RS256")
"""What a client may sign with; for client assertions and request objects alike."""


class Signed(msgspec.Struct, frozen=True):
    """A JWT from a client. ``problem`` is empty where a key of the client verifies it, else says why not."""

    problem: str
    header: dict[str, Any] = {}
    claims: dict[str, Any] = {}


async def read_signed(token: str, client: Client | None, allowed: Sequence[str] = ALGORITHMS) -> Signed:
    """Take a client's JWT apart and verify it."""
    try:
        parsed = jws.parse(token)
        claims = read_object(parsed.claims)
    except (jws.NotAToken, NotStrict) as error:
        return Signed(str(error))
    header = dict(parsed.header)
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in allowed:
        return Signed(f"alg {alg!r} is none of {', '.join(allowed)}", header, claims)
    documents = await _key_documents(client)
    usable = [one for one in documents if kid is None or one.get("kid") in (None, kid)]
    keys, _ = jwk.read_set({"keys": usable})
    if not any(key.alg in (None, alg) and jws.verify(parsed, key.key, str(alg)) for key in keys):
        return Signed("no registered key verifies it", header, claims)
    return Signed("", header, claims)


async def _key_documents(client: Client | None) -> Sequence[dict[str, Any]]:
    return client.jwks if client else ()
